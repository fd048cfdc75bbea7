"""What was seen to go wrong in other servers, each as a test: one for every defect of the survey.

Most of it is tested at length elsewhere; here it stands under the name of the defect.
"""

import os
import threading
from urllib.parse import urljoin, urlsplit

import harness
from harness import Server, equal, one_of, test, truth
from ranged import spread
from wire import Client, Closed, request_bytes

HELLO = b"hello, peers\n"
SMALL_BYTES = 3000
BIG_BYTES = 32 << 20
WAIT_S = 6
HOST = "gyre.example"


def start():
    tree = {"hello.txt": HELLO, "index.html": b"index\n", "dir/index.html": b"dir\n",
            "evil.example/index.html": b"dir\n", "\\evil.example/index.html": b"dir\n",
            "small.bin": harness.pattern_bytes(SMALL_BYTES)}
    server = Server(harness.make_tree(tree), {"workers": 1})
    os.mkfifo(server.path("pipe.txt"))
    return server


def get(target, *fields, **keywords):
    return harness.shared(start).get(target, fields=fields, **keywords)


@test
def a_fifo_in_the_root_hangs_no_worker():
    """h2o's whole worker; a thread or the request of Apache, Caddy, serve, http-server."""
    server = harness.shared(start)
    with Client(server.address, timeout_s=WAIT_S) as client:
        client.send(request_bytes("/pipe.txt") * 3)
        equal([client.read_response().status for _ in range(3)], [403] * 3)
        equal(client.get("/hello.txt").body, HELLO)


@test
def the_slash_redirect_cannot_be_steered_to_another_host():
    """h2o, Caddy, darkhttpd, http-server."""
    redirects = 0
    for target in ("//evil.example", "///evil.example", "/%2fevil.example", "/%2f%2fevil.example",
                   "/\\evil.example", "/%5cevil.example", "/.//evil.example",
                   "/dir/..//evil.example", "//evil.example/../evil.example",
                   "/\\/evil.example", "/evil.example"):
        response = get(target)
        if response.status == 301:
            redirects += 1
            # A browser takes a backslash for a slash.
            location = response.fields["location"].replace("\\", "/")
            there = urljoin(f"http://{HOST}{target}".replace("\\", "/"), location)
            equal(urlsplit(there).hostname, HOST, f"host of {location!r} for {target!r}")
    truth(redirects >= 8, f"only {redirects} of the targets were redirected: too weak a test")


@test
def the_slash_redirect_does_not_reflect_host():
    """nginx, Apache."""
    response = get("/dir", "Host: other.example")
    equal(response.status, 301)
    truth(b"other.example" not in response.raw + response.body, f"reflected: {response.raw}")


@test
def if_range_that_mismatches_gives_no_206():
    """h2o, lwan, darkhttpd: a resumed download of two files in one."""
    whole = harness.pattern_bytes(SMALL_BYTES)
    for value in ('"other"', 'W/"other"', "Sun, 06 Nov 1994 08:49:37 GMT"):
        response = get("/small.bin", f"If-Range: {value}", "Range: bytes=10-19")
        equal((response.status, response.body), (200, whole), value)


@test
def many_ranges_do_not_multiply_a_file():
    """h2o sends 617 KB of a file of 3 KB."""
    many = ("0-", "0-0", "-1", "1000-1999")
    for value in [",".join([item] * 500) for item in many] + \
            [",".join(f"{first}-{last}" for first, last in spread(200, 1, SMALL_BYTES))]:
        response = get("/small.bin", f"Range: bytes={value}")
        one_of(response.status, (200, 206), value[:30])
        truth(response.length <= 2 * SMALL_BYTES, f"{value[:30]}...: {response.length} bytes")


@test
def a_head_of_one_byte_now_and_then_is_ended():
    """lighttpd, Caddy, darkhttpd hold it for minutes."""
    head = request_bytes("/hello.txt", fields=["A: " + "b" * 1000])
    pause = threading.Event()
    with Server(ini={"head_timeout_ms": 300}) as server, server.connect() as client:
        for i in range(len(head)):
            client.send(head[i:i + 1])
            pause.wait(0.05)
            if not client.has_silence():
                break
        equal(client.read_response().status, 408)
        client.assert_closed()


@test
def percent_00_does_not_cut_the_path():
    """h2o, darkhttpd."""
    for target in ("/hello.txt%00", "/hello.txt%00.html", "/hello.txt%00/x"):
        response = get(target)
        equal(response.status, 400, target)
        truth(HELLO not in response.body, f"{target} is the file")


@test
def a_file_is_not_served_as_a_directory_of_itself():
    """lighttpd serves /file.txt/x as the file."""
    for target in ("/hello.txt/x", "/hello.txt/", "/hello.txt/x/y"):
        response = get(target)
        equal(response.status, 404, target)
        truth(HELLO not in response.body, f"{target} is the file")


@test
def a_rewrite_of_equal_size_within_the_second_does_not_keep_a_strong_tag():
    """nginx, h2o, Caddy, lighttpd."""
    server = harness.shared(start)
    path, seen = server.path("young.txt"), []

    def rewritten_within_a_second():
        seen.clear()
        for content in (b"one\n", b"two\n"):
            harness.write_file(path, content)
            response = server.get("/young.txt")
            equal(response.body, content)
            seen.append((int(os.stat(path).st_mtime), response.fields["etag"]))
        return seen[0][0] == seen[1][0]
    harness.wait_until(rewritten_within_a_second, "two writes fell into one second")
    first, second = seen[0][1], seen[1][1]
    truth(first.startswith("W/") or first != second, f"the strong tag {first} for both")


@test
def a_head_request_gets_no_body():
    """lwan sends one."""
    with harness.shared(start).connect() as client:
        for target in ("/hello.txt", "/missing", "/dir", "/pipe.txt"):
            client.send(request_bytes(target, "HEAD") + request_bytes("/hello.txt"))
            truth(client.read_response("HEAD").fields["content-length"] != "0", target)
            equal(client.read_response().body, HELLO, f"the answer after HEAD {target}")


@test
def pipelining_does_not_stall():
    """lwan's does."""
    with Client(harness.shared(start).address, timeout_s=WAIT_S) as client:
        client.send((request_bytes("/hello.txt") + request_bytes("/small.bin")) * 50)
        for _ in range(50):
            equal(client.read_response().body, HELLO)
            equal(client.read_response().body, harness.pattern_bytes(SMALL_BYTES))


@test
def a_file_truncated_while_it_streams_hangs_nobody():
    """lwan waits for bytes that the file no longer has."""
    server = harness.shared(start)
    harness.write_file(server.path("cut.bin"), harness.pattern_bytes(BIG_BYTES))
    with Client(server.address, 4096, WAIT_S) as client:
        client.request("/cut.bin")
        length, got = client.read_head().length, 0
        os.truncate(server.path("cut.bin"), 100)
        try:
            for piece in client.read_pieces(length):
                got += len(piece)
        except (Closed, ConnectionResetError):
            pass
        truth(got < length, "bytes that the file had lost")
    equal(server.get("/hello.txt").body, HELLO)


@test
def the_slash_redirect_does_not_drop_the_query():
    """lighttpd, Caddy."""
    for query in ("a=b", "a=b&c=%2f%3F", "", "?", "a=b?c=d"):
        response = get(f"/dir?{query}")
        equal(response.status, 301)
        truth(response.fields["location"].endswith(f"dir/?{query}"), response.fields["location"])


if __name__ == "__main__":
    harness.main()
