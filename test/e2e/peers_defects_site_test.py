"""What was seen to go wrong in other servers with precompressed files and listings: one test for
every defect of the survey."""

import gzip
import os
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import harness
from harness import Server, equal, test, truth

SCRIPT = b"const a = 1;\n" * 500
PLAIN = b"body { margin: 0 }\n" * 500
GZIPPED = gzip.compress(SCRIPT, mtime=0)
BROTLI = b"what stands for brotli\n" * 10
CODINGS = {"br": BROTLI, "gzip": GZIPPED}
MODIFIED_S = 1_600_000_000
HOST = "gyre.example"
ODD_NAMES = ("javascript:alert(1)", "javascript:alert(1)/x", "data:text/html,x", "JaVaScRiPt:x",
             "evil.example", "http:evil.example", "a:b", "\\\\evil.example",
             "\"><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "a&lt;b.txt",
             "'onmouseover='alert(1)", "q?mark", "hash#", "100%.txt", "tab\t", "new\nline")


def start():
    tree = {"site.js": SCRIPT, "site.js.br": BROTLI, "site.js.gz": GZIPPED, "plain.css": PLAIN}
    tree |= {f"list/{name}": b"x" for name in ODD_NAMES if name != "javascript:alert(1)"}
    server = Server(harness.make_tree(tree), {"files.listing": "on", "workers": 1})
    for folder, _, names in os.walk(server.root):
        for name in names:
            os.utime(os.path.join(folder, name), (MODIFIED_S, MODIFIED_S))
    return server


def get(target, *fields, **keywords):
    return harness.shared(start).get(target, fields=fields, **keywords)


def coded(target, coding):
    """The answer in that coding, for which a file without a sibling may have to be asked again."""
    answers = []

    def has_come():
        answers.append(get(target, f"Accept-Encoding: {coding}"))
        return answers[-1].fields.get("content-encoding") == coding
    harness.wait_until(has_come, f"{target} comes in {coding}")
    return answers[-1]


@test
def q_0_excludes_a_coding():
    """lighttpd, lwan."""
    for accepted in ("br;q=0, gzip;q=0", "gzip;q=0,br;q=0.000", "br ; q=0, gzip ; Q=0.0",
                     "identity, *;q=0", "gzip;q=0, *;q=0, identity"):
        response = get("/site.js", f"Accept-Encoding: {accepted}")
        equal(response.fields.get("content-encoding"), None, accepted)
        equal(response.body, SCRIPT, accepted)
    for accepted, coding in (("br;q=0, gzip", "gzip"), ("gzip;q=0, br", "br"),
                             ("gzip, *;q=0", "gzip"), ("br;q=0, *", "gzip")):
        response = get("/site.js", f"Accept-Encoding: {accepted}, zstd;q=0")
        equal(response.fields.get("content-encoding"), coding, accepted)
        truth(response.body == CODINGS[coding], f"{accepted}: other bytes")


@test
def the_tag_of_a_coding_gives_304():
    """Apache's -gzip tag never does."""
    for target in ("/site.js", "/plain.css"):
        tags = set()
        for coding in CODINGS:
            tag = coded(target, coding).fields["etag"]
            tags.add(tag)
            for value in (tag, f'"other", {tag}', f"W/{tag.removeprefix('W/')}"):
                response = get(target, f"Accept-Encoding: {coding}", f"If-None-Match: {value}")
                equal(response.status, 304, f"{target} in {coding} with {value}")
                equal(response.fields["etag"], tag)
        tags.add(get(target).fields["etag"])
        equal(len(tags), 3, f"different tags of {target}: {tags}")


class Links(HTMLParser):
    """Collects where a page leads, and what of it could run."""

    def __init__(self, text):
        super().__init__()
        self.hrefs, self.names, self.handlers = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.names.append(tag)
        self.hrefs += [value for name, value in attributes if name in ("href", "src", "action")]
        self.handlers += [name for name, _ in attributes if name.startswith("on")]


@test
def a_listing_has_no_href_that_runs_or_leads_elsewhere():
    """lwan lists `javascript:` names as they are."""
    base = f"http://{HOST}/list/"
    response = get("/list/", "Accept: text/html")
    equal(response.status, 200)
    page = Links(response.body.decode())
    for href in page.hrefs:
        # A browser throws line ends and tabs away, and takes a backslash for a slash.
        there = urlsplit(urljoin(base, href.translate({9: None, 10: None, 13: None, 92: "/"})))
        equal((there.scheme, there.hostname), ("http", HOST), f"where {href!r} leads")
    equal(page.handlers, [], "attributes that run")
    truth("img" not in page.names, "a name became an element")
    truth(b"<script>alert" not in response.body, "a name became a script")
    for name in os.listdir(harness.shared(start).path("list")):
        leads = [urljoin(base, href) for href in page.hrefs]
        target = "/list/" + "".join(f"%{byte:02X}" for byte in os.fsencode(name))
        truth(any(is_same_path(urlsplit(url).path, target) for url in leads),
              f"no href leads to {name!r}: {page.hrefs}")


def is_same_path(one, other):
    return path_bytes(one).rstrip(b"/") == path_bytes(other).rstrip(b"/")


def path_bytes(path):
    return b"".join(bytes([int(part[:2], 16)]) + part[2:].encode() if i else part.encode()
                    for i, part in enumerate(path.split("%")))


if __name__ == "__main__":
    harness.main()
