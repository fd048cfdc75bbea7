"""The harness itself: a strict client is worth nothing if it lets things pass."""

import socket
from email.utils import formatdate

import harness
import wire
from harness import equal, test, truth

NOW = formatdate(usegmt=True)
GOOD = ("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Content-Type-Options: nosniff\r\n"
        f"Content-Length: 5\r\nDate: {NOW}\r\n\r\n")


def refuses(text, method="GET"):
    try:
        wire.ResponseHead(text.encode("latin-1"), method)
    except wire.Malformed:
        return
    raise AssertionError(f"accepted: {text!r}")


@test
def a_good_head_is_read():
    head = wire.ResponseHead(GOOD.encode())
    equal((head.status, head.reason, head.length), (200, "OK", 5))
    equal(head.fields["content-type"], "text/plain")


@test
def a_head_request_has_no_content():
    equal(wire.ResponseHead(GOOD.encode(), "HEAD").length, 0)


@test
def malformed_heads_are_refused():
    for old, new in (
            ("HTTP/1.1", "HTTP/1.0"), ("200 OK", "200OK"), ("200", "20"), ("OK\r\n", "OK\n"),
            ("Content-Length: 5", "Content-Length:5"), ("Content-Length: 5", "Content-Length: 05"),
            ("Content-Length: 5", "Content-Length: 5 "), ("Content-Length: 5\r\n", ""),
            ("Content-Length: 5", "Content-Length: 5\r\nContent-Length: 5"),
            ("Content-Length: 5", "Transfer-Encoding: chunked"), ("Date: ", "date: x\r\nDate: "),
            (f"Date: {NOW}\r\n", ""), ("Date: ", "Date : "), ("GMT", "UTC"),
            (NOW, "Sun, 06 Nov 1994 08:49:37 GMT"), ("nosniff", "sniff"),
            ("Content-Type", "Upgrade"), ("Content-Type: text/plain", "Content-Type: \xe9"),
            ("Date", "X: a\rb\r\nDate"), ("Date", " X: folded\r\nDate"), ("\r\n\r\n", "\r\n"),
            ("200 OK", "204 No Content"), ("200 OK", "304 Not Modified"),
            ("200 OK", "405 Method Not Allowed"), ("Date", "Connection: Upgrade\r\nDate"),
            ("Date", "ETag: abc\r\nDate"), ("Date", "Last-Modified: today\r\nDate")):
        truth(old in GOOD, f"{old!r} is not in the template")
        refuses(GOOD.replace(old, new, 1))


def client_of_pair():
    ours, theirs = socket.socketpair()
    client = wire.Client.__new__(wire.Client)
    client.socket, client.buffer = ours, bytearray()
    ours.settimeout(5)
    return client, theirs


@test
def bytes_after_the_last_response_are_seen():
    client, peer = client_of_pair()
    peer.sendall(GOOD.encode() + b"hello" + b"x")
    peer.close()
    equal(client.read_response().body, b"hello")
    try:
        client.assert_closed()
    except wire.Malformed:
        return
    raise AssertionError("a byte too many was accepted")


@test
def a_short_body_is_seen():
    client, peer = client_of_pair()
    peer.sendall(GOOD.encode() + b"hell")
    peer.close()
    try:
        client.read_response()
    except wire.Closed:
        return
    raise AssertionError("a short body was accepted")


@test
def a_reset_is_not_a_close():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with wire.Client((socket.AF_INET, listener.getsockname())) as client:
            accepted, _ = listener.accept()
            client.send(b"unread")
            accepted.close()
            try:
                client.assert_closed()
            except wire.Malformed:
                return
    raise AssertionError("a reset passed for a close")


@test
def fixture_bytes_depend_on_their_offset():
    data = harness.pattern_bytes(1 << 20)
    words = {data[i:i + 4] for i in range(0, len(data), 4)}
    equal(len(words), len(data) // 4)
    equal(harness.pattern_bytes(4097), data[:4097])


if __name__ == "__main__":
    harness.main(needs_server=False)
