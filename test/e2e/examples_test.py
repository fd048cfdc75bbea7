"""The examples of conf/examples/: each is accepted as it is; and on a tree like the one that it
describes, it keeps what its comments promise."""

import email.message
import gzip
import http.client
import io
import json
import os
import re
import tarfile
import types
from urllib.parse import urlsplit

import harness
from harness import Server, contains, equal, pattern_bytes, test, truth

FOLDER = os.path.join(harness.REPOSITORY, "conf/examples")
ROOTS = ("/srv/www/", "/etc/gyre/")  # what an example may name, and a test puts elsewhere
PASSWORD = "correct horse"
HASH = "$5$rounds=1000$gyre$hLZRyE4Y48BLQ39XRTdfScl0emryb/35EPK5O4aZyu2"
USERS = f"ada:{HASH}\n".encode()
AS_ADA = "Authorization: Basic YWRhOmNvcnJlY3QgaG9yc2U="
NAVIGATION = "Accept: text/html,application/xhtml+xml,*/*;q=0.8"
A_YEAR = "public, max-age=31536000, immutable"
PAGE = b"<!doctype html><title>page</title>\n"
SCRIPT = b"console.log('gyre');\n" * 200
AT_REST_S = 1_600_000_000
FILM = pattern_bytes(700_000)

PROBES = {}  # name of an example -> (its tree, what is to be tried on it)


def probe(tree):
    """Registers a function that takes a running example; it is named after the file."""
    def register(function):
        PROBES[function.__name__.partition("_")[0] + ".ini"] = (tree, function)
        return function
    return register


def ask(server, target, *fields, host="example.org", method="GET"):
    """One request. Of a field that came several times the values are joined."""
    connection = http.client.HTTPConnection(*server.address[1], timeout=20)
    connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    for line in (f"Host: {host}", *fields):
        name, _, value = line.partition(": ")
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    answer = types.SimpleNamespace(status=response.status, body=response.read())
    answer.fields = {name.lower(): response.getheader(name) for name in response.headers}
    connection.close()
    return answer


def status(server, target, expected, *fields, **keywords):
    answer = ask(server, target, *fields, **keywords)
    equal(answer.status, expected, f"status of {target}")
    return answer


def field(server, target, name, expected, *fields, **keywords):
    """A field of the answer to a request for what is there."""
    answer = status(server, target, 200, *fields, **keywords)
    equal(answer.fields.get(name), expected, f"{name} of {target}")


def redirect(server, target, code, location, **keywords):
    answer = status(server, target, code, **keywords)
    equal(answer.fields.get("location"), location, f"Location of {target}")


# --- the examples ---------------------------------------------------------------------------------

@probe({
    "www/app/index.html": PAGE, "www/app/assets/index-DiwrgTda.js": SCRIPT,
    "www/app/assets/index-DiwrgTda.js.gz": gzip.compress(SCRIPT), "www/app/app.3f9ac1b2.js": SCRIPT,
    "www/app/assets/index-DiwrgTda.js.map": b"{}", "www/app/sw.js": SCRIPT,
})
def spa_has_a_page_for_navigations_only(server):
    equal(status(server, "/orders/17", 200, NAVIGATION).body, PAGE, "what the router knows")
    status(server, "/orders/17", 404, "Accept: */*")
    status(server, "/assets/index-old.js", 404, NAVIGATION)
    status(server, "/api/orders", 404, NAVIGATION)
    field(server, "/orders/17", "cache-control", "no-cache", NAVIGATION)
    for name in ("/assets/index-DiwrgTda.js", "/app.3f9ac1b2.js"):
        field(server, name, "cache-control", A_YEAR)
    contains(status(server, "/assets/gone.js", 404).fields["cache-control"], "no-store")
    field(server, "/sw.js", "cache-control", "no-cache")
    coded = status(server, "/assets/index-DiwrgTda.js", 200, "Accept-Encoding: gzip")
    equal(coded.fields.get("content-encoding"), "gzip")
    equal(gzip.decompress(coded.body), SCRIPT)
    status(server, "/assets/index-DiwrgTda.js.map", 404)
    for target in ("/", "/nowhere.png"):
        fields = ask(server, target, NAVIGATION).fields
        contains(fields["content-security-policy"], "default-src 'self'; img-src", target)
        equal(fields["referrer-policy"], "strict-origin-when-cross-origin", target)


@probe({
    "www/mirror/dists/Packages": b"Package: gyre\n" * 500, "www/mirror/.treeinfo": b"[general]\n",
    "www/mirror/dists/Packages.gz": gzip.compress(b"Package: gyre\n" * 500),
    "www/mirror/pool/gyre_1.0.deb": FILM, "www/mirror/releases/1.0/gyre.tar.xz": FILM,
    "www/mirror/releases/1.0/.hidden": b"", "www/mirror/pool/.~tmp~/gyre_1.1.deb": b"half",
})
def mirror_is_browsed_fetched_and_resumed(server):
    page = status(server, "/", 200)
    contains(page.body.decode(), 'href="./dists/"')
    truth(b"treeinfo" not in page.body, "an unlisted name is listed")
    status(server, "/.treeinfo", 200)
    status(server, "/pool/.~tmp~/gyre_1.1.deb", 404)
    listing = json.loads(status(server, "/pool/", 200, "Accept: application/json").body)
    equal([entry["name"] for entry in listing["entries"]], ["gyre_1.0.deb"])
    plain = status(server, "/dists/Packages", 200, "Accept-Encoding: gzip, br, zstd")
    equal(plain.fields.get("content-encoding"), None, "Content-Encoding of a file with a namesake")
    equal(plain.fields["cache-control"], "no-cache")
    equal(plain.fields["access-control-allow-origin"], "*")
    package = status(server, "/pool/gyre_1.0.deb", 200)
    equal(package.fields["cache-control"], "max-age=2592000")
    equal(package.body == FILM, True, "the package, whole")
    rest = status(server, "/pool/gyre_1.0.deb", 206, "Range: bytes=500000-",
                  f"If-Range: {package.fields['last-modified']}")
    equal(rest.body == FILM[500_000:], True, "the rest of the package")
    mirror_has_archives(server)


def mirror_has_archives(server):
    archive = status(server, "/releases/1.0/?format=tar", 200)
    equal(archive.fields["content-type"], "application/x-tar")
    with tarfile.open(fileobj=io.BytesIO(archive.body)) as tar:
        equal(sorted(member.name for member in tar), ["1.0", "1.0/gyre.tar.xz"], "in the archive")
        equal(tar.extractfile("1.0/gyre.tar.xz").read() == FILM, True, "a file of the archive")
    contains(status(server, "/pool/?format=tar", 200).fields["content-type"], "^text/html")


@probe({
    "www/docs/index.html": PAGE, "www/docs/404.html": b"<h1>not here</h1>\n",
    "www/docs-1.8/index.html": b"1.8\n", "www/docs-1.8/install.html": b"install 1.8\n",
    "www/docs-2.1/index.html": b"2.1\n", "www/docs-2.1/install.html": b"install 2.1\n",
    "www/docs-2.1/api/index.html": b"api 2.1\n", "www/docs-2.1/api/http.html": b"http 2.1\n",
})
def docs_have_versions_and_clean_addresses(server):
    equal(status(server, "/", 200).body, PAGE)
    for target, body in (("/v1/install", b"install 1.8\n"), ("/v2/install", b"install 2.1\n"),
                         ("/v2/", b"2.1\n"), ("/v2/api/", b"api 2.1\n"),
                         ("/v2/api/http", b"http 2.1\n")):
        equal(status(server, target, 200).body, body, target)
    for target, location in (("/v2/install.html", "/v2/install"), ("/index.html", "/"),
                             ("/v2/api/index.html", "/v2/api/"), ("/v2", "./v2/"),
                             ("/v2/api", "./api/"), ("/manual/install.htm?q=1", "/v1/install?q=1")):
        redirect(server, target, 301, location)
    for target, location in (("/latest", "/v2/"), ("/stable/", "/v2/"),
                             ("/latest/api/http", "/v2/api/http")):
        redirect(server, target, 302, location)
    equal(status(server, "/v2/nowhere", 404).body, b"<h1>not here</h1>\n")
    field(server, "/v1/install", "cache-control", "max-age=3600")
    field(server, "/v1/install", "x-robots-tag", "noindex")
    field(server, "/v2/install", "x-robots-tag", None)
    docs_keep_their_tag(server)


def docs_keep_their_tag(server):
    tag = status(server, "/v2/install", 200).fields["etag"]
    path = os.path.join(os.path.dirname(server.root), "docs-2.1/install.html")
    harness.replace_file(path, b"install 2.1\n")
    status(server, "/v2/install", 304, f"If-None-Match: {tag}")


@probe({
    "www/media/vod/film.mp4": FILM, "www/media/vod/film.init": b"init", "www/media/live/1.ts": FILM,
    "www/media/live/now.m3u8": b"#EXTM3U\n", "www/media/live/now.mpd": b"<MPD/>\n",
    "www/media/downloads/film.mp4": FILM, "www/media/vod/text.cmft": b"text",
})
def media_is_sought_in_by_players_of_other_sites(server):
    film = status(server, "/vod/film.mp4", 200)
    equal(film.fields["cache-control"], A_YEAR)
    part = status(server, "/vod/film.mp4", 206, "Range: bytes=300000-399999",
                  f"If-Range: {film.fields['last-modified']}")
    equal(part.fields["content-range"], "bytes 300000-399999/700000")
    equal(part.body == FILM[300_000:400_000], True, "the part")
    several = status(server, "/vod/film.mp4", 206, "Range: bytes=0-9,600000-600009")
    truth(multipart_bodies(several) == [FILM[:10], FILM[600_000:600_010]], "both parts")
    for name, expected in (("vod/film.mp4", "video/mp4"), ("vod/film.init", "video/mp4"),
                           ("vod/text.cmft", "application/mp4"), ("live/1.ts", "video/mp2t"),
                           ("live/now.m3u8", "application/vnd.apple.mpegurl"),
                           ("live/now.mpd", "application/dash+xml")):
        contains(status(server, f"/{name}", 200).fields["content-type"], f"^{re.escape(expected)}")
    for name, seconds in (("1.ts", 60), ("now.m3u8", 1), ("now.mpd", 1)):
        field(server, f"/live/{name}", "cache-control", f"public, max-age={seconds}")
    field(server, "/downloads/film.mp4", "content-disposition", "attachment")
    media_is_for_its_players(server)


def multipart_bodies(answer):
    header = f"Content-Type: {answer.fields['content-type']}\r\n\r\n".encode()
    message = email.message_from_bytes(header + answer.body)
    return [part.get_payload(decode=True) for part in message.get_payload()]


def media_is_for_its_players(server):
    origin = "Origin: https://player.example.org"
    allowed = status(server, "/live/now.m3u8", 200, origin)
    equal(allowed.fields["access-control-allow-origin"], "https://player.example.org")
    contains(allowed.fields["access-control-expose-headers"], "content-range")
    contains(allowed.fields["vary"], "origin")
    preflight = status(server, "/vod/film.mp4", 204, origin, "Access-Control-Request-Method: GET",
                       "Access-Control-Request-Headers: range", method="OPTIONS")
    equal(preflight.fields["access-control-allow-headers"], "range")
    stranger = status(server, "/live/now.m3u8", 200, "Origin: https://elsewhere.example")
    equal(stranger.fields.get("access-control-allow-origin"), None, "for another origin")


@probe({
    "gyre/users": USERS, "www/empty/.keep": b"", "www/example.org/index.html": b"apex\n",
    "www/example.org/private/index.html": b"private\n", "www/example.org/dump.sql": b"secret",
    "www/example.org/a/page.html~": b"old", "www/static/app.3f9ac1b2.js": SCRIPT,
    "www/static/a/b/x.bak": b"old", "www/preview/index.html": b"preview\n",
})
def hosts_have_sites_of_their_own(server):
    equal(status(server, "/", 200, host="example.org:8080").body, b"apex\n")
    field(server, "/", "referrer-policy", "strict-origin-when-cross-origin")
    redirect(server, "/a/b?c=d", 308, "https://example.org/a/b?c=d", host="www.example.org")
    redirect(server, "/", 308, "https://example.org/", host="www.example.org")
    status(server, "/private/", 401)
    equal(status(server, "/private/", 200, AS_ADA).body, b"private\n")
    script = status(server, "/app.3f9ac1b2.js", 200, "Origin: https://example.org",
                    host="static.example.org")
    equal(script.fields["access-control-allow-origin"], "https://example.org")
    equal(script.fields["cache-control"], A_YEAR)
    for target, host in (("/dump.sql", "example.org"), ("/a/page.html~", "example.org"),
                         ("/a/b/x.bak", "static.example.org"), ("/index.html", "10.0.0.1"),
                         ("/", "preview.example.org"), ("/", "elsewhere.example")):
        status(server, target, 404, host=host)
    for name in ("pr-17.preview.example.org", "a.b.preview.example.org"):
        field(server, "/", "x-robots-tag", "noindex", host=name)
        equal(status(server, "/", 200, host=name).body, b"preview\n", name)


@probe({
    "gyre/staff": USERS, "gyre/board": f"eve:{HASH}\n".encode(), "www/intranet/notes.txt": b"notes",
    "www/intranet/board/minutes.txt": b"minutes", "www/intranet/healthz": b"ok\n",
    "www/intranet/.well-known/acme-challenge/x": b"x", "www/intranet/a/server.key": b"secret",
    "www/intranet/a/plan.txt": b"plan",
})
def protected_is_for_those_with_a_password(server):
    refused = status(server, "/notes.txt", 401)
    contains(refused.fields["www-authenticate"], '^Basic realm="Intranet"')
    truth(b"notes" not in refused.body, "a refusal says nothing of the file")
    status(server, "/", 401)
    status(server, "/nowhere", 401)
    status(server, "/notes.txt", 401, "Authorization: Basic YWRhOndyb25n")
    field(server, "/notes.txt", "cache-control", "private, no-cache", AS_ADA)
    field(server, "/notes.txt", "x-robots-tag", "noindex, nofollow", AS_ADA)
    equal(listed(server, "/"), ["a", "board", "healthz", "notes.txt"], "what ada may see")
    equal(listed(server, "/a/"), ["plan.txt"], "what is not denied")
    contains(status(server, "/board/", 401, AS_ADA).fields["www-authenticate"], "Board")
    status(server, "/board/minutes.txt", 200, "Authorization: Basic ZXZlOmNvcnJlY3QgaG9yc2U=")
    for target in ("/healthz", "/.well-known/acme-challenge/x"):
        status(server, target, 200)
    status(server, "/a/server.key", 404, AS_ADA)


def listed(server, target):
    listing = status(server, target, 200, AS_ADA, "Accept: application/json")
    return [entry["name"] for entry in json.loads(listing.body)["entries"]]


# --- all of them ----------------------------------------------------------------------------------

def start(name, tree):
    """The example on a tree of its own; whatever it names is found there, and nothing else is."""
    folder = harness.make_tree(tree)
    for path in tree:  # at rest: of a file that changed just now, no validator is strong
        os.utime(os.path.join(folder, path), (AT_REST_S, AT_REST_S))
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        text = file.read()
    text = text.replace(ROOTS[0], f"{folder}/www/").replace(ROOTS[1], f"{folder}/gyre/")
    root = re.search(r"^root = (.*)$", text, re.MULTILINE)[1]  # of [server], which comes first
    return Server(root, ini=text)


def try_example(name):
    tree, function = PROBES[name]
    with start(name, tree) as server:
        function(server)


@test
def every_example_has_a_probe():
    equal(sorted(os.listdir(FOLDER)), sorted(PROBES), "files of conf/examples/")


@test
def every_example_is_accepted_as_it_is():
    for name in sorted(os.listdir(FOLDER)):
        result = harness.run_gyre("-c", os.path.join(FOLDER, name), "-t")
        equal((name, result.returncode, result.stderr), (name, 0, ""))


@test
def the_example_of_the_readme_is_accepted():
    with open(os.path.join(harness.REPOSITORY, "README.md"), encoding="utf-8") as file:
        [example] = re.findall(r"^```ini\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)
    path = os.path.join(harness.temporary_directory(), "site.ini")
    harness.write_file(path, example.encode())
    equal(harness.run_gyre("-c", path, "-t").returncode, 0, "exit status")


@test
def examples_name_no_other_places():
    for name in sorted(os.listdir(FOLDER)):
        with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
            for path in re.findall(r"^(?:root|auth) = (/.*)$", file.read(), re.MULTILINE):
                truth(path.startswith(ROOTS), f"{name}: {path}")


for example in PROBES:
    harness.add(PROBES[example][1].__name__, lambda name=example: try_example(name))

harness.main()
