"""Passwords: who is let in, what the others are told, and that the cache lets nobody by."""

import base64
import json
import os
import threading

import harness
from harness import Server, contains, equal, shared, test, truth
from sites import FILE, basic, bcrypt, password_file, serve, sha512, wait_for_cached

TREE = {"open.txt": b"open\n", "p/file.bin": FILE, "p/dir/index.html": b"index\n",
        "p/bare/x.txt": b"x\n", "p/page.html": b"<p>page</p>\n" * 200, "quiet/x.txt": b"quiet\n"}
PASSWORD = "pa:ss w\u00f6rd"
GOOD = basic("ada", PASSWORD)


def start():
    users = password_file({"ada": sha512(PASSWORD), "bob": bcrypt("bob's"), "empty": sha512(""),
                           "locked": "", "md5": "$apr1$salt$hash", "plain": "plain",
                           "broken": "$6$", "ada ": sha512("other")})
    missing = os.path.join(harness.temporary_directory(), "missing")
    text = f"""[files]
listing = on
archive = on
[path /p/]
auth = {users}
auth_realm = the archive
header = X-Mark: here
[path /p/public/]
auth = off
[path /quiet/]
auth = {users}
[path /nofile/]
auth = {missing}
"""
    return serve(TREE | {"p/public/x.txt": b"public\n", "nofile/x": b"x"}, text)


def get(target, *fields, **keywords):
    return shared(start).get(target, fields=fields, **keywords)


def token(data):
    return "Authorization: Basic " + base64.b64encode(data).decode()


# --- who is let in --------------------------------------------------------------------------------

ACCEPTED = (
    GOOD, basic("bob", "bob's"), basic("empty", ""), basic("ada ", "other"),
    GOOD.replace("Basic", "basic"), GOOD.replace("Basic ", "BASIC   "),
    GOOD.replace("Authorization", "authorization"),
)
REFUSED = (
    (), (basic("ada", "wrong"),), (basic("ada", PASSWORD + " "),), (basic("ada", ""),),
    (basic("ADA", PASSWORD),), (basic("eve", PASSWORD),), (basic("", ""),), (basic("", PASSWORD),),
    (basic("locked", ""),), (basic("locked", "x"),), (basic("md5", "hash"),),
    (basic("plain", "plain"),), (basic("broken", ""),), (basic("ada", sha512(PASSWORD)),),
    (basic("bob", PASSWORD),), (basic("x" * 255, "x"),), (basic("x" * 256, "x"),),
    (basic("ada", "x" * 511),), (basic("ada", "x" * 512),), (basic("ada", "x" * 5000),),
    ("Authorization: Basic",), ("Authorization: Basic ",), ("Authorization: Basic =",),
    ("Authorization: Basic !!!!",), ("Authorization: Bearer YTpi",), ("Authorization:",),
    ("Authorization: Basic YWRhOnBhOnNz YWRh",), ("Authorization: BasicYWRhOnBhOnNz",),
    (token(b"ada"),), (token(b":"),), (token(b"ada\0:x"),), (token(b"ada:x\0y"),),
    (token(b"ada:" + PASSWORD.encode("latin-1")),), (token(b"\xff\xfe:\xff"),),
    ("Authorization: Digest username=ada",), ("Proxy-" + GOOD,),
)


@test
def the_right_password_is_let_in():
    for field in ACCEPTED:
        for _ in range(2):
            equal(get("/p/file.bin", field).status, 200, field)


@test
def everything_else_is_refused_with_a_challenge():
    for fields in REFUSED:
        response = get("/p/file.bin", *fields)
        equal(response.status, 401, str(fields))
        contains(response.fields["www-authenticate"], '^Basic realm="the archive"', str(fields))
        equal(response.fields.get("cache-control"), "no-store", str(fields))
        truth(FILE[:50] not in response.body, "the file behind a 401")


@test
def two_authorizations_are_none():
    response = get("/p/file.bin", basic("ada", "wrong"), GOOD)
    truth(response.status in (400, 401), f"two fields: {response.status}")
    response = get("/p/file.bin", GOOD, basic("ada", "wrong"))
    truth(response.status in (400, 401), f"two fields: {response.status}")


@test
def the_realm_is_gyre_unless_it_is_said():
    contains(get("/quiet/x.txt").fields["www-authenticate"], '^Basic realm="gyre"')


@test
def a_401_keeps_the_connection_and_has_the_headers_of_its_rule():
    with shared(start).connect() as client:
        for _ in range(3):
            response = client.get("/p/file.bin")
            equal((response.status, response.fields.get("x-mark")), (401, "here"))
        equal(client.get("/p/file.bin", fields=(GOOD,)).body, FILE)


@test
def what_needs_no_password_asks_for_none():
    for target in ("/open.txt", "/p/public/x.txt"):
        for fields in ((), (GOOD,), (basic("ada", "wrong"),)):
            response = get(target, *fields)
            equal((response.status, "www-authenticate" in response.fields), (200, False), target)


# --- what is behind it ----------------------------------------------------------------------------

GUARDED = (("/p/file.bin", 200), ("/p/dir/", 200), ("/p/dir", 301), ("/p/bare/", 200),
           ("/p/bare/?format=tar", 200), ("/p/missing", 404), ("/p/", 200),
           ("/p/../p/file.bin", 200), ("/p/%66ile.bin", 200), ("//p//file.bin", 200),
           ("/p/dir/index.html", 200), ("/p/missing/", 404), ("/p/file.bin/", 404))


@test
def a_401_comes_before_anything_that_tells_what_is_there():
    for target, status in GUARDED:
        for method in ("GET", "HEAD"):
            equal(get(target, method=method).status, 401, target)
            equal(get(target, GOOD, method=method).status, status, target)
            equal(get(target, basic("ada", "no"), method=method).status, 401, target)
    for field in ("If-None-Match: *", "If-Match: \"x\"", "Range: bytes=0-9", "Range: bytes=99999-",
                  "Accept-Encoding: *;q=0"):
        equal(get("/p/file.bin", field).status, 401, field)


@test
def cached_files_stay_protected():
    server = shared(start)
    wait_for_cached(server, "/p/file.bin", (GOOD,))
    with server.connect() as client:
        for _ in range(5):
            equal(client.get("/p/file.bin", fields=(GOOD,)).status, 200)
            equal(client.get("/p/file.bin").status, 401)
            equal(client.get("/p/file.bin", fields=(basic("ada", "no"),)).status, 401)


@test
def everything_else_works_for_who_is_let_in():
    response = get("/p/file.bin", GOOD)
    tag = response.fields["etag"]
    equal(get("/p/file.bin", GOOD, f"If-None-Match: {tag}").status, 304)
    equal(get("/p/file.bin", GOOD, "Range: bytes=10-19").body, FILE[10:20])
    equal(get("/p/file.bin", GOOD, "Range: bytes=99999-").status, 416)
    head = get("/p/file.bin", GOOD, method="HEAD")
    equal((head.status, head.fields["content-length"]), (200, str(len(FILE))))
    equal(get("/p/file.bin", GOOD, "If-Match: \"other\"").status, 412)
    equal(get("/p/page.html", GOOD, "Accept-Encoding: gzip").status, 200)


@test
def methods_that_read_nothing_need_no_password():
    equal(get("/p/file.bin", method="OPTIONS").status, 204)
    equal(get("/p/file.bin", method="POST").status, 405)


@test
def what_is_protected_is_private():
    for target in ("/p/file.bin", "/p/dir/", "/p/bare/", "/p/bare/?format=json",
                   "/p/bare/?format=tar"):
        contains(get(target, GOOD).fields["cache-control"], "^private, no-cache$", target)
    tag = get("/p/file.bin", GOOD).fields["etag"]
    not_modified = get("/p/file.bin", GOOD, f"If-None-Match: {tag}")
    contains(not_modified.fields["cache-control"], "private")
    contains(get("/p/file.bin", GOOD, "Range: bytes=0-0").fields["cache-control"], "private")
    truth("private" not in get("/open.txt").fields["cache-control"], "private without a password")


@test
def what_is_protected_is_in_no_archive_of_what_is_not():
    body = get("/?format=tar").body
    truth(b"open\n" in body, "the archive lacks an open file")
    truth(FILE[:100] not in body, "a protected file is in the archive of the folder above")
    truth(b"quiet\n" not in body, "a protected file is in the archive of the folder above")
    truth(FILE[:100] in get("/p/?format=tar", GOOD).body, "a file is missing from the archive")
    names = [item["name"] for item in json.loads(get("/?format=json").body)["entries"]]
    truth("open.txt" in names, f"entries: {names}")


# --- the password file ----------------------------------------------------------------------------

@test
def without_its_file_nobody_is_let_in():
    for fields in ((), (GOOD,)):
        response = get("/nofile/x", *fields)
        truth(response.status in (401, 500), f"{fields}: {response.status}")
    equal(get("/nofile/x", GOOD).status, 500, "the server's fault, not the client's")


@test
def a_change_of_the_file_lets_in_at_once():
    users = password_file({"ada": sha512("old")})
    with serve({"f": b"f"}, f"[path /**]\nauth = {users}\n") as server:
        equal(server.get("/f", fields=(basic("ada", "old"),)).status, 200)
        for i in range(3):
            password_file({"ada": sha512(f"new {i}"), f"user{i}": bcrypt("x")}, users)
            equal(server.get("/f", fields=(basic("ada", f"new {i}"),)).status, 200, f"change {i}")
            equal(server.get("/f", fields=(basic(f"user{i}", "x"),)).status, 200, f"user {i}")


@test
def comments_blank_lines_and_further_fields_are_passed_over():
    path = os.path.join(harness.temporary_directory(), "users")
    text = f"# ada:{sha512('comment')}\n\nada:{sha512('right')}:further:fields\r\n" \
           f"ada:{sha512('second')}\nno colon here\nlast:{sha512('last')}"
    harness.write_file(path, text.encode())
    with serve({"f": b"f"}, f"[path /**]\nauth = {path}\n") as server:
        for user, password, status in (("ada", "right", 200), ("last", "last", 200),
                                       ("ada", "second", 401), ("# ada", "comment", 401)):
            equal(server.get("/f", fields=(basic(user, password),)).status, status, user)


@test
def two_files_grant_nothing_to_each_other():
    one, two = password_file({"ada": sha512("one")}), password_file({"ada": sha512("two")})
    text = f"[path /one/]\nauth = {one}\n[path /two/]\nauth = {two}\n"
    with serve({"one/f": b"1", "two/f": b"2"}, text) as server:
        for _ in range(2):
            for target, password, status in (("/one/f", "one", 200), ("/two/f", "two", 200),
                                             ("/one/f", "two", 401), ("/two/f", "one", 401)):
                got = server.get(target, fields=(basic("ada", password),))
                equal(got.status, status, f"{target} with {password}")


@test
def a_file_named_off_is_a_file():
    directory = harness.temporary_directory()
    harness.write_file(os.path.join(directory, "off"), f"ada:{sha512('x')}\n".encode())
    root = harness.make_tree({"f": b"f"})
    with Server(root, "[path /**]\nauth = ./off\n", cwd=directory) as server:
        equal(server.get("/f").status, 401)
        equal(server.get("/f", fields=(basic("ada", "x"),)).status, 200)


# --- two guards -----------------------------------------------------------------------------------

@test
def where_address_and_file_have_a_guard_each_both_are_asked_every_time():
    outer = password_file({"both": sha512("b"), "outer": sha512("o")})
    inner = password_file({"both": sha512("b"), "inner": sha512("i")})
    tree = {"a/index.html": b"secret\n" * 300, "a/index.html.gz": b"coded secret", "p.html": b"p"}
    text = (f"[files]\ntry = $uri $uri.html $uri/\n"
            f"[path /a/]\nauth = {outer}\n[path /a/index.html]\nauth = {inner}\n"
            f"[path /p]\nauth = {outer}\n[path /p.html]\nauth = {inner}\n")
    users = (("inner", "i", 401), ("both", "b", 200), ("outer", "o", 401))
    with serve(tree, f"[server]\nworkers = 1\n{text}") as server:
        wait_for_cached(server, "/p.html", fields=(basic("both", "b"),))
        for _ in range(4):
            for target in ("/a/", "/p"):
                for user, password, status in users:
                    for more in ((), ("Accept-Encoding: gzip",)):
                        fields = (basic(user, password), *more)
                        equal(server.get(target, fields=fields).status, status,
                              f"{target} for {user} {more}")


# --- load -----------------------------------------------------------------------------------------

@test
def guesses_do_not_stall_other_requests():
    slow = password_file({"ada": bcrypt("right", cost=11)})
    statuses = []
    text = f"[server]\nworkers = 1\n[path /p/]\nauth = {slow}\n"
    with serve({"p/f": b"f", "open.txt": b"open"}, text) as server:
        def guess(number):
            statuses.append(server.get("/p/f", fields=(basic("ada", f"guess {number}"),)).status)
        threads = [threading.Thread(target=guess, args=(i,)) for i in range(20)]
        for thread in threads:
            thread.start()
        answered = 0
        with server.connect() as client:
            while any(thread.is_alive() for thread in threads):
                equal(client.get("/open.txt").status, 200)
                answered += 1
        for thread in threads:
            thread.join()
        equal(sorted(set(statuses)), [401], "what the guesses got")
        equal(len(statuses), 20)
        truth(answered > 20, f"{answered} requests beside the guesses")
        equal(server.get("/p/f", fields=(basic("ada", "right"),)).status, 200)


@test
def more_guesses_than_a_worker_checks_at_once_are_told_to_come_again():
    slow = password_file({"ada": bcrypt("right", cost=5)})
    most = 32  # PASSWORDS_CHECKED_MAX
    with serve({"f": b"f"}, f"[server]\nworkers = 1\n[path /**]\nauth = {slow}\n") as server:
        for count, is_full in ((most, False), (4 * most, True)):
            clients = [server.connect() for _ in range(count)]
            for number, client in enumerate(clients):
                client.request("/f", fields=(basic("ada", f"guess {number}"),))
            responses = [client.read_response() for client in clients]
            statuses = {response.status for response in responses}
            equal(statuses, {401, 503} if is_full else {401}, f"{count} at once")
            for response in responses:
                equal("retry-after" in response.fields, response.status == 503, "Retry-After")
            for client in clients:
                client.close()
        equal(server.get("/f", fields=(basic("ada", "right"),)).status, 200, "afterwards")


@test
def a_client_that_leaves_while_its_password_is_checked_harms_nobody():
    slow = password_file({"ada": bcrypt("right", cost=10)})
    with serve({"f": b"f"}, f"[path /**]\nauth = {slow}\n") as server:
        before = server.sockets()
        for i in range(10):
            client = server.connect()
            client.request("/f", fields=(basic("ada", f"guess {i}"),))
            client.reset()
        harness.wait_until(lambda: server.sockets() == before, "the sockets are gone")
        equal(server.get("/f", fields=(basic("ada", "right"),)).status, 200)


@test
def pipelined_requests_are_judged_each_on_its_own():
    with shared(start).connect() as client:
        fields = ((GOOD,), (), (basic("ada", "no"),), (GOOD,), (basic("bob", "bob's"),))
        for each in fields:
            client.request("/p/file.bin", fields=each)
        got = [client.read_response().status for _ in fields]
        equal(got, [200, 401, 401, 200, 200])


if __name__ == "__main__":
    harness.main()
