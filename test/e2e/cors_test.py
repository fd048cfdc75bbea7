"""CORS: which origins are told that they may read, on every status, and what a preflight says."""

import harness
from harness import contains, equal, shared, test, truth
from sites import (RULES, TREE, ask_all, basic, password_file, serve, sha512,
                   wait_for_cached)

APP = "https://app.example.org"
ORIGINS = (APP, "http://localhost:3000", "https://[::1]:8443")
ALLOWED, EXPOSED = "access-control-allow-origin", "access-control-expose-headers"
FIELDS = ("access-control-allow-methods", "access-control-allow-headers", "access-control-max-age")
STRANGERS = ("https://evil.example", "null", "https://app.example.org.evil.example",
             "https://evil-app.example.org", "http://app.example.org",
             "https://app.example.org:444", "https://app.example.org/",
             "app.example.org", "https://x.app.example.org", "*",
             "https://app.example.org http://localhost:3000", "http://localhost", "", APP + "%0d",
             "https://localhost:3000", APP + ", https://evil.example", "file://", "x" * 600)
PREFLIGHT = ("Access-Control-Request-Method: GET",)


def start_list():
    return serve(TREE, f"{RULES}[path /s/]\ncors = {' '.join(ORIGINS)}\n")


def start_all():
    return serve(TREE, f"{RULES}[files]\ncors = *\n")


def listed(target="/s/file.bin", origin=APP, *fields, **keywords):
    return shared(start_list).get(target, fields=(f"Origin: {origin}", *fields), **keywords)


def tokens(value):
    return sorted(part.strip().lower() for part in value.split(","))


# --- who may read ---------------------------------------------------------------------------------

@test
def an_origin_of_the_list_is_echoed():
    for origin in ORIGINS:
        for _ in range(2):
            fields = listed(origin=origin).fields
            equal(fields.get(ALLOWED), origin)
            truth({"etag", "content-length", "content-range"} <= set(tokens(fields[EXPOSED])),
                  f"exposed: {fields[EXPOSED]}")


@test
def a_stranger_is_not_echoed():
    for origin in STRANGERS:
        response = listed(origin=origin)
        truth(not [name for name in response.fields if name.startswith("access-control-")],
              f"Origin: {origin}: {response.fields}")
        equal(response.status, 200, origin)


@test
def what_is_not_of_the_rule_says_nothing():
    for target in ("/", "/denied.txt", "/missing"):
        fields = listed(target).fields
        truth(ALLOWED not in fields and "origin" not in fields.get("vary", "").lower(), target)


@test
def two_origins_are_none():
    response = listed("/s/file.bin", APP, "Origin: https://evil.example")
    truth(response.status == 400 or response.fields.get(ALLOWED) in (None, APP),
          f"{response.status}: {response.fields}")


@test
def the_answer_depends_on_the_origin_with_a_list():
    for origin in (APP, "https://evil.example"):
        truth("origin" in tokens(listed(origin=origin).fields["vary"]), origin)
    response = shared(start_list).get("/s/file.bin")
    truth("origin" in tokens(response.fields["vary"]), "without an origin")


@test
def one_cached_file_answers_each_origin_as_it_is_due():
    server = shared(start_list)
    wait_for_cached(server, "/s/file.bin")
    with server.connect() as client:
        for origin in (*ORIGINS, "https://evil.example", *reversed(ORIGINS)):
            fields = client.get("/s/file.bin", fields=(f"Origin: {origin}",)).fields
            equal(fields.get(ALLOWED), origin if origin in ORIGINS else None, origin)


@test
def with_a_star_everybody_may_read():
    server = shared(start_all)
    for fields in ((f"Origin: {APP}",), ("Origin: null",), ("Origin: https://evil.example",), ()):
        response = server.get("/s/file.bin", fields=fields)
        equal(response.fields.get(ALLOWED), "*", str(fields))
        truth("origin" not in tokens(response.fields.get("vary", "")), f"{response.fields}")
    equal(server.get("/s/file.bin", fields=("Origin: x",)).fields.get(
        "access-control-allow-credentials"), None)


@test
def without_cors_nothing_is_said():
    with serve({"f": b"f"}, "") as server:
        for method in ("GET", "OPTIONS"):
            response = server.get("/f", method=method, fields=(f"Origin: {APP}", *PREFLIGHT))
            truth(not [name for name in response.fields if name.startswith("access-control-")],
                  f"{method}: {response.fields}")


@test
def a_rule_takes_cors_back():
    text = "[files]\ncors = *\n[path /own/]\ncors = off\n[path /one/]\ncors = https://one.example\n"
    with serve({"own/f": b"f", "one/f": b"f", "f": b"f"}, text) as server:
        for target, expected in (("/f", "*"), ("/own/f", None), ("/one/f", None)):
            got = server.get(target, fields=(f"Origin: {APP}",)).fields.get(ALLOWED)
            equal(got, expected, target)


# --- every status ---------------------------------------------------------------------------------

@test
def it_is_said_on_every_status():
    for start, expected in ((start_list, APP), (start_all, "*")):
        for _ in range(2):
            for what, response in ask_all(shared(start), (f"Origin: {APP}",)):
                equal(response.fields.get(ALLOWED), expected, what)
                truth(EXPOSED in response.fields, what)


@test
def a_stranger_is_told_on_every_status_what_it_depends_on():
    for what, response in ask_all(shared(start_list), ("Origin: https://evil.example",)):
        equal(response.fields.get(ALLOWED), None, what)
        truth("origin" in tokens(response.fields.get("vary", "")), what)


@test
def it_is_said_on_a_challenge_a_listing_an_archive_and_a_page():
    users = password_file({"ada": sha512("x")})
    text = f"[errors]\n404 = /404.html\n[files]\ncors = {APP}\nlisting = on\narchive = on\n" \
           f"[path /p/]\nauth = {users}\n"
    with serve({"p/f": b"f", "d/f": b"f", "404.html": b"my 404"}, text) as server:
        for target, status in (("/p/f", 401), ("/d/", 200), ("/d/?format=json", 200),
                               ("/d/?format=tar", 200), ("/missing", 404), ("/d", 301),
                               ("/%zz", 400)):
            response = server.get(target, fields=(f"Origin: {APP}",))
            equal((response.status, response.fields.get(ALLOWED)), (status, APP), target)
            truth("origin" in tokens(response.fields["vary"]), target)
        response = server.get("/p/f", fields=(f"Origin: {APP}", basic("ada", "x")))
        equal((response.status, response.fields.get(ALLOWED)), (200, APP))


@test
def it_stands_beside_another_vary():
    with serve({"page.html": b"<p>page</p>\n" * 500}, f"[files]\ncors = {APP}\n") as server:
        for fields in ((), ("Accept-Encoding: gzip",)):
            got = server.get("/page.html", fields=(f"Origin: {APP}", *fields)).fields["vary"]
            equal(tokens(got), ["accept-encoding", "origin"])


# --- preflight ------------------------------------------------------------------------------------

@test
def a_preflight_is_told_what_it_may():
    for target in ("/s/file.bin", "/s/missing", "/s/denied", "/s/dir", "/s/moved"):
        response = listed(target, APP, *PREFLIGHT, "Access-Control-Request-Headers: range,x-a",
                          method="OPTIONS")
        equal((response.status, response.fields.get(ALLOWED)), (204, APP), target)
        equal(tokens(response.fields["access-control-allow-methods"]), ["get", "head", "options"])
        equal(tokens(response.fields["access-control-allow-headers"]), ["range", "x-a"])
        truth(int(response.fields["access-control-max-age"]) > 0, target)
        truth({"origin", "access-control-request-headers"} <= set(tokens(response.fields["vary"])),
              f"Vary: {response.fields['vary']}")
        truth(EXPOSED not in response.fields, "a preflight exposes nothing")


@test
def a_preflight_needs_no_password():
    users = password_file({"ada": sha512("x")})
    with serve({"f": b"f"}, f"[path /**]\nauth = {users}\ncors = {APP}\n") as server:
        response = server.get("/f", method="OPTIONS", fields=(
            f"Origin: {APP}", *PREFLIGHT, "Access-Control-Request-Headers: authorization"))
        equal(response.status, 204)
        equal(response.fields["access-control-allow-headers"].lower(), "authorization")


@test
def a_strangers_preflight_is_told_nothing():
    for origin in ("https://evil.example", "null"):
        response = listed("/s/file.bin", origin, *PREFLIGHT, "Access-Control-Request-Headers: x",
                          method="OPTIONS")
        equal(response.status, 204)
        truth(not [name for name in response.fields if name.startswith("access-control-")],
              f"{origin}: {response.fields}")


@test
def headers_that_are_none_are_not_echoed():
    for value in ("a b", "x-a, y z", "<script>", "x:y", "x\"y", "a;b", "x-a, \u00fc", "a" * 2000):
        response = listed("/s/file.bin", APP, *PREFLIGHT,
                          f"Access-Control-Request-Headers: {value}", method="OPTIONS")
        equal(response.status, 204, value[:20])
        equal(response.fields.get("access-control-allow-headers"), None, value[:20])
    response = listed("/s/file.bin", APP, *PREFLIGHT, "Access-Control-Request-Headers: , x-a ,,x-b",
                      method="OPTIONS")
    equal(tokens(response.fields["access-control-allow-headers"]), ["x-a", "x-b"])


@test
def options_without_a_method_asked_for_is_no_preflight():
    response = listed(method="OPTIONS")
    equal((response.status, response.fields["allow"]), (204, "GET, HEAD, OPTIONS"))
    truth(not [name for name in FIELDS if name in response.fields], f"{response.fields}")


@test
def a_preflight_keeps_the_connection():
    with shared(start_list).connect() as client:
        for _ in range(3):
            client.get("/s/file.bin", method="OPTIONS", fields=(f"Origin: {APP}", *PREFLIGHT))
            contains(client.get("/s/file.bin", fields=(f"Origin: {APP}",)).fields[ALLOWED], APP)


if __name__ == "__main__":
    harness.main()
