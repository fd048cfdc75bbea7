"""Downloads: curl, wget and aria2 that resume, take ranges and mirror, as their users do.

HTTP promises nothing to a client that resumes without a validator: curl -C - alone may put the end
of a new file behind the start of an old one. With a validator, of whatever kind, that must not be.
"""

import os
import shutil
import struct

import harness
import ranged
from harness import contains, equal, shared, test, truth
from programs import (LoggedServer, assert_same_files, content_of, run, run_until, size_of, tree_of)
from wire import ResponseHead

MIB = 1 << 20
GIB = 1 << 30
OLD_S, NEW_S = 1_600_000_000, 1_650_000_000
OLD_DATE = "Sun, 13 Sep 2020 12:26:40 GMT"
SIZE = 8 * MIB
STAMP_STEP = 1 << 16
CURL = ("-sS", "--noproxy", "*", "--max-time", "45")
OLD, NEW = (harness.pattern_bytes(SIZE + extra, seed) for extra, seed in ((0, 0), (999, 1 << 24)))
WANTED_BYTES = 2 * MIB  # of an interrupted download


def start():
    """The files whose tags are to be strong come first: those of what has just changed are weak."""
    server = LoggedServer(harness.temporary_directory())
    for name in ("unchanged.bin", "replaced.bin", "whole.bin", "weak.bin"):
        write_dated(server.path(name), OLD, OLD_S)
    return server


def write_dated(path, content, modified_s):
    harness.replace_file(path, content)
    os.utime(path, (modified_s, modified_s))


def url_of(name):
    return f"{shared(start).url}/{name}"


def put(name, content, modified_s):
    write_dated(shared(start).path(name), content, modified_s)
    return url_of(name)


def strong_tag(name):
    with shared(start).connect() as client:
        def get():
            return client.get(f"/{name}", method="HEAD").fields["etag"]
        harness.wait_until(lambda: get().startswith('"'), "the tag is strong")
        return get()


def fresh_path(content=None):
    path = os.path.join(harness.temporary_directory(), "download")
    if content is not None:
        harness.write_file(path, content)
    return path


def curl(*arguments, **keywords):
    return run("curl", *CURL, *arguments, **keywords)


# --- curl: resuming -------------------------------------------------------------------------------

@test
def curl_resumes_a_download_that_was_interrupted():
    url, path = put("interrupted.bin", OLD, OLD_S), fresh_path()
    # So low a rate makes curl's buffer small, too: else it may have all before it looks at that.
    run_until("curl", [*CURL, "--limit-rate", "100K", "-o", path, url],
              lambda: size_of(path) >= 50_000, "some bytes have come")
    kept = size_of(path)
    truth(content_of(path) == OLD[:kept], "what came before the interruption differs")
    shared(start).entries()
    curl("-f", "-C", "-", "-o", path, url)
    truth(content_of(path) == OLD, "other bytes than the file's")
    entry, = shared(start).entries()
    equal((entry.status, entry.bytes), (206, SIZE - kept), "status and bytes of the rest")


@test
def curl_leaves_a_complete_download_alone():
    url, path = put("complete.bin", OLD, OLD_S), fresh_path(OLD)
    out = curl("-C", "-", "-o", path, "-w", "%{http_code}", url)
    equal(out, b"416", "status behind the end")
    truth(content_of(path) == OLD, "the download was touched")


def validators(tag):
    """(what, arguments, exit status of curl once the file is another). 33: curl will not append a
    whole file to a part; 22: with -f, for 412."""
    return (
        ("If-Range with a tag", ["-H", f"If-Range: {tag}"], 33),
        ("If-Range with a date", ["-H", f"If-Range: {OLD_DATE}"], 33),
        ("If-Match", ["-H", f"If-Match: {tag}"], 22),
        ("If-Match and If-Range", ["-H", f"If-Match: {tag}", "-H", f"If-Range: {tag}"], 22),
        ("If-Unmodified-Since", ["-H", f"If-Unmodified-Since: {OLD_DATE}"], 22),
        ("-z with a date before", ["-z", f"-{OLD_DATE}"], 22),
    )


@test
def curl_with_a_validator_resumes_what_is_unchanged():
    url = url_of("unchanged.bin")
    for what, arguments, _ in validators(strong_tag("unchanged.bin")):
        path = fresh_path(OLD[:WANTED_BYTES])
        out = curl("-f", "-C", "-", *arguments, "-o", path, "-w", "%{http_code}", url)
        equal(out, b"206", what)
        truth(content_of(path) == OLD, f"{what}: other bytes than the file's")


@test
def curl_with_a_validator_never_mixes_two_files():
    table = validators(strong_tag("replaced.bin"))
    url = put("replaced.bin", NEW, NEW_S)
    for what, arguments, status in table:
        path = fresh_path(OLD[:WANTED_BYTES])
        curl("-f", "-C", "-", *arguments, "-o", path, url, status=status)
        truth(content_of(path) == OLD[:WANTED_BYTES], f"{what}: the part was touched")
        curl("-f", "-o", path, url)
        truth(content_of(path) == NEW, f"{what}: not the new file")


@test
def curl_with_a_validator_and_a_range_gets_the_new_file_whole():
    """As a user does who appends nothing by himself: -r instead of -C -."""
    tag = strong_tag("whole.bin")
    url = put("whole.bin", NEW, NEW_S)
    for validator in (tag, OLD_DATE):
        out = curl("-f", "-r", f"{WANTED_BYTES}-", "-H", f"If-Range: {validator}", url)
        truth(out == NEW, f"If-Range: {validator}: not the new file whole")


@test
def a_tag_that_is_weak_never_resumes():
    """Just changed, a file may change again within one step of its clock: RFC 9110 13.1.5."""
    tag = strong_tag("weak.bin")
    url, path = url_of("weak.bin"), fresh_path(OLD[:WANTED_BYTES])
    curl("-f", "-C", "-", "-H", f"If-Range: W/{tag}", "-o", path, url, status=33)
    truth(content_of(path) == OLD[:WANTED_BYTES], "the part was touched")


@test
def curl_keeps_a_tag_and_fetches_only_what_is_new():
    url, path, tag_path = put("kept.bin", OLD, OLD_S), fresh_path(), fresh_path()
    tagged = ("-f", "--etag-save", tag_path, "--etag-compare", tag_path, "-o", path, url)
    for content, modified_s, rounds in ((OLD, OLD_S, (200, 304, 304)), (NEW, NEW_S, (200, 304))):
        put("kept.bin", content, modified_s)
        for status in rounds:
            equal(curl(*tagged, "-w", "%{http_code}"), str(status).encode(), "status")
            truth(content_of(path) == content, f"after {status}: other bytes")


@test
def curl_by_time_fetches_only_what_is_new():
    url, path = put("timed.bin", OLD, OLD_S), fresh_path()
    curl("-f", "-R", "-o", path, url)
    equal(int(os.stat(path).st_mtime), OLD_S, "time of the download")
    timed = ("-f", "-R", "-z", path, "-o", path, "-w", "%{http_code}", url)
    equal(curl(*timed), b"304", "status")
    truth(content_of(path) == OLD, "the download was touched")
    put("timed.bin", NEW, NEW_S)
    equal(curl(*timed), b"200", "status")
    truth(content_of(path) == NEW, "not the new file")


# --- curl: ranges, compression --------------------------------------------------------------------

SINGLE = (("0-0", 0, 0), ("0-", 0, SIZE - 1), ("-1", SIZE - 1, SIZE - 1), ("100-4999", 100, 4999),
          ("-5000", SIZE - 5000, SIZE - 1), (f"{SIZE - 1}-", SIZE - 1, SIZE - 1),
          (f"{SIZE - 9}-{SIZE * 2}", SIZE - 9, SIZE - 1), (f"-{SIZE * 2}", 0, SIZE - 1))


@test
def curl_gets_a_single_range_of_each_kind():
    url = put("single.bin", OLD, OLD_S)
    for spec, first, last in SINGLE:
        truth(curl("-f", "-r", spec, url) == OLD[first:last + 1], f"-r {spec}: other bytes")


def curl_parts(spec):
    """curl knows nothing of multipart: its users parse what it gives them."""
    head_path = fresh_path()
    server = shared(ranged.start)
    out = run("curl", *CURL, "-f", "-D", head_path, "-r", spec, f"{server.url}/large.bin")
    response = ResponseHead(content_of(head_path))
    response.body = out
    equal(len(out), response.length, f"-r {spec}: length")
    return ranged.read_parts(response, "large.bin")


@test
def curl_gets_sets_of_ranges():
    last = ranged.MIB - 1
    for spec, expected in (
            ("0-0,-1", [(0, 0), (last, last)]),
            ("500000-500099,0-99", [(500000, 500099), (0, 99)]),
            (f"0-9,1000-1999,{last - 99}-", [(0, 9), (1000, 1999), (last - 99, last)]),
            (",".join(f"{i * 9000}-{i * 9000 + 4999}" for i in range(16)),
             [(i * 9000, i * 9000 + 4999) for i in range(16)])):
        equal(curl_parts(spec), expected, f"-r {spec}")


@test
def curl_that_can_decompress_gets_the_file():
    text = b"".join(b"line %d of a text\n" % i for i in range(20_000))
    for name, content in (("text.txt", text), ("noise.bin", OLD), ("empty.css", b"")):
        url = put(name, content, OLD_S)
        truth(curl("-f", "--compressed", url) == content, f"{name}: other bytes")
        contains(curl("-f", "--compressed", "-I", url).decode(), "^HTTP/1.1 200 ", name)


# --- wget -----------------------------------------------------------------------------------------

def wget(folder, *arguments):
    run("wget", "-q", "-T", "20", "-t", "1", "-P", folder, *arguments)


@test
def wget_continues_a_download_that_was_interrupted():
    url, folder = put("wget.bin", OLD, OLD_S), harness.temporary_directory()
    path = os.path.join(folder, "wget.bin")
    run_until("wget", ["-q", "--limit-rate=1m", "-P", folder, url],
              lambda: size_of(path) >= MIB // 2, "some bytes have come")
    kept = size_of(path)
    shared(start).entries()
    wget(folder, "-c", url)
    truth(content_of(path) == OLD, "other bytes than the file's")
    entry, = shared(start).entries()
    equal((entry.status, entry.bytes), (206, SIZE - kept), "status and bytes of the rest")


SITE = {"index.html": b'<link rel="stylesheet" href="css/a.css"><a href="sub/">s</a>'
                      b'<img src="img/one.png"><a href="/abs.txt?q=1">t</a><a href="big.bin">b</a>',
        "css/a.css": b"body { background: url(../img/two.png) }\n",
        "sub/index.html": b'<a href="../index.html">up</a> <a href="deep/page.html">down</a>\n',
        "sub/deep/page.html": b'<a href="../../img/one.png">picture</a>\n',
        "img/one.png": harness.pattern_bytes(3000), "img/two.png": harness.pattern_bytes(70_000),
        "abs.txt": b"text\n", "big.bin": harness.pattern_bytes(300_000)}


TARGETS = ["/", "/css/a.css", "/sub/", "/img/one.png", "/abs.txt?q=1", "/big.bin", "/img/two.png",
           "/sub/deep/page.html"]
MIRROR = ("-q", "-m", "-np", "-nH", "-T", "20", "-t", "1")


def mirror(server, folder, *arguments):
    """One run of wget -m. Gives what was asked for, and what was sent in answer to that."""
    run("wget", *MIRROR, "-P", folder, *arguments, f"{server.url}/")
    entries = [entry for entry in server.entries() if entry.target != "/robots.txt"]
    equal({entry.status for entry in entries} - {200, 304}, set(), "other statuses")
    equal(sum(entry.bytes for entry in entries if entry.status == 304), 0, "bytes of 304s")
    sent = [entry.target for entry in entries if entry.method == "GET" and entry.status == 200]
    return {entry.target for entry in entries}, sorted(sent)


@test
def wget_mirrors_a_site_and_then_only_its_changes():
    """Where its first page is answered with 304, wget -m looks no further, whatever the server. Its
    users ask with HEAD, as it did before it knew If-Modified-Since."""
    folder = harness.temporary_directory()
    root = harness.make_tree(SITE)
    for name in SITE:
        os.utime(os.path.join(root, name), (OLD_S, OLD_S))
    with LoggedServer(root) as server:
        asked = {*TARGETS, "/index.html"}  # which is 304 at once: it has the name and time of /
        expected = {**SITE, "abs.txt?q=1": SITE["abs.txt"]}
        del expected["abs.txt"]
        equal(mirror(server, folder), (asked, sorted(TARGETS)), "first run")
        equal(tree_of(folder), expected, "the mirror")
        equal(mirror(server, folder), ({"/"}, []), "second run")
        equal(mirror(server, folder, "--no-if-modified-since"), (asked, []), "second run, by HEAD")
        equal(tree_of(folder), expected, "the mirror, after the second run")
        harness.replace_file(server.path("img/one.png"), b"another picture\n")
        equal(mirror(server, folder, "--no-if-modified-since"), (asked, ["/img/one.png"]), "third")
        equal(tree_of(folder), {**expected, "img/one.png": b"another picture\n"}, "after a change")


@test
def wget_by_time_fetches_only_what_is_new():
    folder = harness.temporary_directory()
    urls = [put(f"dated{i}.txt", b"%d\n" % i, OLD_S) for i in range(5)]
    for expected in ([200] * 5, [304] * 5, [304, 304, 200, 304, 304]):
        if expected[2] == 200 != expected[1]:
            put("dated2.txt", b"another two\n", NEW_S)
        shared(start).entries()
        wget(folder, "-N", *urls)
        equal([entry.status for entry in shared(start).entries()], expected, "statuses")
    equal(content_of(os.path.join(folder, "dated2.txt")), b"another two\n")


# --- aria2 ----------------------------------------------------------------------------------------

def make_stamped(path):
    """1 GiB that takes little room: each 64 KiB begin with their own offset, so that no byte can
    be lost, doubled or moved unnoticed."""
    with open(path, "wb") as file:
        file.truncate(GIB)
        for at in range(0, GIB, STAMP_STEP):
            os.pwrite(file.fileno(), struct.pack("<QQ", at, ~at & (1 << 64) - 1), at)


@test
def aria2_gets_1_gib_over_8_connections():
    harness.require("aria2c")
    folder = harness.temporary_directory()
    if shutil.disk_usage(folder).free < 3 * GIB:
        raise harness.Skip("less than 3 GiB of room")
    server = shared(start)
    path, copy = server.path("gigabyte.bin"), os.path.join(folder, "copy.bin")
    try:
        make_stamped(path)
        server.entries()
        run("aria2c", "--no-conf=true", "-q", "-x", "8", "-s", "8", "-k", "1M", "-d", folder, "-o",
            "copy.bin", "--file-allocation=none", "--max-tries=1", "--disable-ipv6=true",
            f"{server.url}/gigabyte.bin")
        entries = server.entries()
        assert_same_files(copy, path)
        statuses = [entry.status for entry in entries if entry.method == "GET"]
        truth(statuses.count(206) >= 7, f"answers to GET: {statuses}")
    finally:
        for name in (path, copy):
            if os.path.exists(name):
                os.unlink(name)


if __name__ == "__main__":
    harness.main()
