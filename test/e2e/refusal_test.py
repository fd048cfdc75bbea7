"""Where io_uring is forbidden, gyre says by what, in one line, and exits with 1."""

import ctypes
import os
import struct
import subprocess
import tempfile

import harness
from harness import Skip, contains, equal, test

PR_SET_SECCOMP, SECCOMP_MODE_FILTER, PR_SET_NO_NEW_PRIVS = 22, 2, 38
IO_URING_SETUP = 425  # on every architecture
EPERM = 1
# Load the number of the system call; if it is io_uring_setup, fail with EPERM; else allow.
FILTER = (struct.pack("HBBI", 0x20, 0, 0, 0) + struct.pack("HBBI", 0x15, 0, 1, IO_URING_SETUP)
          + struct.pack("HBBI", 0x06, 0, 0, 0x00050000 | EPERM)
          + struct.pack("HBBI", 0x06, 0, 0, 0x7fff0000))


def forbid_io_uring():
    libc = ctypes.CDLL(None, use_errno=True)
    code = ctypes.create_string_buffer(FILTER, len(FILTER))
    program = struct.pack("HxxxxxxP", len(FILTER) // 8, ctypes.addressof(code))
    if (libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
            or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0) != 0):
        raise OSError(ctypes.get_errno(), "prctl")


def refused(*prefix, forbidden=True):
    """Starts gyre, which cannot run; returns its one line."""
    with tempfile.TemporaryDirectory() as root:
        result = subprocess.run([*prefix, harness.GYRE, "-l", "127.0.0.1:0", root],
                                capture_output=True, timeout=20, check=False, text=True,
                                preexec_fn=forbid_io_uring if forbidden else None)
    equal(result.returncode, 1, f"exit status; it said: {result.stderr}")
    equal(result.stdout, "", "standard output")
    equal(result.stderr.count("\n"), 1, f"lines of standard error: {result.stderr}")
    return result.stderr


@test
def a_seccomp_filter_is_named():
    contains(refused(), r"^gyre: io_uring is not available: .*seccomp")


@test
def the_sysctl_is_named():
    unshare = harness.require("unshare")
    if os.geteuid() != 0:
        raise Skip("only root can put another file in the place of the sysctl")
    with tempfile.NamedTemporaryFile("w", suffix=".sysctl") as value:
        value.write("2\n")
        value.flush()
        line = refused(unshare, "--mount", "sh", "-c",
                       f"mount --bind {value.name} /proc/sys/kernel/io_uring_disabled && "
                       'exec "$0" "$@"')
    contains(line, r"kernel\.io_uring_disabled")


@test
def an_old_kernel_is_named():
    line = refused(harness.require("setarch"), "--uname-2.6", forbidden=False)
    contains(line, r"older than 6\.1")


if __name__ == "__main__":
    harness.main()
