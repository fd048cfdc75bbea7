"""crowd: thousands of keep-alive connections held by one client process, or by several.

CrowdProcesses runs this file, several times at once, and tells each over standard input what to do:
`open N` (each connection asks once), `ask` (each asks again), `close`. Each is answered by one
line: how many answers were right.

usage: crowd.py PORT PATH BODY_SIZE
"""
import resource
import selectors
import socket
import subprocess
import sys
import time

ACTIVE_MAX = 16  # connections that wait for their answer at once: the others are idle
TIMEOUT_S = 20


class Crowd:
    def __init__(self, port, path, body_size):
        self.address = "127.0.0.1", port
        self.request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        self.body_size = body_size
        self.sockets = []

    def open(self, count):
        return self.in_batches(count, self.open_some)

    def open_some(self, count):
        fresh = [socket.create_connection(self.address, 10) for _ in range(count)]
        self.sockets += fresh
        return self.answered(fresh)

    def ask(self):
        sockets = iter(self.sockets)
        return self.in_batches(len(self.sockets), lambda count: self.answered(
            [next(sockets) for _ in range(count)]))

    def in_batches(self, count, run):
        """Stops at the first batch that is not answered in full."""
        right = 0
        for start in range(0, count, ACTIVE_MAX):
            wanted = min(ACTIVE_MAX, count - start)
            answered = run(wanted)
            right += answered
            if answered < wanted:
                break
        return right

    def answered(self, sockets):
        """Asks on each, reads each answer to its end; how many were right."""
        selector = selectors.DefaultSelector()
        got = {}
        for each in sockets:
            each.sendall(self.request)
            got[each] = b""
            selector.register(each, selectors.EVENT_READ)
        right = 0
        deadline = time.monotonic() + TIMEOUT_S
        while selector.get_map() and time.monotonic() < deadline:
            for key, _ in selector.select(1):
                data = key.fileobj.recv(65536)
                got[key.fileobj] += data
                complete = self.is_complete(got[key.fileobj])
                right += complete
                if complete or not data:
                    selector.unregister(key.fileobj)
        selector.close()
        return right

    def is_complete(self, data):
        head, blank, body = data.partition(b"\r\n\r\n")
        return bool(blank) and head.startswith(b"HTTP/1.1 200 ") and len(body) == self.body_size

    def close(self):
        count = len(self.sockets)
        for each in self.sockets:
            each.close()
        self.sockets = []
        return count


class CrowdProcesses:
    """The client processes, told the same at once. Use it in a with statement."""

    def __init__(self, port, path, body_size, count, **options):
        command = [sys.executable, __file__, str(port), path, str(body_size)]
        self.processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                           text=True, **options) for _ in range(count)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.communicate()

    def tell(self, line):
        """Returns the sum of what they answer."""
        for process in self.processes:
            process.stdin.write(f"{line}\n")
            process.stdin.flush()
        return sum(int(process.stdout.readline() or -1) for process in self.processes)


def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    crowd = Crowd(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
    for line in sys.stdin:
        word, *number = line.split()
        print(getattr(crowd, word)(*map(int, number)), flush=True)


if __name__ == "__main__":
    main()
