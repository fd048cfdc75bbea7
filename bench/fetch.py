"""fetch: a client that pipelines over many keep-alive connections and compares every byte.

One thread, one selector. Each target says what is expected: a status, and for 200 the file whose
bytes the body has to equal; they are compared as they arrive, never gathered. A connection that is
closed before its answers are complete, a wrong status and a wrong byte are failures, in words.
"""
import collections
import os
import selectors
import socket
import time
from typing import NamedTuple, Optional

RECEIVE_SIZE = 256 * 1024
HEAD_SIZE_MAX = 64 * 1024
FAILURES_MAX = 20


class Target(NamedTuple):
    request_path: bytes
    status: int
    file: Optional[bytes]  # the path to compare with; None: the body does not matter


class Flow:
    """One connection, and the answer that it is in the middle of."""

    def __init__(self, address):
        self.socket = socket.create_connection(address, 10)
        self.socket.setblocking(False)
        self.unsent = bytearray()
        self.waiting = collections.deque()  # targets asked for and not fully answered
        self.head = b""
        self.in_body = False
        self.left = 0
        self.offset = 0
        self.file = -1
        self.received = 0

    def ask(self, target):
        self.waiting.append(target)
        self.unsent += b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % target.request_path

    def close(self):
        if self.file >= 0:
            os.close(self.file)
            self.file = -1
        self.socket.close()


class Fetcher:
    def __init__(self, address, targets, connections, depth):
        self.address = address
        self.targets = collections.deque(targets)
        self.connections = connections
        self.depth = depth
        self.selector = selectors.DefaultSelector()
        self.flows = set()
        self.failures = []
        self.answers = collections.Counter()  # by status
        self.bytes = 0

    def start(self):
        for _ in range(min(self.connections, len(self.targets))):
            self.open_flow()

    def open_flow(self):
        flow = Flow(self.address)
        self.flows.add(flow)
        self.selector.register(flow.socket, selectors.EVENT_READ, flow)
        self.refill(flow)

    def run(self, timeout_s):
        """To the end of the targets, or of the time. Returns whether there was time enough."""
        deadline = time.monotonic() + timeout_s
        while self.flows:
            if time.monotonic() > deadline:
                self.fail(f"not over after {timeout_s} s: {len(self.targets)} targets not begun")
                self.close()
                return False
            self.step()
        return True

    def step(self):
        for key, events in self.selector.select(0.5):
            flow = key.data
            try:
                if events & selectors.EVENT_WRITE:
                    self.send(flow)
                if events & selectors.EVENT_READ:
                    self.receive(flow)
            except OSError as error:
                self.end(flow, str(error))

    def close(self):
        for flow in list(self.flows):
            self.drop(flow)
        self.selector.close()

    # --- one connection ---------------------------------------------------------------------------

    def refill(self, flow):
        while self.targets and len(flow.waiting) < self.depth:
            flow.ask(self.targets.popleft())
        if flow.unsent:
            self.send(flow)
        elif not flow.waiting:
            self.drop(flow)

    def send(self, flow):
        try:
            sent = flow.socket.send(flow.unsent)
            del flow.unsent[:sent]
        except BlockingIOError:
            pass
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if flow.unsent else 0)
        if self.selector.get_key(flow.socket).events != wanted:
            self.selector.modify(flow.socket, wanted, flow)

    def receive(self, flow):
        try:
            data = flow.socket.recv(RECEIVE_SIZE)
        except BlockingIOError:
            return
        if not data:
            self.end(flow, "the server closed")
            return
        self.bytes += len(data)
        flow.received += len(data)
        while data and flow in self.flows:
            data = self.take_body(flow, data) if flow.in_body else self.take_head(flow, data)

    def take_head(self, flow, data):
        """Returns what lies behind the head."""
        flow.head += data
        head, blank, rest = flow.head.partition(b"\r\n\r\n")
        if not blank:
            if len(flow.head) > HEAD_SIZE_MAX:
                self.end(flow, "a head without end")
            return b""
        if not flow.waiting:
            self.end(flow, "an answer to nothing")
            return b""
        flow.head = b""
        self.begin_body(flow, head)
        return rest

    def begin_body(self, flow, head):
        target = flow.waiting[0]
        lines = head.split(b"\r\n")
        status = int(lines[0].split(b" ")[1])
        fields = {name.lower(): value.strip() for name, _, value in
                  (line.partition(b":") for line in lines[1:])}
        self.answers[status] += 1
        flow.in_body = True
        flow.offset = 0
        flow.left = int(fields.get(b"content-length", b"0"))
        if status != target.status:
            self.fail(f"{target.request_path!r}: expected {target.status}, got {status}")
        elif target.file is not None:
            flow.file = os.open(target.file, os.O_RDONLY)
            size = os.fstat(flow.file).st_size
            if size != flow.left:
                self.fail(f"{target.request_path!r}: {size} bytes, Content-Length {flow.left}")
        if flow.left == 0:
            self.finish_answer(flow)

    def take_body(self, flow, data):
        piece = data if len(data) <= flow.left else data[:flow.left]
        if flow.file >= 0 and os.pread(flow.file, len(piece), flow.offset) != piece:
            self.fail(f"{flow.waiting[0].request_path!r}: wrong bytes in "
                      f"[{flow.offset}, {flow.offset + len(piece)})")
            os.close(flow.file)
            flow.file = -1
        flow.offset += len(piece)
        flow.left -= len(piece)
        if flow.left == 0:
            self.finish_answer(flow)
        return data[len(piece):]

    def finish_answer(self, flow):
        if flow.file >= 0:
            os.close(flow.file)
            flow.file = -1
        flow.in_body = False
        flow.waiting.popleft()
        if len(flow.waiting) <= self.depth // 2:
            self.refill(flow)

    def end(self, flow, why):
        """The connection is over: a failure when it owed something."""
        if flow.waiting:
            self.fail(f"{flow.waiting[0].request_path!r}: {why} at byte {flow.offset} of the body,"
                      f" {flow.left} to come, {len(flow.waiting)} answers owed")
        self.drop(flow)
        if self.targets:
            self.open_flow()

    def drop(self, flow):
        self.selector.unregister(flow.socket)
        self.flows.remove(flow)
        flow.close()

    def fail(self, what):
        if len(self.failures) < FAILURES_MAX:
            self.failures.append(what)
