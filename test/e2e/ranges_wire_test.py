"""Ranges on connections: pipelined, slow, cut short, and as real clients ask for them."""

import os
import re
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import harness
from harness import Server, equal, require, test, truth
from ranged import (HUGE_BYTES, MARKS, MIB, MODIFIED_S, assert_single, bytes_of, range_field,
                    read_parts, spread, start)
from wire import Client, ResponseHead, request_bytes

# --- connections ----------------------------------------------------------------------------------

REQUESTS = (
    ("small.txt", [(5, 9)]), ("large.bin", [(MIB - 3, MIB - 1)]),
    ("small.txt", spread(16, 500, 10_000)), ("large.bin", spread(16, 30_000, MIB)),
    ("huge.bin", [(MARKS[3], MARKS[3] + 4095)]), ("huge.bin", spread(3, 3000, HUGE_BYTES)),
    ("large.bin", [(100, 700_000)]),
)


def assert_ranges(response, name, ranges):
    if len(ranges) == 1:
        assert_single(response, name, *ranges[0], f"{name} {ranges[0]}")
    else:
        equal(read_parts(response, name), ranges, name)


def assert_pipelined(server, rounds, receive_bytes=None, before_reading=lambda client: None):
    with server.connect(receive_bytes) as client:
        requests = REQUESTS * rounds
        client.send(b"".join(request_bytes(f"/{name}", fields=[range_field(ranges)])
                             for name, ranges in requests))
        client.finish()
        before_reading(client)
        for name, ranges in requests:
            assert_ranges(client.read_response(), name, ranges)
        client.assert_closed()


@test
def pipelined_ranges_are_answered_in_order():
    assert_pipelined(harness.shared(start), 8)


@test
def many_connections_at_once_get_their_own_ranges():
    server = harness.shared(start)
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(assert_pipelined, server, 2) for _ in range(16)]:
            done.result()


@test
def ranges_arrive_through_the_smallest_pools():
    ini = {"workers": 1, "ring.entries": 16, "ring.recv_buffers": 8, "ring.recv_buffer_bytes": 256,
           "ring.chunk_bytes": 4096, "ring.chunks_max": 2}
    with Server(harness.shared(start).root, ini) as server:
        assert_pipelined(server, 2)
        with ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(assert_pipelined, server, 1) for _ in range(4)]:
                done.result()


@test
def ranges_arrive_with_zero_copy_and_without_the_cache():
    for ini in ({"ring.zerocopy": "on", "ring.zerocopy_bytes_min": "1"}, {"cache": "off"}):
        with Server(harness.shared(start).root, ini) as server:
            assert_pipelined(server, 3)


@test
def a_multipart_answer_is_complete_before_its_connection_closes():
    for name, ranges in REQUESTS:
        for version, fields in (("HTTP/1.1", ["Connection: close"]), ("HTTP/1.0", [])):
            with harness.shared(start).connect() as client:
                client.request(f"/{name}", version=version, fields=[range_field(ranges), *fields])
                response = client.read_response()
                equal(response.closes, True)
                assert_ranges(response, name, ranges)
                client.assert_closed()


@test
def the_last_request_of_a_connection_may_have_several_ranges():
    ini = {"requests_per_connection_max": 2}
    with Server(harness.shared(start).root, ini) as server, server.connect() as client:
        field = range_field(spread(16, 60_000, MIB))
        client.send(request_bytes("/large.bin", fields=[field]) * 3)
        equal(len(read_parts(client.read_response(), "large.bin")), 16)
        response = client.read_response()
        equal((response.closes, len(read_parts(response, "large.bin"))), (True, 16))
        client.assert_closed()


@test
def a_range_request_with_a_body_is_answered_after_it():
    with harness.shared(start).connect() as client:
        ranges = spread(16, 30_000, MIB)
        for _ in range(3):
            client.request("/large.bin", fields=[range_field(ranges)], body=b"x" * 3000)
        for _ in range(3):
            equal(read_parts(client.read_response(), "large.bin"), ranges)
        client.assert_open("/tiny.txt")


@test
def a_slow_reader_gets_every_part():
    """Longer in the middle of an answer than head, body and idle connections are given."""
    ini = {"head_timeout_ms": 300, "keepalive_timeout_ms": 300, "body_timeout_ms": 300,
           "send_timeout_ms": 10_000}
    pause = threading.Event()
    with Server(harness.shared(start).root, ini) as server:
        assert_pipelined(server, 2, 4096, lambda client: pause.wait(2.5))


@test
def a_reader_that_stops_in_a_multipart_answer_is_let_go():
    with Server(harness.shared(start).root, {"send_timeout_ms": 500, "workers": 1}) as server:
        idle = server.sockets()
        clients = [server.connect(4096) for _ in range(20)]
        for client in clients:
            client.request("/huge.bin", fields=[range_field(spread(16, 9_000_000, HUGE_BYTES))])
        harness.wait_until(lambda: server.sockets() == idle, "all connections are gone")
        for client in clients:
            client.close()
        assert_pipelined(server, 1)


@test
def a_client_that_leaves_in_a_multipart_answer_leaves_nothing_behind():
    with Server(harness.shared(start).root, {"workers": 1}) as server:
        idle = server.sockets()
        for i in range(100):
            client = server.connect(4096)
            client.request("/large.bin", fields=[range_field(spread(16, 60_000, MIB))])
            client.read_head()
            if i % 2:
                client.reset()
            client.close()
        harness.wait_until(lambda: server.sockets() == idle, "all connections are gone")
        assert_pipelined(server, 1)


@test
def a_stop_in_a_multipart_answer_lets_it_end():
    with Server(harness.shared(start).root, {"shutdown_timeout_ms": 15_000}) as server:
        with server.connect(4096) as client:
            ranges = spread(16, 60_000, MIB)
            client.request("/large.bin", fields=[range_field(ranges)])
            raw = client.read_head()
            server.signal(15)
            harness.wait_until(lambda: not can_connect(server), "the listener is closed")
            raw.body = client.read_bytes(raw.length)
            equal(read_parts(raw, "large.bin"), ranges)
            client.assert_closed()
        equal(server.wait(), 0, "exit status")


def can_connect(server):
    try:
        Client(server.address).close()
    except OSError:
        return False
    return True


@test
def a_file_replaced_in_the_middle_of_a_multipart_answer_is_sent_as_it_was():
    old, new = harness.pattern_bytes(8 * MIB), harness.pattern_bytes(8 * MIB, 99)
    with Server(harness.make_tree({"f.bin": old})) as server, server.connect(4096) as client:
        ranges = spread(16, 500_000, 8 * MIB)
        client.request("/f.bin", fields=[range_field(ranges)])
        response = client.read_head()
        harness.replace_file(server.path("f.bin"), new)
        body = client.read_bytes(response.length)
        for first, last in ranges:
            truth(old[first:last + 1] in body, f"{first}-{last} of the old file is missing")
        response = client.get("/f.bin", fields=["Range: bytes=0-99"])
        equal(response.body, new[:100])


@test
def a_file_cut_in_the_middle_of_a_multipart_answer_ends_the_connection():
    tree = {"f.bin": harness.pattern_bytes(32 * MIB), "index.html": b"index\n"}
    with Server(harness.make_tree(tree)) as server, server.connect(4096) as client:
        client.request("/f.bin", fields=[range_field(spread(16, 2_000_000, 32 * MIB))])
        response = client.read_head()
        os.truncate(server.path("f.bin"), 100)
        got = 0
        try:
            for piece in client.read_pieces(response.length):
                got += len(piece)
        except (AssertionError, ConnectionResetError):
            pass
        truth(got < response.length, "all bytes of a file that had lost them")
        equal(server.get("/").status, 200)


@test
def the_log_counts_the_bytes_of_ranges():
    path = os.path.join(harness.temporary_directory(), "access.log")
    root = harness.shared(start).root
    with Server(root, {"access_log": path}) as server, server.connect() as client:
        response = client.get("/small.txt", fields=["Range: bytes=0-9,500-509"])
        client.get("/small.txt", fields=["Range: bytes=100-299"])
        client.get("/small.txt", fields=["If-None-Match: *"])
    equal(re.findall(r'" (\d+) (\S+)', content_of(path).decode()),
          [("206", str(response.length)), ("206", "200"), ("304", "0")], "status and bytes")


# --- clients --------------------------------------------------------------------------------------

def run(program, *arguments, status=0):
    result = subprocess.run([require(program), *arguments], capture_output=True, timeout=50,
                            check=False, env={**os.environ, "no_proxy": "*"})
    equal(result.returncode, status, f"{program} {arguments}: {result.stderr.decode()}")
    return result.stdout


def partial_file(content):
    path = os.path.join(harness.temporary_directory(), "partial")
    harness.write_file(path, content)
    return path


def content_of(path):
    with open(path, "rb") as file:
        return file.read()


@test
def curl_resumes_a_download():
    whole = harness.pattern_bytes(MIB)
    url = harness.shared(start).url + "/large.bin"
    for size in (1, 4096, 500_000, MIB - 1):
        path = partial_file(whole[:size])
        run("curl", "-sSf", "--noproxy", "*", "-C", "-", "-o", path, url)
        truth(content_of(path) == whole, f"resumed at {size}: other bytes")


@test
def curl_gets_a_file_over_4_gib_from_its_end():
    url = harness.shared(start).url + "/huge.bin"
    out = run("curl", "-sSf", "--noproxy", "*", "-C", str(MARKS[4]), url)
    truth(out == bytes_of("huge.bin", MARKS[4], HUGE_BYTES - 1), "other bytes")


@test
def curl_gets_several_ranges():
    server = harness.shared(start)
    path = partial_file(b"")
    out = run("curl", "-sSf", "--noproxy", "*", "-D", path, "-r", "0-99,5000-5099,-7",
              server.url + "/small.txt")
    response = ResponseHead(content_of(path))
    response.body = out
    equal(len(out), response.length)
    equal(read_parts(response, "small.txt"), [(0, 99), (5000, 5099), (9993, 9999)])


@test
def a_resume_of_a_replaced_file_gets_the_whole_with_if_range():
    old, new = harness.pattern_bytes(MIB), harness.pattern_bytes(MIB + 500, 1234)
    with Server(harness.make_tree({"f.bin": old})) as server:
        os.utime(server.path("f.bin"), (MODIFIED_S, MODIFIED_S))
        with server.connect() as client:
            harness.wait_until(lambda: client.get("/f.bin").fields["etag"].startswith('"'),
                               "a strong tag")
            tag = client.get("/f.bin").fields["etag"]
        arguments = ("-sSf", "--noproxy", "*", "-H", f"If-Range: {tag}", "-r", "500000-",
                     server.url + "/f.bin")
        truth(run("curl", *arguments) == old[500_000:], "the rest of the old file")
        harness.replace_file(server.path("f.bin"), new)
        truth(run("curl", *arguments) == new, "the whole new file")


@test
def curl_refuses_to_resume_what_has_become_shorter():
    with Server(harness.make_tree({"f.bin": harness.pattern_bytes(1000)})) as server:
        path = partial_file(bytes(5000))
        out = run("curl", "-sS", "--noproxy", "*", "-C", "-", "-o", path, "-w", "%{http_code}",
                  server.url + "/f.bin", status=0)
        equal(out, b"416")


@test
def wget_continues_a_download():
    whole = harness.pattern_bytes(MIB)
    folder = harness.temporary_directory()
    path = os.path.join(folder, "large.bin")
    for size in (1, 500_000, MIB - 1, MIB):
        harness.write_file(path, whole[:size])
        run("wget", "-q", "-c", "-P", folder, harness.shared(start).url + "/large.bin")
        truth(content_of(path) == whole, f"continued at {size}: other bytes")


if __name__ == "__main__":
    harness.main()
