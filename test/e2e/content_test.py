"""Content: types, index files, the slash redirect, error bodies, validators, and freshness."""

import hashlib
import os
import re
import time
from email.utils import formatdate
from urllib.parse import urljoin, urlsplit

import harness
from harness import Server, contains, equal, one_of, test, truth

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0\x1f\x15\xc4\x89"
TEXTS = ("html", "css", "js", "mjs", "txt", "json", "svg", "xml", "webmanifest", "map", "md", "csv")
TYPES = {
    "html": "text/html", "htm": "text/html", "css": "text/css", "js": "text/javascript",
    "mjs": "text/javascript", "json": "application/json", "map": "application/json",
    "wasm": "application/wasm", "svg": "image/svg+xml", "png": "image/png", "jpg": "image/jpeg",
    "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp", "avif": "image/avif",
    "jxl": "image/jxl", "txt": "text/plain", "webmanifest": "application/manifest+json",
    "mp4": "video/mp4", "webm": "video/webm", "opus": "audio/", "mp3": "audio/mpeg",
    "woff2": "font/woff2", "woff": "font/woff", "pdf": "application/pdf", "m3u8": "application/",
    "csv": "text/csv", "md": "text/markdown", "xml": "", "zip": "application/zip",
}
ACTIVE = re.compile("html|svg|xml|script|json|css", re.IGNORECASE)
UNKNOWN = {
    "page": b"<!DOCTYPE html><html><body><script>alert(1)</script></body></html>",
    "page.unknownext": b"<html><head><title>x</title></head></html>\n",
    "drawing": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
    "shell": b"#!/bin/sh\necho hello\n", "python": b"#!/usr/bin/python3\nimport os\n",
    "php": b"<?php echo 1; ?>", "feed": b'<?xml version="1.0"?><rss version="2.0"></rss>',
}


def start():
    tree = {f"file.{extension}": b"content\n" for extension in TYPES}
    tree |= {f"UPPER.{extension.upper()}": b"content\n" for extension in TYPES} | UNKNOWN
    tree |= {"index.html": b"index\n", "dir/index.html": b"dir\n", "bare/x.txt": b"x",
             "picture": PNG, "README": b"only words\n", "empty": b"",
             "noise": hashlib.sha256(b"noise").digest() * 8,
             "utf8": "grüße\n".encode(), "evil.example/index.html": b"evil\n", "d d/x.txt": b"",
             "dir/sub dir/x.txt": b"", "dir/ü%?#/x.txt": b"", "\\evil.example/x.txt": b"",
             "http:/evil.example/x.txt": b"", "javascript:alert(1)/x.txt": b"",
             "a.tar.gz": b"x", "index.html.bak": b"x", "types.foo": b"foo"}
    return Server(harness.make_tree(tree))


def get(target, **keywords):
    return harness.shared(start).get(target, **keywords)


# --- types ----------------------------------------------------------------------------------------

@test
def types_come_from_the_extension():
    for extension, expected in TYPES.items():
        for name in (f"file.{extension}", f"UPPER.{extension.upper()}"):
            got = get(f"/{name}").fields["content-type"]
            truth(got.startswith(expected), f"{name}: expected {expected}, got {got}")


@test
def texts_have_their_charset():
    for extension in TEXTS:
        got = get(f"/file.{extension}").fields["content-type"]
        truth(got.endswith("; charset=utf-8"), f".{extension}: {got}")
    for extension in ("png", "woff2", "mp4", "wasm", "zip"):
        got = get(f"/file.{extension}").fields["content-type"]
        truth("charset" not in got, f".{extension}: {got}")


@test
def content_says_what_the_name_does_not():
    equal(get("/picture").fields["content-type"], "image/png")
    equal(get("/README").fields["content-type"], "text/plain; charset=utf-8")
    equal(get("/utf8").fields["content-type"], "text/plain; charset=utf-8")
    contains(get("/noise").fields["content-type"], "^application/octet-stream$")
    contains(get("/empty").fields["content-type"], "^(application/octet-stream|text/plain)")


@test
def a_guess_never_runs_in_a_browser():
    for name in UNKNOWN:
        got = get(f"/{name}").fields["content-type"]
        truth(not ACTIVE.search(got.replace("charset", "")), f"{name}: {got}")
        contains(got, "^(text/plain|application/octet-stream)", name)


@test
def nosniff_is_on_every_answer():
    for target in ("/", "/picture", "/missing", "/bare/", "/dir", "/%zz"):
        equal(get(target).fields.get("x-content-type-options"), "nosniff", target)


@test
def the_ini_adds_and_overrides_types():
    ini = {"types..foo": "application/x-foo", "types..txt": "text/x-mine",
           "types..tpl": "text/html"}
    tree = {"a.foo": b"x", "a.txt": b"x", "A.FOO": b"x", "a.html": b"x", "a.tpl": b"x"}
    with Server(harness.make_tree(tree), ini) as server:
        for name, expected in (("a.foo", "application/x-foo"), ("A.FOO", "application/x-foo"),
                               ("a.txt", "text/x-mine; charset=utf-8"),
                               ("a.html", "text/html; charset=utf-8"),
                               ("a.tpl", "text/html; charset=utf-8")):
            equal(server.get(f"/{name}").fields["content-type"], expected, name)


@test
def the_guess_can_be_turned_off():
    with Server(harness.make_tree({"picture": PNG}), {"files.magic": "off"}) as server:
        equal(server.get("/picture").fields["content-type"], "application/octet-stream")


# --- index and redirect ---------------------------------------------------------------------------

@test
def a_directory_serves_its_index():
    equal(get("/").body, b"index\n")
    equal(get("/dir/").body, b"dir\n")
    equal(get("/dir/").fields["content-type"], "text/html; charset=utf-8")
    equal(get("/dir/?query").body, b"dir\n")


@test
def the_first_index_that_exists_is_served():
    tree = {"one/a.htm": b"a", "both/a.htm": b"a", "both/b.htm": b"b", "second/b.htm": b"b",
            "none/index.html": b"no", "folder/a.htm/x": b"x", "folder/b.htm": b"b"}
    with Server(harness.make_tree(tree), {"index": "a.htm b.htm"}) as server:
        for target, body in (("/one/", b"a"), ("/both/", b"a"), ("/second/", b"b")):
            equal(server.get(target).body, body, target)
        equal(server.get("/none/").status, 403)
        one_of(server.get("/folder/").status, (200, 403), "an index that is a directory")


@test
def a_directory_without_slash_is_redirected():
    for target, expected in (("/dir", "/dir/"), ("/dir?a=b&c", "/dir/?a=b&c"), ("/bare", "/bare/"),
                             ("/dir/sub%20dir", "/dir/sub%20dir/"), ("/dir?", "/dir/?"),
                             ("/dir/%c3%bc%25%3f%23", "/dir/%C3%BC%25%3F%23/"),
                             ("/d%20d?x=%20y", "/d%20d/?x=%20y"), ("/bare/../dir", "/dir/"),
                             ("//dir", "/dir/"), ("/%2fdir", "/dir/"), ("/dir/../bare", "/bare/")):
        response = get(target)
        equal(response.status, 301, target)
        location = response.fields["location"]
        base = "http://gyre.example" + target
        # urljoin drops an empty query; a browser does not. It is compared as sent.
        got = urlsplit(urljoin(base, location))
        query = "?" + got.query if got.query or location.endswith("?") else ""
        equal(got.path.upper() + query, expected.partition("?")[0].upper() +
              "".join(expected.partition("?")[1:]), f"{target} -> {location}")
        equal(harness.shared(start).get(got.path).status // 100 in (2, 4), True, "the new place")


@test
def the_redirect_never_leads_to_another_host():
    targets = ("//evil.example", "///evil.example", "//evil.example?x", "/%2fevil.example",
               "/%2f%2fevil.example", "/%2F%2Fevil.example", "/.//evil.example",
               "/./%2fevil.example", "/dir/..//evil.example", "/dir/../%2fevil.example",
               "//dir/../evil.example", "/%5cevil.example", "/\\evil.example",
               "//%5cevil.example", "/http:%2fevil.example", "/http:/evil.example",
               "/http://evil.example", "/javascript:alert(1)", "/javascript%3aalert(1)",
               "//gyre.example@evil.example", "/evil.example", "//dir", "//dir//", "/dir/.//../dir")
    redirects = 0
    for target in targets:
        response = get(target)
        if response.status != 301:
            truth("location" not in response.fields, f"{target}: Location on {response.status}")
            continue
        redirects += 1
        location = response.fields["location"]
        for base in ("http://gyre.example" + target, "http://gyre.example/"):
            for form in (location, location.replace("\\", "/")):
                got = urlsplit(urljoin(base, form))
                equal((got.scheme, got.netloc), ("http", "gyre.example"),
                      f"{target} -> Location: {location}")
        truth(not re.match(r"[/\\]{2}|[a-z][a-z0-9+.-]*:", location, re.IGNORECASE),
              f"{target} -> Location: {location}")
    truth(redirects >= 12, f"only {redirects} of the targets were redirected: too weak a test")


@test
def the_redirect_cannot_be_split():
    for target in ("/dir?a%0d%0aX:y", "/dir%0d%0aX:%20y", "/dir/?%0aX"):
        response = get(target)
        truth("x" not in response.fields, f"{target} put a field into the answer")


@test
def a_redirect_keeps_a_long_query():
    query = "q" * 7000
    contains(get(f"/dir?{query}").fields["location"], f"/\\?{query}$")


@test
def an_archive_that_is_not_to_be_had_is_a_listing_or_refused():
    for listing, status in (("on", 200), ("off", 403)):
        with Server(ini={"files.listing": listing, "index": "none.html"}) as server:
            for _ in range(2):
                equal(server.get("/?format=tar").status, status, f"listing = {listing}")


# --- errors ---------------------------------------------------------------------------------------

@test
def errors_have_a_small_html_body():
    for target, status in (("/missing", 404), ("/bare/", 403), ("/%zz", 400), ("/dir", 301)):
        response = get(target)
        equal(response.status, status, target)
        equal(response.fields["content-type"].lower(), "text/html; charset=utf-8", target)
        truth(0 < len(response.body) < 4096, f"{len(response.body)} bytes of body")
        contains(response.body.decode("utf-8"), str(status))


@test
def errors_are_not_stored():
    for target in ("/missing", "/bare/", "/%zz"):
        contains(get(target).fields.get("cache-control", ""), "no-store", target)


@test
def errors_reflect_nothing():
    mark = "<script>alert(4711)</script>"
    response = get("/" + mark.replace("<", "%3c").replace(">", "%3e") + "?" + "x4711y",
                   fields=["User-Agent: 4711", "Referer: http://4711/"])
    truth(b"4711" not in response.raw + response.body, "the request is in the answer")


@test
def error_pages_keep_the_status():
    tree = {"404.html": b"my 404\n", "errors/403.html": b"my 403\n", "bare/x": b"x"}
    ini = {"errors.404": "/404.html", "errors.403": "/errors/403.html",
           "errors.400": "/missing.html"}
    with Server(harness.make_tree(tree), ini) as server, server.connect() as client:
        for target, status, body in (("/missing", 404, b"my 404\n"), ("/bare/", 403, b"my 403\n"),
                                     ("/404.html", 200, b"my 404\n")):
            response = client.get(target)
            equal((response.status, response.body), (status, body), target)
            equal(response.fields["content-type"], "text/html; charset=utf-8", target)
        contains(client.get("/missing").fields.get("cache-control", ""), "no-store")
        head = client.get("/missing", method="HEAD")
        equal((head.status, head.fields["content-length"]), (404, "7"))
        equal(server.get("/%zz").status, 400)
        harness.replace_file(server.path("404.html"), b"another 404\n")
        equal(client.get("/missing").body, b"another 404\n", "the page after its change")


# --- validators -----------------------------------------------------------------------------------

def age_file(path, seconds, nanoseconds=0):
    moment = (int(time.time()) - seconds) * 10**9 + nanoseconds
    os.utime(path, ns=(moment, moment))
    return moment


def settled_tag(server, target):
    """The tag that a file keeps: it is strong once neither mtime nor ctime is young."""
    harness.wait_until(lambda: server.get(target).fields["etag"].startswith('"'), "a strong tag")
    return server.get(target).fields["etag"]


@test
def a_200_has_its_validators():
    with Server(harness.make_tree({"f.txt": b"content\n"})) as server:
        moment = age_file(server.path("f.txt"), 1000)
        response = server.get("/f.txt")
        equal(response.fields.get("last-modified"), formatdate(moment // 10**9, usegmt=True))
        contains(response.fields.get("etag", ""), '^W/"')
        equal(response.fields.get("accept-ranges"), "bytes")
        equal(server.get("/f.txt").fields["etag"], response.fields["etag"], "the second tag")


@test
def the_tag_is_weak_while_the_file_is_young():
    with Server(harness.make_tree({"f.txt": b"content\n"})) as server:
        age_file(server.path("f.txt"), 0)
        contains(server.get("/f.txt").fields["etag"], "^W/")
        tag = settled_tag(server, "/f.txt")
        age_file(server.path("f.txt"), 100)  # the mtime is old, but the ctime is not
        contains(server.get("/f.txt").fields["etag"], "^W/")
        truth(settled_tag(server, "/f.txt") != tag, "the tag is the same")


@test
def bytes_changed_in_place_with_the_old_mtime_have_another_tag():
    """As `rsync --inplace --times` and `touch -r` leave them: neither size nor mtime tells."""
    with Server(harness.make_tree({"f.txt": b"content\n"})) as server:
        path = server.path("f.txt")
        moment = age_file(path, 1000)
        tag = settled_tag(server, "/f.txt")
        equal(server.get("/f.txt", fields=[f"If-None-Match: {tag}"]).status, 304)
        with open(path, "r+b") as file:
            file.write(b"CONTENT\n")
        os.utime(path, ns=(moment, moment))
        response = server.get("/f.txt", fields=[f"If-None-Match: {tag}"])
        equal((response.status, response.body), (200, b"CONTENT\n"))


@test
def the_tag_sees_every_nanosecond():
    with Server(harness.make_tree({"f.txt": b"content\n"})) as server:
        tags = set()
        for nanoseconds in (0, 1, 2, 1000, 10**8):
            age_file(server.path("f.txt"), 500, nanoseconds)
            tags.add(server.get("/f.txt").fields["etag"])
        equal(len(tags), 5, "tags of five moments")


@test
def a_date_that_says_nothing_is_not_sent():
    with Server(harness.make_tree({"f.txt": b"content\n"})) as server:
        for moment in (0, 10**9, (int(time.time()) + 5000) * 10**9):
            os.utime(server.path("f.txt"), ns=(moment, moment))
            truth("last-modified" not in server.get("/f.txt").fields, f"mtime {moment} ns was sent")


@test
def errors_have_no_validators():
    for target in ("/missing", "/bare/", "/dir"):
        response = get(target)
        for name in ("etag", "last-modified", "accept-ranges"):
            truth(name not in response.fields, f"{name} on {response.status}")


if __name__ == "__main__":
    harness.main()
