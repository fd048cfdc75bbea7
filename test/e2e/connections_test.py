"""Connections: persistence, pipelining, endings. RFC 9112 section 9."""

import socket

import harness
from harness import Server, equal, test, truth
from wire import Client, request_bytes

HELLO = b"hello, connections\n"
SIZES = (0, 1, 100, 4095, 4096, 4097, 20000, 300000)
SHORT_MS = 200


def start():
    tree = {f"f{size}": harness.pattern_bytes(size, size) for size in SIZES}
    return Server(harness.make_tree({"hello.txt": HELLO, "index.html": b"index\n", **tree}))


def connect():
    return harness.shared(start).connect()


def finish(client):
    client.finish()
    client.assert_closed()
    client.close()


# --- persistence ----------------------------------------------------------------------------------

@test
def http_1_1_persists_by_default():
    with connect() as client:
        for _ in range(20):
            response = client.get("/hello.txt")
            equal(response.body, HELLO)
            truth("connection" not in response.fields, "a 1.1 answer that goes on says nothing")
        finish(client)


@test
def close_is_honoured_and_echoed():
    for value in ("close", "Close", "CLOSE", "x, close", "close, x", "keep-alive, close", "close,"):
        with connect() as client:
            response = client.get("/hello.txt", fields=[f"Connection: {value}"])
            equal((response.status, response.body), (200, HELLO), value)
            truth(response.closes, f"Connection: {value} is not echoed as close")
            client.assert_closed()


@test
def nothing_after_close_is_answered():
    with connect() as client:
        client.send(request_bytes("/hello.txt", fields=["Connection: close"]) +
                    request_bytes("/hello.txt") * 5)
        truth(client.read_response().closes, "close is not echoed")
        client.assert_closed()


@test
def http_1_0_closes_by_default():
    with connect() as client:
        response = client.get("/hello.txt", version="HTTP/1.0")
        equal(response.body, HELLO)
        client.assert_closed()


@test
def http_1_0_keep_alive_is_honoured_and_echoed():
    with connect() as client:
        for _ in range(5):
            response = client.get("/hello.txt", version="HTTP/1.0",
                                  fields=["Connection: Keep-Alive"])
            equal(response.fields.get("connection"), "keep-alive")
            equal(response.body, HELLO)
        client.get("/hello.txt", version="HTTP/1.0")
        client.assert_closed()


@test
def http_1_0_keep_alive_goes_on_after_errors_too():
    with connect() as client:
        response = client.get("/missing", version="HTTP/1.0", fields=["Connection: keep-alive"])
        equal((response.status, response.fields.get("connection")), (404, "keep-alive"))
        finish(client)


@test
def a_client_that_finished_sending_gets_its_answers():
    with connect() as client:
        client.send(request_bytes("/f300000") * 3)
        client.finish()
        for _ in range(3):
            equal(client.read_response().body, harness.pattern_bytes(300000, 300000))
        client.assert_closed()


@test
def a_client_that_ends_in_mid_head_is_let_go():
    with connect() as client:
        client.send(b"GET /hello.txt HTTP/1.1\r\nHos")
        client.finish()
        client.socket.settimeout(5)
        if client.socket.recv(1, socket.MSG_PEEK):
            equal(client.read_response().status, 400)
        client.assert_closed()


@test
def requests_per_connection_are_bounded_when_asked():
    with Server(ini={"requests_per_connection_max": 3}) as server, server.connect() as client:
        equal([client.get().closes for _ in range(3)], [False, False, True])
        client.assert_closed()


# --- pipelining -----------------------------------------------------------------------------------

def assert_pipelined(count, send):
    sizes = [SIZES[(i * 5 + count) % len(SIZES)] for i in range(count)]
    with connect() as client:
        send(client, b"".join(request_bytes(f"/f{size}") for size in sizes))
        for i, size in enumerate(sizes):
            response = client.read_response()
            truth(response.body == harness.pattern_bytes(size, size),
                  f"answer {i} of {count}: expected {size} bytes of /f{size}, got "
                  f"{len(response.body)}: {response.raw[:200]!r}")
        finish(client)


@test
def one_to_32_pipelined_requests_are_answered_in_order():
    for count in range(1, 33):
        assert_pipelined(count, Client.send)


@test
def pipelined_requests_sent_byte_by_byte_are_answered_in_order():
    assert_pipelined(8, Client.send_bytewise)


@test
def two_hundred_pipelined_requests_are_all_answered():
    assert_pipelined(200, Client.send)


@test
def pipelined_small_answers_come_in_few_segments():
    with connect() as client:
        # A file that has just changed is opened for every request; wait until it may be cached.
        harness.wait_until(lambda: not client.get("/hello.txt").fields["etag"].startswith("W/"),
                           "the tag is strong")
        client.get("/hello.txt")
        client.send(request_bytes("/hello.txt") * 16)
        receives = 0
        while client.buffer.count(HELLO) < 16:
            client.receive()
            receives += 1
        for _ in range(16):
            equal(client.read_response().body, HELLO)
        truth(receives <= 8, f"16 answers took {receives} reads; they are to share segments")
        finish(client)


@test
def pipelined_methods_and_errors_keep_their_order():
    plan = [("/hello.txt", "GET", 200), ("/missing", "GET", 404), ("/hello.txt", "HEAD", 200),
            ("/hello.txt", "POST", 405), ("/", "GET", 200), ("/%zz", "HEAD", 400),
            ("*", "OPTIONS", 204), ("/hello.txt", "BREW", 501), ("/hello.txt", "GET", 200)] * 3
    with connect() as client:
        client.send(b"".join(request_bytes(target, method) for target, method, _ in plan))
        for target, method, status in plan:
            response = client.read_response(method)
            equal(response.status, status, f"{method} {target}")
            if response.closes:
                return
        finish(client)


@test
def answers_before_a_malformed_request_are_complete():
    with connect() as client:
        client.send(request_bytes("/f300000") * 4 + b"GET / HTTP/1.1\r\nBad Name: x\r\n\r\n")
        for _ in range(4):
            equal(client.read_response().body, harness.pattern_bytes(300000, 300000))
        equal(client.read_response().status, 400)
        client.assert_closed()


@test
def a_client_that_pipelines_but_does_not_read_is_held_back():
    """Back-pressure: the server stops reading, so that the client's own sends stop."""
    server = harness.shared(start)
    with server.connect(receive_bytes=4096) as client:
        client.socket.setblocking(False)
        data = request_bytes("/f4096") * 100
        sent, wanted = 0, 64 << 20
        try:
            while sent < wanted:
                sent += client.socket.send(data)
                if sent % 10 == 0:
                    server.get("/hello.txt")
        except BlockingIOError:
            pass
        truth(sent < wanted, f"the server took {sent} bytes of requests without an answer read")
        equal(server.get("/hello.txt").body, HELLO)


# --- endings --------------------------------------------------------------------------------------

@test
def a_client_that_lingers_forever_is_let_go():
    with Server(ini={"linger_timeout_ms": SHORT_MS}) as server:
        before = server.sockets()
        with server.connect() as client:
            client.send(b"bad\r\n\r\n")
            equal(client.read_response().status, 400)
            client.assert_closed()
            harness.wait_until(lambda: server.sockets() <= before, "the connection is closed")


@test
def resets_at_any_moment_leave_nothing_behind():
    server = harness.shared(start)
    server.get("/hello.txt")
    before = server.sockets()
    parts = (b"", b"GET", request_bytes("/f300000"), request_bytes("/f300000") * 20,
             request_bytes("/hello.txt", "POST", ["Content-Length: 10"]), b"bad\r\n\r\n",
             request_bytes("/hello.txt", fields=["Connection: close"]))
    for i in range(140):
        client = connect()
        client.send(parts[i % len(parts)])
        if i % 3 == 0 and i % len(parts) in (2, 3, 5, 6):
            client.receive(1)
        client.reset()
    equal(server.get("/hello.txt").body, HELLO)
    harness.wait_until(lambda: server.sockets() <= before, "all sockets are back")


if __name__ == "__main__":
    harness.main()
