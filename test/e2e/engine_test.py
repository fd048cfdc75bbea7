"""The choice of the engine: by itself, gyre serves with io_uring, and where that is forbidden with
epoll and one line that says why."""

import signal

import forbidden
import harness
from harness import Server, Skip, contains, equal, run_gyre, test, truth

BIG = harness.pattern_bytes(3_000_001)
TREE = {"index.html": b"index\n", "big.bin": BIG, "text.css": b"a { color: red }\n" * 1000,
        "folder/a.txt": b"a", "folder/b.txt": b"b"}


def is_coded(response):
    return response.fields.get("content-encoding") == "gzip"


def assert_serves(server):
    """What each part of the engine has a hand in."""
    with server.connect() as client:
        for _ in range(3):
            equal(client.get("/").body, TREE["index.html"])
            equal(client.get("/big.bin").body, BIG)
            equal(client.get("/big.bin", fields=["Range: bytes=1000000-1999999"]).body,
                  BIG[1_000_000:2_000_000])
            equal(client.get("/none").status, 404)
    harness.wait_until(lambda: is_coded(server.get("/text.css", fields=["Accept-Encoding: gzip"])),
                       "a helper has compressed it")
    equal(server.get("/folder/").status, 200)


def report_of(server):
    server.signal(signal.SIGUSR2)
    return server.stderr.wait_for_match(r"gyre: worker 0: .*, on (\S+)$")[1]


def start(*args, **keywords):
    return Server(harness.make_tree(TREE), args=("--listing", "-w", "2", *args), **keywords)


def assert_falls_back(reason, **keywords):
    with start("--engine", "auto", **keywords) as server:
        server.stderr.wait_for_match(r"gyre: 2 workers on epoll,")
        lines = server.stderr.text().splitlines()
        told = [line for line in lines if "io_uring" in line]
        equal(len(told), 1, f"lines that name io_uring: {lines}")
        contains(told[0], rf"^gyre: io_uring is not available: .*{reason}.*epoll")
        assert_serves(server)
        equal(report_of(server), "epoll", "the report")


@test
def a_seccomp_filter_leaves_epoll():
    assert_falls_back("seccomp", before_exec=forbidden.denies_with_eperm)


@test
def a_filter_that_says_there_is_no_such_call_leaves_epoll():
    assert_falls_back("seccomp", before_exec=forbidden.denies_with_enosys)


@test
def the_sysctl_leaves_epoll():
    with forbidden.disabled_sysctl() as prefix:
        assert_falls_back(r"kernel\.io_uring_disabled", user=prefix,
                          before_exec=forbidden.denies_with_eperm)


@test
def an_old_kernel_leaves_epoll():
    assert_falls_back(r"older than 6\.1", user=forbidden.old_kernel())


@test
def epoll_asked_for_says_nothing_and_never_tries_io_uring():
    with start("--engine", "epoll", before_exec=forbidden.kills_who_tries) as server:
        server.stderr.wait_for_match(r"gyre: 2 workers on epoll,")
        truth("io_uring" not in server.stderr.text(), server.stderr.text())
        assert_serves(server)
        server.signal(signal.SIGUSR1)
        equal(report_of(server), "epoll", "the report")


@test
def without_an_obstacle_it_is_io_uring():
    if run_gyre("--engine", "ring", "-l", "127.0.0.1:99999", "/").returncode not in (0, 2):
        raise Skip("io_uring is not allowed here")
    with start("--engine", "auto") as server:
        server.stderr.wait_for_match(r"gyre: 2 workers on io_uring,")
        truth("not available" not in server.stderr.text(), server.stderr.text())
        assert_serves(server)
        equal(report_of(server), "io_uring", "the report")


@test
def the_command_line_goes_before_the_file():
    with start("--engine", "epoll", ini={"server.engine": "ring"},
               before_exec=forbidden.denies_with_eperm) as server:
        equal(server.get("/").body, TREE["index.html"])
    result = run_gyre("--engine", "epoll", "-t")
    contains(result.stdout, r"(?m)^engine = epoll$")


@test
def an_unknown_engine_is_refused():
    for value in ("", "uring", "EPOLL"):
        result = run_gyre("--engine", value, "-t")
        equal((result.returncode, result.stdout), (2, ""))
        contains(result.stderr, r"^gyre: --engine .*: expected auto, ring or epoll")
    contains(run_gyre("--engine").stderr, r"option --engine needs a value")


if __name__ == "__main__":
    harness.main()
