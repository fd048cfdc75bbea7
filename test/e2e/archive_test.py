"""Archives: a directory as a tar, its framing, and that nothing is left behind by who goes away."""

import io
import os
import re
import signal
import subprocess
import tarfile
import threading
from urllib.parse import unquote

import harness
from harness import contains, equal, pattern_bytes, shared, test, truth
from sites import serve
from wire import Closed

LARGE = pattern_bytes(3 << 20, 5)
FILES = {"empty": b"", "small.txt": b"small\n", "sub/deep/er/x.bin": pattern_bytes(100_000),
         "sub/y.txt": b"y\n", "large.bin": LARGE, "odd name \u00fc\n'\".txt": b"odd\n",
         "n" * 255: b"long\n", f"{'d' * 200}/{'e' * 200}/f": b"far\n"}
HIDDEN = {".git/config": b"secret", ".env": b"secret", "sub/.hidden": b"secret"}
QUERY = "?format=tar"


def start():
    tree = {f"tree/{name}": content for name, content in (FILES | HIDDEN).items()}
    tree |= {"list/x": b"x", "off/x": b"x", "indexed/index.html": b"index", "top.txt": b"top\n"}
    tree |= {f"{name}/x": b"x" for name in ("a;b=c", "a'b\"c", "gr\u00fc\u00dfe (1)", "a%2fb*,")}
    text = "[files]\narchive = on\nlisting = on\n[path /list/]\narchive = off\n" \
           "[path /off/]\narchive = off\nlisting = off\n"
    server = serve(tree, text)
    os.mkdir(server.path("tree/void"))
    os.mkfifo(server.path("tree/fifo"))
    os.symlink("small.txt", server.path("tree/link"))
    os.symlink("/etc/passwd", server.path("tree/absolute"))
    os.symlink("../top.txt", server.path("tree/climbs"))
    os.symlink("nowhere", server.path("tree/dangles"))
    return server


def get(target, *fields, **keywords):
    return shared(start).get(target, fields=fields, **keywords)


def members(body):
    """name -> (type, content, target), of a tar that is whole."""
    truth(body.endswith(bytes(1024)), "no end of the archive")
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        return {item.name: (item.type, tar.extractfile(item).read() if item.isreg() else b"",
                            item.linkname) for item in tar}


def check_tree(body, top="tree"):
    found = members(body)
    expected = {f"{top}/{name}": content for name, content in FILES.items()}
    got = {name: content for name, (kind, content, _) in found.items() if kind == tarfile.REGTYPE}
    equal(sorted(got), sorted(expected), "files")
    for name, content in expected.items():
        truth(got[name] == content, f"{name}: other bytes")
    folders = {name for name, (kind, _, _) in found.items() if kind == tarfile.DIRTYPE}
    equal(folders, {top, *(f"{top}/{name}" for name in (
        "sub", "sub/deep", "sub/deep/er", "d" * 200, f"{'d' * 200}/{'e' * 200}", "void"))})
    links = {name: target for name, (kind, _, target) in found.items() if kind == tarfile.SYMTYPE}
    equal(links, {f"{top}/link": "small.txt"}, "links")


# --- content --------------------------------------------------------------------------------------

@test
def what_is_unpacked_is_the_tree():
    response = get("/tree/" + QUERY)
    equal((response.status, response.fields["content-type"]), (200, "application/x-tar"))
    check_tree(response.body)


@test
def an_archive_unpacks_with_tar():
    directory = harness.temporary_directory()
    path = os.path.join(directory, "a.tar")
    harness.write_file(path, get("/tree/" + QUERY).body)
    subprocess.run([harness.require("tar"), "xf", path], cwd=directory, check=True)
    for name, content in FILES.items():
        with open(os.path.join(directory, "tree", name), "rb") as file:
            truth(file.read() == content, name)
    truth(not os.path.exists(os.path.join(directory, "tree/.git")), "a hidden name")


@test
def members_have_neither_owner_nor_odd_modes():
    with tarfile.open(fileobj=io.BytesIO(get("/tree/" + QUERY).body)) as tar:
        for item in tar:
            equal((item.uid, item.gid, item.uname, item.gname), (0, 0, "", ""), item.name)
            truth(item.mode in (0o644, 0o755, 0o777), f"{item.name}: {item.mode:o}")
            truth(not item.name.startswith(("/", "..")) and "/../" not in item.name, item.name)


@test
def the_top_has_a_name_of_its_own():
    response = get("/" + QUERY)
    found = members(response.body)
    equal(found["files/top.txt"][1], b"top\n")
    contains(response.fields["content-disposition"], "files\\.tar")


@test
def dotfiles_are_in_it_only_where_they_are_shown():
    for choice, expected in (("deny", False), ("unlisted", False), ("show", True)):
        with serve({"d/.env": b"x", "d/y": b"y"},
                   f"[files]\narchive = on\ndotfiles = {choice}\n") as server:
            equal("d/.env" in members(server.get("/d/" + QUERY).body), expected, choice)


# --- when -----------------------------------------------------------------------------------------

@test
def it_is_off_by_default():
    with serve({"d/x": b"x"}, "") as server:
        equal(server.get("/d/" + QUERY).status, 403)


@test
def without_leave_there_is_the_listing_or_403():
    for target, status in (("/list/", 200), ("/off/", 403), ("/missing/", 404)):
        response = get(target + QUERY)
        equal(response.status, status, target)
        contains(response.fields["content-type"], "^text/html", target)
    contains(get("/list/" + QUERY, "Accept: application/json").fields["content-type"], "json")


@test
def it_is_sent_only_to_who_asks():
    for query in ("", "?format=zip", "?format=html", "?format=TAR", "?x=format=tar"):
        contains(get("/tree/" + query).fields["content-type"], "^text/html", query)
    for query in ("?sort=size&format=tar", "?format=tar&x"):
        equal(get("/tree/" + query).fields["content-type"], "application/x-tar", query)
    truth(b"format=tar" in get("/tree/").body, "the listing offers none")
    truth(b"format=tar" not in get("/list/").body, "the listing offers what is off")


@test
def a_directory_without_its_slash_is_redirected_first():
    response = get("/tree" + QUERY)
    equal(response.status, 301)
    contains(response.fields["location"], "tree/\\?format=tar$")


@test
def a_file_is_no_directory():
    equal(get("/top.txt" + QUERY).body, b"top\n")


# --- framing --------------------------------------------------------------------------------------

@test
def http_1_1_gets_chunks_and_keeps_its_connection():
    with shared(start).connect() as client:
        for _ in range(3):
            response = client.get("/tree/" + QUERY)
            equal((response.is_chunked, response.closes), (True, False))
            check_tree(response.body)
        client.assert_open("/top.txt")


@test
def http_1_0_gets_it_up_to_the_end_of_the_connection():
    for fields in ((), ("Connection: keep-alive",)):
        with shared(start).connect() as client:
            response = client.get("/tree/" + QUERY, version="HTTP/1.0", fields=fields)
            equal((response.is_chunked, response.closes), (False, True))
            check_tree(response.body)
            client.assert_closed()


@test
def head_has_the_head():
    with shared(start).connect() as client:
        whole = client.get("/tree/" + QUERY)
        head = client.get("/tree/" + QUERY, method="HEAD")
        del whole.fields["date"], head.fields["date"]
        equal((head.status, head.fields), (200, whole.fields))
        client.assert_open("/top.txt")


@test
def neither_ranges_nor_conditions_hold_for_it():
    response = get("/tree/" + QUERY, "Range: bytes=0-9")
    equal(response.status, 200)
    check_tree(response.body)
    truth("accept-ranges" not in response.fields, "Accept-Ranges")
    equal(get("/tree/" + QUERY, "If-None-Match: \"x\"").status, 200)


@test
def pipelined_requests_behind_it_wait():
    with shared(start).connect() as client:
        for target in ("/tree/" + QUERY, "/top.txt", "/tree/" + QUERY, "/top.txt"):
            client.request(target)
        for _ in range(2):
            check_tree(client.read_response().body)
            equal(client.read_response().body, b"top\n")


@test
def its_name_is_the_directorys():
    for name in ("tree", "a;b=c", "a'b\"c", "gr\u00fc\u00dfe (1)", "a%2fb*,"):
        target = "/" + "".join(f"%{byte:02x}" for byte in name.encode()) + "/" + QUERY
        response = get(target)
        equal(response.status, 200, target)
        value = response.fields["content-disposition"]
        # RFC 8187 3.2.1: what is no attr-char is percent-encoded.
        attr_char = "[A-Za-z0-9!#$&+.^_`|~-]"
        plain = f'filename="{name}.tar"; ' if re.fullmatch("[a-z]+", name) else ""
        contains(value, rf"^attachment; {plain}filename\*=UTF-8''(?:{attr_char}|%[0-9A-F]{{2}})+$")
        encoded = value.partition("''")[2]
        equal(unquote(encoded), f"{name}.tar")


# --- clients --------------------------------------------------------------------------------------

def idle(server):
    """Descriptors once nothing is in flight."""
    with server.connect() as client:
        client.get("/top.txt")
    harness.wait_until(lambda: server.sockets() == server.sockets_at_rest, "connections are closed")
    return server.descriptors()


def start_counted():
    files = {f"big/{i}/{j}.bin": pattern_bytes(200_000, i + j) for i in range(5) for j in range(8)}
    server = serve(files | {"top.txt": b"top\n"}, "[files]\narchive = on\n[cache]\ncache = off\n")
    server.sockets_at_rest = server.sockets()
    return server


@test
def who_goes_away_in_the_middle_leaves_nothing_behind():
    server = shared(start_counted)
    server.get("/big/" + QUERY)
    before = idle(server)
    for i in range(12):
        client = server.connect(receive_bytes=4096)
        client.request("/big/" + QUERY)
        if i % 3 > 0:
            client.read_head()
            client.read_bytes(50_000 * i)
        if i % 2:
            client.reset()
        else:
            client.close()
    harness.wait_until(lambda: idle(server) <= before, "the descriptors are as before")


@test
def a_slow_reader_gets_all_of_it():
    server = shared(start_counted)
    with server.connect(receive_bytes=4096) as client:
        client.request("/big/" + QUERY)
        response = client.read_head()
        truth(response.is_chunked, "not chunked")
        for _ in range(20):
            equal(server.get("/top.txt").status, 200)
        body = b"".join(client.read_chunks())
    equal(len(members(body)), 1 + 5 + 40)


@test
def readers_that_stand_still_do_not_hold_the_others_up():
    server = shared(start_counted)
    still = [server.connect(receive_bytes=4096) for _ in range(12)]
    for client in still:
        client.request("/big/" + QUERY)
        client.read_head()
    equal(len(members(server.get("/big/" + QUERY).body)), 46)
    for client in still:
        equal(len(members(b"".join(client.read_chunks()))), 46)
        client.close()


@test
def several_at_once():
    server = shared(start_counted)
    results = []

    def fetch():
        results.append(len(members(server.get("/big/" + QUERY).body)))
    threads = [threading.Thread(target=fetch) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(results, [46] * 8)


@test
def a_stop_lets_a_running_archive_finish():
    files = {f"big/{i}.bin": pattern_bytes(300_000, i) for i in range(40)}
    with serve(files, "[files]\narchive = on\n") as server:
        with server.connect(receive_bytes=4096) as client:
            client.request("/big/" + QUERY)
            client.read_head()
            server.signal(signal.SIGTERM)
            equal(len(members(b"".join(client.read_chunks()))), 41)
        equal(server.wait(), 0)


@test
def the_log_counts_its_bytes():
    path = os.path.join(harness.temporary_directory(), "log")
    with serve({"d/x": b"x"}, f"[log]\naccess = {path}\n[files]\narchive = on\n") as server:
        size = len(server.get("/d/" + QUERY).body)
        server.get("/d/" + QUERY, method="HEAD")
    with open(path, encoding="ascii") as file:
        lines = file.read().splitlines()
    found = sorted(line.split('"')[2].split() for line in lines)
    equal(found, [["200", "0"], ["200", str(size)]], "status and bytes, by whichever worker")


@test
def a_file_that_shrinks_meanwhile_cuts_the_connection():
    """So that nobody takes what came for a whole archive."""
    with serve({"d/a.bin": b""}, "[files]\narchive = on\n") as server:
        os.truncate(server.path("d/a.bin"), 64 << 20)
        with server.connect(receive_bytes=4096) as client:
            client.request("/d/" + QUERY)
            client.read_head()
            client.read_bytes(1000)
            os.truncate(server.path("d/a.bin"), 1000)
            try:
                for _ in client.read_chunks():
                    pass
            except (Closed, ConnectionResetError):
                return
            raise AssertionError("the archive ended as if it were whole")


if __name__ == "__main__":
    harness.main()
