"""Deadlines: whole head, body, idle and send progress each end a connection in their own way."""

import threading

import harness
from harness import Server, equal, test, truth
from wire import request_bytes

HELLO = b"hello, deadlines\n"
SHORT_MS = 200


def start():
    return Server(harness.make_tree({"hello.txt": HELLO, "index.html": b"index\n"}),
                  {"head_timeout_ms": SHORT_MS, "keepalive_timeout_ms": SHORT_MS,
                   "body_timeout_ms": SHORT_MS})


def short():
    return harness.shared(start)


@test
def a_started_head_that_stalls_gets_408():
    parts = (b"G", b"GET /hello.txt HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n\r")
    clients = [short().connect() for _ in parts]
    for client, part in zip(clients, parts):
        client.send(part)
    for client, part in zip(clients, parts):
        response = client.read_response()
        equal(response.status, 408, f"status after {part!r}")
        truth(response.closes, "408 must say close")
        client.assert_closed()
        client.close()


@test
def a_second_head_that_stalls_gets_408():
    with short().connect() as client:
        equal(client.get("/hello.txt").status, 200)
        client.send(b"GET /hello.txt HTTP/1.1\r\nHost")
        equal(client.read_response().status, 408)
        client.assert_closed()


@test
def a_head_that_trickles_in_gets_408_all_the_same():
    """The deadline is for the whole head: a byte now and then does not extend it."""
    head = request_bytes("/hello.txt", fields=["A: " + "b" * 4000])
    with short().connect() as client:
        pause = threading.Event()
        for i in range(len(head)):
            client.send(head[i:i + 1])
            pause.wait(0.02)
            if not client.has_silence():
                break
        equal(client.read_response().status, 408)
        client.assert_closed()


@test
def a_body_that_stalls_gets_408():
    with short().connect() as client:
        client.send(request_bytes("/hello.txt", "POST", ["Content-Length: 10"]) + b"hello")
        response = client.read_response()
        equal(response.status, 408)
        client.assert_closed()


@test
def an_idle_connection_is_closed_silently():
    with short().connect() as client:
        equal(client.get("/hello.txt").status, 200)
        client.assert_closed()


@test
def a_connection_that_never_sends_is_closed_silently():
    with short().connect() as client:
        client.assert_closed()


@test
def a_reader_that_never_reads_is_let_go():
    root = harness.make_tree({"big": harness.pattern_bytes(8 << 20)})
    with Server(root, {"send_timeout_ms": SHORT_MS}) as server:
        before = server.descriptors()
        with server.connect(receive_bytes=4096) as client:
            client.request("/big")
            client.receive(1)
            harness.wait_until(lambda: server.descriptors() <= before, "the connection is closed")
            try:
                while client.socket.recv(1 << 16):
                    pass
            except ConnectionResetError:
                pass


if __name__ == "__main__":
    harness.main()
