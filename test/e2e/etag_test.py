"""ETag by content, by what stat(2) says, or none; and the conditions that go with each."""

import os
import time
from email.utils import formatdate

import harness
from coded import (MODIFIED_S, SUFFIXES, add_siblings, ask, coding_of, date_tree, wait_for_coding,
                   wait_until_strong)
from harness import Server, add, equal, replace_file, test, truth
from watched import edit_file

BODY = b"0123456789abcdef" * 200
OTHER = b"fedcba9876543210" * 200
LARGE_BYTES = 100_000_000
STREAMED = harness.pattern_bytes(300_000)
HASHED = {"files.etag": "hash", "workers": 1}
EDITS = 300
ODD_DATES = {"0": lambda: 0, "1": lambda: 1, "before_1970": lambda: -5,
             "in_the_future": lambda: int(time.time()) + 100_000}


def tag_of(server, target, accept=None):
    return ask(server, target, accept, method="HEAD").fields.get("etag")


def is_strong(tag):
    return tag is not None and tag.startswith('"')


# --- by content -----------------------------------------------------------------------------------

def hashed_tree():
    """A replica: the same bytes, made whenever it is."""
    return add_siblings({"site.js": BODY}) | {"a.txt": BODY, "b.txt": OTHER, "dir/index.html": BODY,
                                              "empty": b"", "large.bin": STREAMED}


def start_hashed():
    return Server(date_tree(harness.make_tree(hashed_tree())), HASHED)


def start_replica():
    return Server(date_tree(harness.make_tree(hashed_tree()), MODIFIED_S + 12_345), HASHED)


@test
def a_hash_is_the_same_on_every_replica():
    servers = harness.shared(start_hashed), harness.shared(start_replica)
    for target in ("/site.js", "/a.txt", "/b.txt", "/dir/", "/empty", "/large.bin"):
        for accept in (None, *SUFFIXES):
            tags = [tag_of(server, target, accept) for server in servers]
            truth(is_strong(tags[0]), f"{target}: a strong tag, not {tags[0]}")
            equal(tags[0], tags[1], f"{target} in {accept}")
    dates = [server.get("/a.txt").fields["last-modified"] for server in servers]
    truth(dates[0] != dates[1], "Last-Modified is that of the file")


@test
def a_hash_tells_contents_and_codings_apart():
    server = harness.shared(start_hashed)
    equal(tag_of(server, "/a.txt"), tag_of(server, "/dir/"), "tags of the same bytes")
    tags = [tag_of(server, "/site.js", accept) for accept in (None, *SUFFIXES)]
    tags += [tag_of(server, target) for target in ("/b.txt", "/empty", "/large.bin")]
    equal(len(set(tags)), len(tags), f"different tags: {tags}")


@test
def what_the_server_codes_has_a_hash_of_its_own():
    tree = {"a.js": BODY}
    with Server(harness.make_tree(tree), HASHED) as one, \
            Server(harness.make_tree(tree), HASHED) as two:
        tags = []
        for server in (one, two):
            tags.append([tag_of(server, "/a.js")] + [
                wait_for_coding(server, "/a.js", coding).fields["etag"] for coding in SUFFIXES])
        equal(tags[0], tags[1], "tags of the replicas")
        equal(len(set(tags[0])), 4, "different tags")
        truth(all(map(is_strong, tags[0])), f"strong tags: {tags[0]}")


@test
def a_hash_is_strong_at_once_and_stays_when_the_file_is_touched_or_copied():
    with Server(harness.make_tree({"a.txt": BODY, "large.bin": STREAMED}), HASHED) as server:
        for target, body in (("/a.txt", BODY), ("/large.bin", STREAMED)):
            tag = tag_of(server, target)
            truth(is_strong(tag), f"a strong tag, not {tag}")
            os.utime(server.path(target[1:]))
            equal(tag_of(server, target), tag, "touched")
            replace_file(server.path(target[1:]), body)
            equal(tag_of(server, target), tag, "copied over")
            response = server.get(target, fields=[f"If-None-Match: {tag}"])
            equal((response.status, response.fields["etag"]), (304, tag))


@test
def a_hash_changes_with_the_content_and_comes_back_with_it():
    with Server(harness.make_tree({"a.txt": BODY, "large.bin": STREAMED}), HASHED) as server:
        for target, body in (("/a.txt", BODY), ("/large.bin", STREAMED)):
            tag = tag_of(server, target)
            for change in (edit_file, replace_file):
                change(server.path(target[1:]), body[::-1])
                response = server.get(target, fields=[f"If-None-Match: {tag}"])
                equal(response.status, 200, f"{target} has changed")
                truth(response.body == body[::-1], f"{target}: other bytes")
                truth(response.fields["etag"] != tag, f"{target}: the old tag")
                change(server.path(target[1:]), body)
                equal(tag_of(server, target), tag, f"{target} as it was")


def large_server():
    root = harness.make_tree({"a.txt": BODY})
    with open(os.path.join(root, "large.bin"), "wb") as file:
        file.truncate(LARGE_BYTES)
        for offset in range(0, LARGE_BYTES, 10_000_000):
            file.seek(offset)
            file.write(harness.pattern_bytes(1000, offset // 4))
    return Server(root, HASHED)


@test
def a_large_file_has_the_same_hash_everywhere():
    with large_server() as one, large_server() as two:
        equal(tag_of(one, "/large.bin"), tag_of(two, "/large.bin"), "tags")
        tag = tag_of(one, "/large.bin")
        edit_file(one.path("large.bin"), b"x")
        truth(tag_of(one, "/large.bin") != tag, "one byte has changed")
        with open(two.path("large.bin"), "r+b") as file:
            file.seek(LARGE_BYTES - 1)
            file.write(b"x")
        truth(tag_of(two, "/large.bin") not in (tag, tag_of(one, "/large.bin")), "another one")


@test
def others_are_answered_while_a_large_file_is_hashed():
    with large_server() as server, server.connect() as client, server.connect() as other:
        other.get("/a.txt")
        client.request("/large.bin", "HEAD")
        count = 0
        while client.has_silence():
            equal(other.get("/a.txt").status, 200)
            count += 1
        truth(count >= 3, f"{count} answers meanwhile")
        truth(is_strong(client.read_response("HEAD").fields["etag"]), "a strong tag")


@test
def many_who_ask_for_a_file_that_is_being_hashed_all_get_it():
    with large_server() as server:
        clients = [server.connect() for _ in range(8)]
        for client in clients:
            client.request("/large.bin", fields=["Range: bytes=0-0"])
        responses = [client.read_response() for client in clients]
        equal({(response.status, response.body) for response in responses}, {(206, b"\0")})
        equal(len({response.fields["etag"] for response in responses}), 1, "tags")
        for client in clients:
            client.close()


@test
def a_file_edited_while_it_is_hashed_has_the_tag_of_what_it_is():
    with large_server() as server, server.connect() as client:
        for i in range(5):
            client.request("/large.bin", "HEAD")
            for _ in range(i * 3):
                server.get("/a.txt")
            edit_file(server.path("large.bin"), b"%08d" % i)
            truth(is_strong(client.read_response("HEAD").fields["etag"]), "a strong tag")
            now = tag_of(server, "/large.bin")
            truth(is_strong(now), f"a strong tag, not {now}")
            response = server.get("/large.bin", fields=["Range: bytes=0-7", f"If-Range: {now}"])
            equal((response.status, response.body), (206, b"%08d" % i), f"edit {i}")


# --- none -----------------------------------------------------------------------------------------

def start_off():
    tree = add_siblings({"site.js": BODY}) | {"a.txt": BODY, "large.bin": STREAMED}
    return Server(date_tree(harness.make_tree(tree)), {"files.etag": "off", "workers": 1})


OFF_TARGETS = {"/a.txt": BODY, "/large.bin": STREAMED, "/site.js": BODY}


@test
def without_tags_no_answer_has_one():
    server = harness.shared(start_off)
    for target in OFF_TARGETS:
        for accept in (None, *SUFFIXES):
            for fields in ((), ("Range: bytes=0-0",),
                           ("If-Modified-Since: " + formatdate(MODIFIED_S, usegmt=True),)):
                response = ask(server, target, accept, *fields)
                truth("etag" not in response.fields, f"{target} in {accept} with {fields}")
                truth("last-modified" in response.fields, f"{target}: no Last-Modified")


@test
def without_tags_dates_still_give_304():
    server = harness.shared(start_off)
    for target, body in OFF_TARGETS.items():
        for delta_s, status in ((0, 304), (1, 304), (-1, 200)):
            date = formatdate(MODIFIED_S + delta_s, usegmt=True)
            response = server.get(target, fields=[f"If-Modified-Since: {date}"])
            equal(response.status, status, f"{target}, {delta_s} s")
            truth(status == 304 or response.body == body, f"{target}: other bytes")
        coded = ask(server, "/site.js", "br", f"If-Modified-Since: {date}")
        equal((coded.status, coding_of(coded)), (200, "br"))


@test
def without_tags_ranges_go_on_by_date():
    server = harness.shared(start_off)
    for target, body in OFF_TARGETS.items():
        for delta_s, status in ((0, 206), (1, 200), (-1, 200)):
            date = formatdate(MODIFIED_S + delta_s, usegmt=True)
            response = server.get(target, fields=["Range: bytes=5-9", f"If-Range: {date}"])
            equal(response.status, status, f"{target}, {delta_s} s")
            equal(response.body, body[5:10] if status == 206 else body, target)


@test
def without_tags_no_tag_fits_but_any_does():
    server = harness.shared(start_off)
    for field, status in (('If-None-Match: "x"', 200), ("If-None-Match: *", 304),
                          ('If-Match: "x"', 412), ("If-Match: *", 200)):
        equal(server.get("/a.txt", fields=[field]).status, status, field)
    response = server.get("/a.txt", fields=["Range: bytes=0-0", 'If-Range: "x"'])
    equal(response.status, 200, "If-Range with a tag")


@test
def without_tags_changes_are_seen():
    with Server(harness.make_tree({"a.txt": BODY}), {"files.etag": "off"}) as server:
        for i in range(50):
            (edit_file, replace_file)[i % 2](server.path("a.txt"), (BODY, OTHER)[i % 2])
            truth(server.get("/a.txt").body == (BODY, OTHER)[i % 2], f"change {i}")


# --- by what stat(2) says -------------------------------------------------------------------------

@test
def a_strong_tag_is_that_of_one_content_however_fast_it_changes():
    with Server(harness.make_tree({"a.txt": BODY}), {"workers": 1}) as server:
        with server.connect() as client:
            contents = {}
            for i in range(EDITS):
                body = b"%08d" % i
                (edit_file, replace_file)[i // 10 % 2](server.path("a.txt"), body)
                response = client.get("/a.txt")
                equal(response.body[:8], body, f"change {i}")
                tag = response.fields["etag"]
                equal(contents.setdefault(tag, body) if is_strong(tag) else body, body, tag)
            wait_until_strong(client, "/a.txt")
            tag = tag_of(client, "/a.txt")
            equal(contents.setdefault(tag, client.get("/a.txt").body[:8]), b"%08d" % (EDITS - 1))


@test
def a_date_that_was_put_back_does_not_hide_a_change():
    with Server(harness.make_tree({"a.txt": BODY, "large.bin": STREAMED})) as server:
        for target, body in (("/a.txt", BODY), ("/large.bin", STREAMED)):
            path = server.path(target[1:])
            os.utime(path, (MODIFIED_S, MODIFIED_S))
            wait_until_strong(server, target)
            known = server.get(target)
            edit_file(path, body[::-1])
            os.utime(path, (MODIFIED_S, MODIFIED_S))
            wait_until_strong(server, target)
            for fields in ([f"If-None-Match: {known.fields['etag']}"],
                           ["Range: bytes=0-0", f"If-Range: {known.fields['etag']}"]):
                response = server.get(target, fields=fields)
                equal(response.status, 200, f"{target}, {fields}")
                truth(response.body == body[::-1], f"{target}: other bytes")
            truth(response.fields["etag"] != known.fields["etag"], f"{target}: the same tag")


def add_odd_date(name, date_of):
    def run():
        tree = {"a.txt": BODY, "large.bin": STREAMED}
        with Server(date_tree(harness.make_tree(tree), date_of())) as server:
            for target, body in (("/a.txt", BODY), ("/large.bin", STREAMED)):
                check_odd_date(server, target, body)
    add(f"a_file_whose_date_is_{name}_has_a_tag_of_its_content_and_no_date", run)


def check_odd_date(server, target, body):
    path = server.path(target[1:])
    tag = tag_of(server, target)
    truth(is_strong(tag), f"{target}: a strong tag, not {tag}")
    for fields, status in (((), 200), ((f"If-None-Match: {tag}",), 304),
                           (("Range: bytes=2-7", f"If-Range: {tag}"), 206),
                           ((f"If-Match: {tag}",), 200), (('If-None-Match: "x"',), 200)):
        response = server.get(target, fields=list(fields))
        equal(response.status, status, f"{target}, {fields}")
        equal(response.fields["etag"], tag, f"{target}, {fields}")
        truth("last-modified" not in response.fields, f"{target}, {fields}: Last-Modified")
        equal(response.body, {200: body, 304: b"", 206: body[2:8]}[status], f"{target}, {fields}")
    date_ns = os.stat(path).st_mtime_ns
    edit_file(path, body[::-1])
    os.utime(path, ns=(date_ns, date_ns))
    response = server.get(target, fields=[f"If-None-Match: {tag}"])
    equal((response.status, "last-modified" in response.fields), (200, False), f"{target} edited")
    truth(response.body == body[::-1], f"{target}: other bytes")
    truth(is_strong(response.fields["etag"]), "a strong tag")
    truth(response.fields["etag"] != tag, "another tag")
    replace_file(path, body)
    os.utime(path, ns=(date_ns, date_ns))
    equal(tag_of(server, target), tag, f"{target} as it was")


for odd_row in ODD_DATES.items():
    add_odd_date(*odd_row)


@test
def siblings_without_a_date_have_tags_of_their_content():
    tree = add_siblings({"site.js": BODY})
    with Server(date_tree(harness.make_tree(tree), 1)) as one, \
            Server(date_tree(harness.make_tree(tree), 1)) as two:
        tags = [[tag_of(server, "/site.js", accept) for accept in (None, *SUFFIXES)]
                for server in (one, two)]
        equal(tags[0], tags[1], "tags of equal trees")
        equal(len(set(tags[0])), 4, "different tags")
        response = ask(one, "/site.js", "br", f"If-None-Match: {tags[0][1]}")
        equal((response.status, response.fields.get("vary")), (304, "Accept-Encoding"))


@test
def a_date_in_the_future_is_sent_once_it_has_come():
    with Server(harness.make_tree({"a.txt": BODY})) as server:
        date_s = int(time.time()) + 3
        os.utime(server.path("a.txt"), (date_s, date_s))
        harness.wait_until(lambda: "last-modified" in server.get("/a.txt").fields, "it has come")
        truth(time.time() >= date_s, "not before")
        equal(server.get("/a.txt").fields["last-modified"], formatdate(date_s, usegmt=True))
        wait_until_strong(server, "/a.txt")


if __name__ == "__main__":
    harness.main()
