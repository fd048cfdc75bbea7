"""Where io_uring is forbidden and asked for, gyre says by what, in one line, and exits with 1."""

import subprocess
import tempfile

import forbidden
import harness
from harness import contains, equal, test


def refused(*prefix, before_exec=None):
    """Starts gyre, which cannot run; returns its one line."""
    with tempfile.TemporaryDirectory() as root:
        result = subprocess.run([*prefix, harness.GYRE, "-l", "127.0.0.1:0", "--engine", "ring",
                                 root], capture_output=True, timeout=20, check=False, text=True,
                                preexec_fn=before_exec)
    equal(result.returncode, 1, f"exit status; it said: {result.stderr}")
    equal(result.stdout, "", "standard output")
    equal(result.stderr.count("\n"), 1, f"lines of standard error: {result.stderr}")
    return result.stderr


@test
def a_seccomp_filter_is_named():
    for before_exec in (forbidden.denies_with_eperm, forbidden.denies_with_enosys):
        contains(refused(before_exec=before_exec), r"^gyre: io_uring is not available: .*seccomp")


@test
def the_sysctl_is_named():
    with forbidden.disabled_sysctl() as prefix:
        line = refused(*prefix, before_exec=forbidden.denies_with_eperm)
    contains(line, r"kernel\.io_uring_disabled")


@test
def an_old_kernel_is_named():
    contains(refused(*forbidden.old_kernel()), r"older than 6\.1")


if __name__ == "__main__":
    harness.main()
