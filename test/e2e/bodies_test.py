"""Bodies: expected, read to their end, bounded; and errors that a sender still gets to see."""

import harness
from harness import Server, equal, test, truth
from wire import request_bytes

HELLO = b"hello, bodies\n"
BODY_MAX_BYTES = 1024 * 1024


def start():
    return Server(harness.make_tree({"hello.txt": HELLO, "index.html": b"index\n"}))


def connect():
    return harness.shared(start).connect()


def finish(client):
    client.finish()
    client.assert_closed()
    client.close()


# --- Expect: 100-continue -------------------------------------------------------------------------

def expecting(method="POST", length=5, version="HTTP/1.1", value="100-continue"):
    fields = ["Host: h", f"Content-Length: {length}", f"Expect: {value}"]
    return request_bytes("/hello.txt", method, fields, version)


@test
def a_wanted_body_is_asked_for_with_100():
    for method, status in (("POST", 405), ("GET", 200), ("PUT", 405)):
        with connect() as client:
            client.send(expecting(method))
            equal(client.read_head().status, 100, method)
            client.send(b"hello")
            equal(client.read_response(method).status, status, method)
            client.assert_open("/hello.txt")
            finish(client)


@test
def a_chunked_body_is_asked_for_with_100():
    with connect() as client:
        client.request("/hello.txt", "POST", ["Transfer-Encoding: chunked", "Expect: 100-continue"])
        equal(client.read_head().status, 100)
        client.send(b"5\r\nhello\r\n0\r\n\r\n")
        equal(client.read_response().status, 405)
        finish(client)


@test
def no_100_when_the_body_is_already_there():
    with connect() as client:
        client.send(expecting() + b"hello")
        equal(client.read_response().status, 405)
        client.send(expecting() + b"h")
        client.send(b"ello")
        equal(client.read_response().status, 405)
        finish(client)


@test
def no_100_without_a_body():
    with connect() as client:
        equal(client.get("/hello.txt", fields=["Expect: 100-continue"]).status, 200)
        client.send(expecting(length=0))
        equal(client.read_response().status, 405)
        finish(client)


@test
def no_100_to_http_1_0():
    with connect() as client:
        client.send(expecting(version="HTTP/1.0"))
        for _ in range(4):
            harness.shared(start).get("/hello.txt")
        truth(client.has_silence(), "an interim answer went to HTTP/1.0")
        client.send(b"hello")
        equal(client.read_response().status, 405)
        client.assert_closed()


@test
def no_100_for_a_body_that_is_too_large():
    with connect() as client:
        client.send(expecting(length=BODY_MAX_BYTES + 1))
        equal(client.read_response().status, 413)
        client.assert_closed()


@test
def other_expectations_get_417():
    with connect() as client:
        client.send(expecting(value="a-miracle", length=0))
        equal(client.read_response().status, 417)


# --- bodies ---------------------------------------------------------------------------------------

def chunked_body(size, piece=60000):
    body = b"".join(b"%x\r\n%b\r\n" % (min(piece, size - at), b"c" * min(piece, size - at))
                    for at in range(0, size, piece))
    return body + b"0\r\n\r\n"


@test
def bodies_up_to_the_limit_are_read_and_the_connection_goes_on():
    for size in (1, BODY_MAX_BYTES - 1, BODY_MAX_BYTES):
        for method, status in (("GET", 200), ("POST", 405)):
            with connect() as client:
                client.send(request_bytes("/hello.txt", method, body=b"b" * size))
                equal(client.read_response(method).status, status, f"{method} with {size} bytes")
                client.request("/hello.txt", method, ["Transfer-Encoding: chunked"])
                client.send(chunked_body(size))
                equal(client.read_response(method).status, status, f"chunked {method}, {size}")
                client.assert_open("/hello.txt")
                finish(client)


@test
def bodies_over_the_limit_get_413():
    for method in ("GET", "POST", "OPTIONS"):
        with connect() as client:
            client.send(request_bytes("/hello.txt", method, body=b"b" * (BODY_MAX_BYTES + 1)))
            equal(client.read_response(method).status, 413, method)
            client.assert_closed()
        with connect() as client:
            client.request("/hello.txt", method, ["Transfer-Encoding: chunked"])
            client.send(chunked_body(BODY_MAX_BYTES + 1))
            equal(client.read_response(method).status, 413, f"chunked {method}")
            client.assert_closed()


@test
def bytes_behind_a_body_are_the_next_request():
    with connect() as client:
        body = request_bytes("/missing")
        client.send((request_bytes("/hello.txt", "GET", body=body)) * 8)
        for _ in range(8):
            equal(client.read_response().body, HELLO)
        finish(client)


# --- endings --------------------------------------------------------------------------------------

@test
def no_reset_eats_the_answer_of_a_client_that_still_sends():
    """Lingering close: megabytes that arrive after the error are swallowed."""
    for head in (expecting(length=64 << 20), b"POST / HTTP/1.1\r\nHost: h\r\nBad Name: x\r\n\r\n"):
        with connect() as client:
            client.send(head)
            for _ in range(64):
                client.send(b"x" * 65536)
            equal(client.read_response().status // 100, 4)
            client.assert_closed()


if __name__ == "__main__":
    harness.main()
