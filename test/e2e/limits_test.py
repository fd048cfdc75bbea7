"""Limits: too many connections, too few descriptors, too little memory to lock."""

import os
import re
import select

import harness
from harness import Server, Skip, contains, equal, test, truth
from wire import request_bytes

HELLO = b"hello, limits\n"
NOFILE = 100
LOCKING_USER = 64999  # nobody else's


def tree():
    return harness.make_tree({"hello.txt": HELLO, "big": harness.pattern_bytes(16 << 20),
                              **{f"f{i}": b"%d\n" % i for i in range(100)}})


def tree_of_large_old_files():
    """Too large for the cache's memory, old enough for the cache: each is kept as a descriptor."""
    root = harness.make_tree({f"large{i}": b"%d\n" % i for i in range(3 * NOFILE)})
    for name in os.listdir(root):
        os.truncate(os.path.join(root, name), 100000)
        os.utime(os.path.join(root, name), (1e9, 1e9))
    return root


@test
def a_full_server_serves_new_connections_by_closing_the_longest_idle():
    with Server(tree(), {"connections_max": 4, "workers": 1}) as server:
        clients = [server.connect() for _ in range(4)]
        for client in clients:
            equal(client.get("/hello.txt").body, HELLO)
        clients[0].get("/hello.txt")
        equal(server.get("/hello.txt").body, HELLO, "the fifth connection")
        clients[1].assert_closed()
        for client in (clients[0], clients[2], clients[3]):
            equal(client.get("/hello.txt").body, HELLO, "the others")
        for client in clients:
            client.close()


@test
def many_times_more_connections_than_allowed_are_served_one_after_the_other():
    with Server(tree(), {"connections_max": 4, "workers": 1}) as server:
        clients = []
        for _ in range(100):
            clients.append(server.connect())
            equal(clients[-1].get("/hello.txt").body, HELLO)
        for client in clients[:90]:
            client.assert_closed()
        for client in clients:
            client.close()


@test
def a_full_server_does_not_cut_running_downloads():
    with Server(tree(), {"connections_max": 2, "workers": 1}) as server:
        downloads = [server.connect(receive_bytes=65536) for _ in range(2)]
        for client in downloads:
            client.request("/big")
            client.head = client.read_head()
        waiting = server.connect()
        waiting.request("/hello.txt")
        expected = harness.pattern_bytes(16 << 20)
        for client in downloads:
            at = 0
            for piece in client.read_pieces(client.head.length):
                truth(expected.startswith(piece, at), f"wrong bytes from offset {at} on")
                at += len(piece)
        equal(waiting.read_response().body, HELLO, "the connection that had to wait")
        for client in (*downloads, waiting):
            client.close()


def limited_server(root=None):
    return Server(root or tree(), {"workers": 1}, limits=[f"--nofile={NOFILE}:{NOFILE}"])


@test
def the_descriptor_limit_is_survived():
    with limited_server() as server:
        equal(server.get("/hello.txt").body, HELLO)
        before = server.descriptors()
        clients = [server.connect() for _ in range(2 * NOFILE)]
        equal(clients[-1].get("/hello.txt").body, HELLO, "the last to come, by closing the idle")
        for client in clients:
            client.close()
        equal(server.get("/hello.txt").body, HELLO, "after the others have gone")
        harness.wait_until(lambda: server.descriptors() <= before + 1, "descriptors are back")


@test
def a_server_at_the_descriptor_limit_does_not_spin():
    with limited_server() as server:
        clients = [server.connect() for _ in range(2 * NOFILE)]
        clients[-1].get("/hello.txt")
        waits_s = 0.7
        before = server.cpu_seconds()
        # Nothing has been asked for: this is a second of watching an idle server.
        select.select([], [], [], waits_s)
        used = server.cpu_seconds() - before
        truth(used < waits_s / 3, f"{used:.2f} s of CPU in {waits_s} s without a request")
        for client in clients:
            client.close()
        equal(server.get("/hello.txt").body, HELLO)


@test
def files_are_served_or_503_at_the_descriptor_limit():
    with limited_server(tree_of_large_old_files()) as server:
        clients = [server.connect() for _ in range(4)]
        for i in range(6 * NOFILE):
            target = f"/large{i % (3 * NOFILE)}"
            response = clients[i % len(clients)].get(target)
            harness.one_of(response.status, (200, 503), target)
            if response.status == 503:
                contains(response.fields.get("retry-after", ""), r"^\d+$", "Retry-After")
        truth(server.descriptors() <= NOFILE, "more descriptors than the limit")
        for client in clients:
            client.close()
        harness.wait_until(lambda: server.get("/large7").status == 200, "files are served again")


@test
def descriptors_are_back_after_500_connections():
    with Server(tree()) as server:
        server.get("/hello.txt")
        server.get("/missing")
        before = server.descriptors()
        for i in range(500):
            with server.connect() as client:
                if i % 5:
                    client.get("/hello.txt" if i % 2 else "/missing")
        harness.wait_until(lambda: server.descriptors() <= before, "descriptors are back")


@test
def an_ordinary_user_with_little_lockable_memory_serves_with_a_warning():
    if harness.ENGINE == "epoll":
        raise harness.Skip("epoll locks no memory")
    root = tree()
    user = harness.ordinary_user(LOCKING_USER)
    with Server(root, limits=["--memlock=65536:65536"], user=user) as server:
        equal(server.get("/hello.txt").body, HELLO)
        with server.connect() as client:
            client.request("/big")
            expected, at = harness.pattern_bytes(16 << 20), 0
            for piece in client.read_pieces(client.read_head().length):
                truth(expected.startswith(piece, at), f"wrong bytes from offset {at} on")
                at += len(piece)
        contains(server.stderr.text(), r"memlock|locked memory|lock", "the warning")


@test
def an_ordinary_user_serves():
    limits = ["--memlock=8388608:8388608"]
    with Server(tree(), limits=limits, user=harness.ordinary_user()) as server:
        equal(server.get("/hello.txt").body, HELLO)
        equal(server.get("/big").body, harness.pattern_bytes(16 << 20))


@test
def many_requests_on_one_connection_do_not_grow_the_server():
    if re.search("address|thread", harness.GYRE):
        raise harness.Skip("a sanitizer keeps memory of its own")
    with Server(tree(), {"workers": 1}) as server, server.connect() as client:
        def resident():
            with open(f"/proc/{server.pid}/statm", encoding="ascii") as file:
                return int(file.read().split()[1]) * 4096
        batch = b"".join(request_bytes(f"/f{i}?{i}") for i in range(100))
        sizes = []
        for _ in range(60):
            client.send(batch)
            for _ in range(100):
                equal(client.read_response().status, 200)
            sizes.append(resident())
        growth = sizes[-1] - sizes[9]
        if "SANITIZE" in str(harness.GYRE).upper() or "-address" in harness.GYRE:
            raise Skip("a sanitizer keeps freed memory")
        truth(growth < 1 << 20, f"grew by {growth} bytes over 5000 requests")


if __name__ == "__main__":
    harness.main()
