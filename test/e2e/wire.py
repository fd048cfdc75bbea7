"""wire: a raw HTTP/1.1 client that believes nothing.

ResponseHead is strict: whatever RFC 9112 would let a client forgive is a Malformed here, so that
every test of every file checks every head it meets. The client never retries and never reconnects;
it can send its bytes one at a time, and it knows a FIN from a reset.
"""

import re
import select
import socket
import struct
import time
from email.utils import parsedate_to_datetime

TIMEOUT_S = 20
DATE_SLACK_S = 5
RECV_BYTES_MAX = 1 << 18
HEAD_BYTES_MAX = 64 * 1024

STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) ([\x20-\x7e]*)")
FIELD_LINE = re.compile(
    rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)"
)
DATE = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) "
    r"\d{4} \d\d:\d\d:\d\d GMT"
)
ETAG = re.compile(r'(W/)?"[\x21\x23-\x7e]*"')
STREAMED_TYPE = "application/x-tar"  # of no known length: chunked, or ends with the connection
LISTS = ("vary",)  # fields that may stand on several lines
NEVER_SENT = ("transfer-encoding", "upgrade", "te", "trailer", "proxy-connection", "keep-alive",
              "server-timing", "set-cookie")


class Malformed(AssertionError):
    """The server broke the protocol."""


class Closed(AssertionError):
    """The connection ended where more was expected."""


def expect(condition, message):
    if not condition:
        raise Malformed(message)


def date_seconds(text):
    expect(DATE.fullmatch(text) is not None, f"not an IMF-fixdate: {text!r}")
    return parsedate_to_datetime(text).timestamp()


class ResponseHead:
    """One head, checked. `raw` ends with its blank line. `length` is the content that follows."""

    def __init__(self, raw, method="GET"):
        expect(raw.endswith(b"\r\n\r\n"), "head without a blank line")
        lines = raw[:-4].split(b"\r\n")
        for line in lines:
            expect(b"\r" not in line and b"\n" not in line, f"bare CR or LF in {line!r}")
        match = STATUS_LINE.fullmatch(lines[0])
        expect(match, f"bad status line {lines[0]!r}")
        self.raw = raw
        self.status = int(match.group(1))
        self.reason = match.group(2).decode()
        self.fields = {}
        for line in lines[1:]:
            match = FIELD_LINE.fullmatch(line)
            expect(match, f"bad field line {line!r}")
            name, value = match.group(1).decode().lower(), match.group(2).decode()
            expect(name not in self.fields or name in LISTS, f"field {name} is repeated")
            self.fields[name] = f"{self.fields[name]}, {value}" if name in self.fields else value
        self.length = 0
        self.is_streamed = self.fields.get("content-type") == STREAMED_TYPE and self.status == 200
        self.has_body = method != "HEAD"
        self.body = b""
        if self.status >= 200:
            self.check(method)

    def check(self, method):
        for name in NEVER_SENT:
            expect(name not in self.fields or (self.is_streamed and name == "transfer-encoding"),
                   f"field {name} must not be sent")
        expect("date" in self.fields, "no Date")
        age = time.time() - date_seconds(self.fields["date"])
        expect(-DATE_SLACK_S < age < DATE_SLACK_S, f"Date is {age:.0f} s off")
        connection = self.fields.get("connection", "keep-alive")
        expect(connection in ("close", "keep-alive"), f"Connection: {connection}")
        length = self.fields.get("content-length")
        if self.status in (204, 304):
            expect(length is None, f"Content-Length on {self.status}")
            return
        expect("content-type" in self.fields, f"no Content-Type on {self.status}")
        expect(self.fields.get("x-content-type-options") == "nosniff", "no nosniff")
        if self.is_streamed:
            expect(length is None, f"Content-Length: {length} of a stream")
            expect(self.is_chunked or self.closes, "a stream without an end")
            return
        expect(length is not None, f"no Content-Length on {self.status}")
        expect(re.fullmatch("0|[1-9][0-9]*", length), f"Content-Length: {length}")
        if method != "HEAD":
            self.length = int(length)
        if self.status == 405:
            expect(self.fields.get("allow") == "GET, HEAD, OPTIONS", "405 without the right Allow")
        if "last-modified" in self.fields:
            date_seconds(self.fields["last-modified"])
        if "etag" in self.fields:
            expect(ETAG.fullmatch(self.fields["etag"]), f"ETag: {self.fields['etag']}")

    @property
    def is_chunked(self):
        return self.fields.get("transfer-encoding") == "chunked"

    @property
    def closes(self):
        return self.fields.get("connection") == "close"


class Client:
    """One connection. `address` is (family, sockaddr), as Server.address gives it."""

    def __init__(self, address, receive_bytes=None, timeout_s=TIMEOUT_S):
        self.buffer = bytearray()
        self.socket = socket.socket(address[0], socket.SOCK_STREAM)
        self.socket.settimeout(timeout_s)
        if receive_bytes is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        if address[0] != socket.AF_UNIX:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.socket.connect(address[1])
        except OSError:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Ends the connection with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def finish(self):
        """Says that no more will be sent (FIN)."""
        self.socket.shutdown(socket.SHUT_WR)

    def send(self, data):
        self.socket.sendall(data)

    def send_bytewise(self, data):
        view = memoryview(data)
        for i in range(len(view)):
            self.socket.send(view[i:i + 1])

    def request(self, target="/", method="GET", fields=(), version="HTTP/1.1", body=b""):
        self.send(request_bytes(target, method, fields, version, body))

    def get(self, target="/", method="GET", fields=(), version="HTTP/1.1", body=b""):
        self.request(target, method, fields, version, body)
        return self.read_response(method)

    def receive(self, wanted=RECV_BYTES_MAX):
        """More bytes into the buffer; raises Closed at the end of the stream."""
        data = self.socket.recv(wanted)
        if not data:
            raise Closed(f"the server closed; {len(self.buffer)} bytes unread: "
                         f"{bytes(self.buffer[:200])!r}")
        self.buffer += data

    def read_head(self, method="GET"):
        while True:
            end = self.buffer.find(b"\r\n\r\n")
            if end >= 0:
                raw = bytes(self.buffer[:end + 4])
                del self.buffer[:end + 4]
                return ResponseHead(raw, method)
            expect(len(self.buffer) < HEAD_BYTES_MAX, "head without end")
            self.receive()

    def read_bytes(self, count):
        while len(self.buffer) < count:
            self.receive(max(1, min(RECV_BYTES_MAX, count - len(self.buffer))))
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    def read_response(self, method="GET", interim_allowed=False):
        response = self.read_head(method)
        while response.status < 200 and interim_allowed:
            expect(response.status == 100, f"interim {response.status}")
            response = self.read_head(method)
        expect(response.status >= 200, f"interim {response.status} where none was asked for")
        if response.is_streamed and response.has_body:
            pieces = self.read_chunks() if response.is_chunked else self.read_to_end()
            response.body = b"".join(pieces)
        else:
            response.body = self.read_bytes(response.length)
        return response

    def read_chunks(self):
        """The chunks up to the last one, without extensions or trailers."""
        while True:
            while b"\r\n" not in self.buffer:
                self.receive()
            line = self.read_bytes(self.buffer.index(b"\r\n") + 2)
            expect(re.fullmatch(rb"(0|[1-9a-f][0-9a-f]*)\r\n", line), f"chunk size {line!r}")
            data = self.read_bytes(int(line, 16))
            expect(self.read_bytes(2) == b"\r\n", "no line end behind a chunk")
            if not data:
                return
            yield data

    def read_to_end(self):
        """What comes until the server closes the connection."""
        try:
            while True:
                self.receive()
        except Closed:
            yield self.read_bytes(len(self.buffer))

    def read_pieces(self, count):
        """The next count bytes, in pieces as they come: for what is too large to hold."""
        while count > 0:
            if not self.buffer:
                self.receive(min(RECV_BYTES_MAX, count))
            piece = bytes(self.buffer[:count])
            del self.buffer[:len(piece)]
            count -= len(piece)
            yield piece

    def has_silence(self):
        """True when nothing has arrived, neither bytes nor an end. Does not wait."""
        if self.buffer:
            return False
        return not select.select([self.socket], [], [], 0)[0]

    def assert_closed(self):
        """The server ended the connection with FIN, and sent nothing more before it."""
        try:
            data = bytes(self.buffer) + self.socket.recv(4096)
        except ConnectionResetError:
            raise Malformed("the connection was reset; a FIN was expected") from None
        except TimeoutError:
            raise Malformed("the connection is still open; a FIN was expected") from None
        expect(not data, f"bytes after the last response: {data[:200]!r}")

    def assert_open(self, target="/", status=200):
        """The connection goes on: it answers one more request."""
        response = self.get(target)
        expect(response.status == status, f"expected {status}, got {response.status}")
        return response


def request_bytes(target="/", method="GET", fields=(), version="HTTP/1.1", body=b""):
    lines = [f"{method} {target} {version}"]
    names = {line.split(":")[0].lower() for line in fields}
    if "host" not in names and version != "HTTP/1.0":
        lines.append("Host: gyre.example")
    lines.extend(fields)
    if body and not names & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
