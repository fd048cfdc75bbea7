"""Rules: which of them hold for a path, how they stack, and that they hold for every status."""

import io
import json
import tarfile

import harness
from harness import contains, equal, shared, test, truth
from sites import FILE, RULES, TREE, ask_all, serve, wait_for_cached

DEFAULT_CSP = "default-src 'self'"


def headers_of(target, server, *fields, **keywords):
    return server.get(target, fields=fields, **keywords).fields


# --- requests that cannot be trusted --------------------------------------------------------------

REFUSED = (
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET / HTTP/2.5\r\nHost: x\r\n\r\n", 505),
    (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 40000 + b"\r\n\r\n", 431),
    (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n", 413),
    (b"GET / HTTP/1.1\r\nHost: x\r\nExpect: magic\r\n\r\n", 417),
)


@test
def what_is_refused_has_the_headers_that_hold_for_all():
    text = "[path /**]\nheader = X-All: yes\ncors = *\n[path /a/**]\nheader = X-Some: yes\n"
    with serve({"a/f": FILE}, text) as server:
        for raw, status in REFUSED:
            with server.connect() as client:
                client.send(raw)
                response = client.read_response()
            equal(response.status, status)
            equal(response.fields.get("x-all"), "yes", status)
            equal(response.fields.get("x-some"), None, status)
            equal(response.fields.get("access-control-allow-origin"), "*", status)


# --- patterns -------------------------------------------------------------------------------------

PATTERNS = (
    ("/exact.txt", ("/exact.txt", "/./exact.txt", "//exact.txt", "/%65xact.txt", "/exact.txt?q"),
     ("/exact.txt/", "/x/exact.txt", "/exact.tx", "/Exact.txt", "/exact.txt.bak")),
    ("/star/*.css", ("/star/a.css", "/star/.css", "/star/a%20b.css"),
     ("/star/x/a.css", "/star/a.css.map", "/star/", "/a.css")),
    ("/double/**.css", ("/double/a.css", "/double/x/a.css", "/double/x/y/a.css"),
     ("/double.css", "/double/a.cssx")),
    ("/any/**/leaf", ("/any/leaf", "/any/x/leaf", "/any/x/y/leaf"), ("/any/xleaf", "/any/leaf/x")),
    ("/one/?.js", ("/one/a.js", "/one/%2e.js"), ("/one/ab.js", "/one/.js", "/one/x/.js")),
    ("/braces/**.{css,js}", ("/braces/a.css", "/braces/x/a.js"),
     ("/braces/a.{css,js}", "/braces/a.html", "/braces/a.cssjs")),
    ("/folder/", ("/folder/", "/folder/x", "/folder/x/", "/folder/x/y.txt", "/folder//x"),
     ("/folder", "/folderx", "/x/folder/", "/folder/../folderx")),
    ("/plain", ("/plain",), ("/plain/", "/plain/x", "/plainx")),
    ("/all/**", ("/all/", "/all/x", "/all/x/y/"), ("/all", "/allx")),
    ("/escaped\\*", ("/escaped*", "/escaped%2a"), ("/escapedx", "/escaped%5c*")),
    ("/blank [x", ("/blank%20%5bx",), ("/blank", "/blank%20")),
    ("/gr\u00fc\u00dfe", ("/gr%c3%bc%c3%9fe",), ("/gr%fc%dfe", "/gre")),
    ("/up/secret", ("/up/x/../secret", "/up/x/%2e%2e/secret", "/up%2fsecret"), ("/up/x/secret",)),
)


def start_patterns():
    """Each pattern says its number, whatever the path leads to."""
    text = "".join(f"[path {pattern}]\nheader = X-{i}: yes\n"
                   for i, (pattern, _, _) in enumerate(PATTERNS))
    return serve({"a": b"a"}, text)


@test
def patterns_hold_for_what_they_fit():
    server = shared(start_patterns)
    for i, (pattern, fitting, others) in enumerate(PATTERNS):
        for targets, expected in ((fitting, "yes"), (others, None)):
            for target in targets:
                got = headers_of(target, server).get(f"x-{i}")
                equal(got, expected, f"[path {pattern}] and {target}")


@test
def a_rule_for_everything_is_one_for_what_cannot_be_decoded():
    with serve({"a": b"a"}, "[path /**]\nheader = X-All: yes\n") as server:
        for target in ("/", "/a", "/%zz", "/%00", "/../../x", "/" + "x" * 300):
            equal(headers_of(target, server).get("x-all"), "yes", target)


@test
def five_hundred_rules():
    text = "".join(f"[path /{'x' if i % 2 else '*'}/{i}/{'**' if i % 3 else ''}]\n"
                   f"header = X-{i % 10}: {i}\ncache = {i + 1}s\n" for i in range(500))
    with serve({"x/3/a.txt": b"a", "x/498/b/c.txt": b"c", "y/42/d.txt": b"d"}, text) as server:
        for _ in range(2):
            for target, number in (("/x/3/a.txt", 3), ("/x/498/b/c.txt", 498), ("/y/42/d.txt", 42)):
                fields = headers_of(target, server)
                equal(fields[f"x-{number % 10}"], str(number), target)
                equal(fields["cache-control"], f"max-age={number + 1}", target)
                equal([name for name in fields if name.startswith("x-") and len(name) == 3],
                      [f"x-{number % 10}"], target)


@test
def many_rules_for_one_path_are_all_laid_over_each_other():
    text = "".join(f"[path /{'*' * (1 + i % 2)}]\nheader = X-Last: {i}\ncache = {i}s\n"
                   for i in range(400))
    with serve({"a": b"a"}, text) as server:
        fields = headers_of("/a", server)
        equal((fields["x-last"], fields["cache-control"]), ("399", "max-age=399"))


# --- stacking -------------------------------------------------------------------------------------

STACK = """[path /**]
header = X-One: one
header = X-Two: one
header = X-Three: one
cache = 10m
[path /a/**]
header = X-Two: two
header = x-three:
deny = on
[path /a/b/]
deny = off
header = X-Three: three
[path /a/b/**.txt]
header = X-TWO:
cache = off
[path /a/b/c.txt]
cache = auto
"""
STACK_TREE = {name: b"x" for name in ("x.txt", "a/x.txt", "a/b/x.bin", "a/b/x.txt", "a/b/c.txt")}
STACKED = (
    ("/x.txt", 200, "one", "one", "one", "max-age=600"),
    ("/a/x.txt", 403, "one", "two", None, "no-store"),
    ("/a/b/x.bin", 200, "one", "two", "three", "max-age=600"),
    ("/a/b/x.txt", 200, "one", None, "three", None),
    ("/a/b/c.txt", 200, "one", None, "three", "no-cache"),
    ("/a/b/missing.txt", 404, "one", None, "three", "no-store"),
)


@test
def a_later_rule_wins_key_by_key():
    with serve(STACK_TREE, STACK) as server:
        for _ in range(2):
            for target, status, *expected in STACKED:
                response = server.get(target)
                equal(response.status, status, target)
                got = [response.fields.get(name)
                       for name in ("x-one", "x-two", "x-three", "cache-control")]
                equal(got, expected, target)


@test
def the_rules_of_a_host_count_in_the_order_of_the_file():
    text = """[path /**]
header = X-A: all
header = X-B: all
[host one.example]
[path /**]
header = X-A: one
[path /f]
header = X-B:
"""
    with serve({"f": b"f", "g": b"g"}, text) as server:
        for host, target, a, b in (("one.example", "/f", "one", None),
                                   ("one.example", "/g", "one", "all"),
                                   ("two.example", "/f", "all", "all")):
            fields = headers_of(target, server, f"Host: {host}")
            equal((fields.get("x-a"), fields.get("x-b")), (a, b), f"{host}{target}")


@test
def a_rule_says_otherwise_than_files():
    text = "[files]\nlisting = on\ncache = 1h\n[path /off/]\nlisting = off\ncache = public\n"
    with serve({"off/a": b"a", "on/a": b"a"}, text) as server:
        equal(server.get("/off/").status, 403)
        equal(server.get("/on/").status, 200)
        equal(headers_of("/off/a", server)["cache-control"], "public")
        equal(headers_of("/on/a", server)["cache-control"], "max-age=3600")


@test
def a_value_is_sent_as_it_is_written():
    text = ('[path /f]\nheader = "X-A: b ; c"\nheader = X-B: d;e="f"\n'
            'header = X-C:g  h\nheader = Link: </a.css>; rel=preload\n')
    with serve({"f": b"f"}, text) as server:
        fields = headers_of("/f", server)
        equal([fields.get(name) for name in ("x-a", "x-b", "x-c")], ["b ; c", 'd;e="f"', "g  h"])
        truth(fields["link"].startswith("</a.css>"), f"Link: {fields['link']}")


# --- every status ---------------------------------------------------------------------------------

def start_statuses():
    text = f"{RULES}[path /s/]\nheader = X-Mark: here\nheader = X-Frame-Options: DENY\n"
    return serve(TREE, text)


@test
def headers_are_on_every_status():
    server = shared(start_statuses)
    for _ in range(2):
        for what, response in ask_all(server):
            equal(response.fields.get("x-mark"), "here", what)
            equal(response.fields.get("x-frame-options"), "DENY", what)
        wait_for_cached(server, "/s/file.bin")


@test
def headers_are_on_the_page_of_an_error():
    text = f"[errors]\n404 = /404.html\n403 = /missing.html\n{RULES}" \
           "[path /s/]\nheader = X-Mark: here\n[path /404.html]\nheader = X-Mark: page\n"
    with serve(TREE | {"404.html": b"my 404\n"}, text) as server:
        for _ in range(2):
            response = server.get("/s/missing")
            equal((response.status, response.body), (404, b"my 404\n"))
            equal(response.fields.get("x-mark"), "here")
            equal(server.get("/s/denied").fields.get("x-mark"), "here")
            equal(server.get("/404.html").fields.get("x-mark"), "page")


@test
def headers_are_on_listings_and_archives():
    text = "[path /]\nlisting = on\narchive = on\nheader = X-Mark: here\n"
    with serve({"bare/x": b"x"}, text) as server:
        for target in ("/bare/", "/bare/?format=json", "/bare/?format=tar"):
            equal(headers_of(target, server).get("x-mark"), "here", target)


@test
def a_listing_has_one_policy_for_its_content():
    """Its own: what a rule says is for the files, and would forbid the page its style."""
    text = f"[path /**]\nlisting = on\nheader = Content-Security-Policy: {DEFAULT_CSP}\n"
    with serve({"bare/x.html": b"x"}, text) as server:
        equal(headers_of("/bare/x.html", server)["content-security-policy"], DEFAULT_CSP)
        got = headers_of("/bare/", server)["content-security-policy"]
        truth("style-src 'sha256-" in got, f"CSP: {got}")


@test
def an_archive_has_one_disposition():
    text = "[path /**]\narchive = on\nheader = Content-Disposition: inline\n"
    with serve({"bare/x": b"x"}, text) as server:
        equal(headers_of("/bare/x", server)["content-disposition"], "inline")
        contains(headers_of("/bare/?format=tar", server)["content-disposition"], "^attachment;")


# --- directories ----------------------------------------------------------------------------------

@test
def a_rule_for_a_directory_holds_for_its_index_and_its_redirect():
    text = "[path /d/]\nheader = X-Dir: yes\ncache = 5m\n[path /d]\nheader = X-Bare: yes\n"
    with serve({"d/index.html": b"i", "d/e/index.html": b"e"}, text) as server:
        for target in ("/d/", "/d/index.html", "/d/e/", "/d/e"):
            equal(headers_of(target, server).get("x-dir"), "yes", target)
        for target in ("/d/", "/d/index.html"):
            equal(headers_of(target, server)["cache-control"], "max-age=300", target)
        fields = headers_of("/d", server)
        equal((fields.get("x-dir"), fields.get("x-bare")), (None, "yes"), "/d")


@test
def an_index_is_ruled_by_the_address_that_is_asked_for():
    text = "[path /d/index.html]\nheader = X-File: yes\n"
    with serve({"d/index.html": b"i"}, text) as server:
        for _ in range(2):
            equal(headers_of("/d/index.html", server).get("x-file"), "yes")
            equal(headers_of("/d/", server).get("x-file"), None)


# --- deny -----------------------------------------------------------------------------------------

@test
def deny_answers_whatever_is_there():
    text = "[path /on/]\ndeny = on\n[path /hide/]\ndeny = hide\n[path /**.key]\ndeny = hide\n"
    tree = {"on/a": FILE, "hide/a": FILE, "x/y.key": FILE, "on/e/index.html": b"e"}
    with serve(tree, text) as server:
        for _ in range(2):
            for target, status in (("/on/a", 403), ("/on/missing", 403), ("/on/", 403),
                                   ("/on/e/", 403), ("/on/e", 403), ("/hide/a", 404),
                                   ("/hide/", 404), ("/x/y.key", 404), ("/x/%79.key", 404),
                                   ("/x/../on/a", 403), ("/on", 403),
                                   ("/hide", 404)):
                for method in ("GET", "HEAD"):
                    response = server.get(target, method=method)
                    equal(response.status, status, f"{method} {target}")
                    truth(FILE[:100] not in response.body, f"{target}: the file")


@test
def what_is_hidden_answers_like_what_is_missing():
    with serve({"hide/a": FILE}, "[path /hide/a]\ndeny = hide\n") as server:
        for method in ("GET", "HEAD", "POST", "OPTIONS", "BREW"):
            hidden = server.get("/hide/a", method=method, fields=("Range: bytes=0-1",))
            missing = server.get("/hide/b", method=method, fields=("Range: bytes=0-1",))
            equal((hidden.status, hidden.body), (missing.status, missing.body), method)
            equal(sorted(hidden.fields), sorted(missing.fields), method)


def start_secrets():
    text = "[path /**]\nlisting = on\narchive = on\n[path /d/**.key]\ndeny = hide\n" \
           "[path /d/vault/]\ndeny = on\n[path /d/hidden/]\ndeny = hide\n" \
           "[path /d/vault/open.txt]\ndeny = off\n"
    return serve({"d/open.txt": b"open", "d/a.key": b"SECRET", "d/e/b.key": b"SECRET",
                  "d/e/open.txt": b"open", "d/vault/open.txt": b"open", "d/vault/x": b"SECRET",
                  "d/hidden/x": b"SECRET"}, text)


@test
def what_is_hidden_is_in_no_listing():
    server = shared(start_secrets)
    for target, expected in (("/d/", ["e", "vault", "open.txt"]), ("/d/e/", ["open.txt"])):
        entries = json.loads(server.get(f"{target}?format=json").body)["entries"]
        equal([item["name"] for item in entries], expected, target)
        truth(b".key" not in server.get(target).body, f"{target} shows what is hidden")


@test
def what_is_denied_is_in_no_archive():
    body = shared(start_secrets).get("/d/?format=tar").body
    names = tarfile.open(fileobj=io.BytesIO(body)).getnames()
    equal(sorted(names), ["d", "d/e", "d/e/open.txt", "d/open.txt"])
    truth(b"SECRET" not in body, "denied bytes are in the archive")


if __name__ == "__main__":
    harness.main()
