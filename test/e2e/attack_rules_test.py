"""Ways around a rule: whatever is asked, in whatever spelling, the protected bytes stay inside."""

import base64
import os
import time

import harness
from harness import Server, equal, shared, test, truth
from wire import request_bytes

OLD_S = 1_600_000_000
CANARY = b"what nobody may read"
SECRET = b"".join(b"%s, line %d\n" % (CANARY, i) for i in range(100))
USERS = (b"ann:$5$rounds=1000$gyre$/5Xo6GpW0tLbNl9iqWncZyMZ3k7gYu55ga37zjg3AN6\n",
         b"bob:$5$rounds=1000$gyre$/5Xo6GpW0tLbNl9iqWncZyMZ3k7gYu55ga37zjg3AN6\n")
PAGE = "Accept: text/html"


def credentials(user, password="secret"):
    return "Authorization: Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


ANN = credentials("ann")


def users_file(number=0):
    path = os.path.join(harness.temporary_directory(), "users")
    harness.write_file(path, USERS[number])
    os.chmod(path, 0o644)
    return path


def old_tree(tree):
    """A tree, made when this file is loaded, so that it is old enough when it is served."""
    root = harness.make_tree(tree)
    for folder, _, names in os.walk(root):
        for name in names:
            os.utime(os.path.join(folder, name), (OLD_S, OLD_S))
    return root


def serve(root, ini):
    """Only what has not changed for two seconds is cached: then a second request takes another way
    than the first."""
    changed_s = max(os.stat(os.path.join(folder, name)).st_ctime
                    for folder, _, names in os.walk(root) for name in names)
    harness.wait_until(lambda: time.time() > changed_s + 2.1, "the files are old")
    return Server(root, ini)


def status_of(server, target, *fields, method="GET"):
    return server.get(target, method=method, fields=[PAGE, *fields]).status


def twice(server, target, *fields):
    """The statuses of a request that fills the cache, and of one that may find it there."""
    return [status_of(server, target, *fields) for _ in range(2)]


# --- every spelling of a protected path -----------------------------------------------------------

PROTECTED_DOCS = old_tree({"a.txt": b"a mounted file\n", "private/b.txt": SECRET})
PROTECTED = old_tree({
    **{f"{folder}/{name}": SECRET for folder in ("private", "hidden", "denied", "parent/private")
       for name in ("index.html", "page.html", "deep/er/page.html")},
    "index.html": b"everybody's\n", "open/page.html": b"open\n", "parent/x.txt": b"x\n",
    "404.html": b"not found\n"})


def start_protected():
    return serve(PROTECTED, f"""[files]
listing = on
archive = on
try = $uri $uri.html $uri/page.html $uri/index.html $uri/ /private/page.html
spa = /private/page.html
[errors]
404 = /404.html
[mount /docs/]
root = {PROTECTED_DOCS}
[path /**/private/]
auth = {users_file()}
[path /private/]
auth = {users_file()}
[path /hidden/]
deny = hide
[path /denied/]
deny = on
""")


PREFIXES = ("/", "//", "/./", "/%2e/", "/open/../", "/open/%2e%2E/", "/open/..//", "/nowhere/../",
            "/%2F", "/open/..%2f", "/open%2f../", "/docs/../", "/docs/%2e%2e/",
            "/docs/private/../../")
NAMES = ("private", "%70rivate", "p%72ivat%65", "hidden", "%68idden", "denied", "denie%64",
         "docs/private", "docs/%70rivate", "docs//private", "docs/./private")
ENDS = ("", "/", "//", "/.", "/%2e", "%2f", "/page", "/page.html", "/page.html/", "/page.html/.",
        "/index", "/index.html", "/b.txt", "//page.html", "/./page.html", "/deep/..",
        "/deep/../page", "/deep/er", "/deep/er/", "/deep%2fer%2Fpage.html", "/?format=tar",
        "/?format=json", "/page.html?", "/page.html?x=/../open", "/%70age.html", "/PAGE.HTML",
        "/page.html.",
        "/page.html%20", "/page.html;x", "/page.html%00", "/page.html%0d%0a")


def reads_canary(client, target, *fields):
    """Whether the answer, read as it comes, holds the canary. Reconnecting is the caller's."""
    client.send(request_bytes(target, fields=[PAGE, "Connection: close", *fields]))
    data = bytearray()
    while piece := client.socket.recv(1 << 16):
        data += piece
    truth(data.startswith(b"HTTP/1.1 "), f"{target}: {bytes(data[:80])!r}")
    return CANARY in data


@test
def no_spelling_of_a_protected_path_leads_to_its_content():
    server = shared(start_protected)
    for name in NAMES:
        for end in ENDS:
            for prefix in PREFIXES:
                with server.connect() as client:
                    target = prefix + name + end
                    truth(not reads_canary(client, target), f"read the secret as {target}")


@test
def neither_coding_nor_range_nor_method_nor_absolute_form_makes_a_difference():
    server = shared(start_protected)
    kinds = [[], ["Accept-Encoding: gzip, identity;q=0"], ["Range: bytes=0-9"], ["If-Match: *"],
             ["If-None-Match: *"], ["If-Modified-Since: Tue, 15 Nov 2044 12:45:26 GMT"],
             [credentials("ann", "wrong")], ["Authorization: Basic"], ["Authorization: Bearer x"]]
    for target in ("/private/page.html", "/hidden/page.html", "/denied/page.html"):
        wanted = {"/private/page.html": 401, "/hidden/page.html": 404}.get(target, 403)
        for fields in kinds:
            for method in ("GET", "HEAD"):
                for form in (target, f"http://gyre.example{target}"):
                    response = server.get(form, method=method, fields=fields)
                    equal(response.status, wanted, f"{method} {form} with {fields}")
                    truth(CANARY not in response.body, f"{form}: content")
                    truth(response.fields["content-length"] != str(len(SECRET)), "its size")
                    for name in ("etag", "last-modified", "content-range", "content-encoding"):
                        truth(name not in response.fields, f"{form}: {name}")


@test
def whoever_may_gets_it_and_nobody_after_him():
    server = shared(start_protected)
    for target in ("/private/page.html", "/private/page", "/private/", "/docs/private/b.txt"):
        for _ in range(3):
            response = server.get(target, fields=[PAGE, ANN])
            equal((response.status, response.body), (200, SECRET), target)
            equal(status_of(server, target), 401, f"{target} without a password")


@test
def what_is_hidden_answers_as_what_is_not_there():
    with start_places("", "[path /hidden/]\ndeny = hide\n") as server:
        for hidden, missing in (("/hidden", "/nothing"), ("/hidden/", "/nothing/"),
                                ("/hidden/x", "/app/none"), ("/hidden/none", "/app/none")):
            answers = []
            for target in (hidden, missing):
                response = server.get(target)
                fields = {k: v for k, v in response.fields.items() if k != "date"}
                answers.append((response.status, fields, response.body))
            equal(answers[0], answers[1], hidden)


# --- places that are not the address that was asked for -------------------------------------------

PLACES = old_tree({
    "one.html": SECRET, "two/index.html": SECRET, "three.html": b"three\n", "a/index.html": SECRET,
    "a/b.txt": b"b\n", "a/b/c.html": SECRET, "gone.html": SECRET, "app/x.txt": b"x\n",
    "lost/x.txt": b"x\n", "errors/404.html": b"our own page\n", "page.html": b"page\n",
    "other.html": b"other\n", "docs.html": b"beside\n", "hidden/x": b"", "denied/x": b"",
    "a.css": SECRET, "a.css.gz": SECRET[1:], "b.css": SECRET, "b.css.gz": SECRET[1:]})
DOCS = old_tree({".html": SECRET, "index.html": b"docs\n"})
INNER = old_tree({"index.html": b"inner\n"})


def start_places(keys, rules):
    return serve(PLACES, f"[files]\n{keys}\n{rules}")


@test
def a_try_list_does_not_reach_what_is_denied():
    rules = "[path /one.html]\ndeny = on\n[path /two/]\ndeny = hide\n"
    with start_places("try = $uri.html $uri/index.html /one.html =404", rules) as server:
        equal(twice(server, "/one"), [403, 403], "/one")
        equal(twice(server, "/two"), [404, 404], "/two")
        equal(twice(server, "/none"), [403, 403], "the fixed path")
        equal(twice(server, "/three"), [200, 200], "/three")


@test
def a_try_list_asks_for_the_password_of_the_place():
    rules = f"[path /one.html]\nauth = {users_file()}\n[path /two/]\nauth = {users_file()}\n"
    with start_places("try = $uri $uri.html $uri/index.html =404", rules) as server:
        for target in ("/one", "/two"):
            for fields, wanted in (([], 401), ([ANN], 200), ([credentials("ann", "no")], 401),
                                   ([ANN], 200), ([], 401)):
                equal(status_of(server, target, *fields), wanted, f"{target} with {fields}")
        equal(twice(server, "/three"), [200, 200], "/three")


@test
def an_index_that_is_denied_is_not_sent():
    for deny, status in (("on", 403), ("hide", 404)):
        with start_places("listing = on", f"[path /a/index.html]\ndeny = {deny}\n") as server:
            for _ in range(2):
                response = server.get("/a/")
                equal(response.status, status)
                truth(CANARY not in response.body, "the index is sent")


@test
def an_index_asks_for_its_own_password():
    rules = f"[path /**/*.html]\nauth = {users_file()}\n"
    with start_places("listing = on", rules) as server:
        for _ in range(2):
            equal(status_of(server, "/a/"), 401, "without")
            equal(status_of(server, "/a/", ANN), 200, "with it")


@test
def a_password_for_the_address_does_not_open_a_place_with_another():
    rules = (f"[path /a/]\nauth = {users_file(0)}\n[path /a/*.html]\nauth = {users_file(1)}\n")
    with start_places("try = off", rules) as server:
        for fields in ([], [ANN], [credentials("bob")]):
            response = server.get("/a/", fields=fields)
            truth(CANARY not in response.body, f"read with {fields}")
        equal(status_of(server, "/a/index.html", credentials("bob")), 200, "by its own address")
        equal(status_of(server, "/a/index.html", ANN), 401, "by its own address, as another")


@test
def the_same_file_of_passwords_twice_is_one():
    users = users_file()
    rules = f"[path /a/]\nauth = {users}\n[path /a/*.html]\nauth = {users}\n"
    with start_places("listing = on", rules) as server:
        equal(status_of(server, "/a/", ANN), 200, "the index")
        harness.contains(server.get("/a/b/", fields=[ANN]).body.decode(), "c.html", "the listing")


@test
def a_page_for_all_addresses_keeps_its_own_rules():
    rules = f"[path /app/]\nspa = /one.html\n[path /lost/]\nspa = /gone.html\n" \
            f"[path /one.html]\nauth = {users_file()}\n[path /gone.html]\ndeny = on\n"
    with start_places("", rules) as server:
        for fields, wanted in (([], 401), ([ANN], 200), ([], 401)):
            equal(status_of(server, "/app/route", *fields), wanted, f"with {fields}")
        equal(twice(server, "/lost/route"), [403, 403], "a denied page")
        equal(twice(server, "/lost/route", ANN), [403, 403], "a denied page, with a password")


@test
def an_error_page_may_be_what_cannot_be_asked_for():
    rules = "[errors]\n404 = /errors/404.html\n[path /errors/]\ndeny = hide\n"
    with start_places("", rules) as server:
        for target in ("/none", "/errors/404.html", "/errors/"):
            for _ in range(2):
                response = server.get(target)
                equal((response.status, response.body), (404, b"our own page\n"), target)


@test
def a_folder_is_not_told_of_by_a_redirect_to_what_is_denied():
    rules = "[path /hidden/]\ndeny = hide\n[path /denied/]\ndeny = on\n"
    for keys in ("", "try = $uri $uri/"):
        with start_places(keys, rules) as server:
            equal(status_of(server, "/hidden"), 404, "/hidden")
            equal(status_of(server, "/denied"), 403, "/denied")
            equal(status_of(server, "/app"), 301, "/app")


@test
def a_file_beside_a_mount_is_not_looked_for_in_it():
    rules = f"[mount /docs/]\nroot = {DOCS}\n[mount /docs/inner/]\nroot = {INNER}\n"
    with start_places("try = $uri $uri.html $uri/", rules) as server:
        for _ in range(2):
            equal(server.get("/docs").body, b"beside\n", "/docs")
            equal(server.get("/docs/").body, b"docs\n", "/docs/")
            equal(server.get("/docs/inner/").body, b"inner\n", "/docs/inner/")


@test
def an_error_page_in_the_cache_is_not_what_its_address_leads_to():
    rules = "[errors]\n404 = /page.html\n[path /page.html]\ntry = /other.html\n"
    with start_places("", rules) as server:
        for _ in range(2):
            equal(server.get("/none").body, b"page\n", "the error page")
            equal(server.get("/page.html").body, b"other\n", "its address")


# --- siblings, links, listings --------------------------------------------------------------------

@test
def a_sibling_has_an_address_of_its_own():
    """A rule for a name holds for that name: a.css.gz, asked for by name, needs a rule, too."""
    rules = f"[path /a.css]\nauth = {users_file()}\n[path /b.css*]\nauth = {users_file()}\n"
    with start_places("", rules) as server:
        coding = "Accept-Encoding: gzip"
        equal(status_of(server, "/a.css", coding), 401, "the sibling for the file")
        equal(status_of(server, "/a.css.gz"), 200, "the sibling by its name")
        equal(status_of(server, "/b.css.gz"), 401, "the sibling by its name, with a rule")
        equal(status_of(server, "/b.css", coding, ANN), 200, "the sibling for the file, granted")
        equal(status_of(server, "/b.css", coding), 401, "after that")


@test
def a_listing_and_an_archive_of_the_parent_show_nothing_protected():
    server = shared(start_protected)
    for target in ("/?format=tar", "/open/../?format=tar", "/parent/?format=json"):
        with server.connect() as client:
            truth(not reads_canary(client, target), target)


# --- connections ----------------------------------------------------------------------------------

@test
def a_password_counts_for_one_request_of_a_pipeline():
    server = shared(start_protected)
    with server.connect() as client:
        asked = [[ANN], [], [ANN], [credentials("ann", "x")], [], [ANN]]
        client.send(b"".join(request_bytes("/private/page.html", fields=f) for f in asked))
        statuses = [client.read_response().status for _ in asked]
    equal(statuses, [200, 401, 200, 401, 401, 200], "the statuses")


HOSTS = [old_tree({"same.html": text, "index.html": text, "big.css": text * 3000})
         for text in (b"everybody's\n", CANARY + b"\n")]


def start_hosts():
    return serve(HOSTS[0], f"""[host open.example *.open.example]
root = {HOSTS[0]}
[host closed.example [::1]]
root = {HOSTS[1]}
[path /**]
auth = {users_file()}
""")


@test
def equal_paths_of_two_hosts_stay_apart_on_one_connection():
    server = shared(start_hosts)
    with server.connect() as client:
        for target in ("/same.html", "/", "/big.css", "/same.html"):
            for fields in ([], ["Accept-Encoding: gzip"], ["Accept-Encoding: br"]):
                closed = ["Host: closed.example", *fields]
                opened = ["Host: a.open.example", *fields]
                equal(client.get(target, fields=closed).status, 401, f"closed {target}")
                equal(client.get(target, fields=[*closed, ANN]).status, 200, f"granted {target}")
                response = client.get(target, fields=opened)
                equal(response.status, 200, f"open {target}")
                truth(CANARY not in response.body, f"open {target} has the other's content")
                equal(client.get(target, fields=closed).status, 401, f"closed {target}, again")


@test
def no_spelling_of_a_host_gets_past_its_rules():
    server = shared(start_hosts)
    names = ("closed.example", "CLOSED.example", "closed.example.", "closed.example:80",
             "Closed.Example.:1", "closed.example:", "[::1]", "[::1]:8080")
    for name in names:
        equal(server.get("/same.html", fields=[f"Host: {name}"]).status, 401, name)
        equal(server.get(f"http://{name}/same.html", fields=[f"Host: {name}"]).status, 401, name)
    # The authority of an absolute target counts, and not what Host says: RFC 9112 3.2.2.
    for host in ("open.example", "closed.example"):
        response = server.get("http://open.example/same.html", fields=[f"Host: {host}"])
        truth(CANARY not in response.body, f"open with Host: {host}")


if __name__ == "__main__":
    harness.main()
