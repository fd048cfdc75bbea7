"""The access log: combined format, escaped, reopened without a loss, and never in the way."""

import os
import re
import signal

import harness
from harness import Server, contains, equal, test, truth
from wire import request_bytes

HELLO = b"hello, log\n"
LINE = re.compile(
    r'(?P<peer>\S+) - - \[(?P<date>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000)\] '
    r'"(?P<line>(?:[^"\\]|\\.)*)" (?P<status>\d{3}) (?P<bytes>\d+|-) '
    r'"(?P<referer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)"')


class Logged:
    """A server that logs to a file; lines() stops it, so that all of the log is there."""

    def __init__(self):
        self.log = harness.temporary_directory() + "/access.log"
        root = harness.make_tree({"hello.txt": HELLO, "big": harness.pattern_bytes(300000)})
        self.server = Server(root, {"access_log": self.log})

    def lines(self):
        self.server.stop()
        return read_log(self.log)


def read_log(path):
    with open(path, "rb") as file:
        data = file.read()
    truth(not data or data.endswith(b"\n"), "the last line is cut")
    return [parse_line(line) for line in data.split(b"\n")[:-1]]


def parse_line(raw):
    truth(all(0x20 <= byte < 0x7f for byte in raw), f"a raw byte is in the log: {raw!r}")
    match = LINE.fullmatch(raw.decode())
    truth(match, f"not the combined format: {raw!r}")
    return match.groupdict()


@test
def a_line_has_the_combined_format():
    logged = Logged()
    logged.server.get("/hello.txt?q=1", fields=["User-Agent: test/1.0", "Referer: http://r/x"])
    lines = logged.lines()
    equal(len(lines), 1, "lines")
    line = lines[0]
    equal(line["peer"], "127.0.0.1")
    equal(line["line"], "GET /hello.txt?q=1 HTTP/1.1")
    equal((line["status"], line["bytes"]), ("200", str(len(HELLO))))
    equal((line["referer"], line["agent"]), ("http://r/x", "test/1.0"))


@test
def what_is_absent_is_a_dash():
    logged = Logged()
    logged.server.get("/hello.txt")
    line = logged.lines()[0]
    equal((line["referer"], line["agent"]), ("-", "-"))


@test
def every_request_has_its_line_in_order():
    logged = Logged()
    plan = [("/hello.txt", "GET", 200), ("/missing", "GET", 404), ("/hello.txt", "HEAD", 200),
            ("*", "OPTIONS", 204), ("/hello.txt", "POST", 405), ("/hello.txt", "BREW", 501),
            ("/big", "GET", 200), ("/hello.txt", "GET", 200)]
    with logged.server.connect() as client:
        client.send(b"".join(request_bytes(target, method) for target, method, _ in plan))
        for _, method, status in plan:
            equal(client.read_response(method).status, status)
    lines = logged.lines()
    equal([line["line"] for line in lines], [f"{m} {t} HTTP/1.1" for t, m, _ in plan])
    equal([int(line["status"]) for line in lines], [status for _, _, status in plan])
    sizes = [line["bytes"] for line in lines]
    equal((sizes[0], sizes[6]), (str(len(HELLO)), "300000"))
    for i in (2, 3):
        truth(sizes[i] in ("0", "-"), f"bytes of an answer without a body: {sizes[i]}")


@test
def quotes_control_bytes_and_non_ascii_are_escaped():
    logged = Logged()
    logged.server.get("/missing?a\"b\\c", fields=['User-Agent: a"b\\c\tcaf\xe9" 200 1 "-" "x',
                                                  "Referer: \"\"\" \\\" \\x22"])
    line = logged.lines()[0]
    equal(line["status"], "404")
    for name in ("line", "agent", "referer"):
        truth(not re.search(r'(?<!\\)(\\\\)*"', line[name]), f"a bare quote in {line[name]!r}")
    contains(line["agent"], r"caf\\x[eE]9")
    truth("\t" not in line["agent"], "a raw tab")


@test
def malformed_requests_have_one_line_each():
    logged = Logged()
    bad = (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)), b"garbage\r\n\r\n",
           b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /x\x1b[31m HTTP/1.1\r\nHost: h\r\n\r\n",
           b"GET / HTTP/1.1\r\nHost: h\r\nBad Name: x\r\n\r\n", b"GET /" + b"q" * 20000,
           b"\n" * 50, b"GET / HTTP/9.1\r\n\r\n")
    statuses = []
    for data in bad:
        with logged.server.connect() as client:
            client.send(data)
            statuses.append(client.read_response().status)
    # Connections of different workers are logged in no order.
    equal(sorted(int(line["status"]) for line in logged.lines()), sorted(statuses))


@test
def an_idle_connection_leaves_no_line():
    logged = Logged()
    logged.server.connect().close()
    with logged.server.connect() as client:
        client.finish()
        client.assert_closed()
    equal(logged.lines(), [])


@test
def long_lines_stay_lines():
    logged = Logged()
    with logged.server.connect() as client:
        for _ in range(20):
            client.get("/hello.txt?" + "q" * 8000, fields=["User-Agent: " + "u" * 8000,
                                                           "Referer: " + '"' * 8000])
    equal([line["status"] for line in logged.lines()], ["200"] * 20)


@test
def the_log_may_go_to_standard_output():
    with Server(harness.make_tree({"hello.txt": HELLO}), {"access_log": "stdout"}) as server:
        server.get("/hello.txt")
        match = server.stdout.wait_for_match(r'"GET /hello.txt HTTP/1.1" 200')
        parse_line(match.string.rstrip("\n").encode())


@test
def the_log_is_appended_to():
    path = harness.temporary_directory() + "/access.log"
    root = harness.make_tree({"hello.txt": HELLO})
    for _ in range(3):
        with Server(root, {"access_log": path}) as server:
            server.get("/hello.txt")
    equal(len(read_log(path)), 3, "lines of three runs")


@test
def off_means_off():
    directory = harness.temporary_directory()
    root = harness.make_tree({"hello.txt": HELLO})
    with Server(root, {"access_log": "off"}, cwd=directory) as server:
        server.get("/hello.txt")
    equal(os.listdir(directory), [])


@test
def a_log_that_cannot_be_opened_stops_the_start():
    path = harness.temporary_directory() + "/gyre.ini"
    harness.write_file(path, b"[log]\naccess = /nonexistent/dir/access.log\n")
    result = harness.run_gyre("-c", path, "-l", "127.0.0.1:0", harness.make_tree({"a": b"a"}))
    equal(result.returncode, 1, result.stderr)
    contains(result.stderr, "/nonexistent/dir/access.log")


@test
def a_log_renamed_and_reopened_loses_no_line():
    logged = Logged()
    total, rounds = 0, 5
    with logged.server.connect() as one, logged.server.connect() as two:
        for i in range(rounds):
            for client in (one, two):
                client.send(request_bytes("/hello.txt") * 50)
            os.rename(logged.log, f"{logged.log}.{i}")
            logged.server.signal(signal.SIGUSR1)
            for client in (one, two):
                for _ in range(50):
                    equal(client.read_response().status, 200)
            total += 100
            # The new file is what says that the signal has been acted upon.
            harness.wait_until(lambda: os.path.exists(logged.log), "the log is opened anew")
    last = len(logged.lines())
    rotated = [len(read_log(f"{logged.log}.{i}")) for i in range(rounds)]
    equal(sum(rotated) + last, total, f"lines in {rotated} and {last}")


@test
def a_log_whose_directory_has_gone_delays_nothing():
    logged = Logged()
    os.rename(logged.log, logged.log + ".old")
    moved = os.path.dirname(logged.log) + ".moved"
    os.rename(os.path.dirname(logged.log), moved)
    try:
        logged.server.signal(signal.SIGUSR1)
        for _ in range(100):
            equal(logged.server.get("/hello.txt").status, 200)
        logged.server.stop()
    finally:
        os.rename(moved, os.path.dirname(logged.log))


@test
def a_log_that_blocks_delays_no_answer_and_its_drops_are_counted():
    path = harness.temporary_directory() + "/fifo"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with Server(harness.make_tree({"hello.txt": HELLO}), {"access_log": path,
                                                          "shutdown_timeout_ms": 500}) as server:
        with server.connect() as client:
            for _ in range(600):
                response = client.get("/hello.txt?" + "q" * 3000, fields=["Referer: " + "r" * 900])
                equal(response.body, HELLO)
        equal(server.get("/hello.txt").body, HELLO)
        server.stop()
        contains(server.stderr.text(), r"(drop|lost|lose)", "stderr")
        contains(server.stderr.text(), r"\d+ .*line|line.* \d+", "stderr")
    os.close(reader)


@test
def a_log_that_is_full_delays_no_answer():
    if not os.path.exists("/dev/full"):
        raise harness.Skip("no /dev/full")
    with Server(harness.make_tree({"hello.txt": HELLO}), {"access_log": "/dev/full"}) as server:
        with server.connect() as client:
            for _ in range(200):
                equal(client.get("/hello.txt").body, HELLO)


if __name__ == "__main__":
    harness.main()
