"""The floor of the measurements answers what its clients take for answers."""
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import unittest

from bench_path import REPOSITORY
import servers
import tap

BARE = os.environ.get("BARE", str(REPOSITORY / "build" / "gcc" / "bench" / "bare"))
REQUEST = b"GET /whatever HTTP/1.1\r\nHost: localhost\r\n\r\n"


def body_of(client):
    """Of one answer, read to its end."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += client.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    size = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    while len(body) < size:
        body += client.recv(65536)
    return body


@unittest.skipUnless(os.access(BARE, os.X_OK), f"no {BARE}")
class Bare(unittest.TestCase):
    def start(self, *sizes):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        server = servers.start_told("bare", [BARE, *map(str, sizes)], pathlib.Path(folder.name))
        self.addCleanup(server.stop)
        return server

    def test_answers_have_the_sizes_asked_for_in_turn(self):
        server = self.start(100, 0, 1000000)
        with socket.create_connection(server.address, 10) as client:
            sizes = []
            for _ in range(6):
                client.sendall(REQUEST)
                sizes.append(len(body_of(client)))
        self.assertEqual(sizes, [100, 0, 1000000] * 2)

    def test_many_connections_are_served_and_closed_ones_forgotten(self):
        server = self.start(10)
        for _ in range(3):
            clients = [socket.create_connection(server.address, 10) for _ in range(200)]
            for client in clients:
                client.sendall(REQUEST)
            self.assertEqual({len(body_of(client)) for client in clients}, {10})
            for client in clients:
                client.close()

    def test_a_wrong_size_is_refused(self):
        for arguments in ([], ["x"], ["-1"], ["10k"], ["1"] * 65):
            done = subprocess.run([BARE, *arguments], stderr=subprocess.PIPE, check=False)
            self.assertEqual(done.returncode, 2, arguments)


if __name__ == "__main__":
    sys.exit(tap.main())
