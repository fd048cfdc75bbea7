"""harness: runs the real gyre for a test file, and the file's tests as TAP.

A test file registers functions with @test (or add(), for tables) and ends with main(). Servers
listen on port 0 and say on standard output where; nothing here sleeps or names a port. shared()
gives one server for all tests of a file; main() stops it and counts its stop as a test of its own,
since every stop checks the exit status and that neither assertion nor sanitizer spoke.
"""

import array
import atexit
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

from wire import Client

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# A server that ends at once leaves its threads to the kernel: not a leak.
os.environ.setdefault("TSAN_OPTIONS", "report_thread_leaks=0 suppressions="
                      + os.path.join(REPOSITORY, "test/thread.supp"))
GYRE = os.path.abspath(os.environ.get("GYRE", os.path.join(REPOSITORY, "build/gyre")))
ENGINE = os.environ.get("ENGINE", "")  # of every server here; none: what gyre chooses
START_TIMEOUT_S = 20
STOP_TIMEOUT_S = 20
TEST_TIMEOUT_S = 150
NOBODY = 65534

READY_LINE = re.compile(r"gyre: serving (?P<root>.*) at (?:http://)?(?P<where>.+?)/?\n")
ALARMS = re.compile(r"[Aa]ssertion|Sanitizer|runtime error:|core dumped|Segmentation")

# Setting -> (section, key) of the ini file: the one place that knows how gyre spells its keys.
SETTINGS = {
    "access_log": ("log", "access"),
    "body_max_bytes": ("limits", "body_max"),
    "cache": ("cache", "cache"),
    "cache_file_bytes_max": ("cache", "file_bytes_max"),
    "connections_max": ("server", "connections_max"),
    "dotfiles": ("files", "dotfiles"),
    "head_timeout_ms": ("timeouts", "head"),
    "index": ("files", "index"),
    "keepalive_timeout_ms": ("timeouts", "keepalive"),
    "body_timeout_ms": ("timeouts", "body"),
    "linger_timeout_ms": ("timeouts", "linger"),
    "listen": ("server", "listen"),
    "requests_per_connection_max": ("limits", "requests_per_connection_max"),
    "root": ("server", "root"),
    "send_timeout_ms": ("timeouts", "send"),
    "shutdown_timeout_ms": ("timeouts", "shutdown"),
    "symlinks": ("files", "symlinks"),
    "workers": ("server", "workers"),
}


class Skip(Exception):
    """The test cannot run here, and why."""


class TestTimeout(AssertionError):
    """A test took longer than TEST_TIMEOUT_S."""


# --- assertions -----------------------------------------------------------------------------------

def equal(got, expected, what="value"):
    if got != expected:
        raise AssertionError(f"{what}: expected {shorten(expected)}, got {shorten(got)}")


def one_of(got, expected, what="value"):
    if got not in expected:
        raise AssertionError(f"{what}: expected one of {shorten(expected)}, got {shorten(got)}")


def contains(text, pattern, what="text"):
    """pattern: a regular expression, looked for anywhere, ignoring case."""
    if not re.search(pattern, text, re.IGNORECASE):
        raise AssertionError(f"{what}: expected /{pattern}/ in {shorten(text)}")


def truth(condition, what):
    if not condition:
        raise AssertionError(what)


def shorten(value):
    text = repr(value)
    return text if len(text) <= 1000 else f"{text[:700]} ... {text[-250:]} ({len(text)} characters)"


def wait_until(predicate, what, timeout_s=15):
    """For states that only polling can see (/proc, the end of a listener)."""
    deadline = time.monotonic() + timeout_s
    pause = threading.Event()
    while not predicate():
        if time.monotonic() > deadline:
            raise AssertionError(f"after {timeout_s} s still not true: {what}")
        pause.wait(0.005)


# --- files ----------------------------------------------------------------------------------------

def temporary_directory():
    """A fresh directory that an ordinary user can enter, removed at exit."""
    path = tempfile.mkdtemp(prefix="gyre-e2e-")
    os.chmod(path, 0o755)
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def pattern_bytes(size, seed=0):
    """Bytes that depend on their offset, with no short period: a counter in every four bytes."""
    return array.array("I", range(seed, seed + size // 4 + 1)).tobytes()[:size]


def make_tree(tree, root=None):
    """tree: name (str or bytes, may hold '/') -> bytes. Returns the root."""
    root = temporary_directory() if root is None else root
    for name, content in tree.items():
        path = os.path.join(os.fsencode(root), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write_file(path, content)
    return root


def write_file(path, content):
    with open(path, "wb") as file:
        file.write(content)


def replace_file(path, content):
    """As editors and deploy tools do it: a new file, renamed over the old one."""
    fresh = os.fspath(path) + ".fresh~"
    write_file(fresh, content)
    os.rename(fresh, path)


def ini_text(settings):
    """settings: names of SETTINGS, or "section.key" written out -> value."""
    sections = {}
    for name, value in settings.items():
        section, key = SETTINGS[name] if name in SETTINGS else name.split(".", 1)
        unit = "ms" if name.endswith("_ms") else ""
        sections.setdefault(section, []).append(f"{key} = {value}{unit}")
    return "".join(f"[{name}]\n" + "\n".join(lines) + "\n" for name, lines in sections.items())


def run_gyre(*arguments, timeout_s=START_TIMEOUT_S, **keywords):
    """Runs gyre to its end, for command lines that do not serve."""
    result = subprocess.run([GYRE, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                            timeout=timeout_s, check=False, text=True, **keywords)
    truth(not ALARMS.search(result.stderr), f"stderr: {result.stderr}")
    return result


def require(program):
    path = shutil.which(program)
    if path is None:
        raise Skip(f"{program} is not installed")
    return path


def ordinary_user(number=NOBODY):
    """The command prefix that drops root, empty when there is nothing to drop. Locked memory counts
    for all processes of a user together: who tests its limit takes a number of its own."""
    if os.geteuid() != 0:
        return []
    return [require("setpriv"), f"--reuid={number}", f"--regid={number}", "--clear-groups"]


# --- the server -----------------------------------------------------------------------------------

class Output(threading.Thread):
    """Collects the lines of one stream; readers wait for the line they need."""

    def __init__(self, stream):
        super().__init__(daemon=True)
        self.stream = stream
        self.lines = []
        self.ended = False
        self.changed = threading.Condition()
        self.start()

    def run(self):
        for line in self.stream:
            with self.changed:
                self.lines.append(line.decode("utf-8", "backslashreplace"))
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def text(self):
        with self.changed:
            return "".join(self.lines)

    def wait_for(self, enough, timeout_s, what):
        """Waits until enough(lines) is true and returns its value."""
        with self.changed:
            self.changed.wait_for(lambda: enough(self.lines) or self.ended, timeout_s)
            value = enough(self.lines)
        if not value:
            raise AssertionError(f"{what}: not among {shorten(self.lines)}")
        return value

    def wait_for_match(self, pattern, timeout_s=15):
        expression = re.compile(pattern, re.IGNORECASE)
        return self.wait_for(
            lambda lines: next(filter(None, map(expression.search, lines)), None),
            timeout_s, f"a line with /{pattern}/")


class Server:
    """One gyre process. Use as a context manager, or call stop()."""

    def __init__(self, root=None, ini=None, args=(), listen=("127.0.0.1:0",), user=(), limits=(),
                 cwd=None, expected_listeners=None, before_exec=None):
        self.directory = temporary_directory()
        self.root = root if root is not None else make_tree({"index.html": b"index\n"})
        self.stopped = False
        command = [GYRE]
        if ini is not None:
            path = os.path.join(self.directory, "gyre.ini")
            text = ini if isinstance(ini, str) else ini_text(ini)
            write_file(path, text.encode())
            command += ["-c", path]
        for address in listen:
            command += ["-l", address]
        if ENGINE and "--engine" not in args:
            command += ["--engine", ENGINE]
        command += [*args, self.root]
        prefix = [require("prlimit"), *limits] if limits else []
        self.process = subprocess.Popen([*prefix, *user, *command], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd,
                                        preexec_fn=before_exec)
        atexit.register(self.kill)
        self.pid = self.process.pid
        self.stdout = Output(self.process.stdout)
        self.stderr = Output(self.process.stderr)
        self.addresses = []
        self.read_addresses(len(listen) if expected_listeners is None else expected_listeners)

    def read_addresses(self, count):
        def ready(lines):
            found = [match for match in map(READY_LINE.fullmatch, lines) if match]
            return found if len(found) >= count else None
        try:
            found = self.stdout.wait_for(ready, START_TIMEOUT_S, "the lines that say where")
        except AssertionError as error:
            self.kill()
            self.process.wait()
            self.stderr.join(5)
            raise AssertionError(f"gyre did not start: {error}; exit {self.process.returncode}; "
                                 f"stderr: {self.stderr.text()}") from None
        self.addresses = [parse_where(match["where"]) for match in found]

    @property
    def address(self):
        return self.addresses[0]

    @property
    def port(self):
        return self.address[1][1]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, kind, *ignored):
        if kind is None:
            self.stop()
        else:
            self.kill()

    def connect(self, receive_bytes=None):
        return Client(self.address, receive_bytes)

    def get(self, target="/", **keywords):
        """One request on a connection of its own."""
        with self.connect() as client:
            return client.get(target, **keywords)

    def path(self, name):
        return os.path.join(self.root, name)

    def signal(self, number):
        self.process.send_signal(number)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def sockets(self):
        """Descriptors that are sockets: those of cached files come and go as they like."""
        folder = f"/proc/{self.pid}/fd"
        return sum(link_of(f"{folder}/{name}").startswith("socket:") for name in os.listdir(folder))

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def is_running(self):
        return self.process.poll() is None

    def wait(self, timeout_s=STOP_TIMEOUT_S):
        """Waits for the end that something else causes, and checks what was left behind."""
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"gyre still ran {timeout_s} s after it was told to stop; "
                                 f"stderr: {self.stderr.text()}") from None
        self.stopped = True
        self.stdout.join(5)
        self.stderr.join(5)
        truth(not ALARMS.search(self.stderr.text()), f"stderr: {self.stderr.text()}")
        return self.process.returncode

    def stop(self):
        if self.stopped:
            return
        if self.is_running():
            self.signal(signal.SIGTERM)
        status = self.wait()
        truth(status == 0, f"exit status: expected 0, got {status}; stderr: {self.stderr.text()}")

    def kill(self):
        self.stopped = True
        if self.is_running():
            self.process.kill()
            self.process.wait()


def link_of(path):
    try:
        return os.readlink(path)
    except FileNotFoundError:
        return ""


def parse_where(where):
    """"127.0.0.1:80", "[::1]:80", "unix:/path" -> (family, sockaddr)."""
    if where.startswith("unix:"):
        return (socket.AF_UNIX, where[len("unix:"):])
    host, _, port = where.rpartition(":")
    if host.startswith("["):
        return (socket.AF_INET6, (host[1:-1], int(port), 0, 0))
    return (socket.AF_INET, (host, int(port)))


# --- tests ----------------------------------------------------------------------------------------

TESTS = []
SHARED = {}
FALLEN = []


def test(function):
    """Registers a test under its own name."""
    TESTS.append((function.__name__, function))
    return function


def add(name, function):
    TESTS.append((name, function))


def shared(start):
    """The server that start() gives, kept for the file; started anew if it has died."""
    server = SHARED.get(start)
    if server is None or not server.is_running():
        if server is not None:
            FALLEN.append(server)
        server = SHARED[start] = start()
    return server


def stop_shared():
    for server in FALLEN:
        raise AssertionError(f"a server died in the middle: exit {server.process.returncode}; "
                             f"stderr: {server.stderr.text()}")
    for server in SHARED.values():
        server.stop()


def on_alarm(*ignored):
    raise TestTimeout(f"not done after {TEST_TIMEOUT_S} s")


def run_one(number, name, function):
    name = name.replace("\\", "\\\\").replace("#", "\\#")
    signal.alarm(TEST_TIMEOUT_S)
    try:
        function()
        return report(f"ok {number} - {name}", "")
    except Skip as reason:
        return report(f"ok {number} - {name} # SKIP {reason}", "")
    except Exception as error:  # noqa: B902 - whatever a test raises is its failure
        frames = traceback.extract_tb(error.__traceback__)
        where = [f"{os.path.basename(f.filename)}:{f.lineno} {f.line}" for f in frames[1:]
                 if f.filename != __file__]
        details = [f"{type(error).__name__}: {error}", *where]
        details += [f"server died: exit {s.process.returncode}; stderr: {s.stderr.text()}"
                    for s in SHARED.values() if not s.stopped and not s.is_running()]
        report(f"not ok {number} - {name}", "\n".join(details))
        return False
    finally:
        signal.alarm(0)


def report(line, details):
    print(line)
    for detail in details.splitlines():
        print(f"# {detail}")
    sys.stdout.flush()
    return True


def main(needs_server=True):
    """Runs the tests whose names hold one of the words given, or all; exits 0 or 1."""
    if needs_server and not os.access(GYRE, os.X_OK):
        print(f"Bail out! no server at {GYRE}: run make, or say where with GYRE")
        sys.exit(1)
    words = sys.argv[1:]
    chosen = [(n, f) for n, f in TESTS if not words or any(word in n for word in words)]
    chosen.append(("shared_servers_stop_with_status_0_and_without_a_report", stop_shared))
    signal.signal(signal.SIGALRM, on_alarm)
    print(f"1..{len(chosen)}")
    results = [run_one(i, name, function) for i, (name, function) in enumerate(chosen, 1)]
    sys.exit(0 if all(results) else 1)
