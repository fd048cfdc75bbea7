"""Redirects by rule: statuses, what is put into the target, and that nobody else chooses where it
leads to."""

import re
from urllib.parse import urljoin, urlsplit

import harness
from harness import equal, shared, test, truth
from sites import serve

STATUSES = (301, 302, 307, 308)
# (pattern, redirect): numbered /0/..., /1/... by their place.
RULES = (
    ("/s301", "301 /x"), ("/s302", "302 /x"), ("/s307", "307 /x"), ("/s308", "308 /x"),
    ("/plain", "/x"), ("/to-http", "302 http://other.example/y"),
    ("/to-https", "https://other.example:8443/y?a=b"),
    ("/old/**", "/new/$1"), ("/blog/*/*.html", "/posts/$2-$1"), ("/tree/", "/wood/$1"),
    ("/abs/**", "https://other.example/$1"), ("/all/**", "/z/$path"),
    ("/move/**", "https://other.example/$path"), ("/price", "/cost/$$5"), ("/q/**", "/r?page=$1"),
    ("/frag/**", "/f#part"), ("/root/**", "/$1"), ("/lang/{de,en}/**", "/$2/$1"),
    ("/one/?x", "/two/$1"), ("/dirs/", "302 /elsewhere/"),
)


def start():
    text = "".join(f"[path {pattern}]\nredirect = {target}\n" for pattern, target in RULES)
    tree = {"x": b"x", "old/here.txt": b"there", "dirs/index.html": b"index"}
    return serve(tree, text)


def get(target, **keywords):
    return shared(start).get(target, **keywords)


PLACES = (
    ("/plain", "/x"), ("/to-http", "http://other.example/y"),
    ("/to-https", "https://other.example:8443/y?a=b"),
    ("/old/a", "/new/a"), ("/old/a/b.txt", "/new/a/b.txt"), ("/old/a/", "/new/a/"),
    ("/old/", "/new/"), ("/old/here.txt", "/new/here.txt"),
    ("/blog/2020/title.html", "/posts/title-2020"), ("/tree/a/b", "/wood/a/b"),
    ("/abs/p/q", "https://other.example/p/q"), ("/all/p", "/z/all/p"),
    ("/move/p/", "https://other.example/move/p/"), ("/price", "/cost/$5"),
    ("/q/7", "/r?page=7"), ("/root/a/b", "/a/b"), ("/lang/de/faq", "/faq/de"),
    ("/one/ax", "/two/a"), ("/dirs/", "/elsewhere/"), ("/dirs/index.html", "/elsewhere/"),
    # What is put in is encoded anew.
    ("/old/a%20b", "/new/a%20b"), ("/old/%c3%bc", "/new/%C3%BC"), ("/old/100%25", "/new/100%25"),
    ("/old/a%3fb%23c", "/new/a%3Fb%23c"), ("/old/%2561", "/new/%2561"),
    # The path is what it comes to.
    ("/old//a///b", "/new/a/b"), ("/old/x/../a", "/new/a"), ("/x/../old/a", "/new/a"),
    # The query is kept, before a fragment and behind a query of the target's own.
    ("/plain?a=b&c", "/x?a=b&c"), ("/old/a?x=%20y", "/new/a?x=%20y"), ("/plain?", "/x"),
    ("/to-https?c", "https://other.example:8443/y?a=b&c"), ("/q/7?a", "/r?page=7&a"),
    ("/frag/a?b", "/f?b#part"), ("/plain?u=http://x/", "/x?u=http://x/"),
)


@test
def a_redirect_has_its_status():
    for status in STATUSES:
        for method in ("GET", "HEAD"):
            response = get(f"/s{status}", method=method)
            equal((response.status, response.fields["location"]), (status, "/x"), f"{status}")
            truth(int(response.fields["content-length"]) > 0, f"no body for {status}")
    equal(get("/plain").status, 301, "the default")


@test
def a_redirect_leads_where_its_target_says():
    for target, location in PLACES:
        equal(get(target).fields.get("location"), location, target)


@test
def only_what_fits_is_redirected():
    for target, status in (("/old", 301), ("/olds/x", 404), ("/blog/2020/a/b.html", 404),
                           ("/lang/fr/faq", 404), ("/x", 200)):
        response = get(target)
        equal(response.status, status, target)
    equal(get("/old").fields["location"].removeprefix("./"), "old/", "a directory's own slash")


@test
def no_capture_leads_to_another_host():
    for target in ("/root//evil.example", "/root/%2fevil.example", "/root/%2f%2fevil.example",
                   "/root/%5cevil.example", "/root/\\evil.example", "/root/%5c%5cevil.example",
                   "/root//%2f//evil.example/x", "/root/https:%2f%2fevil.example",
                   "/root/%09/evil.example", "/abs/@evil.example/", "/abs/%2f@evil.example",
                   "/abs/:80@evil.example", "/abs/.evil.example", "/abs//evil.example",
                   "/all//evil.example", "/move//evil.example", "/lang/de//evil.example"):
        location = get(target).fields.get("location", "")
        for base in ("http://gyre.example" + target, "http://gyre.example/"):
            for form in (location, location.replace("\\", "/")):
                got = urlsplit(urljoin(base, form))
                truth(got.netloc in ("gyre.example", "other.example"), f"{target} -> {location}")
        truth(not re.match(r"[/\\]{2}", location), f"{target} -> {location}")


@test
def no_capture_splits_the_head():
    for target in ("/old/a%0d%0aX-Evil:%20y", "/old/%0aX-Evil:y", "/old/%0d", "/q/%0d%0aX-Evil:y"):
        response = get(target)
        truth("x-evil" not in response.fields, target)
        truth("%0A" in response.fields["location"].upper() or "%0D" in response.fields["location"],
              response.fields["location"])


@test
def a_redirect_keeps_a_long_query():
    equal(get("/plain?" + "q" * 7000).fields["location"], "/x?" + "q" * 7000)


@test
def a_long_path_that_grows_still_fits():
    name = "%01" * 250
    target = "/old/" + "/".join([name] * 10)
    equal(get(target).fields["location"], "/new/" + "/".join([name] * 10))


@test
def a_redirect_goes_before_a_file_and_before_its_cache():
    with serve({"f": b"f"}, "[path /f]\nredirect = /g\n") as server, server.connect() as client:
        for _ in range(3):
            equal(client.get("/f").status, 301)
        equal(client.get("/f", fields=("If-None-Match: *",)).status, 301)
        equal(client.get("/f", fields=("Range: bytes=0-0",)).status, 301)


@test
def other_methods_are_not_redirected():
    equal(get("/s308", method="POST").status, 405)
    equal(get("/s308", method="OPTIONS").status, 204)


@test
def off_takes_a_redirect_back():
    text = "[path /**]\nredirect = https://other.example/$1\n[path /.well-known/]\nredirect = off\n"
    with serve({".well-known/a": b"challenge", "a": b"a"}, text) as server:
        equal(server.get("/.well-known/a").body, b"challenge")
        equal(server.get("/a").fields["location"], "https://other.example/a")
        equal(server.get("/").fields["location"], "https://other.example/")


@test
def a_later_redirect_takes_the_captures_of_its_own_pattern():
    text = "[path /a/*/*]\nredirect = /first/$1/$2\n[path /a/b/**]\nredirect = /second/$1\n"
    with serve({"x": b"x"}, text) as server:
        equal(server.get("/a/x/y").fields["location"], "/first/x/y")
        equal(server.get("/a/b/y").fields["location"], "/second/y")


@test
def a_whole_host_moves():
    text = "[host www.one.example]\n[path /**]\nredirect = 308 https://one.example/$path\n"
    with serve({"index.html": b"i"}, text) as server:
        for target, path in (("/", "/"), ("/a/b?c", "/a/b?c"), ("/a/", "/a/")):
            response = server.get(target, fields=("Host: www.one.example",))
            equal((response.status, response.fields["location"]),
                  (308, f"https://one.example{path}"), target)
        equal(server.get("/", fields=("Host: one.example",)).status, 200)


@test
def a_slash_before_the_path_is_not_doubled():
    text = "[path /a/**]\nredirect = /x/$path\n[path /b/**]\nredirect = /x$path\n" \
           "[path /c/**]\nredirect = /login?next=$path\n"
    with serve({"x": b"x"}, text) as server:
        for target, location in (("/a/f", "/x/a/f"), ("/b/f", "/x/b/f"),
                                 ("/c/f", "/login?next=/c/f")):
            equal(server.get(target).fields["location"], location)


@test
def a_redirect_may_be_cached_as_its_rule_says_and_its_body_says_little():
    response = get("/s301")
    truth(len(response.body) < 4096, "a long body")
    truth("etag" not in response.fields, "a tag of a redirect")
    truth(b"/x" not in response.body.replace(b"</", b""), "the target in the body")


if __name__ == "__main__":
    harness.main()
