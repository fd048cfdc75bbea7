"""Siblings that are not used: too old, too large, no regular files, out of reach. They are never an
error."""

import contextlib
import multiprocessing
import os
import socket
import time

import harness
from coded import MODIFIED_S, SUFFIXES, ask, assert_coded, coding_of, date_tree, sibling_text
from harness import Server, add, equal, one_of, replace_file, test, truth

BODY = b"0123456789abcdef" * 100
SIBLING = sibling_text("br", "file")
NAME_BYTES_MAX = 255
MODIFIED_NS = MODIFIED_S * 10**9
# Nothing is made of such a file: that the answer varies would mean that a sibling is known.
SUFFIX = ".png"


def start():
    return Server(harness.temporary_directory(), {"workers": 1})


def make_file(name, sibling=None, modified_ns=MODIFIED_NS, suffix=".br"):
    """The file, and if given, the bytes of its sibling; the path of the latter."""
    path = harness.shared(start).path(name + SUFFIX)
    harness.write_file(path, BODY)
    os.utime(path, (MODIFIED_S, MODIFIED_S))
    if sibling is not None:
        harness.write_file(path + suffix, sibling)
        os.utime(path + suffix, ns=(modified_ns, modified_ns))
    return path + suffix


def assert_unused(name, what):
    for accept in ("br", "br, gzip;q=0.5", "*", "identity;q=0.1, br"):
        response = ask(harness.shared(start), f"/{name}{SUFFIX}", accept)
        assert_coded(response, None, BODY, f"{what}, {accept}")
        equal(response.fields.get("vary"), None, f"{what}: Vary")
    response = ask(harness.shared(start), f"/{name}{SUFFIX}", "identity;q=0, br")
    equal(response.status, 406, f"{what}, and nothing else will do")


def assert_used(name, body, what):
    assert_coded(ask(harness.shared(start), f"/{name}{SUFFIX}", "br"), "br", body, what)


# --- times and sizes ------------------------------------------------------------------------------

@test
def one_that_is_older_by_a_nanosecond_is_not_used_and_one_as_old_is():
    for delta_ns, is_used in ((-10**9, False), (-1, False), (0, True), (1, True), (10**9, True)):
        name = f"age{delta_ns}"
        make_file(name, SIBLING, MODIFIED_NS + delta_ns)
        if is_used:
            assert_used(name, SIBLING, name)
        else:
            assert_unused(name, name)


@test
def one_that_has_the_files_time_in_whole_seconds_is_used_if_it_was_written_since():
    """As brotli(1) leaves it. The time of change cannot be set: a file dated after it is newer."""
    for name, offset_s, is_used in (("whole", -1000, True), ("ahead", 1000, False)):
        moment_s = int(time.time()) + offset_s
        sibling_path = make_file(name, SIBLING, moment_s * 10**9)
        file_path = sibling_path.removesuffix(".br")
        os.utime(file_path, ns=(moment_s * 10**9 + 5, moment_s * 10**9 + 5))
        if is_used:
            assert_used(name, SIBLING, name)
        else:
            assert_unused(name, name)


@test
def one_that_is_as_large_as_the_file_is_not_used_and_a_byte_less_is():
    for delta, is_used in ((1 - len(BODY), True), (-1, True), (0, False), (1, False)):
        name = f"size{delta}"
        body = sibling_text("br", name, len(BODY) + delta)
        make_file(name, body)
        if is_used:
            assert_used(name, body, name)
        else:
            assert_unused(name, name)


@test
def one_that_is_still_empty_is_not_used():
    make_file("begun", b"")
    assert_unused("begun", "an empty sibling")


@test
def an_empty_one_of_an_empty_file_is_not_used():
    path = harness.shared(start).path("empty" + SUFFIX)
    for name in (path, path + ".br"):
        harness.write_file(name, b"")
    assert_coded(ask(harness.shared(start), "/empty" + SUFFIX, "br"), None, b"", "an empty file")


# --- what is no regular file ----------------------------------------------------------------------

def bind_socket(path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)


def link_to(target):
    return lambda path: os.symlink(target, path)


OUTSIDE = harness.make_tree({"secret": SIBLING})
ODD = {"a_directory": os.mkdir, "a_fifo": os.mkfifo, "a_socket": bind_socket,
       "a_link_to_nothing": link_to("nowhere"), "a_link_to_a_fifo": link_to(f"a_fifo{SUFFIX}.br"),
       "a_link_to_a_directory": link_to("."), "a_link_out_of_the_root": link_to("../" * 9 + OUTSIDE
                                                                                 + "/secret"),
       "an_absolute_link": link_to(OUTSIDE + "/secret")}


def add_odd(name, make):
    def run():
        for suffix in SUFFIXES.values():
            make(make_file(name, suffix=suffix))
            if name == "a_link_to_a_fifo":
                harness.write_file(harness.shared(start).path("fifo"), b"")
        for coding in SUFFIXES:
            response = ask(harness.shared(start), f"/{name}{SUFFIX}", coding)
            assert_coded(response, None, BODY, f"{coding} of {name}")
        assert_unused(name, name)
    add(f"{name}_is_not_used", run)


for row in ODD.items():
    add_odd(*row)


@test
def a_link_to_itself_is_not_used():
    path = make_file("loop")
    os.symlink(os.path.basename(path), path)
    assert_unused("loop", "a loop")


@test
def a_link_within_the_root_is_used_where_links_are_followed():
    path = make_file("linked")
    harness.write_file(harness.shared(start).path("store"), SIBLING)
    os.symlink("store", path)
    assert_used("linked", SIBLING, "a link to a file")
    with Server(harness.shared(start).root, {"symlinks": "none"}) as server:
        response = ask(server, "/linked" + SUFFIX, "br")
        assert_coded(response, None, BODY, "symlinks = none")


@test
def names_too_long_for_a_suffix_have_none():
    for size in range(NAME_BYTES_MAX - 4, NAME_BYTES_MAX + 1):
        name = "n" * (size - len(SUFFIX))
        fits = size + len(".br") <= NAME_BYTES_MAX
        make_file(name, SIBLING if fits else None)
        if fits:
            assert_used(name, SIBLING, f"{size} bytes")
        else:
            assert_unused(name, f"{size} bytes")


# --- what cannot be read --------------------------------------------------------------------------

def start_unprivileged():
    tree = {"one.png": BODY, "one.png.br": SIBLING, "two.png": BODY, "two.png.br": SIBLING,
            "two.png.gz": sibling_text("gzip", "two.png"), "dir/index.html": BODY,
            "dir/index.html.br": SIBLING}
    root = date_tree(harness.make_tree(tree))
    for name in ("one.png.br", "two.png.br", "dir/index.html.br"):
        os.chmod(os.path.join(root, name), 0)
    user = harness.ordinary_user()
    return Server(root, {"workers": 1, "compress.compress": "off"}, user=user)


@test
def one_that_may_not_be_read_is_not_used():
    server = harness.shared(start_unprivileged)
    for _ in range(3):
        for target in ("/one.png", "/two.png", "/dir/"):
            for method in ("GET", "HEAD"):
                response = ask(server, target, "br, *;q=0, identity;q=0.1", method=method)
                equal((response.status, coding_of(response)), (200, None), target)
                equal(response.fields.get("vary"), "Accept-Encoding", target)


@test
def the_next_best_coding_stands_in_for_one_that_may_not_be_read():
    response = ask(harness.shared(start_unprivileged), "/two.png", "br, gzip;q=0.5")
    assert_coded(response, "gzip", sibling_text("gzip", "two.png"), "/two.png")


@test
def where_nothing_but_what_may_not_be_read_is_wanted_the_answer_is_406():
    with harness.shared(start_unprivileged).connect() as client:
        response = ask(client, "/one.png", "br, identity;q=0")
        equal((response.status, response.fields.get("vary")), (406, "Accept-Encoding"))
        client.assert_open("/one.png")


@test
def one_that_may_be_read_again_is_used():
    server = harness.shared(start_unprivileged)
    path = server.path("one.png.br")
    for _ in range(5):
        os.chmod(path, 0o644)
        assert_coded(ask(server, "/one.png", "br"), "br", SIBLING, "after chmod 644")
        os.chmod(path, 0)
        assert_coded(ask(server, "/one.png", "br"), None, BODY, "after chmod 000")


# --- what changes all the time --------------------------------------------------------------------

@contextlib.contextmanager
def beside(change, path):
    """Another process changes the file again and again."""
    process = multiprocessing.get_context("fork").Process(target=change, args=(path,), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def write_forever(path):
    with open(path, "r+b", buffering=0) as file:
        while True:
            file.seek(0)
            file.write(SIBLING)


def replace_forever(path):
    while True:
        replace_file(path, SIBLING)


def delete_forever(path):
    while True:
        os.unlink(path)
        harness.write_file(path, SIBLING)


def grow_forever(path):
    while True:
        harness.write_file(path, SIBLING)
        harness.write_file(path, BODY + SIBLING)


def add_restless(change, bodies):
    """bodies: of the sibling, at the moments at which it may be looked at."""
    def run():
        name = change.__name__
        path = make_file(name, SIBLING)
        with beside(change, path), harness.shared(start).connect() as client:
            for i in range(1000):
                response = ask(client, f"/{name}{SUFFIX}", "br")
                equal(response.status, 200, f"request {i}")
                one_of(coding_of(response), ("br", None), f"request {i}")
                truth(response.body in (bodies if coding_of(response) else (BODY,)),
                      f"request {i}: {response.body[:40]!r}, {len(response.body)} bytes")
    add(f"one_that_others_{change.__name__}_is_never_an_error", run)


add_restless(write_forever, (SIBLING,))
add_restless(replace_forever, (SIBLING,))
add_restless(delete_forever, (SIBLING,))
add_restless(grow_forever, (SIBLING,))


if __name__ == "__main__":
    harness.main()
