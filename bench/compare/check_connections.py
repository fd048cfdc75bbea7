"""check_connections: order, persistence, slow peers, and files that change under the server."""
import os
import time

import docroot
from check import STRICTER, body_is, check, expect, miss, status_in
from probe import NoAnswer, Probe, request_bytes

PIPELINED = 20
SLOW_HEAD_S = 9  # the servers are told to wait 2 s for a head where they can be told
UPLOAD_BYTES = 4 << 20


@check("Connections")
def pipelined_requests_are_answered_in_order(server):
    targets = {"/hello.txt": docroot.HELLO, "/dir/file.txt": b"file\n",
               "/ranged.bin": docroot.pattern(docroot.RANGED_BYTES), "/dir/": b"dir\n"}
    with server.connect() as client:
        client.send(b"".join(map(request_bytes, targets)) * (PIPELINED // len(targets)))
        for target in list(targets) * (PIPELINED // len(targets)):
            body_is(client.answer(), targets[target], target)


@check("Connections")
def pipelined_HEADs_and_errors_keep_their_places(server):
    with server.connect() as client:
        client.send(request_bytes("/hello.txt", "HEAD") + request_bytes("/missing")
                    + request_bytes("/ranged.bin", fields=["If-None-Match: *"])
                    + request_bytes("/hello.txt"))
        status_in(client.answer("HEAD"), 200)
        status_in(client.answer(), 404)
        status_in(client.answer(), 200, 304)
        body_is(client.answer(), docroot.HELLO)


@check("Connections")
def close_is_honoured_and_echoed(server):
    with server.connect() as client:
        answer = client.get("/hello.txt", "Connection: close")
        expect(answer.closes, f"Connection: {answer.get('connection')!r}")
        expect(client.is_closed(), "still open")


@check("Connections")
def HTTP_1_0_closes_by_default(server):
    with server.connect() as client:
        body_is(client.get("/hello.txt", version="HTTP/1.0"), docroot.HELLO)
        expect(client.is_closed(), "still open")


@check("Connections", STRICTER)
def HTTP_1_0_keep_alive_is_honoured_and_echoed(server):
    with server.connect() as client:
        for _ in range(2):
            answer = client.get("/hello.txt", "Connection: keep-alive", version="HTTP/1.0")
            body_is(answer, docroot.HELLO)
            told = answer.get("connection")
            expect(told.lower() == "keep-alive", f"Connection: {told!r}")


@check("Framing")
def a_body_that_is_announced_is_asked_for_or_answered(server):
    with server.connect() as client:
        client.send(request_bytes("/hello.txt", "POST",
                                  ["Content-Length: 5", "Expect: 100-continue"]))
        client.head()


@check("Connections")
def no_reset_eats_the_answer_to_an_upload(server):
    with server.connect() as client:
        client.request("/hello.txt", "POST", [f"Content-Length: {UPLOAD_BYTES}"])
        for _ in range(UPLOAD_BYTES >> 16):
            client.send(b"x" * (1 << 16))
        try:
            answer = client.answer()
        except NoAnswer as reason:
            miss(f"{UPLOAD_BYTES >> 20} MiB sent, then {reason}")
        expect(answer.status >= 400 or answer.status == 200, str(answer.status))


@check("Connections")
def a_head_of_one_byte_a_second_is_ended(server):
    head = request_bytes("/hello.txt", fields=["A: " + "b" * 100])
    begin = time.monotonic()
    with server.connect() as client:
        for i in range(SLOW_HEAD_S):
            client.send(head[i:i + 1])
            client.socket.settimeout(max(0.01, begin + i + 1 - time.monotonic()))
            try:
                client.take()
                return
            except NoAnswer as reason:
                if "closed" in str(reason) or "reset" in str(reason):
                    return
    miss(f"still open after {SLOW_HEAD_S} s")


# --- files that change ----------------------------------------------------------------------------

@check("Under change", STRICTER)
def a_file_replaced_by_rename_is_seen_at_once(server):
    for body in (b"before\n", b"after 1\n", b"after 22\n"):
        docroot.replace(server.root / "renamed.txt", body)
        body_is(server.get("/renamed.txt"), body)


@check("Under change", STRICTER)
def a_file_edited_in_place_is_seen_at_once(server):
    for body in (b"before\n", b"after1\n", b"after2\n"):
        (server.root / "edited.txt").write_bytes(body)
        body_is(server.get("/edited.txt"), body)


@check("Under change", STRICTER)
def a_deleted_file_is_404_at_once(server):
    body_is(server.get("/gone.txt"), b"gone\n")
    os.unlink(server.root / "gone.txt")
    status_in(server.get("/gone.txt"), 404)


def begin_big(client, target):
    """The head of a large file, and some of its bytes."""
    client.request(target)
    answer = client.head()
    status_in(answer, 200)
    length = answer.get("content-length")
    expect(length == str(docroot.BIG_BYTES), f"Content-Length: {length!r}")
    client.bytes(4096)


@check("Under change")
def a_file_truncated_while_it_streams_ends_the_connection(server):
    with Probe(server.address, 4096) as client:
        begin_big(client, "/cut.bin")
        os.truncate(server.root / "cut.bin", 100)
        got, closed = 4096, False
        while got < docroot.BIG_BYTES and not closed:
            try:
                client.take()
            except NoAnswer as reason:
                expect("no answer" not in str(reason), f"hangs after {got} bytes")
                closed = True
            got += len(client.buffer)
            client.buffer.clear()
        expect(got < docroot.BIG_BYTES, "bytes that the file had lost")
    body_is(server.get("/hello.txt"), docroot.HELLO)


@check("Under change")
def a_file_that_grows_while_it_streams_keeps_its_length(server):
    with Probe(server.address, 4096) as client:
        begin_big(client, "/grow.bin")
        with open(server.root / "grow.bin", "ab") as file:
            file.write(b"more" * 1000)
        client.bytes(docroot.BIG_BYTES - 4096)
        body_is(client.get("/hello.txt"), docroot.HELLO, "the next answer")
