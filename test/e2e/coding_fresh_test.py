"""Siblings that come, go and change: the very next request sees it.

As in watch_test.py, `revalidate` is an hour where there is a watch, and all trees of the file are
made first and rest together, so that what is asked for comes from the cache until it changes.
"""

import functools
import os
import shutil

import harness
from coded import SUFFIXES, ask, assert_coded, date_after, sibling_text, wait_until_strong
from harness import equal, replace_file, write_file
from watched import ConnectedServer, edit_file

WAYS = {"with_a_watch": {"cache.revalidate": "1h"},
        "without_a_watch": {"cache.revalidate": "1h", "cache.watch": "off"},
        "without_a_cache": {"cache": "off"}}
COUNT = 40
SIZE = 2000
SCENARIOS = []


class Site:
    """One server and its tree; `settings` keep it from coding by itself."""

    def __init__(self, settings):
        self.root = harness.temporary_directory()
        self.targets = {}
        for scenario in SCENARIOS:
            folder = self.path(scenario.__name__)
            os.mkdir(folder)
            scenario.prepare(folder)
        self.server = ConnectedServer(self.root, {
            "compress.compress": "off", "workers": 1, **settings,
            "path /**_behind_a_link_*/**.try": "$uri $uri.html"})
        self.client = self.server.connect()
        self.server.clients = [self.client]
        self.settled = False

    def path(self, name):
        return os.path.join(self.root, name)

    def settle(self):
        """The youngest is the last."""
        if not self.settled:
            write_file(self.path("last.txt"), b"last\n")
            wait_until_strong(self.client, "/last.txt")
            self.settled = True

    def expect(self, target, body, when, coding="br"):
        """Twice: as the first to ask, and from what that put in the cache."""
        for _ in range(2):
            assert_coded(ask(self.client, target, coding or "br"), coding, body,
                         f"{target} {when}")


def start(way):
    return Site(WAYS[way])


STARTS = {way: functools.partial(start, way) for way in WAYS}


class Sites(dict):
    def __missing__(self, way):
        self[way] = STARTS[way]()
        harness.SHARED[way] = self[way].server
        return self[way]


SITES = Sites()


def scenario(prepare):
    """The function gets the site, the path of its folder, and where that begins as a target."""
    def register(function):
        function.prepare = prepare
        SCENARIOS.append(function)
        for way in WAYS:
            harness.add(f"{function.__name__}_{way}", functools.partial(run, function, way))
        return function
    return register


def run(function, way):
    site = SITES[way]
    site.settle()
    function(site, site.path(function.__name__), f"/{function.__name__}")


def text_of(i, size=SIZE):
    line = b"version %06d\n" % i
    return (line * (size // len(line) + 1))[:size]


def coded_text(i, size=400, coding="br"):
    return sibling_text(coding, f"version {i:06}", size)


def pairs(name="{}.txt", codings=("br",)):
    """Files with siblings, COUNT of them."""
    def prepare(folder):
        names = [name.format(i) for i in range(COUNT)]
        harness.make_tree({item: text_of(0) for item in names}, folder)
        harness.make_tree({item + SUFFIXES[coding]: coded_text(0, coding=coding)
                           for item in names for coding in codings}, folder)
    return prepare


# --- siblings -------------------------------------------------------------------------------------

@scenario(pairs(codings=()))
def a_sibling_that_appears_is_seen(site, folder, base):
    for i in range(COUNT):
        site.expect(f"{base}/{i}.txt", text_of(0), "without a sibling", None)
        (write_file, replace_file)[i % 2](f"{folder}/{i}.txt.br", coded_text(i))
        site.expect(f"{base}/{i}.txt", coded_text(i), "with one")


@scenario(pairs(codings=("br", "gzip")))
def a_sibling_that_vanishes_is_seen(site, folder, base):
    for i in range(COUNT):
        target = f"{base}/{i}.txt"
        for coding in ("br", "gzip"):
            site.expect(target, coded_text(0, coding=coding), "with siblings", coding)
            os.unlink(f"{folder}/{i}.txt{SUFFIXES[coding]}")
            site.expect(target, text_of(0), f"without that of {coding}", None)


@scenario(pairs())
def a_sibling_replaced_by_rename_is_seen(site, folder, base):
    for i in range(COUNT):
        site.expect(f"{base}/{i}.txt", coded_text(0), "at first")
        for k in range(1, 4):
            replace_file(f"{folder}/{i}.txt.br", coded_text(k, 400 + k * i))
            site.expect(f"{base}/{i}.txt", coded_text(k, 400 + k * i), f"after rename {k}")


@scenario(pairs())
def a_sibling_edited_in_place_is_seen(site, folder, base):
    for i in range(COUNT):
        site.expect(f"{base}/{i}.txt", coded_text(0), "at first")
        for k in range(1, 4):
            edit_file(f"{folder}/{i}.txt.br", coded_text(k))
            site.expect(f"{base}/{i}.txt", coded_text(k), f"after edit {k}")


@scenario(pairs(codings=("br", "gzip")))
def siblings_of_a_file_that_was_replaced_are_not_used_until_they_are_made_again(site, folder, base):
    for i in range(COUNT):
        target, path = f"{base}/{i}.txt", f"{folder}/{i}.txt"
        site.expect(target, coded_text(0), "at first")
        (replace_file, edit_file)[i % 2](path, text_of(i + 1))
        for coding in ("br", "gzip"):
            assert_coded(ask(site.client, target, coding), None, text_of(i + 1), "the new file")
        replace_file(path + ".gz", coded_text(i + 1, coding="gzip"))
        site.expect(target, coded_text(i + 1, coding="gzip"), "with a new sibling", "gzip")
        site.expect(target, text_of(i + 1), "with an old one", None)
        edit_file(path + ".br", coded_text(i + 1))
        site.expect(target, coded_text(i + 1), "with both new")


@scenario(pairs())
def a_new_file_comes_at_once_to_those_who_know_its_old_coding(site, folder, base):
    for i in range(COUNT):
        target = f"{base}/{i}.txt"
        tag = ask(site.client, target, "br").fields["etag"]
        equal(ask(site.client, target, "br", f"If-None-Match: {tag}").status, 304, target)
        replace_file(f"{folder}/{i}.txt", text_of(i + 1))
        response = ask(site.client, target, "br", f"If-None-Match: {tag}")
        assert_coded(response, None, text_of(i + 1), "with the old tag")


@scenario(pairs())
def a_sibling_whose_date_alone_changes_is_seen(site, folder, base):
    for i in range(COUNT):
        path = f"{folder}/{i}.txt"
        before_ns = os.stat(path).st_mtime_ns - 1
        for _ in range(3):
            site.expect(f"{base}/{i}.txt", coded_text(0), "as old as the file")
            os.utime(path + ".br", ns=(before_ns, before_ns))
            site.expect(f"{base}/{i}.txt", text_of(0), "older", None)
            os.utime(path + ".br", ns=(before_ns + 1, before_ns + 1))


@scenario(pairs())
def a_file_whose_date_alone_changes_is_seen(site, folder, base):
    for i in range(COUNT):
        path = f"{folder}/{i}.txt"
        sibling_ns = os.stat(path + ".br").st_mtime_ns
        for _ in range(3):
            os.utime(path, ns=(sibling_ns, sibling_ns))
            site.expect(f"{base}/{i}.txt", coded_text(0), "as old as its sibling")
            os.utime(path, ns=(sibling_ns + 1, sibling_ns + 1))
            site.expect(f"{base}/{i}.txt", text_of(0), "younger", None)


@scenario(pairs())
def a_sibling_that_outgrows_the_file_is_seen(site, folder, base):
    for i in range(COUNT):
        site.expect(f"{base}/{i}.txt", coded_text(0), "at first")
        write_file(f"{folder}/{i}.txt.br", coded_text(1, SIZE))
        site.expect(f"{base}/{i}.txt", text_of(0), "as large as the file", None)
        write_file(f"{folder}/{i}.txt.br", coded_text(1, SIZE - 1))
        site.expect(f"{base}/{i}.txt", coded_text(1, SIZE - 1), "smaller again")


@scenario(pairs())
def a_sibling_that_becomes_a_directory_is_seen(site, folder, base):
    for i in range(COUNT):
        path = f"{folder}/{i}.txt.br"
        site.expect(f"{base}/{i}.txt", coded_text(0), "at first")
        os.unlink(path)
        os.mkdir(path)
        site.expect(f"{base}/{i}.txt", text_of(0), "with a directory", None)
        os.rmdir(path)
        write_file(path, coded_text(1))
        site.expect(f"{base}/{i}.txt", coded_text(1), "with a file again")


# --- links ----------------------------------------------------------------------------------------

def linked_siblings(folder):
    """The files lie here, what is made of them in a store."""
    pairs(codings=())(folder)
    harness.make_tree({f"store/{i}": coded_text(0) for i in range(COUNT)}, folder)
    for i in range(COUNT):
        os.symlink(f"store/{i}", f"{folder}/{i}.txt.br")


@scenario(linked_siblings)
def an_edit_of_what_a_linked_sibling_leads_to_is_seen(site, folder, base):
    for i in range(COUNT):
        site.expect(f"{base}/{i}.txt", coded_text(0), "at first")
        for k in range(1, 4):
            (edit_file, replace_file)[k % 2](f"{folder}/store/{i}", coded_text(k))
            site.expect(f"{base}/{i}.txt", coded_text(k), f"after change {k}")


@scenario(linked_siblings)
def what_a_linked_sibling_leads_to_may_come_and_go(site, folder, base):
    for i in range(COUNT):
        site.expect(f"{base}/{i}.txt", coded_text(0), "at first")
        os.unlink(f"{folder}/store/{i}")
        site.expect(f"{base}/{i}.txt", text_of(0), "led nowhere", None)
        write_file(f"{folder}/store/{i}", coded_text(1))
        site.expect(f"{base}/{i}.txt", coded_text(1), "leads somewhere")


def linked_places(folder):
    """What is tried first is a link that leads nowhere."""
    pairs("{}.html")(folder)
    os.mkdir(f"{folder}/store")
    for i in range(COUNT):
        os.symlink(f"store/{i}", f"{folder}/{i}")


@scenario(linked_places)
def what_is_tried_first_behind_a_link_may_come_and_go(site, folder, base):
    for i in range(COUNT):
        site.expect(f"{base}/{i}", coded_text(0), "led nowhere")
        write_file(f"{folder}/store/{i}", text_of(i + 1))
        site.expect(f"{base}/{i}", text_of(i + 1), "leads somewhere", None)
        os.unlink(f"{folder}/store/{i}")
        site.expect(f"{base}/{i}", coded_text(0), "leads nowhere again")


# --- directories ----------------------------------------------------------------------------------

@scenario(pairs("{}/index.html"))
def siblings_of_an_index_are_seen(site, folder, base):
    for i in range(COUNT):
        target, path = f"{base}/{i}/", f"{folder}/{i}/index.html"
        site.expect(target, coded_text(0), "at first")
        edit_file(path + ".br", coded_text(i + 1))
        date_after(path + ".br", path)
        site.expect(target, coded_text(i + 1), "after the edit")
        replace_file(path, text_of(i + 1))
        site.expect(target, text_of(i + 1), "with an old sibling", None)
        replace_file(path + ".br", coded_text(i + 2))
        site.expect(target, coded_text(i + 2), "with a new one")


def releases(folder):
    for i, name in enumerate(("live", "next")):
        harness.make_tree({f"{name}/app.js": text_of(i)}, folder)
        harness.make_tree({f"{name}/app.js.br": coded_text(i)}, folder)


@scenario(releases)
def a_release_swapped_for_another_is_seen(site, folder, base):
    for i in range(COUNT):
        os.rename(f"{folder}/live", f"{folder}/last")
        os.rename(f"{folder}/next", f"{folder}/live")
        site.expect(f"{base}/live/app.js", coded_text((i + 1) % 2), f"after swap {i}")
        os.rename(f"{folder}/last", f"{folder}/next")


@scenario(pairs("{}/app.js"))
def a_file_deleted_is_missing_with_its_siblings_still_there(site, folder, base):
    for i in range(COUNT):
        target = f"{base}/{i}/app.js"
        site.expect(target, coded_text(0), "at first")
        os.unlink(f"{folder}/{i}/app.js")
        equal(ask(site.client, target, "br").status, 404, "deleted")
        write_file(f"{folder}/{i}/app.js", text_of(1))
        site.expect(target, text_of(1), "made again, with an old sibling", None)
        shutil.rmtree(f"{folder}/{i}")
        equal(ask(site.client, target, "br").status, 404, "the directory deleted")


if __name__ == "__main__":
    harness.main()
