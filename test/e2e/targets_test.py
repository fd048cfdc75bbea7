"""Targets: decoded once, never above the root, nothing but regular files, links as configured."""

import os
import socket

import harness
from harness import Server, Skip, equal, one_of, test, truth
from wire import request_bytes

SECRET = b"outside the root\n"
ODD_NAMES = ("with space.txt", "100%.txt", "%41.txt", "a+b.txt", "a&b=c;d.txt", "q?mark.txt",
             "hash#.txt", "back\\slash.txt", "quote\"'.txt", "<tag>.txt", "grüße.txt", "日本語.txt",
             "🎈.txt", "semi;colon.txt", "tilde~.txt", "[brackets].txt", "co:lon.txt", "tab\t.txt",
             "new\nline.txt", "{curly}|^`.txt", "@at!$'()*,.txt", "trailing ", "  ", "..dots",
             "dots..", "...")


def start():
    top = harness.temporary_directory()
    root = os.path.join(top, "root")
    tree = {name: os.fsencode(name) for name in ODD_NAMES if not name.startswith(".")}
    tree |= {
        "hello.txt": b"hello\n", "index.html": b"index\n", "dir/index.html": b"dir\n",
        "dir/file.txt": b"file\n", "dir/sub/x.txt": b"x\n", "empty/keep/x": b"", "a": b"a\n",
        ".hidden": b"no", ".git/config": b"no", "dir/.hidden": b"no", "dir/.well-known/x": b"no",
        ".well-known/acme/token": b"token\n", ".well-known/.hidden": b"no", "n" * 255: b"long\n",
        b"latin1-\xe9.txt": b"latin1\n", "closed.txt": b"closed\n", "closed/x.txt": b"closed\n",
    }
    harness.make_tree(tree, root)
    harness.make_tree({"secret.txt": SECRET, "root-evil/x.txt": SECRET, "tree/x.txt": SECRET}, top)
    make_links(top, root)
    os.mkfifo(os.path.join(root, "fifo"))
    os.mkfifo(os.path.join(root, "fifo.html"))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.join(root, "socket"))
    return Server(root)


def make_links(top, root):
    for name, target in (
            ("link-in", "hello.txt"), ("link-dir", "dir"), ("dir/link-up", "../hello.txt"),
            ("link-out", "../secret.txt"), ("link-tree", "../tree"),
            ("link-absolute-out", f"{top}/secret.txt"), ("link-absolute-in", f"{root}/hello.txt"),
            ("link-loop", "link-loop"), ("link-dangling", "nothing"),
            ("link-proc", "/proc/self/fd"),
            ("link-device", "/dev/zero"), ("link-out-and-back", "../root/hello.txt")):
        os.symlink(target, os.path.join(root, name))


def get(target, **keywords):
    return harness.shared(start).get(target, **keywords)


def assert_status(target, *statuses):
    response = get(target)
    one_of(response.status, statuses, f"status of {target!r}")
    truth(SECRET not in response.body, f"{target!r} leaked a file from outside the root")
    return response


# --- decoding -------------------------------------------------------------------------------------

@test
def escapes_are_decoded():
    for target in ("/hello.txt", "/%68ello.txt", "/hello%2etxt", "/hello%2Etxt", "/%68%65llo.txt",
                   "/hello.txt?x", "/hello.txt?", "/hello.txt?%zz%00/../..", "/hello.txt??"):
        equal(assert_status(target, 200).body, b"hello\n", target)


@test
def escapes_are_decoded_once():
    equal(assert_status("/%2541.txt", 200).body, b"%41.txt")
    assert_status("/%2568ello.txt", 404)
    assert_status("/%252e%252e/secret.txt", 404)
    assert_status("/%41.txt", 404)


@test
def odd_names_are_found_by_their_encoding():
    for name in ODD_NAMES:
        if name.startswith("."):
            continue
        raw = os.fsencode(name)
        target = "/" + "".join(f"%{byte:02x}" for byte in raw)
        equal(assert_status(target, 200).body, raw, target)
    equal(assert_status("/latin1-%e9.txt", 200).body, b"latin1\n")


@test
def bad_escapes_get_400():
    for target in ("/%", "/%4", "/%zz", "/%4g", "/%g4", "/hello.txt%", "/%%41",
                   "/%u0041", "/hello.txt/%", "/missing/%zz", "/%-1"):
        assert_status(target, 400)


@test
def a_nul_gets_400():
    for target in ("/%00", "/hello.txt%00", "/hello.txt%00.html", "/dir/%00/../hello.txt", "/%00/"):
        assert_status(target, 400)


@test
def a_plus_is_a_plus():
    equal(assert_status("/a+b.txt", 200).body, b"a+b.txt")
    assert_status("/with+space.txt", 404)


@test
def a_backslash_is_a_byte_like_any_other():
    equal(assert_status("/back%5cslash.txt", 200).body, b"back\\slash.txt")
    equal(assert_status("/back\\slash.txt", 200).body, b"back\\slash.txt")
    assert_status("/dir%5cfile.txt", 404)
    assert_status("/..%5csecret.txt", 404)
    assert_status("/dir\\..\\..\\secret.txt", 404)


# --- slashes and dots -----------------------------------------------------------------------------

@test
def slashes_collapse():
    for target in ("//hello.txt", "///hello.txt", "/dir//file.txt", "//dir///sub////x.txt",
                   "/%2fhello.txt", "/dir%2ffile.txt", "/dir/%2f/file.txt"):
        assert_status(target, 200)


@test
def dot_segments_are_resolved():
    for target in ("/./hello.txt", "/dir/../hello.txt", "/dir/sub/../../hello.txt", "/dir/./.././a",
                   "/%2e/hello.txt", "/dir/%2e%2e/hello.txt", "/dir/.%2e/hello.txt",
                   "/missing/../hello.txt", "/dir%2f..%2fhello.txt"):
        assert_status(target, 200)
    for target in ("/.", "/./", "/dir/..", "/dir/../", "/dir/."):
        assert_status(target, 200, 301)


@test
def climbing_above_the_root_gets_400():
    for climb in ("..", "%2e%2e", ".%2e", "%2E.", "..%2f..", "%2e%2e%2f%2e%2e", "..//..", "./.."):
        for before in ("/", "//", "/./", "/dir/../", "/dir/../../root/", "/%2f"):
            assert_status(f"{before}{climb}/secret.txt", 400)
    for target in ("/..", "/../", "/../root/hello.txt", "/dir/../../secret.txt", "/..%2fsecret.txt",
                   "/..%2froot-evil/x.txt", "/dir/%2e%2e/%2e%2e/secret.txt", "/hello.txt/../../x",
                   "/%2e%2e%2fsecret.txt", "/" + "../" * 50 + "etc/passwd", "/dir/..%2f..%2fetc"):
        assert_status(target, 400)


@test
def what_only_looks_like_climbing_is_a_name():
    assert_status("/..%252fsecret.txt", 404)
    assert_status("/..%c0%af..%c0%afsecret.txt", 404)
    assert_status("/%c0%ae%c0%ae/secret.txt", 404)
    equal(assert_status("/dots..", 200).body, b"dots..")


@test
def a_file_is_no_directory():
    for target in ("/hello.txt/", "/hello.txt/x", "/hello.txt/x/", "/hello.txt//", "/hello.txt/.",
                   "/dir/file.txt/", "/dir/index.html/", "/hello.txt%2f", "/a/index.html"):
        assert_status(target, 404)


@test
def the_missing_is_404():
    for target in ("/missing", "/missing/", "/missing/x", "/dir/missing", "/Hello.txt", "/hello.tx",
                   "/hello.txt%20", "/hello.txt.", "/hello.txt~", "/index", "/root/hello.txt"):
        assert_status(target, 404)


# --- names ----------------------------------------------------------------------------------------

@test
def a_name_of_255_bytes_is_served_and_of_256_is_missing():
    equal(assert_status("/" + "n" * 255, 200).body, b"long\n")
    equal(assert_status("/" + "%6e" * 255, 200).body, b"long\n")
    for size in (256, 257, 1000, 5000):
        assert_status("/" + "n" * size, 404)
        assert_status("/dir/" + "n" * size + "/x", 404)
    assert_status("/" + "%6e" * 256, 404)


@test
def a_path_over_4095_bytes_is_missing():
    assert_status("/" + "d/" * 2100, 404)
    assert_status("/" + "dd/" * 2500, 404)
    assert_status("/" + "%64/" * 2000, 404)


@test
def dot_names_are_missing():
    for target in ("/.hidden", "/.git/config", "/.git/", "/.git", "/dir/.hidden", "/%2ehidden",
                   "/%2egit/config", "/dir/.well-known/x", "/.well-known/.hidden", "/...",
                   "/..dots"):
        assert_status(target, 404)


@test
def the_top_well_known_folder_is_served():
    equal(assert_status("/.well-known/acme/token", 200).body, b"token\n")
    equal(assert_status("/%2ewell-known/acme/token", 200).body, b"token\n")


@test
def dot_names_are_shown_when_asked():
    with Server(harness.make_tree({".hidden": b"shown", "d/.x/y": b"y"}),
                {"dotfiles": "show"}) as server:
        equal(server.get("/.hidden").body, b"shown")
        equal(server.get("/d/.x/y").body, b"y")
        equal(server.get("/..").status, 400)


# --- what is not a regular file -------------------------------------------------------------------

@test
def fifo_socket_and_device_get_403_and_block_nobody():
    targets = ("/fifo", "/fifo.html", "/socket")
    for target in targets * 3:
        assert_status(target, 403)
    with harness.shared(start).connect() as client:
        client.send(b"".join(request_bytes(target) for target in targets) +
                    request_bytes("/hello.txt"))
        equal([client.read_response().status for _ in range(4)], [403, 403, 403, 200])


@test
def a_device_gets_403():
    root = harness.make_tree({"hello.txt": b"hello\n"})
    try:
        os.mknod(os.path.join(root, "zero"), 0o600 | 0o020000, os.makedev(1, 5))
    except PermissionError:
        raise Skip("only root makes device files") from None
    with Server(root) as server:
        equal(server.get("/zero").status, 403)
    os.symlink("/dev/zero", os.path.join(root, "link"))
    with Server(root, {"symlinks": "all"}) as server:
        equal(server.get("/link").status, 403)


@test
def a_fifo_with_a_slash_is_no_directory():
    assert_status("/fifo/", 404)
    assert_status("/fifo/x", 404)


@test
def a_directory_without_an_index_gets_403():
    assert_status("/empty/", 403)
    assert_status("/dir/sub/", 403)


@test
def an_unreadable_file_gets_403():
    root = harness.make_tree({"hello.txt": b"hello\n", "closed.txt": b"x", "closed/x.txt": b"x"})
    os.chmod(os.path.join(root, "closed.txt"), 0)
    os.chmod(os.path.join(root, "closed"), 0o600 if os.geteuid() else 0o700)
    with Server(root, user=harness.ordinary_user()) as server:
        equal(server.get("/hello.txt").status, 200)
        equal(server.get("/closed.txt").status, 403)
        equal(server.get("/closed/x.txt").status, 403)
        equal(server.get("/closed/").status, 403)


# --- symbolic links -------------------------------------------------------------------------------

@test
def links_within_the_root_are_followed_by_default():
    for target in ("/link-in", "/dir/link-up"):
        equal(assert_status(target, 200).body, b"hello\n", target)
    equal(assert_status("/link-dir/file.txt", 200).body, b"file\n")
    equal(assert_status("/link-dir/", 200).body, b"dir\n")
    assert_status("/link-dir", 301)


@test
def links_out_of_the_root_are_missing_by_default():
    for target in ("/link-out", "/link-absolute-out", "/link-tree/x.txt", "/link-tree/",
                   "/link-tree",
                   "/link-proc/0", "/link-device", "/link-out-and-back"):
        assert_status(target, 404)


@test
def links_to_nowhere_and_in_circles_are_missing():
    for target in ("/link-loop", "/link-loop/x", "/link-dangling", "/link-dangling/"):
        assert_status(target, 404)


def linked_server(symlinks):
    top = os.path.dirname(harness.shared(start).root)
    return Server(os.path.join(top, "root"), {"symlinks": symlinks})


@test
def no_link_is_followed_when_links_are_none():
    with linked_server("none") as server:
        equal(server.get("/hello.txt").status, 200)
        for target in ("/link-in", "/link-dir/file.txt", "/link-dir/", "/link-out",
                       "/link-absolute-in", "/link-absolute-out", "/dir/link-up", "/link-loop"):
            equal(server.get(target).status, 404, target)


@test
def every_link_is_followed_when_links_are_all():
    with linked_server("all") as server:
        for target, body in (("/link-in", b"hello\n"), ("/link-absolute-in", b"hello\n"),
                             ("/link-out", SECRET), ("/link-absolute-out", SECRET),
                             ("/link-tree/x.txt", SECRET), ("/link-dir/file.txt", b"file\n"),
                             ("/link-out-and-back", b"hello\n")):
            equal(server.get(target).body, body, target)
        for target in ("/link-loop", "/link-dangling"):
            equal(server.get(target).status, 404, target)
        equal(server.get("/../secret.txt").status, 400)


@test
def the_root_itself_may_be_a_link():
    top = harness.temporary_directory()
    harness.make_tree({"real/hello.txt": b"hello\n"}, top)
    os.symlink("real", os.path.join(top, "link"))
    for symlinks in ("within", "none", "all"):
        with Server(os.path.join(top, "link"), {"symlinks": symlinks}) as server:
            equal(server.get("/hello.txt").body, b"hello\n", symlinks)


if __name__ == "__main__":
    harness.main()
