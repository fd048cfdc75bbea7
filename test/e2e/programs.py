"""programs: other people's clients, run against a server whose access log says what they asked for.

A client that is not installed skips its test with the reason. Clients run without the proxies,
settings and languages of whoever runs the tests.
"""

import collections
import os
import re
import subprocess

import harness
from harness import Server, equal, require, truth
from wire import request_bytes

RUN_TIMEOUT_S = 50
COMPARED_BYTES = 1 << 20
MARK = "/end-of-stretch-"
MARKS = 80  # lines of more than 900 bytes each: LOG_FLUSH_SIZE, server/limits.h
LOG_LINE = re.compile(r'.* "(?P<method>\S+) (?P<target>\S+) HTTP/1\.[01]" (?P<status>\d{3}) '
                      r'(?P<bytes>\d+) "(?:[^"\\]|\\.)*" "(?P<agent>(?:[^"\\]|\\.)*)"')

Entry = collections.namedtuple("Entry", "method target status bytes agent")


def environment(**more):
    names = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    return {**names, "LC_ALL": "C.UTF-8", "no_proxy": "*", **more}


def run(program, *arguments, status=0, cwd=None, more_environment=None, timeout_s=RUN_TIMEOUT_S):
    """Runs it to its end and gives its standard output. status: None where any will do."""
    result = subprocess.run([require(program), *arguments], stdin=subprocess.DEVNULL,
                            capture_output=True, timeout=timeout_s, check=False, cwd=cwd,
                            env=environment(**more_environment or {}))
    if status is not None:
        equal(result.returncode, status, f"exit status of {program} {arguments}; it said "
              f"{result.stderr.decode(errors='replace')[-2000:]}")
    return result.stdout


def run_until(program, arguments, enough, what, cwd=None):
    """Runs it and kills it as soon as enough() is true: what an interrupted client leaves."""
    process = subprocess.Popen([require(program), *arguments], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=cwd,
                               env=environment())
    try:
        harness.wait_until(enough, what)
        equal(process.poll(), None, f"{program} is done before it could be interrupted")
    finally:
        process.kill()
        process.wait()


def content_of(path):
    with open(path, "rb") as file:
        return file.read()


def size_of(path):
    return os.path.getsize(path) if os.path.exists(path) else 0


def assert_same_files(path, expected_path):
    """Compares piece by piece: for what is too large to hold."""
    equal(size_of(path), size_of(expected_path), f"size of {path}")
    with open(path, "rb") as file, open(expected_path, "rb") as expected:
        at = 0
        while piece := file.read(COMPARED_BYTES):
            truth(piece == expected.read(COMPARED_BYTES), f"{path}: other bytes from {at} on")
            at += len(piece)


def tree_of(root):
    """Name -> content of every file beneath."""
    return {os.path.relpath(os.path.join(folder, name), root): content_of(f"{folder}/{name}")
            for folder, _, names in os.walk(root) for name in names}


class LoggedServer(Server):
    """Tells what was asked since it was last asked that; one worker, so that the log has one order.
    Requests of its own end each stretch: once one is in the log, all before it are; and so many
    that the log is written at once, not at the next tick."""

    def __init__(self, root=None, ini=None):
        self.log_path = os.path.join(harness.temporary_directory(), "access.log")
        self.stretches = 0
        self.lines_known = 0
        super().__init__(root, {**(ini or {}), "workers": 1, "access_log": self.log_path})

    def log_lines(self):
        return content_of(self.log_path).decode().split("\n")[:-1]

    def end_stretch(self):
        self.stretches += 1
        mark = f"{MARK}{self.stretches}/"
        with self.connect() as client:
            client.send(request_bytes(mark + "x" * 900) * MARKS)
            for _ in range(MARKS):
                equal(client.read_response().status, 404)
        harness.wait_until(lambda: any(mark in line for line in self.log_lines()), "it is logged")
        return mark

    def entries(self):
        mark = self.end_stretch()
        lines = self.log_lines()[self.lines_known:]
        end = next(i for i, line in enumerate(lines) if mark in line)
        self.lines_known += end
        matches = [(LOG_LINE.fullmatch(line), line) for line in lines[:end] if MARK not in line]
        for match, line in matches:
            truth(match, f"not a line of the log: {line!r}")
        return [Entry(match["method"], match["target"], int(match["status"]), int(match["bytes"]),
                      match["agent"]) for match, _ in matches]

    def statuses(self):
        """Target -> statuses, of this stretch."""
        found = collections.defaultdict(list)
        for entry in self.entries():
            found[entry.target].append(entry.status)
        return dict(found)
