"""Every row of the framing contract over the wire: sent whole, and one byte at a time.

Behind every row that must close, the same segment carries one more request: it must get no answer.
"""

import harness
from framing_rows import BODY_MAX_BYTES, CLOSES, ROWS, STAYS, chunked, post
from harness import Server, equal, one_of, test, truth

HELLO = b"hello, framing\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
ANSWERED = []


def start():
    root = harness.make_tree({"hello.txt": HELLO, "index.html": b"index\n", "smuggled": b"!\n"})
    log = harness.temporary_directory() + "/access.log"
    server = Server(root, {"body_max_bytes": BODY_MAX_BYTES, "access_log": log})
    server.log = log
    return server


def check_row(data, statuses, ending, method, bytewise):
    with harness.shared(start).connect() as client:
        if bytewise:
            client.send_bytewise(data)
        else:
            client.send(data + (SMUGGLED if ending == CLOSES else b""))
        interim_allowed = bytewise and b"xpect: 100-" in data and method != "HEAD"
        response = client.read_response(method, interim_allowed)
        ANSWERED.append(response.status)
        one_of(response.status, statuses, "status")
        if ending == CLOSES or (ending != STAYS and response.closes):
            truth(response.closes, "the answer that ends a connection must say so")
            client.assert_closed()
            return
        truth(not response.closes, "expected the connection to stay open")
        equal(client.get("/hello.txt").body, HELLO, "the next answer")
        ANSWERED.append(200)
        client.finish()
        client.assert_closed()


def add_rows():
    for name, data, statuses, ending, method in ROWS:
        for bytewise in (False, True):
            harness.add(f"{name}: {' or '.join(map(str, statuses))}, {ending}"
                        f" ({'byte by byte' if bytewise else 'whole'})",
                        lambda a=(data, statuses, ending, method, bytewise): check_row(*a))


def other_work_is_done(server):
    """An answer on another connection: whatever was sent before it has had its turn to be read."""
    for _ in range(4):
        equal(server.get("/hello.txt").status, 200)
        ANSWERED.append(200)


def assert_waits_for(head, body, method, status):
    """No answer comes before the last byte of the body."""
    server = harness.shared(start)
    with server.connect() as client:
        client.send(head + body[:-1])
        other_work_is_done(server)
        truth(client.has_silence(), "answered before the body was complete")
        client.send(body[-1:])
        equal(client.read_response(method).status, status)
        ANSWERED.append(status)


@test
def a_body_by_length_is_read_to_its_end_before_the_answer():
    data = post("Content-Length: 5\r\n").encode()
    assert_waits_for(data, b"hello", "POST", 405)
    assert_waits_for(data.replace(b"POST", b"GET"), b"hello", "GET", 200)


@test
def a_chunked_body_is_read_to_its_end_before_the_answer():
    body = b"5\r\nhello\r\n0\r\n\r\n"
    assert_waits_for(chunked("").encode(), body, "POST", 405)
    assert_waits_for(chunked("", "GET").encode(), body, "GET", 200)


@test
def every_row_may_follow_a_good_request_in_the_same_segment():
    for name, data, statuses, ending, method in ROWS:
        if data.startswith((b"\r", b"\n")):
            continue
        with harness.shared(start).connect() as client:
            client.send(b"GET /hello.txt HTTP/1.1\r\nHost: h\r\n\r\n" + data)
            equal(client.read_response().body, HELLO, f"the request before {name!r}")
            status = client.read_response(method).status
            one_of(status, statuses, f"status of {name!r}")
            ANSWERED.extend((200, status))


@test
def requests_cut_at_every_byte_are_answered_once():
    data = post("Content-Length: 5\r\n", "hello").encode() + SMUGGLED
    for cut in range(1, len(data)):
        with harness.shared(start).connect() as client:
            client.send(data[:cut])
            client.send(data[cut:])
            equal(client.read_response().status, 405, f"cut at {cut}")
            equal(client.read_response().body, b"!\n", f"cut at {cut}")
            ANSWERED.extend((405, 200))
            client.finish()
            client.assert_closed()


@test
def every_answer_has_its_log_line_and_there_are_no_others():
    server = harness.shared(start)
    server.stop()
    with open(server.log, encoding="ascii") as file:
        lines = file.read().splitlines()
    statuses = [int(line.split('" ')[1].split()[0]) for line in lines]
    for status in sorted(set(statuses) | set(ANSWERED)):
        equal(statuses.count(status), ANSWERED.count(status), f"log lines with status {status}")


add_rows()

if __name__ == "__main__":
    # The log is judged last, after every row has run.
    harness.TESTS.sort(key=lambda entry: entry[0].startswith("every_answer_has"))
    harness.main()
