"""accept: the acceptance runs; an `ok` or `not ok` line with figures for each; 1 on a failure.

files    every file of /usr/share/doc and of a tree of odd sizes and names, over 64 keep-alive
         connections, 4 requests pipelined: every byte equal
crowd    10,000 connections open at once, all answered twice; memory for each, descriptors back
stop     SIGTERM in the middle of 64 downloads of 100 MB: none cut, exit status 0
memlock  an ordinary user with 8 MiB of lockable memory serves; with 64 KiB, warns and serves
calls    system calls per request, counted by strace under wrk

usage: accept.py [--gyre FILE] [--only NAME]...
"""
import argparse
import contextlib
import os
import pathlib
import re
import resource
import shutil
import signal
import sys
import time

import load
import servers
import tree
from crowd import CrowdProcesses
from fetch import Fetcher, Target

MB = 1024 * 1024
CONNECTIONS, DEPTH = 64, 4
CROWD, CROWD_PROCESSES, CROWD_BODY = 10000, 4, 1024
WARM_ROUNDS = 40
CROWD_MEMORY_MAX = 1.5 * 1024  # bytes for each idle connection
DOWNLOAD_SIZE = 100 * MB
MEMLOCK, MEMLOCK_LITTLE = 8 * MB, 64 * 1024
NOBODY = 65534
CALLS_MAX = 0.2  # per request


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def gyre(options, root, **more):
    return servers.start_gyre(options.gyre, root, options.directory, **more)


def stop(server):
    """The server stops as asked, and said nothing of an assertion."""
    status = server.stop()
    check(status == 0, f"gyre ended with {status}: {server.errors()[-500:]}")


def fetch_tree(server, root):
    """Fetches everything under the root; returns a line of figures."""
    fetcher = Fetcher(server.address, tree.targets_of(root), CONNECTIONS, DEPTH)
    count = len(fetcher.targets)
    begin = time.monotonic()
    fetcher.start()
    fetcher.run(300)
    check(not fetcher.failures, f"{len(fetcher.failures)} failures: {fetcher.failures[:5]}")
    check(fetcher.answers.total() == count, f"{fetcher.answers.total()} answers to {count}")
    answers = ", ".join(f"{number} x {status}"
                        for status, number in sorted(fetcher.answers.items()))
    return f"{answers}, {fetcher.bytes / 1e6:.0f} MB in {time.monotonic() - begin:.1f} s"


# --- the runs -------------------------------------------------------------------------------------

def run_files(options):
    own = options.directory / "tree"
    own.mkdir()
    tree.make_tree(own)
    figures = []
    for root in (pathlib.Path("/usr/share/doc"), own):
        with gyre(options, root) as server:
            figures.append(f"{root if root != own else 'own tree'}: {fetch_tree(server, root)}")
            stop(server)
    shutil.rmtree(own)
    return f"{CONNECTIONS} connections, {DEPTH} pipelined, bytes equal; {'; '.join(figures)}"


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def descriptors_return_to(pid, wanted, timeout_s=20):
    deadline = time.monotonic() + timeout_s
    while descriptors(pid) != wanted and time.monotonic() < deadline:
        time.sleep(0.05)
    return descriptors(pid)


def run_crowd(options):
    root = options.directory / "crowd"
    root.mkdir()
    (root / "body.txt").write_bytes(tree.pattern(CROWD_BODY, 1))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    check(hard > CROWD + 100, f"the descriptor limit is {hard}: more than {CROWD} are needed")
    with gyre(options, root) as server, contextlib.ExitStack() as stack:
        crowd = stack.enter_context(CrowdProcesses(server.port, "/body.txt", CROWD_BODY,
                                                   CROWD_PROCESSES))
        crowd.tell("open 64")  # touches what all connections share: receive buffers, cache
        for _ in range(WARM_ROUNDS):
            crowd.tell("ask")
        crowd.tell("close")
        start_fds = descriptors_return_to(server.pid, -1, 1)
        start = server.memory_bytes()
        opened = crowd.tell(f"open {CROWD // CROWD_PROCESSES}")
        idle = server.memory_bytes()
        fds = descriptors(server.pid)
        again = crowd.tell("ask")
        idle_again = server.memory_bytes()
        crowd.tell("close")
        end_fds = descriptors_return_to(server.pid, start_fds)
        after = server.memory_bytes()
        stop(server)
    each = (max(idle, idle_again) - start) / CROWD
    check(opened == CROWD, f"{opened} of {CROWD} were answered")
    check(again == CROWD, f"{again} of {CROWD} were answered the second time")
    check(fds - start_fds == CROWD, f"{fds - start_fds} descriptors for {CROWD} connections")
    check(end_fds == start_fds, f"descriptors: {start_fds} at the start, {end_fds} at the end")
    figures = (f"{CROWD} open at once, all answered twice; {each:.0f} bytes of PSS for each "
               f"({start / MB:.1f} MB before, {idle / MB:.1f} idle, {idle_again / MB:.1f} after "
               f"the second answers, {after / MB:.1f} after all closed); descriptors "
               f"{start_fds}, {fds}, {end_fds}")
    check(each <= CROWD_MEMORY_MAX, f"more than {CROWD_MEMORY_MAX:.0f} bytes each: {figures}")
    return figures


def run_stop(options):
    root = options.directory / "stop"
    root.mkdir()
    path = root / "large.bin"
    tree.make_sparse(path, DOWNLOAD_SIZE)
    with gyre(options, root) as server:
        target = Target(b"/large.bin", 200, os.fsencode(path))
        fetcher = Fetcher(server.address, [target] * CONNECTIONS, CONNECTIONS, 1)
        fetcher.start()
        deadline = time.monotonic() + 60
        while min(flow.received for flow in fetcher.flows) < MB and time.monotonic() < deadline:
            fetcher.step()
        check(len(fetcher.flows) == CONNECTIONS, f"only {len(fetcher.flows)} downloads run")
        before = fetcher.bytes
        server.process.send_signal(signal.SIGTERM)
        begin = time.monotonic()
        fetcher.run(60)
        finished_s = time.monotonic() - begin
        server.process.wait(servers.STOP_TIMEOUT_S)  # a second signal would end it at once
        stop(server)
    root_size = fetcher.bytes / CONNECTIONS / MB
    check(not fetcher.failures, f"{len(fetcher.failures)} failures: {fetcher.failures[:5]}")
    check(fetcher.answers == {200: CONNECTIONS}, f"answers: {dict(fetcher.answers)}")
    shutil.rmtree(root)
    return (f"{CONNECTIONS} downloads of {root_size:.0f} MB, SIGTERM after {before / 1e6:.0f} MB: "
            f"all complete and equal {finished_s:.1f} s later, exit status 0")


def run_memlock_at(options, root, limit, warns):
    wrapper = []
    if os.geteuid() == 0:
        wrapper = [servers.find_program("setpriv"), "--reuid", str(NOBODY), "--regid", str(NOBODY),
                   "--clear-groups"]
    with gyre(options, root, wrapper=wrapper, preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_MEMLOCK, (limit, limit))) as server:
        user = pathlib.Path(f"/proc/{server.pid}").stat().st_uid
        limits = pathlib.Path(f"/proc/{server.pid}/limits").read_text()
        try:
            figures = fetch_tree(server, root)
        except AssertionError as failure:
            raise AssertionError(f"{failure}; gyre said: {server.errors()}") from failure
        stop(server)
    check(user != 0, "gyre still runs as root")
    check(re.search(rf"^Max locked memory +{limit} ", limits, re.MULTILINE), limits)
    warnings = [line for line in server.errors().splitlines() if "ulimit -l" in line]
    check(warnings or not warns, f"no warning about locked memory: {server.errors()}")
    return f"{limit // 1024} KiB: {figures}, {len(warnings)} warnings"


def run_memlock(options):
    root = options.directory / "memlock"
    root.mkdir()
    for index in range(CONNECTIONS):
        (root / f"{index}.bin").write_bytes(tree.pattern(4 * MB + index, index))
    enough = run_memlock_at(options, root, MEMLOCK, False)
    little = run_memlock_at(options, root, MEMLOCK_LITTLE, True)
    return f"an ordinary user with {enough}; with {little}"


def run_calls(options):
    root = options.directory / "calls"
    root.mkdir()
    (root / "4096.txt").write_bytes(tree.pattern(4096, 1))
    servers.let_age()
    cores = sorted(os.sched_getaffinity(0))
    with gyre(options, root, arguments=["-w", "1"], preexec_fn=servers.pin(cores[0])) as server:
        url = server.url("4096.txt")
        load.run_wrk(url, 64, 0.2, cores[-1])
        calls, result = servers.trace_calls(server.pid, options.directory / "strace",
                                            lambda: load.run_wrk(url, 64, 2, cores[-1]))
        stop(server)
    per_request = sum(calls.values()) / max(1, result.requests)
    parts = ", ".join(f"{name} {count}" for name, count in
                      sorted(calls.items(), key=lambda item: -item[1]))
    figures = (f"{per_request:.3f} system calls a request under strace -f -c, wrk, 64 connections, "
               f"4 KB: {parts} for {result.requests} requests, {result.errors} errors")
    check(result.requests > 0 and result.errors == 0, figures)
    check(per_request <= CALLS_MAX, f"more than {CALLS_MAX}: {figures}")
    return figures


RUNS = {"files": run_files, "crowd": run_crowd, "stop": run_stop, "memlock": run_memlock,
        "calls": run_calls}


def main():
    parser = argparse.ArgumentParser(description="gyre's acceptance runs")
    parser.add_argument("--gyre", default=servers.BENCH.parent / "build" / "gyre",
                        type=pathlib.Path)
    parser.add_argument("--only", action="append", default=[], choices=list(RUNS))
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers are stopped, too
    options.directory = servers.temporary_directory()
    failures = 0
    try:
        copy = options.directory / "gyre-binary"  # where an ordinary user can run it
        shutil.copy2(options.gyre, copy)
        options.gyre = copy
        for name in options.only or RUNS:
            try:
                print(f"ok {name}: {RUNS[name](options)}", flush=True)
            except (AssertionError, servers.Failed, OSError) as failure:
                failures += 1
                print(f"not ok {name}: {failure}", flush=True)
    finally:
        shutil.rmtree(options.directory, ignore_errors=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
