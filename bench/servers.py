"""servers: starts gyre and its peers for a measurement, reads their clocks, stops them by pid.

Everything listens on the loopback and lives in one temporary directory. A server is pinned to one
core and gets all of it: where the user may, servers and load run at the highest ordinary priority,
in a session of their own because Linux weighs sessions first, so that what else the machine does
disturbs least.
"""
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import figures

BENCH = pathlib.Path(__file__).resolve().parent
START_TIMEOUT_S = 10
STOP_TIMEOUT_S = 40
SETTLED_S = 4
READY_LINE = re.compile(r"\w+: serving .* at http://(?P<host>[^:]+):(?P<port>\d+)/\n")


class Failed(Exception):
    """A program that the measurement needs could not run, and why."""


def pin(core):
    """For preexec_fn: the process keeps to one core, goes before others there, and may open many
    files."""
    def apply():
        os.sched_setaffinity(0, {core})
        os.setsid()
        allow_descriptors()
        try:
            os.setpriority(os.PRIO_PROCESS, 0, -20)
            with open("/proc/self/autogroup", "w", encoding="ascii") as file:
                file.write("-20")
        except OSError:
            pass  # an ordinary user, or no such groups: measured with what there is
    return apply


def allow_descriptors():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def temporary_directory():
    path = pathlib.Path(tempfile.mkdtemp(prefix="gyre-bench-"))
    path.chmod(0o755)  # a peer may run its worker as another user
    return path


def let_age():
    """Waits until files made just now are old enough to be cached: they may change again."""
    time.sleep(SETTLED_S)


class Server:
    """A running server; use it in a with statement. Its errors go to a file in `directory`."""

    def __init__(self, name, command, directory, **options):
        self.name = name
        self.errors_path = directory / f"{name}.errors"
        with open(self.errors_path, "wb") as errors:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors,
                                            stdin=subprocess.DEVNULL, **options)
        self.pid = self.process.pid
        self.port = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def address(self):
        return "127.0.0.1", self.port

    def url(self, name):
        return f"http://127.0.0.1:{self.port}/{name}"

    def errors(self):
        return self.errors_path.read_text(errors="replace")

    def pids(self):
        """The process and its children."""
        text = pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [self.pid, *map(int, text.split())]

    def cpu_s(self):
        """CPU time of all its threads, kernel threads of its rings included."""
        total_ns = 0
        for pid in self.pids():
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                total_ns += int((task / "schedstat").read_text().split()[0])
        return total_ns / 1e9

    def memory_bytes(self):
        """The proportional set size, of which shared pages count in part, of all its processes."""
        total = 0
        for pid in self.pids():
            text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += int(re.search(r"^Pss:\s+(\d+) kB$", text, re.MULTILINE)[1]) * 1024
        return total

    def stop(self):
        """Asks it to stop, insists after a while. Returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        return self.process.returncode


def start_told(name, command, directory, **options):
    """Starts one of ours, which says on standard output where it listens."""
    server = Server(name, command, directory, **options)
    line = server.process.stdout.readline().decode(errors="replace")
    match = READY_LINE.fullmatch(line)
    if match is None:
        server.stop()
        raise Failed(f"{name} did not start: {line!r} {server.errors()}")
    server.port = int(match["port"])
    return server


def start_gyre(gyre, root, directory, arguments=(), wrapper=(), name="gyre", **options):
    command = [*wrapper, str(gyre), "-l", "127.0.0.1:0", *arguments, str(root)]
    return start_told(name, command, directory, **options)


def free_port():
    """Most servers cannot tell which port the kernel chose, so one is chosen before."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(server):
    """Until the server accepts, or is found dead."""
    for _ in range(START_TIMEOUT_S * 50):
        if server.process.poll() is not None:
            break
        try:
            socket.create_connection(server.address, 1).close()
            return
        except ConnectionRefusedError:
            try:
                server.process.wait(0.02)
            except subprocess.TimeoutExpired:
                pass
    server.stop()
    raise Failed(f"{server.name} did not start: {server.errors()}")


def find_program(name):
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
    program = shutil.which(name, path=path)
    if program is None:
        raise Failed(f"{name} is not installed: sh ./deps.sh build bench")
    return program


def core_busy_s(core):
    """Time that a core was not idle, since the machine started."""
    return figures.busy_s(pathlib.Path("/proc/stat").read_text(), core, os.sysconf("SC_CLK_TCK"))


def trace_calls(pid, report_path, run):
    """Runs `run` while strace counts the process's system calls: ({name: calls}, result of run)."""
    strace = subprocess.Popen([find_program("strace"), "-f", "-c", "-o", str(report_path), "-p",
                               str(pid)], stderr=subprocess.PIPE)
    try:
        if not strace.stderr.readline():  # "Process N attached": it counts from here on
            raise Failed("strace could not attach")
        result = run()
    finally:
        strace.send_signal(signal.SIGINT)
        strace.communicate()
    calls = {}
    for line in pathlib.Path(report_path).read_text().splitlines():
        fields = line.split()
        if len(fields) >= 5 and fields[3].isdigit() and fields[-1] != "total":
            calls[fields[-1]] = int(fields[3])
    return calls, result
