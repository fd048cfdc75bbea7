"""Listings: page and JSON of a directory, what is in them, their order, and that no name acts."""

import base64
import hashlib
import json
import os
import re
import time
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import harness
from harness import contains, equal, shared, test, truth
from sites import serve

NOW_S = int(time.time())
# name -> (size, age in seconds); directories end in '/'.
ITEMS = {"Beta.txt": (10, 500), "alpha.txt": (300, 100), "gamma.txt": (20, 300),
         "zeta/": (0, 50), "Eta/": (0, 900)}
BY_NAME = ["Eta", "zeta", "alpha.txt", "Beta.txt", "gamma.txt"]
ODD = ("<script>alert(1)<", "\"quoted\"", "'single'", "a&amp;b", "javascript:alert(1)", "data:x",
       "per%cent", "q?u", "ha#sh", "sp ace", "back\\slash", "new\nline", "tab\t", "gr\u00fc\u00dfe",
       "\u202eevil", "c:", "x..", "~", "+", "[x]", "{x}", "`", "^", "|", ";a=b", "&a=b", "=", "$x",
       "@x", "!", "*", "(x)", "\u4e2d\u6587", "\U0001f600", "x" * 255)
ODD_BYTES = (b"latin-\xfc", b"\xff\xfe", b"\xc0\xaf")


class Page(HTMLParser):
    """Where each link of the table leads, with the text in it; and what else is there."""

    def __init__(self, text):
        super().__init__()
        self.links, self.elements, self.attributes, self.is_in_link = [], [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        self.attributes += [name for name, _ in attributes]
        self.links += [[value, ""] for name, value in attributes if name == "href"]
        self.is_in_link = self.is_in_link or tag == "a"

    def handle_endtag(self, tag):
        self.is_in_link = self.is_in_link and tag != "a"

    def handle_data(self, data):
        if self.is_in_link:
            self.links[-1][1] += data


def start():
    tree = {f"items/{name}{'x' if name.endswith('/') else ''}": b"x" * size
            for name, (size, _) in ITEMS.items()}
    tree |= {b"odd/" + os.fsencode(name): b"x" for name in (*ODD, *ODD_BYTES)}
    tree |= {"indexed/index.html": b"index", "indexed/other": b"x", "off/x": b"x",
             "dots/.hidden": b"x", "dots/.well-known/x": b"x", "dots/shown": b"x"}
    server = serve(tree, "[files]\nlisting = on\n[path /off/]\nlisting = off\n")
    os.mkdir(server.path("empty"))
    os.mkfifo(server.path("items/fifo"))
    os.symlink("alpha.txt", server.path("items/link"))
    os.symlink("nowhere", server.path("items/dangling"))
    os.symlink("/etc", server.path("items/outside"))
    os.symlink("../odd", server.path("items/within"))
    for name, (_, age_s) in ITEMS.items():
        os.utime(server.path(f"items/{name}"), (NOW_S - age_s, NOW_S - age_s))
    return server


def get(target, *fields, **keywords):
    return shared(start).get(target, fields=fields, **keywords)


def entries(target, server=None):
    query = "&" if "?" in target else "?"
    response = (server or shared(start)).get(f"{target}{query}format=json")
    equal(response.status, 200, target)
    return json.loads(response.body)["entries"]


def names(target, server=None):
    return [item["name"] for item in entries(target, server)]


# --- form -----------------------------------------------------------------------------------------

FORMS = (
    ("", (), "html"), ("", ("Accept: text/html,*/*;q=0.8",), "html"),
    ("", ("Accept: */*",), "html"),
    ("", ("Accept: application/json",), "json"), ("", ("Accept: text/plain",), "html"),
    ("", ("Accept: application/json, text/html;q=0.5",), "json"),
    ("", ("Accept: application/json;q=0.5, text/html",), "html"),
    ("?format=json", ("Accept: text/html",), "json"), ("?format=html", (), "html"),
    ("?format=html", ("Accept: application/json",), "html"), ("?format=other", (), "html"),
    ("?format=", (), "html"), ("?x=y&format=json&z", (), "json"), ("?format=tar", (), "html"),
    ("?format=JSON", (), "html"),
)


@test
def the_form_comes_from_accept_and_query():
    for query, fields, form in FORMS:
        response = get("/items/" + query, *fields)
        expected = "application/json" if form == "json" else "text/html; charset=utf-8"
        equal((response.status, response.fields["content-type"]), (200, expected),
              f"{query} {fields}")
        equal("accept" in response.fields.get("vary", "").lower(), True, f"Vary for {query}")


@test
def a_listing_says_that_it_must_be_asked_for_again():
    for query in ("", "?format=json"):
        fields = get("/items/" + query).fields
        equal(fields["cache-control"], "no-cache", query)
        equal(fields["x-content-type-options"], "nosniff", query)


@test
def its_tag_gives_304():
    for query in ("", "?format=json", "?sort=size"):
        tag = get("/items/" + query).fields["etag"]
        response = get("/items/" + query, f"If-None-Match: {tag}")
        equal((response.status, response.fields["etag"]), (304, tag), query)
    tags = {get("/items/" + query).fields["etag"] for query in ("", "?format=json", "?sort=size")}
    equal(len(tags), 3, "different tags")


@test
def its_tag_changes_with_the_directory():
    with serve({"d/a": b"a"}, "[files]\nlisting = on\n") as server:
        tags = [server.get("/d/").fields["etag"]]
        harness.write_file(server.path("d/b"), b"b")
        tags.append(server.get("/d/").fields["etag"])
        equal(server.get("/d/", fields=(f"If-None-Match: {tags[0]}",)).status, 200)
        harness.write_file(server.path("d/b"), b"bb")
        tags.append(server.get("/d/").fields["etag"])
        os.unlink(server.path("d/b"))
        equal(server.get("/d/").fields["etag"], tags[0], "as it was before")
        equal(len(set(tags)), 3)


@test
def head_is_the_same_without_a_body():
    for query in ("", "?format=json"):
        whole, head = get("/items/" + query), get("/items/" + query, method="HEAD")
        del whole.fields["date"], head.fields["date"]
        equal((head.status, head.fields), (200, whole.fields), query)


@test
def a_part_of_it_may_be_asked_for():
    whole = get("/items/").body
    equal(get("/items/", "Range: bytes=5-14").body, whole[5:15])


# --- order ----------------------------------------------------------------------------------------

ORDERS = (
    ("", BY_NAME), ("?sort=name", BY_NAME), ("?sort=name&order=asc", BY_NAME),
    ("?sort=name&order=desc", ["zeta", "Eta", "gamma.txt", "Beta.txt", "alpha.txt"]),
    ("?sort=size", ["Eta", "zeta", "Beta.txt", "gamma.txt", "alpha.txt"]),
    ("?sort=size&order=desc", ["Eta", "zeta", "alpha.txt", "gamma.txt", "Beta.txt"]),
    ("?sort=time", ["Eta", "zeta", "Beta.txt", "gamma.txt", "alpha.txt"]),
    ("?sort=time&order=desc", ["zeta", "Eta", "alpha.txt", "gamma.txt", "Beta.txt"]),
    ("?sort=other&order=other", BY_NAME), ("?order=desc", ["zeta", "Eta", "gamma.txt", "Beta.txt",
                                                          "alpha.txt"]),
)


@test
def directories_come_first_then_what_is_asked_for():
    for query, expected in ORDERS:
        got = [name for name in names("/items/" + query) if name not in ("link", "within")]
        equal(got, expected, query)
        page = Page(get("/items/" + query).body.decode())
        shown = [text.rstrip("/") for href, text in page.links if href.startswith("./")]
        equal([name for name in shown if name in expected], expected, f"page of {query}")


@test
def an_entry_tells_size_time_and_kind():
    got = {item["name"]: item for item in entries("/items/")}
    equal((got["alpha.txt"]["type"], got["alpha.txt"]["size"]), ("file", 300))
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW_S - 100))
    equal(got["alpha.txt"]["mtime"], moment)
    equal((got["zeta"]["type"], "size" in got["zeta"]), ("directory", False))
    equal((got["link"]["type"], got["link"].get("link")), ("file", True))
    equal(got["within"]["type"], "directory")
    equal("link" in got["alpha.txt"], False)


@test
def three_thousand_entries():
    tree = {f"big/file-{i:04}": b"" for i in range(3000)}
    with serve(tree, "[files]\nlisting = on\n") as server, server.connect() as client:
        equal(names("/big/", server), [f"file-{i:04}" for i in range(3000)])
        for _ in range(3):
            page = Page(client.get("/big/").body.decode())
            equal(sum(href.startswith("./file-") for href, _ in page.links), 3000)
        equal(json.loads(server.get("/big/?format=json").body)["truncated"], False)


# --- what is in it --------------------------------------------------------------------------------

@test
def what_cannot_be_served_is_not_listed():
    got = names("/items/")
    for name in ("fifo", "dangling", "outside"):
        truth(name not in got, f"{name} is listed: {got}")
    for name in got:
        truth(get(f"/items/{name}").status in (200, 301), f"/items/{name} is listed, not served")


@test
def names_with_a_dot_are_hidden():
    equal(names("/dots/"), ["shown"])
    equal(get("/dots/.hidden").status, 404)


@test
def an_empty_directory_has_an_empty_listing():
    equal(entries("/empty/"), [])
    equal(get("/empty/").status, 200)


@test
def an_index_goes_before_the_listing():
    for target in ("/indexed/", "/indexed/?format=json", "/indexed/?sort=size"):
        equal(get(target, "Accept: application/json").body, b"index", target)


@test
def without_leave_a_directory_is_403_and_without_a_directory_404():
    for target, status in (("/off/", 403), ("/off/?format=json", 403), ("/missing/", 404),
                           ("/missing/?format=json", 404), ("/items/alpha.txt/", 404)):
        equal(get(target).status, status, target)
    equal(get("/empty").status, 301)


@test
def a_listing_is_fresh_at_the_next_request():
    with serve({"d/a": b"a"}, "[files]\nlisting = on\n") as server:
        for i in range(10):
            harness.write_file(server.path(f"d/n{i}"), b"x")
            truth(f"n{i}" in names("/d/", server), f"n{i} is missing")
            os.unlink(server.path(f"d/n{i}"))
            truth(f"n{i}" not in names("/d/", server), f"n{i} is still there")
        harness.write_file(server.path("d/index.html"), b"index")
        equal(server.get("/d/").body, b"index")
        os.unlink(server.path("d/index.html"))
        contains(server.get("/d/").fields["content-type"], "html")
        truth(server.get("/d/").body != b"index", "the index that is gone")


@test
def who_goes_away_before_the_listing_leaves_nothing_behind():
    with serve({f"d/{i:04}": b"" for i in range(2000)}, "[files]\nlisting = on\n") as server:
        server.get("/d/")
        before = server.descriptors()
        for _ in range(30):
            client = server.connect()
            client.request("/d/")
            client.reset()
        harness.wait_until(lambda: server.descriptors() <= before, "the descriptors are as before")
        equal(len(names("/d/", server)), 2000)


# --- names ----------------------------------------------------------------------------------------

def follow(href):
    """The path that a browser asks for, however it takes backslashes and line ends."""
    got = urlsplit(urljoin("http://gyre.example/odd/", href.translate({9: None, 10: None})))
    equal(got.netloc, "gyre.example", href)
    truth(got.path.startswith("/odd/"), f"{href} leads to {got.path}")
    return got.path + (f"?{got.query}" if got.query else "")


@test
def every_name_can_be_followed():
    page = Page(get("/odd/").body.decode("utf-8"))
    hrefs = [href for href, _ in page.links if href.startswith("./")]
    equal(len(hrefs), len(ODD) + len(ODD_BYTES), "links")
    equal(len(set(hrefs)), len(hrefs), "different links")
    for href in hrefs:
        equal(get(follow(href)).body, b"x", href)
    items = entries("/odd/")
    equal(sorted(item["href"] for item in items), sorted(hrefs), "JSON and page")
    truth(set(ODD) <= {item["name"] for item in items}, "names are lost")


@test
def no_name_becomes_an_element_or_leads_away():
    text = get("/odd/").body.decode()
    page = Page(text)
    truth(not set(page.elements) & {"script", "img", "iframe", "form", "base", "meta-refresh"},
          f"elements: {set(page.elements)}")
    equal([name for name in page.attributes if name.startswith("on")], [], "handlers")
    truth("<script>" not in text, "a script")
    for href, _ in page.links:
        truth(href.startswith(("./", "../", "?")), f"href={href!r}")


@test
def a_path_is_escaped_too():
    tree = {"<b>\"'&/x": b"x", "javascript:alert(1)/y/x": b"x"}
    with serve(tree, "[files]\nlisting = on\n") as server:
        text = server.get("/%3cb%3e%22'&/").body.decode()
        truth("<b>" not in text and "\"'&/" not in text, text)
        equal(json.loads(server.get("/%3cb%3e%22'&/?format=json").body)["path"], "/<b>\"'&/")
        for href, _ in Page(server.get("/javascript:alert(1)/y/").body.decode()).links:
            truth(href.startswith(("./", "../", "?")), f"href={href!r}")


@test
def a_query_is_not_reflected():
    text = get("/items/?sort=4711&order=%3cb%3e&x=\"'").body
    truth(b"4711" not in text and b"<b>" not in text and b"\"'" not in text, "the query")


@test
def only_its_own_style_may_act():
    response = get("/items/")
    policy = response.fields["content-security-policy"]
    contains(policy, "default-src 'none'")
    truth("unsafe" not in policy, policy)
    style = re.search(rb"<style>(.*?)</style>", response.body, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    contains(policy, re.escape(f"style-src 'sha256-{digest}'"))
    truth(b" style=" not in response.body and b"<script" not in response.body, "what CSP forbids")


@test
def a_way_up_is_shown_but_at_the_top():
    truth('href="../"' in get("/items/").body.decode(), "no way up")
    truth('href="../"' not in get("/").body.decode(), "a way out of the top")


if __name__ == "__main__":
    harness.main()
