"""What helper threads do: how much of it at once, and how it ends."""

import random

import harness
from harness import Server, equal, test, truth


def text_bytes(size):
    """Text that takes a compressor its time."""
    source = random.Random(1)
    return " ".join(f"{source.getrandbits(40):x}" for _ in range(size // 10)).encode()[:size]


def wait_until_kept(server, target):
    """A file is kept in memory, and its tag is strong, once it has not changed for two seconds."""
    harness.wait_until(lambda: not server.get(target).fields["etag"].startswith("W/"),
                       f"{target} has a strong tag")


@test
def a_stop_does_not_wait_for_what_is_compressed():
    content = text_bytes(8_000_000)
    tree = {f"{i:02}.txt": content for i in range(16)}
    ini = {"workers": 1, "compress.threads": 1, "cache.bytes_max": "256M"}
    with Server(harness.make_tree(tree), ini) as server:
        wait_until_kept(server, "/15.txt")
        for name in tree:
            equal(server.get(f"/{name}").status, 200)
            equal(server.get(f"/{name}", fields=("Accept-Encoding: br",)).status, 200)
        truth(server.is_running(), "it has ended")


# --- bounds ---------------------------------------------------------------------------------------

ARCHIVES_MAX = 16
CODINGS_AWAITED_MAX = 16
RECEIVE_BYTES = 8192


def ask_and_wait(server, target):
    """A client that has the status of an answer, and reads no more of it."""
    client = server.connect(receive_bytes=RECEIVE_BYTES)
    client.request(target)
    while len(client.buffer) < len(b"HTTP/1.1 200"):
        client.receive(RECEIVE_BYTES)
    return client, int(client.buffer[9:12])


def status_of(server, target):
    client, status = ask_and_wait(server, target)
    client.reset()
    return status


@test
def slow_readers_hold_so_many_archives_at_once():
    tree = {"a/one.bin": harness.pattern_bytes(16_000_000)}
    with Server(harness.make_tree(tree), {"workers": 1, "files.archive": "on"}) as server:
        held = [ask_and_wait(server, "/a/?format=tar") for _ in range(ARCHIVES_MAX)]
        equal([status for _, status in held], [200] * ARCHIVES_MAX)
        response = server.get("/a/?format=tar")
        equal(response.status, 503)
        truth("retry-after" in response.fields, "no Retry-After")
        equal(server.get("/a/one.bin").status, 200, "what is no archive")
        held.pop()[0].reset()
        harness.wait_until(lambda: status_of(server, "/a/?format=tar") == 200,
                           "there is room for one more")
        for client, _ in held:
            client.reset()


@test
def an_archive_that_its_reader_gives_up_is_logged():
    tree = {"a/one.bin": harness.pattern_bytes(16_000_000), "b/x": b"x"}
    ini = {"workers": 1, "files.archive": "on", "access_log": "stdout"}
    with Server(harness.make_tree(tree), ini) as server:
        ask_and_wait(server, "/a/?format=tar")[0].reset()
        server.stdout.wait_for_match(r'"GET /a/\?format=tar HTTP/1.1" 200 [1-9]')
        equal(status_of(server, "/b/?format=tar"), 200)
        server.stdout.wait_for_match(r'"GET /b/\?format=tar HTTP/1.1" 200 [1-9]')
        lines = [line for line in server.stdout.lines if "format=tar" in line]
        equal(len(lines), 2, "lines of two archives")


@test
def slow_readers_hold_so_many_bytes_of_listings():
    tree = {f"a/{'name' * 60}{i:05}": b"" for i in range(12000)}
    ini = {"workers": 1, "files.listing": "on", "cache.bytes_max": "64K", "cache.file_bytes_max": 0}
    with Server(harness.make_tree(tree), ini) as server:
        client, status = ask_and_wait(server, "/a/")
        equal(status, 200)
        equal(server.get("/a/").status, 503)
        equal(server.get("/a").status, 301, "what is no listing")
        client.reset()
        harness.wait_until(lambda: server.get("/a/").status == 200, "there is room for one more")


@test
def so_many_wait_for_a_coding_at_once():
    content = text_bytes(1_000_000)
    tree = {f"{i:02}.txt": content for i in range(2 * CODINGS_AWAITED_MAX)}
    ini = {"workers": 1, "compress.threads": 1}
    with Server(harness.make_tree(tree), ini) as server:
        wait_until_kept(server, "/00.txt")
        clients = [server.connect() for _ in tree]
        for client, name in zip(clients, tree):
            equal(client.get(f"/{name}").status, 200)
        for client, name in zip(clients, tree):
            client.request(f"/{name}", fields=("Accept-Encoding: gzip, identity;q=0",))
        answers = [client.read_response() for client in clients]
        statuses = [answer.status for answer in answers]
        truth(statuses.count(200) >= CODINGS_AWAITED_MAX, f"{statuses}")
        truth(statuses.count(503) > 0, f"{statuses}")
        equal(statuses.count(200) + statuses.count(503), len(statuses))
        for client in clients:
            client.close()


if __name__ == "__main__":
    harness.main()
