"""Mounts: another directory under a prefix, per host and for all of them, and its freshness."""

import io
import json
import os
import tarfile

import harness
from harness import equal, one_of, shared, test, truth
from sites import serve, wait_for_cached

SECRET = b"beside the mounted root\n"


def mounted(name, tree=None):
    """A root called name within a directory that also holds a file nobody may reach."""
    around = harness.make_tree({"secret.txt": SECRET, f"{name}/file.txt": f"{name}\n".encode(),
                                f"{name}/sub/x.txt": b"x\n", f"{name}/sub/y.txt": b"y\n"})
    root = os.path.join(around, name)
    return harness.make_tree(tree or {}, root)


def start():
    text = f"""[files]
listing = on
[mount /docs/]
root = {mounted("docs")}
[mount /docs/deep/]
root = {mounted("deep", {"index.html": b"index of deep"})}
[mount /a/b/c/]
root = {mounted("abc")}
[mount /shadow/]
root = {mounted("shadow")}
[host one.example]
[mount /docs/]
root = {mounted("ones")}
[mount /only/]
root = {mounted("only")}
"""
    tree = {"index.html": b"top\n", "file.txt": b"top\n", "docs.txt": b"docs.txt\n",
            "secret.txt": SECRET, "shadow/file.txt": b"shadowed\n", "shadow/gone.txt": b"x",
            "docsearch/file.txt": b"docsearch\n", "a/b/file.txt": b"a/b\n"}
    return serve(tree, text)


def get(target, host="gyre.example", **keywords):
    return shared(start).get(target, fields=(f"Host: {host}",), **keywords)


PLACES = (
    ("/file.txt", b"top\n"), ("/docs/file.txt", b"docs\n"), ("/docs/sub/x.txt", b"x\n"),
    ("/docs/deep/file.txt", b"deep\n"), ("/docs/deep/", b"index of deep"),
    ("/a/b/c/file.txt", b"abc\n"), ("/a/b/file.txt", b"a/b\n"), ("/shadow/file.txt", b"shadow\n"),
    # What only begins like a prefix.
    ("/docs.txt", b"docs.txt\n"), ("/docsearch/file.txt", b"docsearch\n"),
    # However it is written.
    ("/%64ocs/file.txt", b"docs\n"), ("//docs//file.txt", b"docs\n"),
    ("/x/../docs/./file.txt", b"docs\n"), ("/docs/deep/../file.txt", b"docs\n"),
    ("/docs/%2e%2e/file.txt", b"top\n"),
)


@test
def the_longest_prefix_is_the_one():
    for _ in range(2):
        for target, body in PLACES:
            response = get(target)
            equal((response.status, response.body), (200, body), target)


@test
def a_mount_hides_what_lies_below_it():
    equal(get("/shadow/gone.txt").status, 404)


@test
def a_mount_of_a_host_goes_before_that_of_all():
    for _ in range(2):
        equal(get("/docs/file.txt", "one.example").body, b"ones\n")
        equal(get("/docs/file.txt").body, b"docs\n")
        equal(get("/docs/deep/file.txt", "one.example").body, b"deep\n", "a longer one of all")
        equal(get("/a/b/c/file.txt", "one.example").body, b"abc\n", "one of all")
        equal(get("/only/file.txt", "one.example").body, b"only\n")
        equal(get("/only/file.txt").status, 404, "a mount of another host")


@test
def a_prefix_without_its_slash_is_redirected():
    for target, location in (("/docs", "docs/"), ("/docs?a=b", "docs/?a=b"), ("/a/b/c", "c/"),
                             ("/docs/deep", "deep/"), ("/docs/sub", "sub/")):
        response = get(target)
        equal(response.status, 301, target)
        truth(response.fields["location"].removeprefix("./").endswith(location),
              f"{target} -> {response.fields['location']}")


@test
def a_missing_name_below_a_mount_is_missing():
    for target in ("/docs/missing", "/docs/missing/", "/docs/file.txt/", "/docs/file.txt/x",
                   "/docs/sub/missing.txt"):
        equal(get(target).status, 404, target)


@test
def nothing_climbs_out_of_a_mount():
    for target in ("/docs/../secret.txt", "/docs/%2e%2e/secret.txt", "/docs/..%2fsecret.txt",
                   "/docs/sub/../../secret.txt", "/docs/deep/../../secret.txt",
                   "/docs/%2e%2e%2fsecret.txt", "/docs/.%2e/secret.txt"):
        response = get(target)
        if response.status == 200:
            # Dots are removed first: this is /secret.txt of the server's own root.
            equal(response.body, get("/secret.txt").body, target)
        else:
            one_of(response.status, (400, 404), target)
    for target in ("/docs/../../secret.txt", "/docs/..%2f..%2fsecret.txt"):
        one_of(get(target).status, (400, 404), target)


@test
def the_root_beside_a_mount_is_not_reached_through_it():
    root = mounted("inner")
    os.symlink("../secret.txt", os.path.join(root, "link.txt"))
    os.symlink("..", os.path.join(root, "up"))
    with serve({"a": b"a"}, f"[mount /m/]\nroot = {root}\n") as server:
        for target in ("/m/../secret.txt", "/m/link.txt", "/m/up/secret.txt", "/secret.txt"):
            equal(server.get(target).status, 404, target)


@test
def a_listing_below_a_mount_shows_its_address():
    for target, path, names in (("/docs/", "/docs/", ["sub", "file.txt"]),
                                ("/docs/sub/", "/docs/sub/", ["x.txt", "y.txt"]),
                                ("/a/b/c/", "/a/b/c/", ["sub", "file.txt"]),
                                ("/a/b/c/sub/", "/a/b/c/sub/", ["x.txt", "y.txt"])):
        listing = json.loads(get(target + "?format=json").body)
        equal(listing["path"], path, target)
        equal([item["name"] for item in listing["entries"]], names, target)
        page = get(target).body.decode()
        truth('href="../"' in page, f"{target}: no way up")
    equal(get("/docs/", "one.example").status, 200)


@test
def an_archive_leaves_out_what_a_mount_hides():
    """Its address leads elsewhere: nobody could ask for it."""
    text = f"[files]\narchive = on\n[mount /d/m/]\nroot = {mounted('m')}\n"
    with serve({"d/m/hidden.txt": b"hidden", "d/x": b"x"}, text) as server:
        names = tarfile.open(fileobj=io.BytesIO(server.get("/d/?format=tar").body)).getnames()
        equal(sorted(names), ["d", "d/x"])
        names = tarfile.open(fileobj=io.BytesIO(server.get("/d/m/?format=tar").body)).getnames()
        equal(sorted(names), ["m", "m/file.txt", "m/sub", "m/sub/x.txt", "m/sub/y.txt"])


def is_served(server, target, body, status=200):
    response = server.get(target)
    equal((response.status, response.body if status == 200 else body), (status, body), target)


@test
def a_file_of_a_mount_is_fresh_at_the_next_request():
    root = mounted("fresh", {"other/index.html": b"index"})
    path = os.path.join(root, "file.txt")
    for watch in ("on", "off"):
        harness.replace_file(path, b"fresh\n")
        with serve({"a": b"a"}, f"[cache]\nwatch = {watch}\nrevalidate = 1h\n"
                   f"[mount /m/]\nroot = {root}\n") as server:
            wait_for_cached(server, "/m/file.txt")
            for i in range(20):
                body = f"version {i}\n".encode()
                harness.replace_file(path, body)
                is_served(server, "/m/file.txt", body)
            os.unlink(path)
            is_served(server, "/m/file.txt", b"", 404)
            harness.write_file(path, b"again\n")
            is_served(server, "/m/file.txt", b"again\n")
            wait_for_cached(server, "/m/file.txt")
            harness.write_file(path, b"in place\n")
            is_served(server, "/m/file.txt", b"in place\n")


@test
def a_cached_file_of_a_mount_is_seen_to_be_renamed_away():
    root = mounted("moved")
    with serve({"a": b"a"}, f"[cache]\nrevalidate = 1h\n[mount /m/]\nroot = {root}\n") as server:
        wait_for_cached(server, "/m/sub/x.txt")
        os.rename(os.path.join(root, "sub"), os.path.join(root, "gone"))
        is_served(server, "/m/sub/x.txt", b"", 404)
        is_served(server, "/m/gone/x.txt", b"x\n")
        os.rename(os.path.join(root, "gone"), os.path.join(root, "sub"))
        is_served(server, "/m/sub/x.txt", b"x\n")


@test
def a_hit_of_a_mount_costs_no_look_at_its_file_while_it_is_watched():
    """The watch reaches there: what it cannot see, a write by another name, is not looked for."""
    root = mounted("watched")
    path = os.path.join(root, "file.txt")
    with serve({"a": b"a"}, f"[server]\nworkers = 1\n[cache]\nrevalidate = 1h\n"
               f"[mount /m/]\nroot = {root}\n") as server:
        other = os.path.join(harness.temporary_directory(), "hard-link")
        try:
            os.link(path, other)
        except OSError as error:
            raise harness.Skip(f"no hard links: {error}") from None
        wait_for_cached(server, "/m/file.txt")
        is_served(server, "/m/file.txt", b"watched\n")
        harness.write_file(other, b"changed\n")
        is_served(server, "/m/file.txt", b"watched\n")
        harness.replace_file(path, b"replaced\n")
        is_served(server, "/m/file.txt", b"replaced\n")


@test
def rules_know_a_mounted_file_by_its_address():
    root = mounted("ruled")
    text = f"""[mount /m/]
root = {root}
[path /m/**.txt]
header = X-Rule: address
[path /file.txt]
header = X-Rule: wrong
[path /m/sub/]
deny = on
"""
    with serve({"a": b"a"}, text) as server:
        equal(server.get("/m/file.txt").fields.get("x-rule"), "address")
        equal(server.get("/m/sub/x.txt").status, 403)


@test
def sixty_four_mounts():
    roots = [harness.make_tree({"n.txt": str(i).encode()}) for i in range(64)]
    text = "".join(f"[mount /m{i}/{'x/' * (i % 7)}]\nroot = {root}\n"
                   for i, root in enumerate(roots))
    with serve({"a": b"a"}, text) as server, server.connect() as client:
        for i in range(64):
            equal(client.get(f"/m{i}/{'x/' * (i % 7)}n.txt").body, str(i).encode(), f"mount {i}")


@test
def a_mount_whose_directory_is_missing_stops_the_start():
    path = os.path.join(harness.temporary_directory(), "gyre.ini")
    harness.write_file(path, b"[mount /m/]\nroot = /nowhere/at/all\n")
    result = harness.run_gyre("-c", path, "-l", "127.0.0.1:0", harness.make_tree({"a": b"a"}))
    truth(result.returncode != 0, "it started")
    harness.contains(result.stderr, "/nowhere/at/all")


if __name__ == "__main__":
    harness.main()
