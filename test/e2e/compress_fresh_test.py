"""What the server has coded, when the file changes: the new bytes at once, never the old ones."""

import functools
import os

import harness
from coded import (ask, assert_coded, coding_of, date_after, decode, sibling_text, wait_for_coding,
                   wait_until_strong)
from harness import equal, one_of, replace_file, truth, write_file
from watched import ConnectedServer, edit_file

COUNT = 30
SIZE = 5000
LARGE = 3_000_000  # takes long enough to be changed meanwhile
LARGE_COUNT = 6
HAMMER_COUNT = 150
WAYS = {"with_a_watch": {"workers": 1, "cache.revalidate": "1h"},
        "without_a_watch": {"workers": 1, "cache.watch": "off", "cache.revalidate": "1h"},
        "with_two_workers": {"workers": 2, "cache.revalidate": "1h"}}
FOLDERS = {"replaced": (COUNT, SIZE), "edited": (COUNT, SIZE), "backdated": (COUNT, SIZE),
           "rolled_back": (COUNT, SIZE), "with_sibling": (COUNT, SIZE), "deleted": (COUNT, SIZE),
           "hammered": (1, SIZE), "busy": (LARGE_COUNT, LARGE)}


def text_of(i, size=SIZE):
    line = b"version %06d has words that say so\n" % i
    return (line * (size // len(line) + 1))[:size]


def start(way):
    tree = {f"{folder}/{i}.js": text_of(0, size) for folder, (count, size) in FOLDERS.items()
            for i in range(count)}
    server = ConnectedServer(harness.make_tree(tree | {"last.txt": b"last\n"}), WAYS[way])
    server.clients = [server.connect() for _ in range(WAYS[way]["workers"] * 2)]
    return server


STARTS = {way: functools.partial(start, way) for way in WAYS}


def changes(folder):
    """The function gets the server, and for each file of the folder its number, target and path;
    all of them lie coded in the cache, of version 0."""
    def register(function):
        def run(way):
            server = harness.shared(STARTS[way])
            wait_until_strong(server, "/last.txt")
            count, size = FOLDERS[folder]
            targets = [f"/{folder}/{i}.js" for i in range(count)]
            for client in server.clients if size < LARGE else ():
                for target in targets:
                    ask(client, target, "gzip")
                for target in targets:
                    wait_for_coding(client, target, "gzip")
            for i, target in enumerate(targets):
                function(server, i, target, server.path(target[1:]))
        for way in WAYS:
            harness.add(f"{function.__name__}_{way}", functools.partial(run, way))
        return function
    return register


def expect(server, target, body, when):
    """On each connection: as the file, and coded for who will have nothing else."""
    for accept in ("gzip", "identity;q=0, gzip", "br, gzip"):
        for client in server.clients:
            response = ask(client, target, accept)
            equal(response.status, 200, f"{target} {when}, {accept}")
            one_of(coding_of(response), (None, "gzip", "br"), f"{target} {when}")
            got = decode(coding_of(response), response.body)
            truth(got == body, f"{target} {when}, {accept}: expected {body[:40]!r}, got "
                  f"{got[:40]!r} in {coding_of(response)}")


@changes("replaced")
def a_file_replaced_by_rename_is_seen(server, i, target, path):
    replace_file(path, text_of(i + 1, SIZE + i))
    expect(server, target, text_of(i + 1, SIZE + i), "after the rename")


@changes("edited")
def a_file_edited_in_place_is_seen(server, i, target, path):
    edit_file(path, text_of(i + 1))
    expect(server, target, text_of(i + 1), "after the edit")


@changes("backdated")
def an_edit_whose_date_was_put_back_is_seen(server, i, target, path):
    status = os.stat(path)
    edit_file(path, text_of(i + 1))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    expect(server, target, text_of(i + 1), "after the edit")


@changes("rolled_back")
def an_older_file_put_in_the_place_is_seen(server, i, target, path):
    write_file(path + "~", text_of(i + 1))
    os.utime(path + "~", (1_500_000_000, 1_500_000_000))
    os.rename(path + "~", path)
    expect(server, target, text_of(i + 1), "after the roll-back")


@changes("with_sibling")
def a_sibling_takes_the_place_of_what_was_made_and_gives_it_back(server, i, target, path):
    write_file(path + ".gz", sibling_text("gzip", target))
    for client in server.clients:
        assert_coded(ask(client, target, "br, gzip"), "gzip", sibling_text("gzip", target),
                     "with a sibling")
    os.unlink(path + ".gz")
    expect(server, target, text_of(0), "without it")
    write_file(path + ".gz", sibling_text("gzip", target))
    date_after(path + ".gz", path)
    edit_file(path, text_of(i + 1))
    expect(server, target, text_of(i + 1), "edited, with an old sibling")


@changes("deleted")
def a_deleted_file_is_missing_in_every_coding(server, i, target, path):
    os.unlink(path)
    for client in server.clients:
        for accept in ("gzip", "identity;q=0, gzip", None):
            equal(ask(client, target, accept).status, 404, f"{target}, {accept}")
    write_file(path, text_of(i + 1))
    expect(server, target, text_of(i + 1), "made again")


@changes("hammered")
def an_edit_and_a_request_in_turn_always_agree(server, _, target, path):
    for k in range(1, HAMMER_COUNT):
        (edit_file, replace_file)[k % 2](path, text_of(k))
        expect(server, target, text_of(k), f"after change {k}")
        if k % (HAMMER_COUNT // 2) == 0:
            wait_for_coding(server.clients[0], target, "gzip")


@changes("busy")
def a_file_changed_while_it_is_coded_comes_coded_as_it_is_now(server, i, target, path):
    client = server.clients[0]
    for coding in ("br", "zstd"):
        assert_coded(ask(client, target, coding), None, text_of(0, LARGE), "at first")
    (edit_file, replace_file)[i % 2](path, text_of(i + 1, LARGE))
    for coding in ("br", "gzip", "zstd"):
        response = ask(client, target, coding)
        truth(decode(coding_of(response), response.body) == text_of(i + 1, LARGE),
              f"{target} in {coding} at once")
    if i + 1 < LARGE_COUNT:
        return
    for k in range(LARGE_COUNT):
        response = wait_for_coding(client, f"/busy/{k}.js", "gzip")
        truth(decode("gzip", response.body) == text_of(k + 1, LARGE), f"{k} once it is coded")


if __name__ == "__main__":
    harness.main()
