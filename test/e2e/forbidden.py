"""What keeps a process from io_uring: a seccomp filter, the sysctl, an old kernel."""

import contextlib
import ctypes
import errno
import os
import struct
import tempfile

import harness
from harness import Skip

PR_SET_SECCOMP, SECCOMP_MODE_FILTER, PR_SET_NO_NEW_PRIVS = 22, 2, 38
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL, KILL = 0x7fff0000, 0x00050000, 0x80000000
SETUP, ENTER, REGISTER = 425, 426, 427  # io_uring_..., on every architecture


def filter_code(numbers, verdict):
    """Load the number of the system call; if it is one of these, the verdict; else allow."""
    code = struct.pack("HBBI", LOAD, 0, 0, 0)
    for number in numbers:
        code += struct.pack("HBBI", JUMP_IF_EQUAL, 0, 1, number)
        code += struct.pack("HBBI", RETURN, 0, 0, verdict)
    return code + struct.pack("HBBI", RETURN, 0, 0, ALLOW)


def install(code):
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    if (libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
            or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0) != 0):
        raise OSError(ctypes.get_errno(), "prctl")


def denies_with_eperm():
    install(filter_code([SETUP], FAIL | errno.EPERM))


def denies_with_enosys():
    install(filter_code([SETUP, ENTER, REGISTER], FAIL | errno.ENOSYS))


def kills_who_tries():
    install(filter_code([SETUP, ENTER, REGISTER], KILL))


@contextlib.contextmanager
def disabled_sysctl():
    """The command prefix under which the sysctl reads as 2. The kernel's own is left alone: what it
    would do is for a filter to do."""
    unshare = harness.require("unshare")
    if os.geteuid() != 0:
        raise Skip("only root can put another file in the place of the sysctl")
    with tempfile.NamedTemporaryFile("w", suffix=".sysctl") as value:
        value.write("2\n")
        value.flush()
        yield [unshare, "--mount", "sh", "-c",
               f"mount --bind {value.name} /proc/sys/kernel/io_uring_disabled && "
               'exec "$0" "$@"']


def old_kernel():
    """The command prefix under which the kernel says that it is an old one."""
    return [harness.require("setarch"), "--uname-2.6"]
