"""check_targets: methods, what a target may name, and where the slash redirect leads."""
import os

import docroot
from check import STRICTER, body_is, check, expect, miss, status_in
from probe import HOST, location_host

VARYING = ("date", "connection", "keep-alive")
MAY_LACK = ("content-length", "transfer-encoding")  # of HEAD, RFC 9110 9.3.2


# --- methods --------------------------------------------------------------------------------------

@check("Methods", STRICTER)
def POST_gets_405(server):
    status_in(server.get("/hello.txt", method="POST", body=b"x"), 405)


@check("Methods")
def PUT_DELETE_and_PATCH_are_refused(server):
    for method in ("PUT", "DELETE", "PATCH"):
        answer = server.get("/hello.txt", method=method, body=b"x")
        expect(answer.status >= 400, f"{method}: {answer.status}")
    body_is(server.get("/hello.txt"), docroot.HELLO)


@check("Methods")
def a_405_has_Allow(server):
    for method in ("POST", "PUT", "DELETE"):
        answer = server.get("/hello.txt", method=method, body=b"x")
        allowed = answer.get("allow").replace(" ", "").split(",")
        expect(answer.status != 405 or {"GET", "HEAD"} <= set(allowed),
               f"{method}: 405 with Allow: {answer.get('allow')!r}")


@check("Methods")
def an_unknown_method_gets_501(server):
    answer = server.get("/hello.txt", method="BREW")
    if answer.status != 405 or "allow" not in answer.fields:  # as good, says RFC 9110 9.1
        status_in(answer, 501)


@check("Methods", STRICTER)
def OPTIONS_tells_the_methods(server):
    answer = server.get("/hello.txt", method="OPTIONS")
    status_in(answer, 200, 204)
    expect("GET" in answer.get("allow"), f"Allow: {answer.get('allow')!r}")


@check("Methods", STRICTER)
def TRACE_reflects_nothing(server):
    answer = server.get("/hello.txt", "X-Secret: 4f6e2c", method="TRACE")
    expect(b"4f6e2c" not in answer.body, "the request came back")
    expect(answer.status >= 400, str(answer.status))


@check("Methods")
def HEAD_has_the_head_of_GET(server):
    for target in ("/hello.txt", "/dir/", "/dir", "/missing", "/bare/"):
        get, head = server.get(target), server.get(target, method="HEAD")
        status_in(head, get.status, what=target)
        for name in sorted(set(get.fields) | set(head.fields)):
            if name in VARYING or name in MAY_LACK and name not in head.fields:
                continue
            if get.get(name) != head.get(name):
                miss(f"{target}: {name} is {get.get(name)!r} for GET, {head.get(name)!r} for HEAD")


@check("Methods")
def HEAD_has_no_body(server):
    with server.connect() as client:
        for target in ("/hello.txt", "/dir", "/missing", "/bare/"):
            answer = client.get(target, method="HEAD")
            expect(answer.closes or not client.buffer, f"{target}: {bytes(client.buffer[:30])!r}")
            if answer.closes:
                return
        body_is(client.get("/hello.txt"), docroot.HELLO)


@check("Ranges")
def HEAD_ignores_Range(server):
    for value in ("bytes=0-4", "bytes=99999999-"):
        status_in(server.get("/ranged.bin", f"Range: {value}", method="HEAD"), 200, what=value)


# --- names ----------------------------------------------------------------------------------------

def assert_refused(server, targets):
    for target in targets:
        answer = server.get(target)
        expect(docroot.SECRET not in answer.body, f"{target}: the file was served")
        expect(400 <= answer.status < 500, f"{target}: {answer.status}")


@check("Targets")
def percent_00_does_not_cut_the_path(server):
    assert_refused(server, ("/hello.txt%00", "/hello.txt%00.html", "/%00"))


@check("Targets")
def bad_escapes_are_refused(server):
    assert_refused(server, ("/%", "/%4", "/%zz", "/hello.txt%", "/%u0041"))


@check("Targets")
def climbing_above_the_root_is_refused(server):
    assert_refused(server, ("/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt",
                            "/dir/../../secret.txt", "/%2e%2e%2fsecret.txt",
                            "/dir%2f..%2f..%2fsecret.txt"))


@check("Targets")
def climbing_with_backslashes_finds_nothing(server):
    assert_refused(server, ("/..%5csecret.txt", "/..\\secret.txt", "/dir\\..\\..\\secret.txt"))


@check("Targets")
def escapes_are_decoded_once(server):
    body_is(server.get("/%2541.txt"), b"percent\n")
    status_in(server.get("/%252e%252e/secret.txt"), 404, 400)


@check("Targets")
def a_backslash_is_a_byte_like_any_other(server):
    body_is(server.get("/back%5cslash.txt"), b"backslash\n")


@check("Targets", STRICTER)
def slashes_collapse(server):
    body_is(server.get("/dir//file.txt"), b"file\n")


@check("Targets", STRICTER)
def a_file_with_a_slash_is_404(server):
    status_in(server.get("/hello.txt/"), 404)


@check("Targets", STRICTER)
def a_file_is_no_directory(server):
    for target in ("/hello.txt/x", "/dir/file.txt/x/y"):
        status_in(server.get(target), 404, what=target)


@check("Targets")
def a_name_of_255_bytes_is_served_and_a_longer_one_is_4xx(server):
    body_is(server.get("/" + docroot.LONG_NAME), b"long\n")
    for length in (256, 1000, 5000):
        answer = server.get("/" + "n" * length)
        expect(400 <= answer.status < 500, f"{length} bytes: {answer.status}")


@check("Targets")
def a_query_means_nothing_for_a_file(server):
    for target in ("/hello.txt?x=1", "/hello.txt?", "/hello.txt?a=/../..&b=%2f..%2f"):
        body_is(server.get(target), docroot.HELLO, target)


@check("Targets")
def a_FIFO_blocks_nobody(server):
    """Asked for once by each of its threads, nearly, and then somebody wants a file."""
    clients = [server.connect() for _ in range(4)]
    try:
        for client in clients:
            client.request("/pipe.txt")
        for client in clients:
            answer = client.answer()
            expect(answer.status >= 400, str(answer.status))
        body_is(server.get("/hello.txt"), docroot.HELLO)
    finally:
        # Lets go of who waits for a writer.
        os.close(os.open(server.root / "pipe.txt", os.O_RDWR | os.O_NONBLOCK))
        for client in clients:
            client.close()


@check("Targets")
def an_unreadable_file_is_403(server):
    if os.geteuid() == 0 and not server.is_ordinary_user:
        miss("the server runs as root")
    status_in(server.get("/closed.txt"), 403)


@check("Targets", STRICTER)
def a_link_out_of_the_root_is_not_followed(server):
    assert_refused(server, ("/link-out",))


@check("Targets", STRICTER)
def names_that_begin_with_a_dot_are_not_there(server):
    assert_refused(server, ("/.hidden", "/.git/config", "/%2egit/config"))


@check("Targets")
def the_well_known_folder_is_served(server):
    body_is(server.get("/.well-known/acme/token"), b"token\n")


# --- directories ----------------------------------------------------------------------------------

@check("Directories")
def a_directory_without_an_index_is_not_listed(server):
    answer = server.get("/bare/")
    status_in(answer, 403, 404)
    expect(b"x.txt" not in answer.body, "its names are told")


@check("Directories")
def a_missing_slash_is_redirected(server):
    answer = server.get("/dir")
    status_in(answer, 301, 302, 307, 308)
    expect(answer.get("location").endswith("dir/"), f"Location: {answer.get('location')}")


@check("Directories", STRICTER)
def the_slash_redirect_is_relative(server):
    location = server.get("/dir").get("location")
    expect(location and ":" not in location and not location.startswith("//"),
           f"Location: {location}")


@check("Directories", STRICTER)
def the_slash_redirect_does_not_reflect_Host(server):
    location = server.get("/dir", "Host: other.example").get("location")
    expect("other.example" not in location, f"Location: {location}")


def assert_stays(server, targets):
    for target in targets:
        answer = server.get(target)
        host = location_host(answer.get("location"))
        expect(not host or host.partition(":")[0] in (HOST, "127.0.0.1"),
               f"{target}: Location: {answer.get('location')}")


@check("Directories")
def two_slashes_do_not_steer_the_redirect(server):
    assert_stays(server, ("//evil.example", "//evil.example?x", "///evil.example",
                          "/.//evil.example", "/dir/..//evil.example"))


@check("Directories")
def encoded_slashes_do_not_steer_the_redirect(server):
    assert_stays(server, ("/%2fevil.example", "/%2f%2fevil.example", "/%2F/evil.example"))


@check("Directories")
def a_backslash_does_not_steer_the_redirect(server):
    assert_stays(server, ("/\\evil.example", "/%5cevil.example", "/\\\\evil.example"))


@check("Directories")
def a_redirect_cannot_be_split(server):
    answer = server.get("/line%0d%0aX-Split:%20yes")
    expect("x-split" not in answer.fields, "a field of the target's choice")


@check("Directories", STRICTER)
def the_slash_redirect_keeps_the_query(server):
    location = server.get("/dir?a=b&c=d").get("location")
    expect(location.endswith("dir/?a=b&c=d"), f"Location: {location}")


@check("Content")
def errors_reflect_nothing_unescaped(server):
    for target in ("/%3cscript%3ealert(1)%3c/script%3e", "/missing?<script>alert(1)</script>"):
        answer = server.get(target)
        expect(b"<script>alert" not in answer.body, f"{target} came back as markup")
