"""try and spa: where a path is looked for, in which order, also when what is there changes."""

import os

import harness
from harness import equal, one_of, shared, test, truth
from sites import basic, password_file, serve, sha512, wait_for_cached

CLEAN = "$uri $uri.html $uri/"
TREE = {"index.html": b"top", "about.html": b"about", "both": b"both", "both.html": b"both.html",
        "dir/index.html": b"dir index", "dir/page.html": b"dir/page", "bare/x.html": b"x",
        "twin/index.html": b"twin index", "twin.html": b"twin.html", "v1.2/notes.html": b"notes",
        "style.css": b"css", "404.html": b"my 404", "fallback.html": b"fallback",
        "a b.html": b"blank", "deep/data.json": b"{}", "app/index.html": b"app of its own"}


def start_clean():
    return serve(TREE, f"[files]\ntry = {CLEAN}\n")


CLEAN_PLACES = (
    ("/", 200, b"top"), ("/about", 200, b"about"), ("/about.html", 200, b"about"),
    ("/both", 200, b"both"), ("/dir/page", 200, b"dir/page"), ("/dir/", 200, b"dir index"),
    ("/dir", 301, None), ("/twin", 200, b"twin.html"), ("/twin/", 200, b"twin index"),
    ("/a%20b", 200, b"blank"), ("/v1.2/notes", 200, b"notes"), ("/about?q", 200, b"about"),
    ("/missing", 404, None), ("/missing/", 404, None), ("/bare/", 403, None),
    ("/about/", 404, None),
    ("/about.html.html", 404, None), ("/index", 200, b"top"), ("/dir/index", 200, b"dir index"),
    ("/about/x", 404, None), ("/style", 404, None), ("/" + "x" * 251, 404, None),
    ("/" + "x" * 255, 404, None), ("/" + "x/" * 2000 + "x", 404, None),
)


@test
def clean_addresses_lead_to_pages():
    for _ in range(2):
        for target, status, body in CLEAN_PLACES:
            response = shared(start_clean).get(target)
            equal(response.status, status, target[:80])
            if body is not None:
                equal(response.body, body, target)


@test
def a_clean_address_has_the_type_of_its_file():
    for target in ("/about", "/dir/page", "/about.html"):
        equal(shared(start_clean).get(target).fields["content-type"], "text/html; charset=utf-8")
    head = shared(start_clean).get("/about", method="HEAD")
    equal((head.status, head.fields["content-length"]), (200, "5"))


@test
def a_redirect_to_the_directory_keeps_the_query():
    response = shared(start_clean).get("/dir?a=b")
    equal(response.status, 301)
    truth(response.fields["location"].endswith("dir/?a=b"), response.fields["location"])


LISTS = (
    ("$uri =404", (("/both", 200, b"both"), ("/about", 404, None), ("/dir/", 404, None),
                   ("/dir", 404, None))),
    ("$uri /fallback.html", (("/both", 200, b"both"), ("/any/where", 200, b"fallback"),
                             ("/dir/", 200, b"fallback"), ("/x.js", 200, b"fallback"))),
    ("$uri.html $uri", (("/both", 200, b"both.html"), ("/style.css", 200, b"css"),
                        ("/dir/page", 200, b"dir/page"))),
    ("$uri/index.html $uri", (("/dir", 200, b"dir index"), ("/twin", 200, b"twin index"),
                              ("/both", 200, b"both"), ("/dir/", 200, b"dir index"))),
    ("$uri /missing.html /fallback.html", (("/nowhere", 200, b"fallback"),)),
    ("$uri /missing.html", (("/nowhere", 404, None),)),
    ("$uri.html /dir/page.html =404", (("/about", 200, b"about"), ("/nowhere", 200, b"dir/page"))),
    ("/fallback.html", (("/", 200, b"fallback"), ("/about.html", 200, b"fallback"))),
    ("$uri /dir /fallback.html", (("/nowhere", 200, b"fallback"),)),
)


@test
def a_list_is_tried_in_its_order():
    text = "".join(f"[host h{i}]\n[path /**]\ntry = {items}\n"
                   for i, (items, _) in enumerate(LISTS))
    with serve(TREE, text) as server:
        for _ in range(2):
            for i, (items, places) in enumerate(LISTS):
                for target, status, body in places:
                    response = server.get(target, fields=(f"Host: h{i}",))
                    equal((response.status, response.body if body else None), (status, body),
                          f"{target} with {items}")


@test
def try_may_be_taken_back():
    text = f"[files]\ntry = {CLEAN}\n[path /dir/]\ntry = off\n"
    with serve(TREE, text) as server:
        equal(server.get("/about").status, 200)
        equal(server.get("/dir/page").status, 404)
        equal(server.get("/dir/page.html").status, 200)


@test
def a_page_that_is_found_elsewhere_keeps_what_the_rules_say_of_its_address():
    text = f"[files]\ntry = {CLEAN}\n[path /about]\nheader = X-A: clean\ncache = 1m\n" \
           "[path /about.html]\nheader = X-A: file\n"
    with serve(TREE, text) as server:
        for _ in range(2):
            fields = server.get("/about").fields
            equal((fields["x-a"], fields["cache-control"]), ("clean", "max-age=60"))
            fields = server.get("/about.html").fields
            equal((fields["x-a"], fields["cache-control"]), ("file", "no-cache"))


# --- change ---------------------------------------------------------------------------------------

def check_change(watch):
    text = f"[server]\nworkers = 1\n[cache]\nwatch = {watch}\nrevalidate = 1h\n" \
           f"[files]\ntry = {CLEAN} /fallback.html\n"
    with serve({"page.html": b"page.html", "fallback.html": b"fallback", "far/x": b"x"},
               text) as server:
        page = server.path("page")

        def shows(target, body):
            for _ in range(2):
                equal(server.get(target).body, body, f"{target}, watch = {watch}")
        wait_for_cached(server, "/page")
        wait_for_cached(server, "/far/away/page")
        shows("/page", b"page.html")
        harness.write_file(page, b"earlier")
        shows("/page", b"earlier")
        os.unlink(page)
        shows("/page", b"page.html")
        os.mkdir(page)
        shows("/page", b"page.html")
        os.unlink(server.path("page.html"))
        equal(server.get("/page").status, 301)
        harness.write_file(server.path("page/index.html"), b"index")
        shows("/page/", b"index")
        os.unlink(server.path("page/index.html"))
        os.rmdir(page)
        shows("/page", b"fallback")
        # What is looked for in a directory that is not there yet.
        shows("/far/away/page", b"fallback")
        os.mkdir(server.path("far/away"))
        shows("/far/away/page", b"fallback")
        harness.write_file(server.path("far/away/page.html"), b"away")
        shows("/far/away/page", b"away")
        harness.replace_file(server.path("far/away/page.html"), b"replaced")
        shows("/far/away/page", b"replaced")
        harness.replace_file(server.path("fallback.html"), b"another")
        shows("/page", b"another")


@test
def an_earlier_place_wins_as_soon_as_it_is_there():
    check_change("on")


@test
def an_earlier_place_wins_without_the_watch_too():
    check_change("off")


@test
def a_cached_place_gives_way_to_one_that_appears_much_later():
    text = f"[server]\nworkers = 1\n[cache]\nrevalidate = 1h\n[files]\ntry = {CLEAN}\n"
    with serve({"page.html": b"page.html", "d/x": b"x"}, text) as server:
        wait_for_cached(server, "/page")
        for i in range(5):
            equal(server.get("/page").body, b"page.html")
            os.rename(server.path("d/x"), server.path("page"))
            equal(server.get("/page").body, b"x", f"round {i}")
            os.rename(server.path("page"), server.path("d/x"))


# --- spa ------------------------------------------------------------------------------------------

NAVIGATION = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def start_spa():
    return serve(TREE, "[files]\nspa = /index.html\n[errors]\n404 = /404.html\n[path /app/]\n"
                 "spa = /app/index.html\n[path /api/]\nspa = off\n")


SPA = (
    # Navigations that lead nowhere get the page.
    ("/users/7", NAVIGATION, 200, b"top"), ("/users/7/", NAVIGATION, 200, b"top"),
    ("/x?y=z", NAVIGATION, 200, b"top"), ("/v1.2/users", NAVIGATION, 200, b"top"),
    ("/users/7", "Accept: text/html", 200, b"top"),
    ("/app/x/y", NAVIGATION, 200, b"app of its own"),
    # What is there is served.
    ("/style.css", NAVIGATION, 200, b"css"), ("/deep/data.json", "Accept: */*", 200, b"{}"),
    ("/dir/", NAVIGATION, 200, b"dir index"), ("/", NAVIGATION, 200, b"top"),
    # What a page needs and lacks is missing.
    ("/missing.js", NAVIGATION, 404, b"my 404"), ("/users/7.html", NAVIGATION, 404, b"my 404"),
    ("/users/7", "Accept: */*", 404, b"my 404"),
    ("/users/7", "Accept: application/json", 404, None),
    ("/users/7", "X-No-Accept: 1", 404, None), ("/users/7", "Accept: text/html;q=0", 404, None),
    ("/users/7", "Accept: text/*", 404, None), ("/api/users", NAVIGATION, 404, b"my 404"),
    ("/v1.2", NAVIGATION, 301, None), ("/v1.3", NAVIGATION, 404, None),
    # What may not be seen is not turned into a page.
    ("/bare/", NAVIGATION, 403, None), ("/%zz", NAVIGATION, 400, None),
    ("/.git/config", NAVIGATION, 404, None),
)


@test
def only_navigations_get_the_page():
    for _ in range(2):
        for target, accept, status, body in SPA:
            response = shared(start_spa).get(target, fields=(accept,))
            equal(response.status, status, f"{target} with {accept}")
            if body is not None:
                equal(response.body, body, f"{target} with {accept}")


@test
def other_methods_get_what_they_always_get():
    server = shared(start_spa)
    head = server.get("/users/7", method="HEAD", fields=(NAVIGATION,))
    equal((head.status, head.fields["content-length"]), (200, "3"))
    equal(server.get("/missing.js", method="HEAD", fields=(NAVIGATION,)).status, 404)
    equal(server.get("/users/7", method="POST", fields=(NAVIGATION,)).status, 405)
    equal(server.get("/users/7", method="OPTIONS", fields=(NAVIGATION,)).status, 204)


@test
def the_page_has_its_validators_and_is_asked_for_again():
    server = shared(start_spa)
    wait_for_cached(server, "/users/7", (NAVIGATION,))
    response = server.get("/users/7", fields=(NAVIGATION,))
    equal(response.fields["cache-control"], "no-cache")
    tag = response.fields["etag"]
    got = server.get("/users/8", fields=(NAVIGATION, f"If-None-Match: {tag}"))
    equal(got.status, 304)
    equal(server.get("/users/8", fields=(NAVIGATION, "Range: bytes=0-0")).body, b"t")


@test
def the_page_is_fresh_and_so_is_what_it_stands_for():
    with serve({"index.html": b"one"}, "[files]\nspa = /index.html\n") as server:
        for i in range(5):
            harness.replace_file(server.path("index.html"), f"version {i}".encode())
            equal(server.get("/x", fields=(NAVIGATION,)).body, f"version {i}".encode())
        harness.write_file(server.path("x"), b"there now")
        equal(server.get("/x", fields=(NAVIGATION,)).body, b"there now")
        os.unlink(server.path("x"))
        equal(server.get("/x", fields=(NAVIGATION,)).body, b"version 4")
        os.unlink(server.path("index.html"))
        equal(server.get("/x", fields=(NAVIGATION,)).status, 404)


@test
def the_page_depends_on_accept():
    """A cache that keeps it for all would answer a script with it; one may not keep the 404."""
    server = shared(start_spa)
    response = server.get("/users/7", fields=("Accept: */*",))
    equal(response.fields["cache-control"], "no-store")
    one_of(server.get("/users/7", fields=(NAVIGATION,)).fields["cache-control"], ("no-cache",))


@test
def the_page_lies_behind_the_rules_of_the_address():
    users = password_file({"ada": sha512("x")})
    text = f"[files]\nspa = /index.html\n[path /in/]\nauth = {users}\n[path /no/]\ndeny = on\n" \
           "[path /old/]\nredirect = /new/\n"
    with serve({"index.html": b"page"}, text) as server:
        for target, status in (("/in/x", 401), ("/no/x", 403), ("/old/x", 301), ("/x", 200)):
            equal(server.get(target, fields=(NAVIGATION,)).status, status, target)
        response = server.get("/in/x", fields=(NAVIGATION, basic("ada", "x")))
        equal((response.status, response.body), (200, b"page"))


@test
def the_page_comes_with_the_rules_of_the_address():
    users = password_file({"ada": sha512("x")})
    text = f"[files]\nspa = /index.html\n[path /in/]\nauth = {users}\nheader = X-A: in\n" \
           "cors = https://one.example\n[path /app/]\ncache = 1m\nheader = X-A: app\n" \
           "[path /index.html]\nheader = X-A: page\ncache = 1h\n"
    with serve({"index.html": b"<p>page</p>" * 300}, text) as server:
        wait_for_cached(server, "/index.html")
        for target, a, cache in (("/app/x", "app", "max-age=60"), ("/x", None, "no-cache"),
                                 ("/in/x", "in", "private, no-cache"),
                                 ("/index.html", "page", "max-age=3600")):
            for more in ((), ("Range: bytes=0-0",), ("If-None-Match: *",),
                         ("Accept-Encoding: gzip;q=1, identity;q=0",)):
                fields = (NAVIGATION, basic("ada", "x"), *more)
                for method in ("GET", "HEAD"):
                    got = server.get(target, method=method, fields=fields).fields
                    equal((got.get("x-a"), got.get("cache-control")), (a, cache),
                          f"{method} {target} with {more}")


@test
def try_and_spa_work_together():
    text = f"[files]\ntry = {CLEAN}\nspa = /index.html\n"
    with serve(TREE, text) as server:
        for _ in range(2):
            for target, status, body in (("/about", 200, b"about"), ("/nowhere", 200, b"top"),
                                         ("/dir/", 200, b"dir index"), ("/nowhere.js", 404, None),
                                         ("/dir/nowhere", 200, b"top")):
                response = server.get(target, fields=(NAVIGATION,))
                equal((response.status, response.body if body else None), (status, body), target)


@test
def a_page_of_an_error_is_not_what_its_address_leads_to():
    """The cache keeps both under one name."""
    text = "[errors]\n403 = /403.html\n[path /**]\ntry = /soon.html\n[path /no/]\ndeny = on\n"
    with serve({"403.html": b"my 403", "soon.html": b"soon"}, text) as server:
        wait_for_cached(server, "/403.html")
        for _ in range(3):
            response = server.get("/no/x")
            equal((response.status, response.body), (403, b"my 403"))
            for target in ("/403.html", "/soon.html", "/x"):
                equal(server.get(target).body, b"soon", target)


@test
def the_last_of_eight_places_is_found():
    items = " ".join(f"$uri.x{i}" for i in range(7))
    with serve({"f.html": b"f", "last": b"last"}, f"[files]\ntry = {items} /last\n") as server, \
            server.connect() as client:
        for _ in range(3):
            equal(client.get("/nothing").body, b"last")


if __name__ == "__main__":
    harness.main()
