"""probe: a client that takes answers as they come, so that servers of any kind can be compared.

The wire client of the end-to-end tests throws on what gyre must not send; this one keeps its
sockets and reads whatever a browser would still understand: chunked bodies, bodies that end with
their connection, fields that come twice. It never waits long: who is late has not answered.
"""
import pathlib
import re
import socket
import sys
import time
import urllib.parse

E2E = pathlib.Path(__file__).resolve().parents[2] / "test" / "e2e"
sys.path.insert(0, str(E2E))

import wire  # noqa: E402 - found only with the path above

ANSWER_TIMEOUT_S = 5
SILENCE_S = 1.0
HOST = "gyre.example"
STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])(?: [^\r\n]*)?\r?\n")
HEAD_END = re.compile(rb"\r?\n\r?\n")

request_bytes = wire.request_bytes


class NoAnswer(Exception):
    """What came in the place of an answer: nothing, an end, a reset, or bytes that are none."""


class Answer:
    """One answer. Field names are lower case, fields that came twice are joined by a comma."""

    def __init__(self, raw):
        match = STATUS_LINE.match(raw)
        if not match:
            raise NoAnswer(f"no status line: {raw[:60]!r}")
        self.raw = raw
        self.status = int(match.group(1))
        self.fields = {}
        for line in raw[match.end():].splitlines():
            name, _, value = line.partition(b":")
            name, value = name.decode("latin-1").strip().lower(), value.decode("latin-1").strip()
            if name:
                self.fields[name] = f"{self.fields[name]}, {value}" if name in self.fields \
                    else value
        self.body = b""

    def get(self, name, default=""):
        return self.fields.get(name, default)

    @property
    def tag(self):
        return self.get("etag")

    @property
    def is_weak(self):
        return self.tag.startswith("W/")

    @property
    def closes(self):
        return "close" in self.get("connection").lower()

    def has_body(self, method):
        return method != "HEAD" and self.status not in (204, 304) and self.status >= 200


class Probe(wire.Client):
    """One connection to the server under test."""

    def __init__(self, address, receive_bytes=None):
        super().__init__((socket.AF_INET, address), receive_bytes, ANSWER_TIMEOUT_S)

    def take(self, wanted=wire.RECV_BYTES_MAX):
        """More bytes into the buffer, or NoAnswer."""
        try:
            data = self.socket.recv(wanted)
        except TimeoutError:
            raise NoAnswer("no answer") from None
        except ConnectionResetError:
            raise NoAnswer("the connection was reset") from None
        if not data:
            raise NoAnswer("the connection was closed")
        self.buffer += data

    def send(self, data):
        """What the server closes meanwhile shows when its answer is read."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            pass

    def head(self):
        while not (match := HEAD_END.search(self.buffer)):
            if len(self.buffer) > wire.HEAD_BYTES_MAX:
                raise NoAnswer("a head without end")
            self.take()
        raw = bytes(self.buffer[:match.end()])
        del self.buffer[:match.end()]
        return Answer(raw)

    def bytes(self, count):
        while len(self.buffer) < count:
            self.take()
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    def line(self):
        while b"\n" not in self.buffer:
            self.take()
        end = self.buffer.index(b"\n") + 1
        return self.bytes(end).strip()

    def chunks(self):
        body = b""
        while size := int(self.line().partition(b";")[0], 16):
            body += self.bytes(size)
            self.line()
        while self.line():
            pass
        return body

    def rest(self):
        """Everything up to the end of the connection."""
        try:
            while True:
                self.take()
        except NoAnswer as reason:
            if "closed" not in str(reason):
                raise
        return self.bytes(len(self.buffer))

    def answer(self, method="GET"):
        """The next final answer with its body."""
        answer = self.head()
        while answer.status < 200:
            answer = self.head()
        if answer.has_body(method):
            if "chunked" in answer.get("transfer-encoding").lower():
                answer.body = self.chunks()
            elif "content-length" in answer.fields:
                answer.body = self.bytes(int(answer.get("content-length")))
            else:
                answer.body = self.rest()
        return answer

    def get(self, target="/", *fields, method="GET", version="HTTP/1.1", body=b""):
        self.send(request_bytes(target, method, fields, version, body))
        return self.answer(method)

    def everything(self, limit_s, bytes_max=1 << 20):
        """What comes until the server closes, is silent after it said something, or until limit_s
        have passed: (bytes, closed)."""
        deadline = time.monotonic() + limit_s
        while len(self.buffer) < bytes_max:
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                self.take()
                deadline = min(deadline, time.monotonic() + SILENCE_S)
            except NoAnswer as reason:
                return bytes(self.buffer), "no answer" not in str(reason)
        return bytes(self.buffer), False

    def is_closed(self):
        """Whether the server closes now, without another byte."""
        data, closed = self.everything(SILENCE_S)
        return closed and not data


def location_host(location):
    """The host that a browser goes to for a Location, None: the one it came from. It takes a
    backslash for a slash, and throws tabs and line ends away."""
    location = re.sub(r"[\t\r\n]", "", location.strip()).replace("\\", "/")
    return urllib.parse.urlsplit(location).netloc or None
