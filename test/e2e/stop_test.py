"""Stopping and being asked: SIGTERM, SIGINT, a second signal, shutdown_timeout, SIGUSR2."""

import re
import signal
import time

import harness
from harness import Server, equal, test, truth
from wire import Client, request_bytes

MIB = 1 << 20
BIG = 32 * MIB
LATE_S = 10


def start(shutdown_ms=60000, **ini):
    root = harness.make_tree({"hello.txt": b"hello\n", "big": harness.pattern_bytes(BIG)})
    return Server(root, {"shutdown_timeout_ms": shutdown_ms, "send_timeout_ms": 60000, **ini})


def stalled_download(server):
    """A client in the middle of a download that cannot go on until it reads."""
    client = server.connect(receive_bytes=65536)
    client.request("/big")
    client.head = client.read_head()
    return client


def refuses(server):
    try:
        Client(server.address).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        return True
    return False


def wait_until_draining(server):
    harness.wait_until(lambda: refuses(server), "the listeners are closed")


def assert_ends_soon(server):
    """Well before the shutdown_timeout of a minute. Returns the exit status."""
    begin = time.monotonic()
    status = server.wait()
    took = time.monotonic() - begin
    truth(took < LATE_S, f"the end took {took:.1f} s")
    return status


@test
def sigterm_and_sigint_end_with_status_0():
    for number in (signal.SIGTERM, signal.SIGINT):
        server = start()
        equal(server.get("/hello.txt").status, 200)
        server.signal(number)
        equal(assert_ends_soon(server), 0, f"exit status after {number.name}")


@test
def sigterm_right_after_the_start_ends_with_status_0():
    for _ in range(5):
        server = start()
        server.signal(signal.SIGTERM)
        equal(assert_ends_soon(server), 0)


@test
def running_downloads_are_finished():
    expected = harness.pattern_bytes(BIG)
    server = start()
    clients = [stalled_download(server) for _ in range(8)]
    server.signal(signal.SIGTERM)
    wait_until_draining(server)
    truth(server.is_running(), "the server ended with downloads running")
    for client in clients:
        at = 0
        for piece in client.read_pieces(client.head.length):
            truth(expected.startswith(piece, at), f"wrong bytes from offset {at} on")
            at += len(piece)
        client.assert_closed()
        client.close()
    equal(assert_ends_soon(server), 0)


@test
def a_head_that_was_begun_does_not_hold_up_the_end_for_long():
    server = start(shutdown_ms=1000)
    with server.connect() as client:
        client.send(b"GET /hello.txt HTTP/1.1\r\nHos")
        server.get("/hello.txt")
        server.signal(signal.SIGTERM)
        equal(assert_ends_soon(server), 0)


@test
def idle_connections_are_closed():
    server = start()
    clients = [server.connect() for _ in range(20)]
    for client in clients[:10]:
        client.get("/hello.txt")
    server.signal(signal.SIGTERM)
    for client in clients[:10]:
        client.assert_closed()
    equal(assert_ends_soon(server), 0)
    for client in clients:
        client.close()


@test
def a_running_answer_says_close_when_it_can():
    """Pipelined behind a stalled download: answered or not, the connection ends after it."""
    server = start()
    client = stalled_download(server)
    server.signal(signal.SIGTERM)
    wait_until_draining(server)
    for _ in client.read_pieces(client.head.length):
        pass
    client.assert_closed()
    client.close()
    equal(assert_ends_soon(server), 0)


@test
def a_second_signal_ends_at_once():
    for first, second in ((signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGINT),
                          (signal.SIGTERM, signal.SIGINT)):
        server = start()
        client = stalled_download(server)
        server.signal(first)
        wait_until_draining(server)
        truth(server.is_running(), "the server did not wait for the download")
        server.signal(second)
        assert_ends_soon(server)
        client.close()


@test
def shutdown_timeout_bounds_the_wait():
    server = start(shutdown_ms=300)
    client = stalled_download(server)
    server.signal(signal.SIGTERM)
    equal(assert_ends_soon(server), 0)
    client.close()


@test
def a_shutdown_timeout_of_0_does_not_wait():
    server = start(shutdown_ms=0)
    client = stalled_download(server)
    server.signal(signal.SIGTERM)
    equal(assert_ends_soon(server), 0)
    client.close()


@test
def signals_that_mean_nothing_are_survived():
    with start() as server:
        for number in (signal.SIGPIPE, signal.SIGUSR1, signal.SIGUSR2):
            server.signal(number)
            equal(server.get("/hello.txt").status, 200)


@test
def sigusr2_prints_one_line_for_every_connection():
    with start() as server:
        stalled, idle, begun = stalled_download(server), server.connect(), server.connect()
        idle.get("/hello.txt")
        begun.send(b"GET /hello")
        with server.connect() as other:
            equal(other.get("/hello.txt", fields=["Connection: close"]).status, 200)
            other.assert_closed()
        server.signal(signal.SIGUSR2)
        line = re.compile(r"connection \d+: ([a-z-]+), age \d+ .*pending .*\b\d+ bytes")

        def three(lines):
            found = sorted(match[1] for match in map(line.search, lines) if match)
            return found if len(found) >= 3 else None
        equal(server.stderr.wait_for(three, 10, "lines of three connections"),
              ["idle", "reading-head", "sending"])
        for client in (stalled, idle, begun):
            client.close()


@test
def sigusr2_is_answered_under_load_and_without_connections():
    with start() as server:
        server.signal(signal.SIGUSR2)
        clients = [server.connect() for _ in range(50)]
        for i in range(20):
            for client in clients:
                client.send(request_bytes("/hello.txt"))
            server.signal(signal.SIGUSR2)
            for client in clients:
                equal(client.read_response().status, 200)
        for client in clients:
            client.close()


if __name__ == "__main__":
    harness.main()
