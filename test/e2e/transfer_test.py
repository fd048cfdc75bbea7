"""Transfers: every byte of every size arrives, whoever reads and whatever happens to the file."""

import os
import resource
import threading

import harness
from harness import Server, Skip, equal, test, truth
from wire import Closed, Client, request_bytes

MIB = 1 << 20
SIZES = (0, 1, 2, 100, 4095, 4096, 4097, 16383, 16384, 16385, 65535, 65536, 65537,
         256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 512 * 1024 - 1, 512 * 1024, 512 * 1024 + 1,
         MIB, 10 * MIB)
CONNECTIONS, DEPTH = 64, 4
SPARSE_BYTES = 1 << 30


def name_of(size):
    return f"f{size}"


def start():
    return Server(harness.make_tree({name_of(size): harness.pattern_bytes(size, size)
                                     for size in SIZES}))


def assert_body(client, expected, what):
    at = 0
    for piece in client.read_pieces(len(expected)):
        truth(expected.startswith(piece, at), f"{what}: wrong bytes from offset {at} on")
        at += len(piece)


def assert_answer(client, size):
    head = client.read_head()
    equal((head.status, head.length), (200, size), f"/{name_of(size)}")
    assert_body(client, harness.pattern_bytes(size, size), name_of(size))


@test
def every_size_arrives_byte_for_byte():
    with harness.shared(start).connect() as client:
        for size in SIZES * 2:
            client.request(f"/{name_of(size)}")
            assert_answer(client, size)
        client.finish()
        client.assert_closed()


@test
def every_size_arrives_and_the_connection_closes_when_asked():
    for size in SIZES:
        with harness.shared(start).connect() as client:
            client.request(f"/{name_of(size)}", fields=["Connection: close"])
            assert_answer(client, size)
            client.assert_closed()


@test
def every_size_arrives_without_the_cache():
    root = harness.shared(start).root
    with Server(root, {"cache": "off"}) as server, server.connect() as client:
        for size in SIZES:
            client.request(f"/{name_of(size)}")
            assert_answer(client, size)


@test
def every_size_arrives_with_zero_copy():
    root = harness.shared(start).root
    ini = {"ring.zerocopy": "on", "ring.zerocopy_bytes_min": "1"}
    with Server(root, ini) as server, server.connect() as client:
        for size in SIZES * 2:
            client.request(f"/{name_of(size)}")
            assert_answer(client, size)


@test
def every_size_arrives_through_the_smallest_pools():
    root = harness.shared(start).root
    ini = {"workers": 1, "ring.entries": 16, "ring.recv_buffers": 8, "ring.recv_buffer_bytes": 256,
           "ring.chunk_bytes": 4096, "ring.chunks_max": 2}
    with Server(root, ini) as server:
        clients = [server.connect() for _ in range(8)]
        for size in SIZES:
            for client in clients[:8 if size < MIB else 2]:
                client.request(f"/{name_of(size)}", fields=["A: " + "b" * 1000])
            for client in clients[:8 if size < MIB else 2]:
                assert_answer(client, size)
        for client in clients:
            client.close()


@test
def a_sparse_gigabyte_arrives():
    """Marker bytes around the places where 32-bit and chunk arithmetic would slip."""
    root = harness.make_tree({"sparse": b""})
    path = os.path.join(root, "sparse")
    with open(path, "r+b") as file:
        file.truncate(SPARSE_BYTES)
        for mark in (0, 4096, 65535, 262143, 262144, 1 << 29, SPARSE_BYTES // 3, SPARSE_BYTES - 9):
            file.seek(mark)
            file.write(mark.to_bytes(8, "big") + b"!")
    with Server(root) as server, server.connect() as client, open(path, "rb") as file:
        client.request("/sparse")
        head = client.read_head()
        equal(head.length, SPARSE_BYTES)
        for piece in client.read_pieces(head.length):
            truth(file.read(len(piece)) == piece, f"wrong bytes before offset {file.tell()}")
        client.assert_open("/missing", 404)


@test
def a_file_over_4_gib_has_its_length():
    root = harness.make_tree({"huge": b""})
    size = (5 << 30) + 12345
    os.truncate(os.path.join(root, "huge"), size)
    with Server(root) as server:
        equal(server.get("/huge", method="HEAD").fields["content-length"], str(size))
        with server.connect() as client:
            client.request("/huge")
            equal(client.read_head().length, size)
            truth(not any(client.read_bytes(MIB)), "the hole is not zeros")


@test
def a_slow_reader_gets_everything_and_delays_nobody():
    server = harness.shared(start)
    with server.connect(receive_bytes=16384) as slow, server.connect() as other:
        slow.request(f"/{name_of(MIB)}")
        head = slow.read_head()
        expected = harness.pattern_bytes(MIB, MIB)
        for at in range(0, head.length, 8192):
            truth(slow.read_bytes(8192) == expected[at:at + 8192], f"wrong bytes after {at}")
            if at % 65536 == 0:
                other.request(f"/{name_of(4097)}")
                assert_answer(other, 4097)


@test
def a_reader_that_resets_midway_harms_nobody():
    server = harness.shared(start)
    server.get("/missing")
    before = server.sockets()
    for i in range(40):
        client = server.connect(receive_bytes=4096 if i % 2 else None)
        client.request(f"/{name_of(10 * MIB)}")
        client.read_bytes(1 + i * 5000)
        client.reset()
    with server.connect() as client:
        client.request(f"/{name_of(65537)}")
        assert_answer(client, 65537)
    harness.wait_until(lambda: server.sockets() <= before, "all sockets are back")


@test
def a_reader_that_leaves_midway_harms_nobody():
    server = harness.shared(start)
    before = server.sockets()
    for i in range(20):
        with server.connect() as client:
            client.request(f"/{name_of(10 * MIB)}")
            client.read_bytes(1 + i * 5000)
    harness.wait_until(lambda: server.sockets() <= before, "all sockets are back")


def streaming(size, ini=None):
    """A server and a client that has read the head of a file far larger than all socket buffers."""
    root = harness.make_tree({"file": harness.pattern_bytes(size), "index.html": b"i\n"})
    server = Server(root, ini)
    client = server.connect(receive_bytes=65536)
    client.request("/file")
    return server, client, client.read_head()


def assert_truncation_ends_the_connection(zerocopy):
    server, client, head = streaming(32 * MIB, {"ring.zerocopy": zerocopy})
    with server, client:
        expected = harness.pattern_bytes(32 * MIB)
        os.truncate(server.path("file"), MIB)
        at = 0
        try:
            for piece in client.read_pieces(head.length):
                truth(expected.startswith(piece, at), f"wrong bytes from offset {at} on: padding?")
                at += len(piece)
            raise AssertionError("the whole length arrived of a file that had shrunk")
        except (Closed, ConnectionResetError):
            pass
        equal(server.get("/").status, 200, "the server after it")
        equal(len(server.get("/file").body), MIB, "the file after it")


@test
def a_file_truncated_while_it_streams_ends_the_connection():
    for zerocopy in ("off", "auto"):
        assert_truncation_ends_the_connection(zerocopy)


@test
def a_file_truncated_while_it_streams_with_zero_copy_ends_the_connection():
    assert_truncation_ends_the_connection("on")


@test
def a_file_that_grows_while_it_streams_keeps_its_promise():
    server, client, head = streaming(16 * MIB)
    with server, client:
        with open(server.path("file"), "ab") as file:
            file.write(b"more" * 1000)
        assert_body(client, harness.pattern_bytes(16 * MIB), "the promised bytes")
        client.request("/file", "HEAD")
        equal(client.read_head("HEAD").fields["content-length"], str(16 * MIB + 4000))


@test
def a_file_replaced_while_it_streams_finishes_with_the_old_bytes():
    server, client, head = streaming(16 * MIB)
    with server, client:
        harness.replace_file(server.path("file"), b"new\n")
        equal(server.get("/file").body, b"new\n")
        assert_body(client, harness.pattern_bytes(16 * MIB), "the old bytes")
        equal(client.get("/file").body, b"new\n")


@test
def a_file_deleted_while_it_streams_finishes():
    server, client, head = streaming(16 * MIB)
    with server, client:
        os.unlink(server.path("file"))
        assert_body(client, harness.pattern_bytes(16 * MIB), "the deleted file")
        equal(client.get("/file").status, 404)


def fetch_pipelined(address, names, tree, failures):
    try:
        with Client(address) as client:
            for start_at in range(0, len(names), DEPTH):
                batch = names[start_at:start_at + DEPTH]
                client.send(b"".join(request_bytes(f"/{name}") for name in batch))
                for name in batch:
                    body = client.read_response().body
                    truth(body == tree[name], f"{name}: expected {len(tree[name])} bytes, got "
                          f"{len(body)} that differ")
            client.finish()
            client.assert_closed()
    except (AssertionError, OSError) as error:
        failures.append(f"{type(error).__name__}: {error}")


@test
def sixty_four_connections_with_four_pipelined_get_every_byte():
    sizes = [(i * i * 37) % 9000 for i in range(150)] + [s for s in SIZES if s <= MIB]
    tree = {f"d{i % 7}/file{i}": harness.pattern_bytes(size, i) for i, size in enumerate(sizes)}
    with Server(harness.make_tree(tree)) as server:
        server.get("/missing")
        before = server.sockets()
        names, failures = list(tree), []
        threads = []
        for i in range(CONNECTIONS):
            mine = [names[(i * 13 + k * (i % 5 + 1)) % len(names)] for k in range(40)]
            threads.append(threading.Thread(target=fetch_pipelined, daemon=True,
                                            args=(server.address, mine, tree, failures)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        equal(failures, [])
        harness.wait_until(lambda: server.sockets() <= before, "all sockets are back")


@test
def a_thousand_open_connections_are_all_answered():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2000:
        raise Skip(f"this user may open only {hard} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2000), hard))
    with Server() as server:
        server.get("/")
        before = server.sockets()
        clients = [server.connect() for _ in range(1000)]
        for client in clients:
            client.request("/")
        for client in clients:
            equal(client.read_response().status, 200)
        for client in clients:
            client.close()
        harness.wait_until(lambda: server.sockets() <= before, "all sockets are back")


if __name__ == "__main__":
    harness.main()
