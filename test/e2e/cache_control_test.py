"""Cache-Control: what may be kept, for how long, on every status and in every coding."""

import harness
from coded import (SUFFIXES, add_siblings, ask, date_tree, head_of, wait_for_coding,
                   wait_until_strong)
from harness import Server, add, equal, test, truth

BODY = b"0123456789abcdef" * 200
LARGE = harness.pattern_bytes(300_000)
IMMUTABLE = "public, max-age=31536000, immutable"
PLAIN = ("index.html", "app.js", "style.css", "picture.png", "jquery-3.7.1.min.js", "v1.2.3.txt",
         "2024-05-17.txt", "large.bin", "page.3f9ac1b2.html", "app.3f9ac1b2.html", "deadbeef",
         "README")
HASHED = ("app.3f9ac1b2.js", "style-0a1b2c3d4e5f.css",
          "font.5d41402abc4b2a76b9719d911017c592.woff2",
          "assets/chunk-9e107d9d.mjs", "assets/index-Bx3kQ9aZ.js", "app.3f9ac1b2.js.map")


def start():
    tree = {name: LARGE if name == "large.bin" else BODY for name in (*PLAIN, *HASHED)}
    tree = add_siblings(tree, ("br", "gzip")) | {"made.js": BODY, "made.1b2c3d4e.js": BODY,
                                                 "bare/x.txt": b"x"}
    server = Server(date_tree(harness.make_tree(tree)), {"workers": 1})
    wait_until_strong(server, "/index.html", "/made.js", "/made.1b2c3d4e.js")
    return server


def answers_of(server, target):
    """(what, answer) for each status and coding that a file is sent with."""
    for accept in (None, *SUFFIXES):
        whole = ask(server, target, accept)
        tag = whole.fields.get("etag")
        for fields, status in (((), 200), (("Range: bytes=0-9",), 206),
                               (("Range: bytes=0-1,100-101",), 206),
                               ((f"If-None-Match: {tag}",), 304)):
            if status == 304 and tag is None:
                continue
            for method in ("GET", "HEAD"):
                response = ask(server, target, accept, *fields, method=method)
                expected = 200 if (status, method) == (206, "HEAD") else status
                equal(response.status, expected, f"{method} {target} in {accept}, {fields}")
                yield f"{method} {target} in {accept}, {response.status}", response


def assert_says(server, target, value):
    for what, response in answers_of(server, target):
        equal(response.fields.get("cache-control"), value, f"{what}: Cache-Control")
        truth("pragma" not in response.fields, f"{what}: Pragma")


@test
def files_are_asked_about_again_by_their_validators():
    for name in PLAIN:
        assert_says(harness.shared(start), f"/{name}", "no-cache")
        for what, response in answers_of(harness.shared(start), f"/{name}"):
            truth(response.fields.get("etag"), f"{what}: ETag")
            truth(response.fields.get("last-modified"), f"{what}: Last-Modified")


@test
def names_with_a_hash_are_kept_for_a_year():
    for name in HASHED:
        assert_says(harness.shared(start), f"/{name}", IMMUTABLE)


@test
def an_index_is_asked_about_again():
    assert_says(harness.shared(start), "/", "no-cache")


@test
def what_the_server_codes_is_kept_as_long_as_the_file():
    server = harness.shared(start)
    for target, value in (("/made.js", "no-cache"), ("/made.1b2c3d4e.js", IMMUTABLE)):
        for coding in SUFFIXES:
            response = wait_for_coding(server, target, coding)
            equal(response.fields.get("cache-control"), value, f"{target} in {coding}")
        assert_says(server, target, value)


@test
def errors_are_not_stored():
    server = harness.shared(start)
    for target, fields, status in (("/missing.3f9ac1b2.js", [], 404), ("/bare/", [], 403),
                                   ("/%00", [], 400), ("/app.js", ['If-Match: "x"'], 412),
                                   ("/app.js", ["Range: bytes=99999999-"], 416),
                                   ("/app.3f9ac1b2.js", ["Range: bytes=99999999-"], 416),
                                   ("/app.3f9ac1b2.js", ["Accept-Encoding: *;q=0"], 406)):
        response = server.get(target, fields=fields)
        equal((response.status, response.fields.get("cache-control")), (status, "no-store"), target)
    response = server.get("/app.js", method="POST")
    equal((response.status, response.fields.get("cache-control")), (405, "no-store"))


# --- for development ------------------------------------------------------------------------------

def start_dev():
    tree = {"app.js": BODY, "app.3f9ac1b2.js": BODY, "index.html": BODY, "large.bin": LARGE}
    tree = add_siblings(tree, ("br",)) | {"made.js": BODY, "list/x.txt": b"x", "404.html": b"mine"}
    ini = {"server.dev": "on", "workers": 1, "errors.404": "/404.html",
           "path /long/**.cache": "1h", "path /gone.redirect": "301 /index.html",
           "path /hidden/**.deny": "on"}
    server = Server(date_tree(harness.make_tree(tree)), ini)
    wait_until_strong(server, "/made.js")
    return server


@test
def in_development_no_file_is_stored():
    server = harness.shared(start_dev)
    for target in ("/app.js", "/app.3f9ac1b2.js", "/", "/large.bin"):
        assert_says(server, target, "no-store")
    for coding in SUFFIXES:
        response = wait_for_coding(server, "/made.js", coding)
        equal(response.fields.get("cache-control"), "no-store", coding)


# (target, method, fields, status)
DEV_ANSWERS = (("/missing", "GET", [], 404), ("/list/", "GET", [], 200), ("/list", "GET", [], 301),
               ("/gone", "GET", [], 301), ("/hidden/x", "GET", [], 403), ("/%00", "GET", [], 400),
               ("/app.js", "POST", [], 405), ("/app.js", "OPTIONS", [], 204),
               ("*", "OPTIONS", [], 204), ("/app.js", "GET", ['If-Match: "x"'], 412),
               ("/app.js", "GET", ["Range: bytes=999999-"], 416),
               ("/app.js", "GET", ["If-None-Match: *"], 304))


def add_dev_answer(target, method, fields, status):
    def run():
        response = harness.shared(start_dev).get(target, method=method, fields=fields)
        equal(response.status, status)
        equal(response.fields.get("cache-control"), "no-store")
    add(f"in_development_{method}_{target}_{status}_is_not_stored", run)


for answer in DEV_ANSWERS:
    add_dev_answer(*answer)


# --- what the configuration says ------------------------------------------------------------------

# (value of the key, Cache-Control)
SETTINGS = (("auto", "no-cache"), ("off", None), ("10m", "max-age=600"), ("0s", "max-age=0"),
            ("24h", "max-age=86400"), ('"public, max-age=60"', "public, max-age=60"),
            ("no-store", "no-store"))


def add_setting(value, expected):
    def run():
        tree = date_tree(harness.make_tree(add_siblings({"app.js": BODY}, ("br",))))
        for key in ("files.cache", "path /app.js.cache"):
            section, _, name = key.rpartition(".")
            with Server(tree, f"[{section}]\n{name} = {value}\n") as server:
                assert_says(server, "/app.js", expected)
    add(f"cache_set_to_{value}_says_{expected}", run)


for setting in SETTINGS:
    add_setting(*setting)


@test
def a_rule_wins_over_the_hash_in_a_name():
    tree = {"app.3f9ac1b2.js": BODY, "lib/app.3f9ac1b2.js": BODY}
    with Server(harness.make_tree(tree), {"path /lib/**.cache": "no-cache"}) as server:
        assert_says(server, "/app.3f9ac1b2.js", IMMUTABLE)
        assert_says(server, "/lib/app.3f9ac1b2.js", "no-cache")


@test
def head_has_the_head_of_get():
    server = harness.shared(start)
    for name in (*PLAIN, *HASHED):
        wait_until_strong(server, f"/{name}", codings=(None, "br"))
        for accept in (None, "br"):
            equal(head_of(ask(server, f"/{name}", accept, method="HEAD")),
                  head_of(ask(server, f"/{name}", accept)), name)


if __name__ == "__main__":
    harness.main()
