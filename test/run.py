"""Runs test programs and sums up their TAP.

usage: python3 test/run.py [--timeout SECONDS] [--jobs N] PROGRAM...

A program is an executable or a .py file, with NAME=VALUE: before it when it is to run with that in
its environment; it runs at the root of the repository, in a process group
of its own that is killed when its time is up and swept when it ends. Whatever it says must add up:
a crash, a plan that is missing or not kept, a time limit, an exit status that its tests do not
explain each count as one failed test. Exit status 77 means: all of it skipped.

The last line is `N passed, N failed`, with `, N skipped` when there are any. Exits 1 when a test
failed or none ran.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import select
import signal
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUTPUT_SIZE_MAX = 8 << 20
SHOWN_LINES_MAX = 400
STATUS_SKIPPED = 77

POINT = re.compile(r"(not )?ok\b(?: +(\d+))?(?: +- +| +|$)(.*)")
PLAN = re.compile(r"1\.\.(\d+)\s*(?:# *(.*))?$")
GROUP = re.compile(r"# (not )?ok - ")  # how cmocka sums up a group
SKIP = re.compile(r"(?:^|\s)# *skip(?:ped)?\b:? *(.*)$", re.IGNORECASE)
VARIABLE = re.compile(r"([A-Z_]+)=([^:/]*):")
BAIL = re.compile(r"Bail out!\s*(.*)")


class Outcome:
    """How a program ended, before its output is looked at."""

    def __init__(self, output=b"", status=None, seconds=0.0, stopped=None):
        self.output = output
        self.status = status    # as subprocess has it: negative is a signal
        self.seconds = seconds
        self.stopped = stopped  # why the runner ended it, or could not start it


class Report:
    """What a program's tests came to."""

    def __init__(self):
        self.passed = 0
        self.failures = []  # (name, lines)
        self.skips = []     # (name, reason)
        self.rest = []      # lines after the last test

    def fail(self, name, lines=()):
        self.failures.append((name, list(lines)))


class Groups:
    """The process groups alive now, so that an interrupt of the runner leaves none behind."""

    def __init__(self):
        self.lock = threading.Lock()
        self.processes = set()
        self.closed = False

    def start(self, command, variables):
        with self.lock:
            if self.closed:
                raise OSError("the run was interrupted")
            process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **variables})
            self.processes.add(process)
            return process

    def end(self, process):
        """Kills what is left of the group, then reaps its leader: its id is not reused before."""
        with self.lock:
            kill_group(process)
            self.processes.discard(process)
        return process.wait()

    def close(self):
        with self.lock:
            self.closed = True
            for process in self.processes:
                kill_group(process)


def kill_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def parse(program):
    """Returns (path, environment variables)."""
    match = VARIABLE.match(program)
    return (program[match.end():], {match[1]: match[2]}) if match else (program, {})


def name_of(program):
    path, variables = parse(program)
    given = "".join(f"{name}={value}:" for name, value in variables.items())
    return given + pathlib.Path(path).name


def command_of(program):
    path = str(pathlib.Path(parse(program)[0]).resolve())
    return [sys.executable, path] if path.endswith(".py") else [path]


def collect(process, deadline):
    """Reads until the leader has exited. Returns (output so far, why it must be stopped)."""
    output = bytearray()
    pipe = process.stdout.fileno()
    os.set_blocking(pipe, False)
    leader = os.pidfd_open(process.pid)
    try:
        waiting = {pipe, leader}
        while leader in waiting:
            left = deadline - time.monotonic()
            if left <= 0:
                return output, "time limit"
            ready = select.select(list(waiting), [], [], left)[0]
            if pipe in ready and not drain(pipe, output):
                waiting.discard(pipe)
            if len(output) > OUTPUT_SIZE_MAX:
                return output, "too much output"
            if leader in ready:
                waiting.discard(leader)
        return output, None
    finally:
        os.close(leader)


def drain(pipe, output):
    """Appends what is there now, up to the bound. Returns whether more may come."""
    while len(output) <= OUTPUT_SIZE_MAX:
        try:
            piece = os.read(pipe, 1 << 16)
        except BlockingIOError:
            return True
        if not piece:
            return False
        output += piece
    return True


def execute(program, timeout_s, groups):
    started = time.monotonic()
    try:
        process = groups.start(command_of(program), parse(program)[1])
    except OSError as error:
        return Outcome(stopped=f"cannot be run: {error.strerror or error}")
    with process.stdout:
        try:
            output, stopped = collect(process, started + timeout_s)
        finally:
            status = groups.end(process)
        drain(process.stdout.fileno(), output)
    if stopped == "time limit":
        stopped = f"ran past its time limit of {timeout_s:g} s"
    elif stopped:
        stopped = f"wrote more than {OUTPUT_SIZE_MAX >> 20} MiB"
    return Outcome(bytes(output), status, time.monotonic() - started, stopped)


class Tap:
    """TAP, line by line. A test's lines are those before its point and the comments right after it;
    those comments are the next test's when the point did not fail."""

    def __init__(self):
        self.report = Report()
        self.points = 0
        self.plans = []
        self.faults = []   # what the producer got wrong
        self.bail = None
        self.pending = []  # lines since the last point
        self.open_failure = None

    def read(self, text):
        for line in text.splitlines():
            if match := PLAN.match(line):
                self.plan(int(match[1]), match[2] or "")
            elif match := BAIL.match(line):
                self.bail = match[1] or "no reason given"
            elif match := POINT.match(line):
                self.point(bool(match[1]), match[2], match[3].strip())
            elif self.open_failure is not None and line.startswith(("#", "  ")):
                self.open_failure.append(line)
            elif not line.startswith("TAP version") and not GROUP.match(line):
                self.open_failure = None
                self.pending.append(line)
        self.report.rest = self.pending
        return self

    def plan(self, count, directive):
        self.plans.append(count)
        if count == 0 and (match := SKIP.search("# " + directive)):
            self.report.skips.append(("all", match[1]))

    def point(self, failed, number, text):
        self.points += 1
        self.open_failure = None
        if number is not None and int(number) != self.points:
            self.faults.append(f"test number {number} where {self.points} was due")
        skip = SKIP.search(text)
        name = (text[:skip.start()] if skip else text).strip()
        if skip:
            self.skip(name, skip[1])
        elif failed:
            self.open_failure = self.pending
            self.report.failures.append((name or f"test {self.points}", self.open_failure))
        else:
            self.report.passed += 1
        self.pending = []

    def skip(self, name, reason):
        """cmocka writes `not ok 3 # SKIP NAME`: the reason is then what the test said last."""
        if not name:
            name = reason or f"test {self.points}"
            reason = next((line for line in reversed(self.pending) if line.strip()), "")
        self.report.skips.append((name, reason.lstrip("# ")))

    def fault(self):
        """What is wrong with the plan, or None."""
        if self.bail is not None:
            return f"bailed out: {self.bail}"
        if not self.plans and not self.points:
            return "no TAP at all"
        if len(self.plans) != 1:
            return f"bad plan: {len(self.plans)} plans, expected 1"
        if self.plans[0] != self.points:
            return f"bad plan: {self.plans[0]} planned, {self.points} ran"
        if self.faults:
            return "bad plan: " + "; ".join(self.faults)
        if self.points == 0 and not self.report.skips:
            return "no tests"
        return None


def status_text(status):
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"


def judge(outcome):
    tap = Tap().read(outcome.output.decode("utf-8", "backslashreplace"))
    report = tap.report
    if outcome.stopped:
        report.fail(f"{outcome.stopped}, after {tap.points} tests", take_rest(report))
    elif outcome.status < 0:
        report.fail(f"{status_text(outcome.status)}, after {tap.points} tests", take_rest(report))
    elif outcome.status == STATUS_SKIPPED and not report.passed and not report.failures:
        reason = next((line for line in reversed(report.rest) if line.strip()), "exit status 77")
        report.skips = report.skips or [("all", reason.lstrip("# "))]
    elif fault := tap.fault():
        also = f" ({status_text(outcome.status)})" if outcome.status else ""
        report.fail(fault + also, take_rest(report))
    elif outcome.status != 0 and not report.failures:
        report.fail(f"{status_text(outcome.status)}, though no test failed", take_rest(report))
    return report


def take_rest(report):
    lines, report.rest = report.rest, []
    return lines


def counts_text(passed, failed, skipped):
    return f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")


def print_lines(lines):
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    if len(lines) > SHOWN_LINES_MAX:
        half = SHOWN_LINES_MAX // 2
        gap = f"... {len(lines) - 2 * half} lines left out ..."
        lines = lines[:half] + [gap] + lines[-half:]
    for line in lines:
        print(f"        {line}".rstrip())


def print_report(program, outcome, report, width):
    verdict = "FAIL" if report.failures else "ok" if report.passed else "skip"
    counts = counts_text(report.passed, len(report.failures), len(report.skips))
    print(f"{verdict:4} {name_of(program):{width}}  {outcome.seconds:7.2f} s  {counts}")
    if report.failures:
        print(f"    {program}")
        for name, lines in report.failures:
            print(f"    not ok: {name}")
            print_lines(lines)
        if any(line.strip() for line in report.rest):
            print(f"    after the last test ({status_text(outcome.status)}):")
            print_lines(report.rest)
    sys.stdout.flush()


def run(programs, timeout_s, jobs, groups, interruption):
    """Runs them, prints in the order given. Returns the reports, by program."""
    width = max(len(name_of(program)) for program in programs)
    reports = []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        try:
            pending = [pool.submit(execute, program, timeout_s, groups) for program in programs]
            interruption.allow()
            for program, future in zip(programs, pending):
                outcome = future.result()
                report = judge(outcome)
                print_report(program, outcome, report, width)
                reports.append((program, report))
        except BaseException:
            groups.close()
            raise
    return reports


def sum_up(reports):
    passed = sum(report.passed for _, report in reports)
    failed = sum(len(report.failures) for _, report in reports)
    skipped = sum(len(report.skips) for _, report in reports)
    if skipped:
        print("skipped:")
    for program, report in reports:
        for name, reason in report.skips:
            print(f"    {name_of(program)}: {name}: {reason or 'no reason given'}")
    if passed + failed == 0:
        print("no test ran")
    print(counts_text(passed, failed, skipped))
    return 1 if failed or passed == 0 else 0


class Interruption:
    """Signals that end the run. Kept back while threads are being started: an exception in the
    midst of that leaves a thread which nobody wakes."""

    def __init__(self):
        self.allowed = False
        self.pending = False
        signal.signal(signal.SIGTERM, self.handle)
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, self.handle)

    def handle(self, number, frame):
        self.pending = True
        if self.allowed:
            raise KeyboardInterrupt

    def allow(self):
        self.allowed = True
        if self.pending:
            raise KeyboardInterrupt


def positive(kind):
    def convert(text):
        value = kind(text)
        if value <= 0:
            raise ValueError(text)
        return value
    convert.__name__ = f"positive {kind.__name__}"
    return convert


def main():
    parser = argparse.ArgumentParser(description="Runs test programs and sums up their TAP.")
    parser.add_argument("--timeout", type=positive(float), default=120.0, metavar="SECONDS",
                        help="per program (default 120)")
    parser.add_argument("--jobs", type=positive(int), default=1, metavar="N",
                        help="programs at a time (default 1)")
    parser.add_argument("programs", nargs="*", metavar="PROGRAM")
    options = parser.parse_args()
    if not options.programs:
        return sum_up([])
    interruption = Interruption()
    try:
        return sum_up(run(options.programs, options.timeout, options.jobs, Groups(), interruption))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
