"""Many clients that ask for what is costly, and do not read it: others are still answered, and what
they held comes back."""

import os
import re
import signal
import socket
import threading
import time

import harness
from harness import Server, equal, test, truth
from wire import request_bytes

CLIENTS = 90
OTHERS_MAX_S = 1.0  # the longest that somebody else may wait for a small file in the cache
DEPTH = 60


def make_root():
    root = harness.make_tree({"small.txt": b"small\n"})
    deep = os.path.join(root, "deep", *[f"d{i}" for i in range(DEPTH)])
    os.makedirs(deep)
    harness.write_file(os.path.join(deep, "file"), bytes(1 << 20))
    os.mkdir(os.path.join(root, "many"))
    for i in range(6000):
        harness.write_file(os.path.join(root, "many", f"{i:05d}-{'&' * 120}"), b"")
    return root


ROOT = make_root()


class Prober(threading.Thread):
    """Asks for a small file again and again, and remembers the longest wait."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server = server
        self.longest_s = 0.0
        self.statuses = set()
        self.done = threading.Event()
        self.start()

    def run(self):
        while not self.done.wait(0.01):
            start_s = time.monotonic()
            try:
                self.statuses.add(self.server.get("/small.txt").status)
            except OSError as error:
                self.statuses.add(repr(error))
            self.longest_s = max(self.longest_s, time.monotonic() - start_s)

    def finish(self):
        self.done.set()
        self.join()
        equal(self.statuses, {200}, "what another client got")
        truth(self.longest_s < OTHERS_MAX_S, f"another client waited {self.longest_s:.2f} s")


def memory(server):
    with open(f"/proc/{server.pid}/smaps_rollup", encoding="ascii") as file:
        return int(re.search(r"Anonymous: +(\d+) kB", file.read())[1]) << 10


def check_memory(server, most, what):
    """A sanitizer keeps what was freed for a while: then it says nothing."""
    with open(f"/proc/{server.pid}/maps", encoding="utf-8", errors="replace") as file:
        if not re.search("lib[at]san", file.read()):
            truth(memory(server) < most, f"{memory(server) >> 20} MiB {what}")


def attack(server, target, count=CLIENTS):
    """Clients that have asked, and read nothing."""
    clients = []
    for _ in range(count):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(server.address[1])
        client.sendall(request_bytes(target))
        clients.append(client)
    return clients


def statuses_of(clients):
    statuses = set()
    for client in clients:
        client.settimeout(30)
        statuses.add(client.recv(12)[9:12])
    return statuses


def start():
    return Server(ROOT, "[server]\nworkers = 1\n[timeouts]\nshutdown = 1s\n"
                        "[files]\nlisting = on\narchive = on\n", limits=["--nofile=2000"])


def leave(server, clients, descriptors):
    for client in clients:
        client.close()
    harness.wait_until(lambda: server.descriptors() <= descriptors, "descriptors come back", 30)


@test
def archives_that_nobody_reads_leave_descriptors_to_others():
    with start() as server:
        equal(server.get("/small.txt").status, 200, "before")
        descriptors = server.descriptors() + 4  # cached files, and the ends of the prober
        prober = Prober(server)
        clients = attack(server, "/deep/?format=tar")
        statuses = statuses_of(clients)
        truth(statuses <= {b"200", b"503"} and b"200" in statuses, f"statuses {statuses}")
        truth(server.descriptors() < 1600, f"{server.descriptors()} descriptors are open")
        leave(server, clients, descriptors)
        prober.finish()


@test
def listings_that_nobody_reads_take_a_bounded_memory():
    with start() as server:
        whole = server.get("/many/")
        equal(whole.status, 200, "a listing")
        truth(len(whole.body) > 4 << 20, f"it is large: {len(whole.body)}")
        descriptors = server.descriptors() + 4
        prober = Prober(server)
        clients = attack(server, "/many/")
        statuses = statuses_of(clients)
        truth(statuses <= {b"200", b"503"} and b"200" in statuses, f"statuses {statuses}")
        check_memory(server, 160 << 20, "for them")
        leave(server, clients, descriptors)
        prober.finish()
        check_memory(server, 64 << 20, "afterwards")
        equal(server.get("/many/").status, 200, "a listing, again")


@test
def a_stop_in_the_middle_ends_in_time():
    for target, count in (("/deep/?format=tar", CLIENTS), ("/many/", 4)):
        with start() as server:
            clients = attack(server, target, count)
            equal(clients[0].recv(12), b"HTTP/1.1 200", target)
            start_s = time.monotonic()
            server.signal(signal.SIGTERM)
            equal(server.wait(), 0, "its exit status")
            # The shutdown timeout, a tick, and what may lag behind it.
            truth(time.monotonic() - start_s < 1 + 1 + 2 + 2, "it took too long")
            for client in clients:
                client.close()


@test
def long_lists_in_a_head_take_no_long_time():
    lists = {"Accept-Encoding": "gzip;q=0.1,", "If-None-Match": '"x",', "Range": "1-2,",
             "Accept": 'text/html;q="0.1",', "If-Match": 'W/"y",', "Connection": "x,"}
    with Server(ROOT, "[files]\nlisting = on\n") as server:
        for name, item in lists.items():
            value = ("bytes=0-0," if name == "Range" else "") + item * (30_000 // len(item))
            fields = [f"{name}: {value[:-1]}"]
            for target in ("/small.txt", "/deep/", "/none"):
                start_s = time.monotonic()
                response = server.get(target, fields=fields)
                truth(time.monotonic() - start_s < 1, f"{name} took long")
                harness.one_of(response.status, (200, 206, 404, 412, 416, 400, 431), name)


if __name__ == "__main__":
    harness.main()
