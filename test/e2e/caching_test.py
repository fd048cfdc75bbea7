"""Cache-Control: what the files and rules say, and that no error is ever stored."""

import harness
from harness import equal, shared, test
from sites import RULES, TREE, ask_all, serve

IMMUTABLE = "public, max-age=31536000, immutable"
NAMES = (
    ("plain.js", "no-cache"), ("index.html", "no-cache"), ("app.js", "no-cache"),
    ("app.3f9ac1b2.js", IMMUTABLE), ("app-3f9ac1b2.js", IMMUTABLE),
    ("chunk.0a1b2c3d4e5f6071.css", IMMUTABLE), ("photo.20240101.jpg", "no-cache"),
    ("sub/logo.9f86d081.svg", IMMUTABLE), ("jquery-3.7.1.min.js", "no-cache"),
)
VALUES = (
    ("auto", "no-cache"), ("off", None), ("0s", "max-age=0"), ("1s", "max-age=1"),
    ("10m", "max-age=600"), ("1h", "max-age=3600"), ("90m", "max-age=5400"),
    ("public, max-age=600", "public, max-age=600"), ("no-store", "no-store"),
    ("private,no-cache", "private, no-cache"),
    ("public, max-age=60, stale-while-revalidate=30", "public, max-age=60, "
                                                      "stale-while-revalidate=30"),
)


def cache_control(server, target, *fields):
    return server.get(target, fields=fields).fields.get("cache-control")


def start():
    return serve({name: b"x" for name, _ in NAMES}, "")


@test
def by_default_only_a_hash_in_the_name_makes_immutable():
    for name, expected in NAMES:
        equal(cache_control(shared(start), f"/{name}"), expected, name)


@test
def an_index_is_never_immutable_for_its_directorys_name():
    with serve({"app.3f9ac1b2.js/index.html": b"x"}, "") as server:
        equal(cache_control(server, "/app.3f9ac1b2.js/"), "no-cache")


@test
def what_stands_in_for_another_file_is_never_immutable():
    """What is kept for a year is kept under the address that was asked for."""
    hashed, plain = "/default.3f9ac1b2.png", "/default.png"
    text = f"[files]\nindex = index.3f9ac1b2.js\n[path /a/]\ntry = $uri {hashed}\n" \
           f"[path /b/]\ntry = $uri {plain}\n"
    tree = {"default.3f9ac1b2.png": b"x", "default.png": b"x", "a/own.9f86d081.png": b"own",
            "d/index.3f9ac1b2.js": b"index"}
    with serve(tree, text) as server:
        for target, expected in (("/a/7.png", "no-cache"), ("/a/7.9f86d081.png", "no-cache"),
                                 ("/a/own.9f86d081.png", IMMUTABLE), ("/b/7.png", "no-cache"),
                                 ("/b/7.9f86d081.png", "no-cache"), ("/d/", "no-cache"),
                                 ("/d/index.3f9ac1b2.js", IMMUTABLE)):
            equal(cache_control(server, target), expected, target)


@test
def the_value_is_what_the_key_says():
    text = "".join(f"[path /{i}.txt]\ncache = {value}\n" for i, (value, _) in enumerate(VALUES))
    with serve({f"{i}.txt": b"x" for i in range(len(VALUES))}, text) as server:
        for i, (value, expected) in enumerate(VALUES):
            for _ in range(2):
                equal(cache_control(server, f"/{i}.txt"), expected, f"cache = {value}")
            tag = server.get(f"/{i}.txt").fields["etag"]
            equal(cache_control(server, f"/{i}.txt", f"If-None-Match: {tag}"), expected, "304")
            equal(cache_control(server, f"/{i}.txt", "Range: bytes=0-0"), expected, "206")


@test
def a_rule_goes_before_a_hash_in_the_name():
    text = "[path /**.js]\ncache = 1m\n[path /own/]\ncache = auto\n"
    with serve({"app.3f9ac1b2.js": b"x", "own/app.3f9ac1b2.js": b"x"}, text) as server:
        equal(cache_control(server, "/app.3f9ac1b2.js"), "max-age=60")
        equal(cache_control(server, "/own/app.3f9ac1b2.js"), IMMUTABLE)


@test
def errors_are_never_stored_whatever_the_rule_says():
    for value in ("off", "1h", "public, max-age=600", "auto"):
        with serve(TREE, f"{RULES}[path /**]\ncache = {value}\n") as server:
            for what, response in ask_all(server):
                if response.status >= 400:
                    equal(response.fields.get("cache-control"), "no-store", f"{what}, {value}")


@test
def the_page_of_an_error_is_never_stored():
    text = "[errors]\n404 = /404.html\n[path /**]\ncache = 1h\n"
    with serve({"404.html": b"my 404\n"}, text) as server:
        for _ in range(2):
            response = server.get("/missing")
            equal((response.status, response.body), (404, b"my 404\n"))
            equal(response.fields.get("cache-control"), "no-store")
            equal(cache_control(server, "/404.html"), "max-age=3600")


if __name__ == "__main__":
    harness.main()
