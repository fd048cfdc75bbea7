"""What a site adds to its files, as clients take it: codings, an application's deep links, listings
and archives."""

import gzip
import io
import os
import re
import tarfile

import harness
from harness import Server, contains, equal, require, shared, test, truth
from programs import content_of, run, tree_of
from webdriver import Browser
from wire import ResponseHead

OLD_S = 1_600_000_000
CURL = ("-sS", "--noproxy", "*", "--max-time", "30")
CODINGS = {"br": ("brotli", ".br"), "zstd": ("zstd", ".zst"), "gzip": ("gzip", ".gz")}
TEXT = b"".join(b"/* rule %d of a sheet */ .c%d { color: red }\n" % (i, i) for i in range(3000))


def serve(ini, tree):
    """A server with these settings. Browsers ask for an icon wherever they are: it is there, and
    the console has nothing to say."""
    return Server(harness.make_tree({**tree, "favicon.ico": b""}), ini)


# --- codings --------------------------------------------------------------------------------------

def start_coded():
    """A file with a sibling for each coding, one without any, and what no coding makes smaller."""
    for program, _ in CODINGS.values():
        require(program)
    server = serve({"server.workers": "1"}, {  # each worker makes a coding for itself
        "sheet.css": TEXT, "alone.css": TEXT, "small.txt": b"small\n",
        "picture.png": harness.pattern_bytes(5000)})
    sheet = server.path("sheet.css")
    for program, suffix in CODINGS.values():
        harness.write_file(sheet + suffix, run(program, "-c", sheet))
    for name in os.listdir(server.root):
        os.utime(server.path(name), (OLD_S, OLD_S))
    return server


def curl(*arguments, **keywords):
    return run("curl", *CURL, *arguments, **keywords)


def fetch(name, *arguments):
    """(head, content as curl gives it)."""
    head_path = os.path.join(harness.temporary_directory(), "head")
    out = curl("-f", "-D", head_path, *arguments, f"{shared(start_coded).url}/{name}")
    return ResponseHead(content_of(head_path)), out


def await_coding(name, coding):
    """What has no sibling may be compressed while its first clients get it as it is."""
    with shared(start_coded).connect() as client:
        harness.wait_until(lambda: client.get(f"/{name}", fields=[f"Accept-Encoding: {coding}"])
                           .fields.get("content-encoding") == coding, f"{name} comes in {coding}")


@test
def curl_gets_each_coding_and_decodes_it_to_the_file():
    tags = set()
    for name in ("sheet.css", "alone.css"):
        for coding in CODINGS:
            await_coding(name, coding)
            accept = ("-H", f"Accept-Encoding: {coding}")
            head, raw = fetch(name, *accept)
            equal(head.fields.get("content-encoding"), coding, f"{name}: coding")
            equal(len(raw), head.length, f"{name} in {coding}: length")
            truth(len(raw) < len(TEXT) // 4, f"{name} in {coding}: {len(raw)} bytes")
            contains(head.fields.get("vary", ""), "Accept-Encoding", f"{name}: Vary")
            contains(head.fields["content-type"], "^text/css", f"{name}: type")
            tags.add(head.fields["etag"])
            truth(fetch(name, "--compressed", *accept)[1] == TEXT, f"{name} by {coding}: decoded")
    equal(len(tags), 2 * len(CODINGS), f"different tags, of {tags}")


@test
def the_bytes_of_a_sibling_are_sent_as_they_are():
    for coding, (_, suffix) in CODINGS.items():
        _, raw = fetch("sheet.css", "-H", f"Accept-Encoding: {coding}")
        truth(raw == content_of(shared(start_coded).path(f"sheet.css{suffix}")), coding)


@test
def curl_that_takes_all_codings_gets_one():
    for name in ("sheet.css", "alone.css"):
        await_coding(name, "br")
        head, out = fetch(name, "--compressed")
        truth(head.fields.get("content-encoding") in CODINGS, f"{name}: no coding")
        truth(out == TEXT, f"{name}: other bytes")


@test
def clients_that_name_no_coding_get_the_file():
    for name in ("sheet.css", "alone.css", "small.txt", "picture.png"):
        head, out = fetch(name)
        truth("content-encoding" not in head.fields, f"{name}: coded")
        truth(out == content_of(shared(start_coded).path(name)), f"{name}: other bytes")
    url = f"{shared(start_coded).url}/sheet.css"
    truth(run("wget", "-q", "-O", "-", url) == TEXT, "wget: other bytes")


@test
def what_no_coding_makes_smaller_is_sent_as_it_is():
    for name in ("picture.png", "small.txt"):
        head, out = fetch(name, "--compressed")
        truth("content-encoding" not in head.fields, f"{name}: coded")
        truth(out == content_of(shared(start_coded).path(name)), f"{name}: other bytes")


@test
def curl_keeps_a_coded_download_by_its_tag():
    folder = harness.temporary_directory()
    tag_path, path = f"{folder}/tag", f"{folder}/sheet.css"
    url = f"{shared(start_coded).url}/sheet.css"
    for status in (b"200", b"304", b"304"):
        equal(curl("-f", "--compressed", "--etag-save", tag_path, "--etag-compare", tag_path, "-o",
                   path, "-w", "%{http_code}", url), status, "status")
        truth(content_of(path) == TEXT, "other bytes than the file's")


@test
def curl_that_resumes_what_it_decodes_never_succeeds_with_other_bytes():
    """It asks for a range of the coded bytes, and cannot know how many of them it has had."""
    path = os.path.join(harness.temporary_directory(), "sheet.css")
    for name in ("sheet.css", "alone.css"):
        for coding in CODINGS:
            await_coding(name, coding)
            harness.write_file(path, TEXT[:5000])
            url = f"{shared(start_coded).url}/{name}"
            command = [*CURL, "-f", "--compressed", "-H", f"Accept-Encoding: {coding}", "-C", "-",
                       "-o", path, "-w", "%{exitcode}", url]
            code = run("curl", *command, status=None)
            truth(code != b"0" or content_of(path) == TEXT, f"{name} in {coding}: a mixed file")


@test
def chromium_gets_a_coding_and_reads_the_file():
    with Browser() as browser:
        for name in ("sheet.css", "alone.css"):
            await_coding(name, "gzip")
            browser.visit(f"{shared(start_coded).url}/small.txt")
            coding, text = browser.run(
                f"const reply = await fetch('/{name}', {{cache: 'no-store'}});"
                "return [reply.headers.get('Content-Encoding'), await reply.text()];")
            truth(coding in CODINGS, f"{name}: coding {coding}")
            truth(text == TEXT.decode(), f"{name}: other text")
        equal(browser.console(), [], "console")


# --- an application of one page -------------------------------------------------------------------

APPLICATION = b"""<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Application</title>
<link rel="icon" href="data:,"><script type="module" src="/app.mjs"></script><body></body></html>
"""
DEEP_LINKS = ("/", "/users/42", "/users/42/settings?tab=2#top", "/a/b/c/", "/%C3%BC")
ASK = """const reply = await fetch("%s", {headers: {Accept: "%s"}}); return reply.status;"""


def start_spa():
    return serve({"files.spa": "/index.html"}, {
        "index.html": APPLICATION, "real.html": b"<title>Real</title>\n",
        "app.mjs": b"document.body.textContent = 'app at ' + decodeURI(location.pathname);\n"})


@test
def a_deep_link_shows_the_application():
    with Browser() as browser:
        for link in DEEP_LINKS:
            browser.visit(shared(start_spa).url + link)
            path = re.sub("[?#].*", "", link).replace("%C3%BC", "ü")
            equal(browser.run("return document.body.textContent"), f"app at {path}", link)
        browser.call("POST", "/refresh")
        equal(browser.run("return document.body.textContent"), "app at /ü", "after a reload")
        browser.visit(shared(start_spa).url + "/real.html")
        equal(browser.run("return document.title"), "Real", "a page that is there")
        equal(browser.console(), [], "console")


@test
def what_the_application_lacks_is_missing():
    with Browser() as browser:
        browser.visit(shared(start_spa).url + "/users/42")
        equal(browser.run("return import('/missing.mjs').then(() => 'ran', error => error.name)"),
              "TypeError", "a missing module")
        for target, accept, status in (
                ("/missing.js", "*/*", 404), ("/style/missing.css", "text/css,*/*;q=0.1", 404),
                ("/missing.js", "text/html", 404), ("/api/users", "application/json", 404),
                ("/users/7", "text/html", 200)):
            equal(browser.run(ASK % (target, accept)), status, f"{target} for {accept}")
        for line in browser.console():
            contains(line, "404", "what is on the console")


# --- listings -------------------------------------------------------------------------------------

ODD_NAMES = ["a&b.txt", "<i>x.txt", "grüße.txt", 'say "hi".txt', "100%.txt", "question?.txt",
             "hash#.txt", "javascript:alert(1).txt", "with space.txt", "'single'.txt"]
LINKS = "return [...document.links].map(link => link.href);"
BACKGROUND = """
const colours = [document.body, document.documentElement].map(element =>
    getComputedStyle(element).backgroundColor).filter(colour => !colour.endsWith(", 0)"));
return (colours[0] || getComputedStyle(document.documentElement).colorScheme);
"""


def start_listing():
    tree = {f"odd/{name}": f"content of {name}\n".encode() for name in ODD_NAMES}
    return serve({"files.listing": "on"}, {
        **tree, "odd/sub/deep.txt": b"deep\n", "odd/big.txt": harness.pattern_bytes(200_000),
        "index.html": b"<title>Home</title>\n"})


def small_files(links):
    return {link for link in links if link.endswith(".txt") and not link.endswith("big.txt")}


@test
def every_link_of_a_listing_leads_to_its_file():
    with Browser() as browser:
        browser.visit(shared(start_listing).url + "/odd/")
        shown, links = browser.run("return document.body.innerText"), browser.run(LINKS)
        for name in ODD_NAMES:
            truth(name in shown, f"{name} is not shown")
        found = set()
        for link in small_files(links):
            browser.visit(link)
            found.add(browser.run("return document.body.innerText").strip())
        equal(found, {f"content of {name}" for name in ODD_NAMES}, "what the links lead to")
        for link in (link for link in links if "sort=" in link and "format=" not in link):
            browser.visit(link)
            equal(small_files(browser.run(LINKS)), small_files(links), f"the files, by {link}")
        equal(browser.console(), [], "console")


@test
def a_visitor_goes_down_and_up():
    url = shared(start_listing).url + "/odd/"
    with Browser() as browser:
        browser.visit(url)
        browser.visit(next(link for link in browser.run(LINKS) if link.endswith("/odd/sub/")))
        links = browser.run(LINKS)
        truth(f"{url}sub/deep.txt" in links, f"deep.txt is not among {links}")
        truth(url in links, f"no way up among {links}")
        equal(browser.console(), [], "console")


@test
def a_listing_is_light_or_dark_as_its_visitor_likes():
    folder = harness.temporary_directory()
    pictures, colours = {}, {}
    with Browser() as browser:
        for scheme in ("light", "dark"):
            browser.prefer(scheme)
            browser.visit(shared(start_listing).url + "/odd/")
            colours[scheme] = browser.run(BACKGROUND)
            pictures[scheme] = browser.screenshot()
            harness.write_file(os.path.join(folder, f"{scheme}.png"), pictures[scheme])
            truth(len(pictures[scheme]) > 5000, f"{scheme}: the picture shows nothing")
        equal(browser.console(), [], "console, violations of the policy among it")
    truth(pictures["light"] != pictures["dark"], f"one picture for both; colours: {colours}")


# --- archives -------------------------------------------------------------------------------------

ARCHIVED = {"top.txt": b"top\n", "empty.txt": b"", "large.bin": harness.pattern_bytes(3 << 20),
            "sub/grüße.txt": b"greetings\n", f"sub/{'n' * 200}.txt": b"long\n",
            f"{'d' * 120}/{'e' * 120}/deep.txt": b"deep\n", "sub/a b&c.txt": b"odd\n"}


def start_archive():
    server = serve({"files.archive": "on"}, {f"dir/{name}": content
                                             for name, content in ARCHIVED.items()})
    os.makedirs(server.path("dir/hollow"))
    os.utime(server.path("dir/top.txt"), (OLD_S, OLD_S))
    return server


def archive():
    return curl("-f", f"{shared(start_archive).url}/dir/?format=tar")


def without_top(names):
    """All is below one folder, so that nobody's working directory is strewn."""
    tops = {name.partition("/")[0] for name in names}
    equal(len(tops), 1, f"top folders, {tops}")
    return tops.pop()


@test
def gnu_tar_extracts_the_tree():
    folder = harness.temporary_directory()
    path = os.path.join(folder, "dir.tar")
    harness.write_file(path, archive())
    out = os.path.join(folder, "out")
    os.mkdir(out)
    run("tar", "-x", "-f", path, "-C", out)
    top = os.path.join(out, without_top(os.listdir(out)))
    truth(tree_of(top) == ARCHIVED, f"another tree: {sorted(tree_of(top))}")
    truth(os.path.isdir(f"{top}/hollow"), "no empty folder")
    equal(int(os.stat(f"{top}/top.txt").st_mtime), OLD_S, "time of a file")


@test
def python_reads_the_tree():
    with tarfile.open(fileobj=io.BytesIO(archive()), errorlevel=2) as tar:
        members = tar.getmembers()
        top = without_top([member.name for member in members])
        found = {member.name.removeprefix(f"{top}/"): tar.extractfile(member).read()
                 for member in members if member.isfile()}
        truth(all(member.isfile() or member.isdir() for member in members), "of another kind")
    truth(found == ARCHIVED, f"another tree: {sorted(found)}")


@test
def an_archive_streams_into_gzip_and_back():
    """As people keep one: curl URL | gzip > FILE; tar -xz."""
    folder = harness.temporary_directory()
    harness.write_file(f"{folder}/dir.tar.gz", gzip.compress(archive(), 1))
    names = run("tar", "-t", "-z", "-f", f"{folder}/dir.tar.gz").decode()
    truth(len(names.splitlines()) >= len(ARCHIVED), names)


@test
def a_browser_offers_an_archive_as_a_download():
    url = f"{shared(start_archive).url}/dir/?format=tar"
    head = curl("-f", "-o", "/dev/null", "-D", "-", url).decode()
    contains(head, "\r\ncontent-type: application/x-tar\r\n")
    contains(head, '\r\ncontent-disposition: attachment; filename="?dir\\.tar')


if __name__ == "__main__":
    harness.main()
