"""The switches of the one-liner: what needs no ini file in daily use."""

import io
import os
import pty
import re
import select
import signal
import subprocess
import tarfile
import time
import urllib.request

import harness
from harness import GYRE, Server, contains, equal, run_gyre, test, truth
from wire import Client

TREE = {"index.html": b"<title>app</title>\n", "app.3f9ac1b2.js": b"let a;\n",
        "dir/file.txt": b"file\n"}
NAVIGATION = ["Accept: text/html,application/xhtml+xml,*/*;q=0.8"]


def serve(*switches):
    return Server(harness.make_tree(TREE), args=switches)


# --- each switch ----------------------------------------------------------------------------------

@test
def without_switches_nothing_is_listed_or_shared():
    with serve() as server:
        response = server.get("/dir/")
        equal(response.status, 403)
        truth("access-control-allow-origin" not in response.fields, "CORS without being asked for")
        equal(server.get("/route", fields=NAVIGATION).status, 404)


@test
def listing_lists_directories():
    with serve("--listing") as server:
        contains(server.get("/dir/").body.decode(), r'href="\./file\.txt"')
        equal(server.get("/").body, TREE["index.html"], "an index goes before the listing")


@test
def archive_gives_directories_as_a_tar():
    with serve("--archive") as server:
        with urllib.request.urlopen(server.url + "/dir/?format=tar") as response:
            equal(response.headers["content-type"], "application/x-tar")
            with tarfile.open(fileobj=io.BytesIO(response.read())) as tar:
                equal(sorted(tar.getnames()), ["dir", "dir/file.txt"])


@test
def spa_answers_navigations_with_its_page():
    for name in ("index.html", "/index.html"):
        with serve("--spa", name) as server:
            response = server.get("/some/route", fields=NAVIGATION)
            equal((response.status, response.body), (200, TREE["index.html"]), name)
            equal(server.get("/missing.js", fields=NAVIGATION).status, 404, "a missing script")


@test
def cors_opens_every_answer():
    with serve("--cors") as server:
        for target in ("/", "/missing"):
            equal(server.get(target).fields.get("access-control-allow-origin"), "*", target)


@test
def switches_may_follow_the_directory():
    switches = ("--listing", "--spa", "index.html")
    printed = [run_gyre("-t", *arguments).stdout for arguments in
               ((*switches, "x"), ("x", *switches))]
    contains(printed[0], r"listing = on\b")
    contains(printed[0], r"spa = /index\.html\n")
    contains(printed[0], r"root = x\n")
    equal(printed[1], printed[0])


# --- dev ------------------------------------------------------------------------------------------

@test
def dev_stores_nothing_and_lists():
    with serve("--dev") as server:
        for target in ("/", "/app.3f9ac1b2.js", "/dir/", "/missing"):
            equal(server.get(target).fields.get("cache-control"), "no-store", target)
        equal(server.get("/dir/").status, 200)


@test
def dev_writes_a_short_line_a_request():
    with serve("--dev") as server:
        server.get("/dir/file.txt")
        line = server.stdout.wait_for_match(r"\d\d:\d\d:\d\d 200 GET /dir/file\.txt 5\n")
        truth(line is not None, "no line")
        server.get("/a%22b%1b")
        server.stdout.wait_for_match(r"404 GET /a%22b%1b \d+\n")


def read_terminal(terminal, pattern):
    """What has come once it has the pattern."""
    text = ""
    deadline = time.monotonic() + harness.START_TIMEOUT_S
    while not re.search(pattern, text):
        left = deadline - time.monotonic()
        truth(left > 0, f"the terminal has no /{pattern}/: {text!r}")
        if select.select([terminal], [], [], left)[0]:
            text += os.read(terminal, 65536).decode()
    return text


def statuses_on_terminal(environment):
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        [GYRE, "--dev", "-w", "1", "-l", "127.0.0.1:0", harness.make_tree(TREE)], stdout=end,
        stderr=subprocess.DEVNULL, env={**os.environ, **environment})
    os.close(end)
    try:
        text = read_terminal(terminal, r"at http://\S+/")
        where = re.search(r"at http://(\S+)/", text).group(1)
        with Client(harness.parse_where(where)) as client:
            client.get("/")
            client.get("/missing")
        return read_terminal(terminal, r"GET /missing \d+")
    finally:
        process.send_signal(signal.SIGTERM)
        equal(process.wait(harness.STOP_TIMEOUT_S), 0, "exit status")
        os.close(terminal)


@test
def dev_is_in_colour_on_a_terminal():
    text = statuses_on_terminal({})
    contains(text, "\x1b\\[32m200\x1b\\[0m GET /")
    contains(text, "\x1b\\[33m404\x1b\\[0m GET /missing")


@test
def dev_is_without_colour_where_that_is_not_wanted():
    truth("\x1b" not in statuses_on_terminal({"NO_COLOR": "1"}), "an escape sequence")


# --- printing -------------------------------------------------------------------------------------

@test
def print_types_prints_what_is_served():
    path = os.path.join(harness.temporary_directory(), "gyre.ini")
    harness.write_file(path, b"[types]\n.glb = model/gltf-binary\n.txt = text/x-mine\n")
    result = run_gyre("-c", path, "--print-types")
    equal((result.returncode, result.stderr), (0, ""))
    lines = result.stdout.splitlines()
    for line in (".mjs = text/javascript; charset=utf-8", ".wasm = application/wasm",
                 ".txt = text/x-mine; charset=utf-8", ".glb = model/gltf-binary"):
        truth(line in lines, f"{line} is missing")
    equal(lines, sorted(lines, key=lambda line: line.split(" = ")[0].encode()), "order")


@test
def what_is_printed_can_be_a_configuration():
    printed = run_gyre("--print-types").stdout.splitlines()
    some = [line for line in printed if re.match(r"\.[a-c]", line)]
    path = os.path.join(harness.temporary_directory(), "gyre.ini")
    harness.write_file(path, ("[types]\n" + "\n".join(some[:500]) + "\n").encode())
    equal(run_gyre("-c", path, "-t").returncode, 0)


# --- refusals -------------------------------------------------------------------------------------

@test
def a_wrong_switch_is_refused_in_one_line():
    cases = (
        (("--spa",), "needs a value"),
        (("--spa", ""), "index.html"),
        (("--spa", "/"), "index"),
        (("--spa", "../up.html"), "expected"),
        (("--listing", "--listing"), "given twice"),
        (("--dev=1",), "takes no value"),
        (("--list",), "ambiguous"),
        (("--liszt",), "unknown"),
    )
    for arguments, reason in cases:
        result = run_gyre("-t", *arguments)
        equal((result.returncode, result.stdout), (2, ""), arguments)
        contains(result.stderr, reason, arguments)
        equal(result.stderr.count("\n"), 1, arguments)


if __name__ == "__main__":
    harness.main()
