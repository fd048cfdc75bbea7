"""What a review once found broken: each of these failed before its repair."""

import os
import re
import signal
import socket
import subprocess

import harness
from harness import Server, Skip, equal, test, truth
from wire import Client, Closed, request_bytes

HELLO = b"hello, regressions\n"
BIG = 32 << 20
KEPT = 400_000  # as much as the kernel keeps for a peer that does not read
WAIT_S = 6      # longer than any of these takes, shorter than what they would wait for if broken


def tree():
    return harness.make_tree({"hello.txt": HELLO, "big": harness.pattern_bytes(BIG),
                              "kept": harness.pattern_bytes(KEPT)})


def start(root=None, listen="127.0.0.1:0", **ini):
    """One worker, so that what was sent first is seen first."""
    ini = {"workers": 1, "shutdown_timeout_ms": 60000, **ini}
    return Server(root or tree(), ini, listen=[listen])


def unix_address():
    """What to listen on, and its path."""
    path = harness.temporary_directory() + "/gyre.sock"
    return f"unix:{path}", path


def newest_report(lines):
    """The states of all connections, and the worker's line before them; None: not there yet."""
    begins = [i for i, line in enumerate(lines) if re.match(r"gyre: worker 0: \d+ conn", line)]
    for begin in reversed(begins):
        count = int(re.search(r"(\d+) connections", lines[begin])[1])
        states = [re.match(r"gyre: worker 0 connection \d+: ([a-z-]+),", line)
                  for line in lines[begin + 1:begin + 1 + count]]
        if len(states) == count and all(states):
            return [match[1] for match in states], lines[begin]
    return None


def wait_for_report(server, enough, what):
    """Asks for reports until enough(states, worker's line), or until the server has ended."""
    begin = len(server.stderr.lines)

    def seen():
        if not server.is_running():
            return True
        server.signal(signal.SIGUSR2)
        report = newest_report(server.stderr.lines[begin:])
        return report is not None and enough(*report)
    harness.wait_until(seen, what)


def pause_server(server):
    server.signal(signal.SIGSTOP)

    def is_stopped():
        with open(f"/proc/{server.pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(") ")[2].startswith("T")
    harness.wait_until(is_stopped, "the server is stopped")


def send_what_fits(client, data):
    """Sends over and over until the kernel takes no more."""
    client.socket.setblocking(False)
    at = 0
    try:
        while True:
            at = (at + client.socket.send(data[at:])) % len(data)
    except BlockingIOError:
        pass


def read_big(client, length, what):
    """The rest of /big or /kept, byte for byte."""
    expected, at = harness.pattern_bytes(length), 0
    try:
        for piece in client.read_pieces(length):
            truth(expected.startswith(piece, at), f"{what}: wrong bytes from offset {at} on")
            at += len(piece)
    except (ConnectionResetError, Closed) as error:
        raise AssertionError(f"{what}: cut after {at} of {length} bytes: {error!r}") from None


# --- receive buffers ------------------------------------------------------------------------------

@test
def peers_that_pipeline_and_never_read_do_not_keep_others_from_being_served():
    """On a unix socket, which takes more at once than the 64 KiB that a connection can set aside.
    What has been set aside before leaves less room than one receive buffer holds."""
    ini = {"ring.recv_buffers": 16, "ring.recv_buffer_bytes": "64K"}
    with start(listen=unix_address()[0], **ini) as server:
        hoarders = [server.connect() for _ in range(20)]
        for hoarder in hoarders:
            hoarder.send(request_bytes("/big") * 10)
            hoarder.read_head()
        pause_server(server)
        for hoarder in hoarders:
            send_what_fits(hoarder, request_bytes("/big", fields=["X: " + "y" * 8000]))
        server.signal(signal.SIGCONT)
        for i in range(3):
            with Client(server.address, timeout_s=WAIT_S) as client:
                equal(client.get("/hello.txt").body, HELLO, f"newcomer {i}")
        wait_for_report(server, lambda _, line: re.search(r"\b[1-9]\d* sacrificed", line),
                        "a hoarder was closed for it")
        for hoarder in hoarders:
            hoarder.close()


# --- complete responses ---------------------------------------------------------------------------

def slow_reader(server):
    """Has /kept on its way, all of it given to the kernel, and has read the head."""
    client = server.connect(receive_bytes=65536)
    client.request("/kept")
    client.head = client.read_head()
    equal(client.head.status, 200)
    return client


def try_to_send(client, data):
    """The server may have ended the connection already: that is what the caller looks for."""
    try:
        client.send(data)
    except (BrokenPipeError, ConnectionResetError):
        pass


def assert_everything_arrives(client, what):
    read_big(client, KEPT, what)
    client.assert_closed()
    client.close()


@test
def the_last_response_allowed_is_complete_though_one_more_request_follows():
    with start(requests_per_connection_max=1) as server:
        client = slow_reader(server)
        truth(client.head.closes, "the last response says close")
        wait_for_report(server, lambda states, _: not {"sending", "last-response"} & set(states),
                        "nothing is left to send")
        try_to_send(client, request_bytes("/kept"))
        assert_everything_arrives(client, "the only response")


@test
def a_response_is_complete_though_a_request_follows_after_sigterm():
    server = start()
    client = slow_reader(server)
    wait_for_report(server, lambda states, _: states == ["idle"], "nothing is left to send")
    server.signal(signal.SIGTERM)
    wait_for_report(server, lambda states, _: "idle" not in states, "the connection is ended")
    try_to_send(client, request_bytes("/kept"))
    assert_everything_arrives(client, "the response before SIGTERM")
    equal(server.wait(), 0, "exit status")


@test
def a_response_is_complete_though_its_reader_is_idle_for_too_long():
    with start(keepalive_timeout_ms=1, linger_timeout_ms=60000) as server:
        client = slow_reader(server)
        wait_for_report(server, lambda states, _: not {"sending", "idle"} & set(states),
                        "the idle connection is ended")
        try_to_send(client, request_bytes("/kept"))
        assert_everything_arrives(client, "the response before the idling")


# --- connections ----------------------------------------------------------------------------------

@test
def a_burst_beyond_connections_max_is_answered_whole():
    with start(connections_max=20) as server:
        pause_server(server)
        clients = [server.connect() for _ in range(600)]
        for client in clients:
            client.request("/hello.txt", fields=["Connection: close"])
        server.signal(signal.SIGCONT)
        for i, client in enumerate(clients):
            try:
                equal(client.read_response().body, HELLO, f"connection {i}")
            except (ConnectionResetError, Closed) as error:
                raise AssertionError(f"connection {i} of 600 is closed: {error!r}") from None
            client.assert_closed()
            client.close()


@test
def a_kernel_thread_that_polls_a_small_queue_is_waited_for():
    try:
        server = start(**{"ring.sqpoll": "on", "ring.entries": 16})
    except AssertionError as error:
        if re.search(r"assertion|signal|exit -", str(error), re.IGNORECASE):
            raise
        raise Skip(f"no sqpoll here: {error}") from None
    with server:
        clients = [server.connect() for _ in range(200)]
        for client in clients:
            equal(client.get("/hello.txt").body, HELLO)
        pause_server(server)
        for client in clients:
            client.request("/hello.txt")
        server.signal(signal.SIGCONT)
        for client in clients:
            equal(client.read_response().body, HELLO)
            client.close()


# --- the access log -------------------------------------------------------------------------------

OTHERS_LINE = b"a line that another program appended\n"


class FileServer(Server):
    """Its standard output is a regular file, as a shell's > makes it."""

    def __init__(self, root, ini):
        self.output = harness.temporary_directory() + "/output"
        to_file = ["sh", "-c", 'file=$1; shift; exec "$@" >"$file"', "sh", self.output]
        super().__init__(root, ini, user=to_file)

    def read_output(self):
        with open(self.output, "rb") as file:
            return file.read()

    def read_addresses(self, count):
        def ready():
            match = harness.READY_LINE.match(self.read_output().decode()) \
                if os.path.exists(self.output) else None
            self.addresses = [harness.parse_where(match["where"])] if match else []
            return match
        harness.wait_until(ready, "the line that says where")


@test
def two_workers_that_log_to_one_file_lose_no_line_but_those_they_tell_of():
    """They write at its end, wherever that is by then: a line of another writer is kept, too."""
    rounds, batch = 20, 8
    fields = ["User-Agent: " + "u" * 900, "Referer: " + "r" * 900]
    line = re.compile(rb'(?m)^127\.0\.0\.1 - - \[[^]]*\] "GET /hello.txt HTTP/1.1" 200 %d '
                      rb'"r{900}" "u{900}"\n' % len(HELLO))
    with FileServer(tree(), {"workers": 2, "access_log": "stdout"}) as server:
        clients = [server.connect() for _ in range(24)]
        with open(server.output, "ab") as file:
            file.write(OTHERS_LINE)
        for _ in range(rounds):
            pause_server(server)  # so that both workers have as much to write at the same time
            for client in clients:
                client.send(request_bytes("/hello.txt", fields=fields) * batch)
            server.signal(signal.SIGCONT)
            for client in clients:
                for _ in range(batch):
                    equal(client.read_response().status, 200)

        def accounted():
            told = re.findall(r"access log.*: (\d+) lines dropped", server.stderr.text())
            return len(line.findall(server.read_output())) + sum(map(int, told))
        harness.wait_until(lambda: accounted() >= rounds * batch * len(clients),
                           "each line is written or told to be dropped", WAIT_S)
        equal(accounted(), rounds * batch * len(clients), "lines written and dropped")
        rest = line.sub(b"", server.read_output())
        truth(rest.endswith(OTHERS_LINE), f"torn lines, or a lost one: {rest[:900]!r}")
        rest = rest[:-len(OTHERS_LINE)].decode("latin-1")
        truth(harness.READY_LINE.fullmatch(rest), f"torn lines: {rest[:900]!r}")
        for client in clients:
            client.close()


# --- unix sockets ---------------------------------------------------------------------------------

@test
def a_successor_keeps_its_unix_socket_when_the_drained_server_ends():
    listen, path = unix_address()
    root = tree()

    def is_refused():
        try:
            Client((socket.AF_UNIX, path)).close()
        except (ConnectionRefusedError, FileNotFoundError):
            return True
        return False
    with start(root, listen) as old:
        download = old.connect()
        download.request("/big")
        length = download.read_head().length
        old.signal(signal.SIGTERM)
        harness.wait_until(is_refused, "the old server listens no more")
        with start(root, listen) as successor:
            truth(old.is_running(), "the old server ended with a download running")
            read_big(download, length, "the download")
            download.close()
            equal(old.wait(), 0, "exit status of the old server")
            truth(os.path.exists(path), "the socket file is the successor's")
            equal(successor.get("/hello.txt").body, HELLO)


@test
def a_unix_socket_whose_owner_has_a_full_backlog_is_refused_at_once():
    listen, path = unix_address()
    waiting = []
    with socket.socket(socket.AF_UNIX) as owner:
        owner.bind(path)
        owner.listen(0)
        for _ in range(10):
            waiting.append(socket.socket(socket.AF_UNIX))
            waiting[-1].setblocking(False)
            if waiting[-1].connect_ex(path) != 0:
                break
        try:
            result = harness.run_gyre("-l", listen, tree(), timeout_s=WAIT_S)
        except subprocess.TimeoutExpired:
            raise AssertionError("gyre waits for the owner of the socket") from None
        finally:
            for client in waiting:
                client.close()
        equal(result.returncode, 1, result.stderr)
        harness.contains(result.stderr, re.escape(path))
        truth(os.path.exists(path), "the owner's socket file is still there")


# --- cached files ---------------------------------------------------------------------------------

def wait_until_cached(client, target):
    """A strong tag says that the file counts as settled; asked twice after it."""
    harness.wait_until(lambda: not client.get(target).fields["etag"].startswith("W/"),
                       f"the tag of {target} is strong")
    for _ in range(2):
        equal(client.get(target).status, 200, f"{target} before")


DIRECTORY_ROOT = harness.make_tree({"a/b/secret.txt": b"secret\n", "d/secret.txt": b"secret\n"})
LINK_ROOT = harness.make_tree({"d/file.txt": b"file\n"})


@test
def a_cached_file_is_gone_when_its_directory_becomes_a_link_to_the_outside():
    outside = harness.temporary_directory()
    with start(DIRECTORY_ROOT, **{"files.symlinks": "within"}) as server, \
            server.connect() as client:
        for target, moved in (("/d/secret.txt", "d"), ("/a/b/secret.txt", "a")):
            wait_until_cached(client, target)
            os.rename(server.path(moved), f"{outside}/{moved}")
            os.symlink(f"{outside}/{moved}", server.path(moved))
            equal(client.get(target).status, 404, f"{target} through a link to the outside")


@test
def a_cached_file_is_gone_when_its_directory_becomes_a_link_and_links_are_not_followed():
    with start(LINK_ROOT, **{"files.symlinks": "none"}) as server, server.connect() as client:
        wait_until_cached(client, "/d/file.txt")
        os.rename(server.path("d"), server.path("e"))
        os.symlink("e", server.path("d"))
        equal(client.get("/d/file.txt").status, 404, "through a link")
        equal(client.get("/e/file.txt").status, 200, "in its new place")


@test
def a_length_beyond_32_bits_is_told():
    root = harness.make_tree({"five": b""})
    size = (5 << 30) + 3
    os.truncate(os.path.join(root, "five"), size)
    with start(root) as server, server.connect() as client:
        equal(client.get("/five", method="HEAD").fields["content-length"], str(size))
        client.request("/five")
        equal(client.read_head().length, size)
        equal(client.read_bytes(1 << 20), bytes(1 << 20))
        client.reset()


# --- pages of errors ------------------------------------------------------------------------------

PAGE = b"<p>Sorry, said the page.\n"
LARGE_PAGE = harness.pattern_bytes(100_000)  # larger than what is cached in memory
PAGES_ROOT = harness.make_tree({"sorry.html": PAGE, "large.html": LARGE_PAGE})


@test
def pages_of_405_and_501_are_sent_with_their_status():
    with start(PAGES_ROOT, **{f"errors.{n}": "/sorry.html" for n in (405, 501)}) as server, \
            server.connect() as client:
        for method, status in (("DELETE", 405), ("BREW", 501), ("POST", 405)):
            response = client.get("/large.html", method=method)
            equal((response.status, response.body), (status, PAGE), method)
            equal(response.fields.get("allow"), "GET, HEAD, OPTIONS" if status == 405 else None)
        equal(client.get("/missing").status, 404, "the connection goes on")


@test
def a_page_for_a_status_that_can_have_none_is_refused():
    path = harness.temporary_directory() + "/gyre.ini"
    for status in (400, 403, 404, 405, 500, 501, 503):
        harness.write_file(path, b"[errors]\n%d = /sorry.html\n" % status)
        equal(harness.run_gyre("-c", path, "-t").returncode, 0, f"status of {status}")
    for status in (200, 301, 399, 401, 408, 412, 413, 414, 416, 417, 431, 502, 505, 599, 600):
        harness.write_file(path, b"[errors]\n%d = /sorry.html\n" % status)
        result = harness.run_gyre("-c", path, "-t")
        equal(result.returncode, 2, f"status of {status}: {result.stderr}")
        harness.contains(result.stderr, rf"{path}:2: ")


@test
def a_page_of_an_error_is_cached():
    with start(PAGES_ROOT, **{"errors.404": "/large.html"}) as server, server.connect() as client:
        def is_held():
            response = client.get("/missing/")
            truth((response.status, response.body) == (404, LARGE_PAGE), "not the page of 404")
            equal(server.get("/sorry.html").body, PAGE, "another's, when that has been sent")
            folder = f"/proc/{server.pid}/fd"
            links = [harness.link_of(f"{folder}/{name}") for name in os.listdir(folder)]
            return server.path("large.html") in links
        harness.wait_until(is_held, "the page is kept open", WAIT_S)


# --- a stray empty line ---------------------------------------------------------------------------

@test
def a_stray_empty_line_begins_no_request_that_could_be_late():
    with start(head_timeout_ms=100, keepalive_timeout_ms=100) as server:
        clients = [server.connect() for _ in range(2)]
        for client, pieces in zip(clients, ((b"\r\n",), (b"\r", b"\n"))):
            equal(client.get("/hello.txt").body, HELLO)
            for piece in pieces:
                client.send(piece)
                equal(server.get("/hello.txt").status, 200, "another's request in between")
        for client in clients:
            client.assert_closed()
            client.close()


@test
def a_stray_empty_line_does_not_hold_up_the_end():
    server = start(head_timeout_ms=60000)
    with server.connect() as client:
        equal(client.get("/hello.txt").body, HELLO)
        client.send(b"\r\n")
        equal(server.get("/hello.txt").status, 200, "another's request in between")
        server.signal(signal.SIGTERM)
        equal(server.wait(WAIT_S), 0, "exit status")


if __name__ == "__main__":
    harness.main()
