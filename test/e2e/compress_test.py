"""Codings that the server makes: of what, when, and never of what a file was before."""

import random
import signal

import harness
from coded import (SUFFIXES, ask, assert_coded, coding_of, date_tree, decode, head_of,
                   sibling_text, wait_for_coding, wait_until_strong)
from harness import Server, add, equal, one_of, replace_file, test, truth
from watched import edit_file

BYTES_MIN = 2000
BYTES_MAX = 4_000_000
SIZES = {"small": 5000, "kept": 60_000, "streamed": 300_000, "large": 3_000_000}
MANY = 60  # more than one worker makes at a time
INI = {"workers": 1, "compress.bytes_min": BYTES_MIN, "compress.bytes_max": BYTES_MAX,
       "cache.revalidate": "1h"}
WAITS = "identity;q=0, "


def text_of(i, size=5000):
    """Text that can be coded, and whose every line tells of which version it is."""
    lines = []
    total = 0
    while total < size:
        number = len(lines)
        lines.append(b"version %06d in line %d has %d\n" % (i, number, number * 7919 % 1000))
        total += len(lines[-1])
    return b"".join(lines)[:size]


def start():
    noise = random.Random(1).randbytes(50_000)
    tree = {f"{name}-{coding}.txt": text_of(0, size) for name, size in SIZES.items()
            for coding in SUFFIXES}
    tree |= {f"bound{delta}.css": text_of(0, BYTES_MIN + delta) for delta in (-1, 0, 1)}
    tree |= {f"limit{delta}.css": text_of(0, BYTES_MAX + delta) for delta in (-1, 0, 1)}
    tree |= {f"many/{i}.js": text_of(i, 20_000) for i in range(MANY)}
    tree |= {f"waits-{coding}.html": text_of(0, 100_000) for coding in SUFFIXES}
    tree |= {f"control{i}.txt": text_of(0) for i in range(10)}
    tree |= {"picture.png": text_of(0), "noise.txt": noise, "noise.html": noise, "empty.txt": b"",
             "index.html": text_of(1), "page": text_of(2), "data.svg": text_of(3),
             "tag.js": text_of(4, 200_000), "leaves.js": text_of(5, BYTES_MAX),
             "sibling.js": text_of(6), "sibling.js.gz": sibling_text("gzip", "sibling.js")}
    server = Server(date_tree(harness.make_tree(tree)), INI)
    wait_until_strong(server, "/index.html")
    return server


def body_of(target):
    with open(harness.shared(start).path(target[1:]), "rb") as file:
        return file.read()


def get(target, accept=None, *fields, **keywords):
    return ask(harness.shared(start), target, accept, *fields, **keywords)


def assert_made(response, target, coding, body=None):
    """It says so, it is smaller, and it is the file."""
    body = body_of(target) if body is None else body
    equal((response.status, coding_of(response)), (200, coding), target)
    equal(response.fields.get("vary"), "Accept-Encoding", f"{target}: Vary")
    truth(len(response.body) < len(body), f"{target}: {len(response.body)} bytes")
    truth(decode(coding, response.body) == body, f"{target} in {coding}: other bytes")


# --- what is made ---------------------------------------------------------------------------------

def add_made(name, coding):
    def run():
        target = f"/{name}-{coding}.txt"
        first = get(target, coding)
        assert_coded(first, None, body_of(target), target)
        equal(first.fields.get("vary"), "Accept-Encoding", "Vary of the first answer")
        response = wait_for_coding(harness.shared(start), target, coding)
        assert_made(response, target, coding)
        equal(response.fields["content-type"], first.fields["content-type"])
        assert_made(get(target, coding), target, coding)
        assert_coded(get(target), None, body_of(target), f"{target} for others")
    add(f"a_{name}_file_is_sent_as_it_is_and_then_in_{coding}", run)


for row in [(name, coding) for name in SIZES for coding in SUFFIXES]:
    add_made(*row)


@test
def an_index_a_page_without_extension_and_a_drawing_are_coded():
    for target, path, kind in (("/", "/index.html", "text/html; charset=utf-8"),
                               ("/page", "/page", "text/plain; charset=utf-8"),
                               ("/data.svg", "/data.svg", "image/svg+xml")):
        response = wait_for_coding(harness.shared(start), target, "gzip")
        assert_made(response, path, "gzip")
        truth(response.fields["content-type"].startswith(kind), response.fields["content-type"])


@test
def many_files_at_once_all_come_coded():
    with harness.shared(start).connect() as client:
        for i in range(MANY):
            client.request(f"/many/{i}.js", fields=["Accept-Encoding: br, gzip"])
        for i in range(MANY):
            response = client.read_response()
            truth(decode(coding_of(response), response.body) == text_of(i, 20_000), f"/many/{i}.js")
        for i in range(MANY):
            response = wait_for_coding(client, f"/many/{i}.js", "br")
            assert_made(response, f"/many/{i}.js", "br")


@test
def sizes_from_bytes_min_to_bytes_max_are_coded():
    for delta in (0, 1):
        assert_made(wait_for_coding(harness.shared(start), f"/bound{delta}.css", "gzip"),
                    f"/bound{delta}.css", "gzip")
    for delta in (-1, 0):
        assert_made(wait_for_coding(harness.shared(start), f"/limit{delta}.css", "gzip"),
                    f"/limit{delta}.css", "gzip")


# --- what is not ----------------------------------------------------------------------------------

CONTROLS = iter(range(10))


def assert_not_made(target, varies):
    """Whatever was asked for before the control would have been made before it."""
    accept = "br, zstd, gzip"
    assert_coded(get(target, accept), None, body_of(target), target)
    for coding in SUFFIXES:
        assert_coded(get(target, coding), None, body_of(target), target)
    control = f"/control{next(CONTROLS)}.txt"
    for coding in SUFFIXES:
        wait_for_coding(harness.shared(start), control, coding)
    for accepted in (accept, *SUFFIXES):
        response = get(target, accepted)
        assert_coded(response, None, body_of(target), f"{target}, {accepted}")
        equal(response.fields.get("vary"), "Accept-Encoding" if varies else None, f"{target}: Vary")
    equal(get(target, "identity;q=0, br, gzip, zstd").status, 406, f"{target}, and nothing else")


NOT_MADE = (("smaller_than_bytes_min", "/bound-1.css", False),
            ("larger_than_bytes_max", "/limit1.css", False), ("a_picture", "/picture.png", False),
            ("noise_that_is_called_text", "/noise.txt", True),
            ("an_empty_one", "/empty.txt", False))


def add_not_made(name, target, varies):
    add(f"{name}_is_not_coded", lambda: assert_not_made(target, varies))


for row in NOT_MADE:
    add_not_made(*row)


@test
def what_has_a_sibling_is_not_coded():
    for _ in range(3):
        assert_coded(get("/sibling.js", "br, zstd"), None, text_of(6), "other codings")
        assert_coded(get("/sibling.js", "br, gzip"), "gzip", sibling_text("gzip", "sibling.js"),
                     "that of the sibling")


@test
def nothing_is_coded_where_that_or_the_cache_is_off():
    tree = {"a.js": text_of(0)}
    for settings in ({"compress.compress": "off"}, {"cache": "off"}):
        with Server(harness.make_tree(tree), INI | settings) as server:
            wait_until_strong(server, "/a.js")
            for _ in range(5):
                response = ask(server, "/a.js", "br, gzip, zstd")
                assert_coded(response, None, text_of(0), f"{settings}")
                equal(response.fields.get("vary"), None, f"{settings}: Vary")
            equal(ask(server, "/a.js", "identity;q=0, br").status, 406, f"{settings}")


# --- its validators and ranges --------------------------------------------------------------------

@test
def what_was_made_has_a_strong_and_constant_tag():
    tags = {get("/tag.js").fields["etag"]}
    for i, coding in enumerate(SUFFIXES):
        tag = wait_for_coding(harness.shared(start), "/tag.js", coding).fields["etag"]
        truth(tag.startswith('"'), f"a strong tag: {tag}")
        for method in ("GET", "HEAD", "GET"):
            equal(get("/tag.js", coding, method=method).fields["etag"], tag, coding)
        tags.add(tag)
        equal(len(tags), i + 2, f"different tags: {tags}")
        response = get("/tag.js", coding, f"If-None-Match: {tag}")
        equal((response.status, response.fields["etag"], response.fields.get("vary")),
              (304, tag, "Accept-Encoding"))
        equal(get("/tag.js", None, f"If-None-Match: {tag}").status, 200, "another coding")


@test
def all_workers_make_the_same():
    tree = harness.make_tree({"a.js": text_of(0, 50_000)})
    with Server(tree, INI | {"workers": 2}) as server:
        wait_until_strong(server, "/a.js")
        clients = [server.connect() for _ in range(8)]
        answers = [wait_for_coding(client, "/a.js", "br") for client in clients]
        equal(len({(answer.fields["etag"], answer.body) for answer in answers}), 1, "kinds")
        for client in clients:
            client.close()


@test
def ranges_are_of_what_was_made():
    for coding in SUFFIXES:
        whole = wait_for_coding(harness.shared(start), "/tag.js", coding)
        size = len(whole.body)
        for spec, first, last in (("0-99", 0, 99), ("-7", size - 7, size - 1),
                                  (f"{size - 1}-", size - 1, size - 1)):
            response = get("/tag.js", coding, f"Range: bytes={spec}",
                           f"If-Range: {whole.fields['etag']}")
            equal((response.status, coding_of(response)), (206, coding), spec)
            equal(response.fields["content-range"], f"bytes {first}-{last}/{size}")
            truth(response.body == whole.body[first:last + 1], f"{coding}, {spec}: other bytes")
        response = get("/tag.js", coding, "Range: bytes=0-9",
                       f"If-Range: {get('/tag.js').fields['etag']}")
        assert_made(response, "/tag.js", coding)


@test
def head_has_the_head_of_get():
    for coding in SUFFIXES:
        wait_for_coding(harness.shared(start), "/tag.js", coding)
        equal(head_of(get("/tag.js", coding, method="HEAD")), head_of(get("/tag.js", coding)))


# --- who will have nothing else waits -------------------------------------------------------------

def add_waits(coding):
    def run():
        target = f"/waits-{coding}.html"
        assert_made(get(target, WAITS + coding), target, coding)
        assert_made(get(target, coding), target, coding)
    add(f"who_refuses_identity_waits_for_{coding}", run)


for coding_name in SUFFIXES:
    add_waits(coding_name)


@test
def who_refuses_identity_waits_for_a_file_that_was_just_changed_too():
    path = harness.shared(start).path("young.js")
    for i, coding in enumerate(list(SUFFIXES) * 3):
        for size in (5000, 200_000):
            replace_file(path, text_of(i, size))
            assert_made(get("/young.js", WAITS + coding), "/young.js", coding, text_of(i, size))


@test
def what_was_waited_for_while_the_file_was_edited_is_of_one_version():
    size = 2_000_000
    root = harness.make_tree({"a.js": text_of(0, size), "b.txt": b"b\n"})
    with Server(root, INI) as server, server.connect() as client:
        wait_until_strong(server, "/a.js")
        for i in range(6):
            client.request("/a.js", fields=[f"Accept-Encoding: {WAITS}zstd"])
            for _ in range(i * 40):  # before, while and after it is read
                server.get("/b.txt")
            edit_file(server.path("a.js"), text_of(i + 1, size))
            response = client.read_response()
            equal((response.status, coding_of(response)), (200, "zstd"), f"edit {i}")
            one_of(decode("zstd", response.body)[:14], (text_of(i)[:14], text_of(i + 1)[:14]))
            truth(decode("zstd", response.body) in (text_of(i, size), text_of(i + 1, size)),
                  f"mixed after edit {i}")


@test
def a_client_that_leaves_while_it_waits_is_forgotten():
    server = harness.shared(start)
    with server.connect() as other:
        for end in ("close", "reset", "finish"):
            client = server.connect()
            client.request("/leaves.js", fields=[f"Accept-Encoding: {WAITS}br"])
            getattr(client, end)()
            other.assert_open("/index.html")
            client.close()
        assert_made(ask(other, "/leaves.js", WAITS + "zstd"), "/leaves.js", "zstd")


@test
def others_are_answered_while_one_waits():
    root = harness.make_tree({"a.js": text_of(0, BYTES_MAX), "b.txt": b"b\n"})
    with Server(root, INI) as server, server.connect() as client, server.connect() as other:
        client.request("/a.js", fields=[f"Accept-Encoding: {WAITS}br"])
        count = 0
        while client.has_silence():
            equal(other.get("/b.txt").body, b"b\n")
            count += 1
        truth(count >= 3, f"{count} answers meanwhile")
        assert_made(client.read_response(), "/a.js", "br", text_of(0, BYTES_MAX))


# --- the end --------------------------------------------------------------------------------------

@test
def a_stop_waits_for_an_answer_that_is_being_made():
    with Server(harness.make_tree({"a.js": text_of(0, BYTES_MAX)}), INI) as server:
        with server.connect() as client:
            client.request("/a.js", fields=[f"Accept-Encoding: {WAITS}br"])
            server.get("/a.js", method="HEAD")  # the other one has been read
            server.signal(signal.SIGTERM)
            assert_made(client.read_response(), "/a.js", "br", text_of(0, BYTES_MAX))
            client.assert_closed()
        equal(server.wait(), 0, "exit status")


@test
def a_stop_while_codings_are_made_leaves_nothing_behind():
    tree = {f"{i}.js": text_of(i, 1_000_000) for i in range(30)}
    with Server(harness.make_tree(tree), INI | {"timeouts.shutdown": "5s"}) as server:
        wait_until_strong(server, "/29.js")
        for i in range(30):
            assert_coded(ask(server, f"/{i}.js", "br"), None, text_of(i, 1_000_000), f"/{i}.js")
        server.signal(signal.SIGTERM)
        equal(server.wait(), 0, "exit status")


if __name__ == "__main__":
    harness.main()
