"""Precompressed siblings: which one a request gets, and what is said of it."""

import harness
from coded import (SUFFIXES, add_siblings, ask, assert_coded, coding_of, date_tree, fields_of,
                   head_of, sibling_text, wait_until_strong)
from harness import Server, add, equal, pattern_bytes, test, truth
from wire import request_bytes

SCRIPT = b"const a = 1;\n" * 500
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0\x1f\x15\xc4\x89" * 100
ALL = (None, *SUFFIXES)
LARGE = pattern_bytes(3_000_000)
LARGE_CODED = pattern_bytes(1_000_000, 7)
INI = """[server]
workers = 1
[mount /docs/]
root = {docs}
[path /clean/**]
try = $uri $uri.html $uri/
[path /app/**]
spa = /app/shell.html
"""
# Target -> file: by name, as an index, through try and spa, and the same behind a mount.
ROUTES = {"/site.js": "site.js", "/dir/": "dir/index.html", "/clean/page": "clean/page.html",
          "/clean/sub/": "clean/sub/index.html", "/app/some/route": "app/shell.html"}
MOUNTED = {"/docs/": "index.html", "/docs/guide.css": "guide.css",
           "/docs/sub/": "sub/index.html"}
TYPES = {"js": "text/javascript", "css": "text/css", "html": "text/html"}


def start():
    tree = add_siblings({name: SCRIPT for name in ROUTES.values()})
    tree |= {"bare.png": PNG, "one.js": SCRIPT, "one.js.gz": sibling_text("gzip", "one.js"),
             "picture": PNG, "picture.br": sibling_text("br", "picture"), "README": SCRIPT,
             "README.gz": sibling_text("gzip", "README"), "large.js": LARGE,
             "large.js.br": LARGE_CODED, "only.css.gz": sibling_text("gzip", "only.css")}
    mounted = add_siblings({name: SCRIPT for name in MOUNTED.values()})
    docs = date_tree(harness.make_tree(mounted))
    return Server(date_tree(harness.make_tree(tree)), INI.format(docs=docs))


def get(target, accept=None, *fields, **keywords):
    return ask(harness.shared(start), target, accept, *fields, **keywords)


# --- the ways to a sibling ------------------------------------------------------------------------

def add_route(target, name):
    def run():
        for coding in SUFFIXES:
            response = get(target, coding, "Accept: text/html")
            assert_coded(response, coding, sibling_text(coding, name), target)
            equal(response.fields.get("vary"), "Accept-Encoding", f"{target} in {coding}: Vary")
            equal(response.fields["content-type"], TYPES[name.rpartition(".")[2]]
                  + "; charset=utf-8", f"{target} in {coding}: type")
        plain = get(target, None, "Accept: text/html")
        assert_coded(plain, None, SCRIPT, target)
        equal(plain.fields.get("vary"), "Accept-Encoding", f"{target}: Vary")
    add(f"{target}_comes_in_each_coding", run)


for route in (ROUTES | MOUNTED).items():
    add_route(*route)


@test
def a_sibling_larger_than_what_is_kept_in_memory_is_streamed():
    for _ in range(2):
        assert_coded(get("/large.js", "br"), "br", LARGE_CODED, "/large.js")
        assert_coded(get("/large.js"), None, LARGE, "/large.js")


@test
def a_sibling_of_a_file_that_is_not_there_is_not_served_for_it():
    response = get("/only.css", "gzip")
    equal((response.status, response.fields.get("vary")), (404, None))


@test
def siblings_are_not_looked_for_when_they_are_turned_off():
    tree = date_tree(harness.make_tree(add_siblings({"site.js": SCRIPT})))
    ini = {"files.precompressed": "off", "compress.compress": "off"}
    with Server(tree, ini) as server:
        response = ask(server, "/site.js", "br")
        assert_coded(response, None, SCRIPT, "/site.js")
        equal(response.fields.get("vary"), None)


# --- Accept-Encoding ------------------------------------------------------------------------------

# (lines, coding): of a file that has all three.
CHOICES = (
    (None, None), ("", None), ("br", "br"), ("zstd", "zstd"), ("gzip", "gzip"), ("GZip", "gzip"),
    ("x-gzip", "gzip"), ("X-GZIP;q=0.5", "gzip"), ("gzip, zstd, br", "br"), ("gzip, zstd", "zstd"),
    ("gzip;q=0.5, zstd;q=0.5, br;q=0.5", "br"), ("gzip, br;q=0.999", "gzip"),
    ("br;q=0.001, gzip;q=0.002, zstd;q=0.003", "zstd"), ("br;q=1.000, gzip", "br"),
    ("*", "br"), ("*;q=0.1, gzip", "gzip"), ("br;q=0, *", "zstd"), ("*, br;q=0, zstd;q=0", "gzip"),
    ("gzip, *;q=0", "gzip"), ("identity", None), ("identity, br", "br"),
    ("br;q=0.5", "br"), ("br;q=0.5, identity;q=0.5", "br"), ("br;q=0.5, identity", None),
    ("identity;q=0.7, *;q=0.6", None), ("identity, *;q=0", None), ("identity;q=0, gzip", "gzip"),
    ("identity;q=0, *", "br"), ("*;q=0, zstd;q=0.1", "zstd"), ("deflate, compress", None),
    ("deflate, gzip;q=0.1", "gzip"), ("br;q=0", None), ("br;q=0, gzip;q=0.000, zstd;q=0.0", None),
    ("  br  ;  q=0.3 ,\tgzip\t;\tq=0.4", "gzip"), (", ,br,", "br"), ("brr, xgzip, gzi", None),
    # What is malformed says nothing.
    ("br;q=1.5", None), ("br;q=0.1234", None), ("br;q=", None), ("br;level=9", None),
    ("br;q=x, gzip", "gzip"), ("br;q=-1, zstd", "zstd"), ("br q=1", None),
    # Several lines are one list.
    (("gzip", "br"), "br"), (("gzip", "br;q=0"), "gzip"), (("gzip;q=0.5", "zstd;q=0.7"), "zstd"),
    (("", "gzip"), "gzip"), (("gzip", ""), "gzip"), (("br;q=0", "*"), "zstd"),
    (("identity;q=0", "gzip"), "gzip"), (("deflate", "compress", "x-gzip"), "gzip"),
)


def add_choice(accept, coding):
    def run():
        body = SCRIPT if coding is None else sibling_text(coding, "site.js")
        for method in ("GET", "HEAD"):
            response = get("/site.js", accept, method=method)
            assert_coded(response, coding, body if method == "GET" else b"", f"{method}, {accept}")
            equal(response.fields["content-length"], str(len(body)), f"{method}, {accept}")
            equal(response.fields.get("vary"), "Accept-Encoding", f"{method}, {accept}: Vary")
    add(f"accepting_{accept!r}_gives_{coding}", run)


for choice in CHOICES:
    add_choice(*choice)


@test
def where_there_is_but_one_sibling_others_get_the_file():
    for accept, coding in (("br, zstd", None), ("br, zstd, gzip;q=0.1", "gzip"), ("*", "gzip"),
                           ("gzip;q=0, *", None), ("identity;q=0.5, gzip;q=0.4", None)):
        body = SCRIPT if coding is None else sibling_text(coding, "one.js")
        assert_coded(get("/one.js", accept), coding, body, accept)


# Nothing of what is there may be sent.
REFUSED = (("/site.js", "*;q=0"), ("/site.js", "identity;q=0"), ("/site.js", ("*;q=0", "deflate")),
           ("/site.js", "identity;q=0, deflate"), ("/one.js", "identity;q=0, br, zstd"),
           ("/one.js", "gzip;q=0, identity;q=0, *"), ("/bare.png", "identity;q=0, br, gzip"),
           ("/bare.png", "*;q=0"), ("/dir/", "identity;q=0"), ("/site.js.br", "br, identity;q=0"))


def add_refused(target, accept):
    def run():
        with harness.shared(start).connect() as client:
            for method in ("GET", "HEAD"):
                response = ask(client, target, accept, method=method)
                equal(response.status, 406, f"{method} status")
                equal(response.fields.get("vary"), "Accept-Encoding", f"{method}: Vary")
                equal(response.fields.get("cache-control"), "no-store", f"{method}: Cache-Control")
                equal((coding_of(response), response.fields.get("etag")), (None, None))
            client.assert_open("/bare.png")
    add(f"accepting_{accept!r}_refuses_{target}", run)


for refusal in REFUSED:
    add_refused(*refusal)


@test
def what_is_no_representation_is_sent_to_those_who_refuse_identity():
    for target, status in (("/missing", 404), ("/dir", 301), ("/%00", 400), ("/app/x", 200),
                           ("/clean/", 403)):
        accept = "identity;q=0, br" if status == 200 else "identity;q=0"
        response = get(target, accept, "Accept: text/html")
        equal(response.status, status, target)
        equal(coding_of(response), "br" if status == 200 else None, target)


@test
def a_404_does_not_vary():
    equal(get("/missing.js", "br").fields.get("vary"), None)


@test
def what_has_no_coding_does_not_vary():
    for target in ("/bare.png", "/site.js.br", "/site.js.gz"):
        equal(get(target, "br, gzip").fields.get("vary"), None, target)


@test
def pipelined_requests_get_the_coding_of_each():
    choices = [choice for choice in CHOICES if not isinstance(choice[0], tuple)]
    with harness.shared(start).connect() as client:
        client.send(b"".join(request_bytes("/site.js", fields=fields_of(accept))
                             for accept, _ in choices))
        for accept, coding in choices:
            body = SCRIPT if coding is None else sibling_text(coding, "site.js")
            assert_coded(client.read_response(), coding, body, accept)


# --- what is said of it ---------------------------------------------------------------------------

@test
def a_guessed_type_is_that_of_the_file_and_not_of_the_sibling():
    for target, coding, kind in (("/picture", "br", "image/png"),
                                 ("/README", "gzip", "text/plain; charset=utf-8")):
        for _ in range(2):
            response = get(target, coding)
            assert_coded(response, coding, sibling_text(coding, target[1:]), target)
            equal(response.fields["content-type"], kind, target)


@test
def a_sibling_asked_for_by_its_name_is_a_file_like_any_other():
    for coding, kind in (("br", "application/x-brotli"), ("zstd", "application/zstd"),
                         ("gzip", "application/gzip")):
        target = "/site.js" + SUFFIXES[coding]
        for accept in (None, coding, "br, zstd, gzip"):
            response = get(target, accept)
            assert_coded(response, None, sibling_text(coding, "site.js"), target)
            equal(response.fields["content-type"], kind, target)
            equal(response.fields.get("vary"), None, target)


@test
def head_has_the_head_of_get():
    for target in ("/site.js", "/large.js", "/dir/", "/one.js", "/bare.png"):
        wait_until_strong(harness.shared(start), target, codings=ALL)
        for accept in (*ALL, "identity;q=0"):
            get(target, accept)  # the next one is answered from the cache
            equal(head_of(get(target, accept, method="HEAD")), head_of(get(target, accept)),
                  f"{target} in {accept}")


def answers_in_all_codings(target):
    """Coding -> the answer, once tags are strong."""
    wait_until_strong(harness.shared(start), target, codings=ALL)
    return {coding: get(target, coding) for coding in ALL}


@test
def each_coding_has_a_strong_tag_of_its_own():
    tags = [response.fields["etag"] for response in answers_in_all_codings("/site.js").values()]
    truth(all(tag.startswith('"') for tag in tags), f"strong tags: {tags}")
    equal(len(set(tags)), 4, f"different tags: {tags}")


@test
def a_tag_gives_304_with_its_coding_only():
    answers = answers_in_all_codings("/site.js")
    for coding, answer in answers.items():
        for other, known in answers.items():
            response = get("/site.js", coding, f"If-None-Match: {known.fields['etag']}")
            what = f"{coding}, knowing {other}"
            equal(response.status, 304 if coding == other else 200, what)
            for name in ("etag", "vary", "cache-control", "last-modified"):
                equal(response.fields.get(name), answer.fields.get(name), f"{what}: {name}")
            truth(coding == other or response.body == answer.body, f"{what}: other bytes")


@test
def a_date_gives_304_that_varies():
    for coding, answer in answers_in_all_codings("/site.js").items():
        response = get("/site.js", coding, f"If-Modified-Since: {answer.fields['last-modified']}")
        equal(response.status, 304, coding)
        equal(response.fields.get("vary"), "Accept-Encoding", coding)
        equal(response.fields["etag"], answer.fields["etag"], coding)


@test
def a_range_is_one_of_the_bytes_of_the_coding():
    for target, coding, body in (("/site.js", "br", sibling_text("br", "site.js")),
                                 ("/site.js", "gzip", sibling_text("gzip", "site.js")),
                                 ("/site.js", None, SCRIPT), ("/large.js", "br", LARGE_CODED)):
        size = len(body)
        whole = get(target, coding, method="HEAD").fields
        for spec, first, last in (("0-0", 0, 0), ("10-99", 10, 99), ("-5", size - 5, size - 1),
                                  ("100-", 100, size - 1), (f"7-{size + 9}", 7, size - 1)):
            response = get(target, coding, f"Range: bytes={spec}")
            what = f"{target} in {coding}, {spec}"
            equal(response.status, 206, what)
            equal(response.fields["content-range"], f"bytes {first}-{last}/{size}", what)
            truth(response.body == body[first:last + 1], f"{what}: other bytes")
            for name in ("content-encoding", "vary", "content-type", "cache-control"):
                equal(response.fields.get(name), whole.get(name), f"{what}: {name}")


@test
def a_range_behind_the_end_of_the_coding_is_not_satisfiable():
    size = len(sibling_text("br", "site.js"))
    truth(size < len(SCRIPT), "the file has those bytes")
    response = get("/site.js", "br", f"Range: bytes={size}-")
    equal((response.status, response.fields["content-range"]), (416, f"bytes */{size}"))
    equal(response.fields.get("vary"), "Accept-Encoding", "it would be, of the file")


@test
def a_condition_that_fails_may_hold_for_another_coding():
    response = get("/site.js", "br", 'If-Match: "other"')
    equal((response.status, response.fields.get("vary")), (412, "Accept-Encoding"))


@test
def several_ranges_are_of_the_bytes_of_the_coding():
    body = sibling_text("zstd", "site.js")
    response = get("/site.js", "zstd", "Range: bytes=0-9,200-219")
    equal((response.status, response.fields.get("vary")), (206, "Accept-Encoding"))
    for first, last in ((0, 9), (200, 219)):
        part = (b"Content-Range: bytes %d-%d/%d\r\n\r\n" % (first, last, len(body))
                + body[first:last + 1] + b"\r\n--")
        truth(part in response.body, f"no part {part!r} in {response.body!r}")


@test
def if_range_holds_with_the_tag_of_the_coding_only():
    answers = answers_in_all_codings("/site.js")
    for coding, answer in answers.items():
        for other, known in answers.items():
            response = get("/site.js", coding, "Range: bytes=3-8",
                           f"If-Range: {known.fields['etag']}")
            what = f"{coding}, If-Range with the tag of {other}"
            holds = coding == other
            equal(response.status, 206 if holds else 200, what)
            truth(response.body == (answer.body[3:9] if holds else answer.body), what)


if __name__ == "__main__":
    harness.main()
