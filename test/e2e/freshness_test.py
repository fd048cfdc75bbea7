"""Freshness: what changes on disk is what the very next request sees, whatever is cached."""

import os
import shutil

import harness
from harness import Server, equal, test, truth

ROUNDS = 200
EXTRA_CLIENTS = 3


OLD_S = 1_600_000_000


def start():
    return Server(harness.make_tree({"index.html": b"index\n"}))


class Watch:
    """Clients that stay connected, so that every worker is asked and has its cache filled."""

    def __init__(self):
        self.server = harness.shared(start)
        self.clients = [self.server.connect() for _ in range(EXTRA_CLIENTS)]

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        for client in self.clients:
            client.close()

    def path(self, name):
        return self.server.path(name)

    def expect(self, target, body, when, status=200):
        """body: None where only the status counts."""
        for i, client in enumerate(self.clients):
            response = client.get(target)
            equal(response.status, status, f"{target} {when}, connection {i}: status")
            if body is not None:
                truth(response.body == body, f"{target} {when}, connection {i}: expected "
                      f"{body[:60]!r} ({len(body)} bytes), got {response.body[:60]!r} "
                      f"({len(response.body)} bytes)")
        return response


def body_of(i, size=0):
    text = b"version %06d\n" % i
    return text if size == 0 else (text * (size // len(text) + 1))[:size]


def edit_file(path, content):
    """In place: same inode, no moment at which it is short."""
    with open(path, "r+b") as file:
        file.write(content)


def age_tree(path):
    """As if unpacked from an archive: only what is old is sure to stay in the cache for long."""
    for folder, _, names in os.walk(path):
        for name in names:
            os.utime(os.path.join(folder, name), (OLD_S, OLD_S), follow_symlinks=False)


def wait_until_cached(watch, target):
    """Until the tag is strong, which says that the file counts as settled; asked twice after it."""
    for client in watch.clients:
        harness.wait_until(lambda: not client.get(target).fields["etag"].startswith("W/"),
                           "the tag is strong")
        client.get(target)


def change_by_rename(path, body):
    harness.replace_file(path, body)
    os.utime(path, (OLD_S, OLD_S))


def change_in_place(path, body):
    edit_file(path, body)


def change_in_place_with_its_date(path, body):
    """Same inode, size and date of modification, as rsync --inplace --times may leave it."""
    edit_file(path, body)
    os.utime(path, (OLD_S, OLD_S))


def assert_settled_change_is_seen(name, change, size=0):
    with Watch() as watch:
        names = [f"{name}{i}" for i in range(20)]
        for item in names:
            harness.write_file(watch.path(item), body_of(0, size))
        age_tree(watch.server.root)
        for item in names:
            wait_until_cached(watch, f"/{item}")
        for i, item in enumerate(names, 1):
            change(watch.path(item), body_of(i, size))
            watch.expect(f"/{item}", body_of(i, size), "after its change")
            change(watch.path(item), body_of(i + 100, size))
            watch.expect(f"/{item}", body_of(i + 100, size), "after its second change")


@test
def a_settled_file_replaced_by_rename_is_seen():
    assert_settled_change_is_seen("by-rename", change_by_rename)
    assert_settled_change_is_seen("large-by-rename", change_by_rename, 100_000)


@test
def a_settled_file_edited_in_place_is_seen():
    assert_settled_change_is_seen("in-place", change_in_place)
    assert_settled_change_is_seen("large-in-place", change_in_place, 100_000)


@test
def a_settled_file_edited_in_place_without_a_new_date_is_seen():
    assert_settled_change_is_seen("with-its-date", change_in_place_with_its_date)


@test
def a_settled_file_that_is_deleted_is_missing():
    assert_settled_change_is_seen("deleted", lambda path, body: (os.unlink(path),
                                                                 harness.write_file(path, body)))
    with Watch() as watch:
        harness.write_file(watch.path("settled.txt"), body_of(0))
        age_tree(watch.server.root)
        wait_until_cached(watch, "/settled.txt")
        os.unlink(watch.path("settled.txt"))
        watch.expect("/settled.txt", None, "after its deletion", 404)


@test
def a_settled_directory_that_is_replaced_or_moved_is_seen():
    with Watch() as watch:
        for i in range(2):
            harness.make_tree({f"release{i}/sub/file.txt": body_of(i)}, watch.server.root)
        os.symlink("release0", watch.path("live"))
        age_tree(watch.server.root)
        wait_until_cached(watch, "/release0/sub/file.txt")
        wait_until_cached(watch, "/live/sub/file.txt")
        os.symlink("release1", watch.path("live~"))
        os.rename(watch.path("live~"), watch.path("live"))
        watch.expect("/live/sub/file.txt", body_of(1), "after the switch of a link above it")
        os.rename(watch.path("release0"), watch.path("elsewhere"))
        watch.expect("/release0/sub/file.txt", None, "after the move of a folder above it", 404)
        os.rename(watch.path("release1"), watch.path("release0"))
        watch.expect("/release0/sub/file.txt", body_of(1), "after another took its place")
        watch.expect("/live/sub/file.txt", None, "through the link that now dangles", 404)


@test
def an_index_that_appears_before_a_settled_one_is_seen():
    tree = {"d/second.html": b"second\n"}
    with Server(harness.make_tree(tree), {"index": "first.html second.html"}) as server:
        age_tree(server.root)
        with server.connect() as client:
            harness.wait_until(lambda: not client.get("/d/").fields["etag"].startswith("W/"),
                               "the tag is strong")
            equal(client.get("/d/").body, b"second\n")
            harness.write_file(server.path("d/first.html"), b"first\n")
            equal(client.get("/d/").body, b"first\n")
            os.unlink(server.path("d/first.html"))
            equal(client.get("/d/").body, b"second\n")


@test
def a_settled_file_that_becomes_unreadable_is_refused():
    root = harness.make_tree({"f.txt": b"content\n"})
    with Server(root, user=harness.ordinary_user()) as server, server.connect() as client:
        age_tree(root)
        harness.wait_until(lambda: not client.get("/f.txt").fields["etag"].startswith("W/"),
                           "the tag is strong")
        client.get("/f.txt")
        os.chmod(server.path("f.txt"), 0)
        equal(client.get("/f.txt").status, 403)
        os.chmod(server.path("f.txt"), 0o644)
        equal(client.get("/f.txt").body, b"content\n")


@test
def a_file_replaced_by_rename_is_seen():
    with Watch() as watch:
        for i in range(ROUNDS):
            harness.replace_file(watch.path("renamed.txt"), body_of(i))
            watch.expect("/renamed.txt", body_of(i), f"after rename {i}")


@test
def a_file_of_another_size_replaced_by_rename_is_seen():
    with Watch() as watch:
        for i in range(ROUNDS):
            body = body_of(i, 1 + (i * 977) % 9000)
            harness.replace_file(watch.path("sized.txt"), body)
            watch.expect("/sized.txt", body, f"after rename {i}")


@test
def a_file_edited_in_place_is_seen():
    with Watch() as watch:
        harness.write_file(watch.path("edited.txt"), body_of(0))
        for i in range(ROUNDS):
            edit_file(watch.path("edited.txt"), body_of(i))
            watch.expect("/edited.txt", body_of(i), f"after edit {i}")


@test
def a_file_that_grows_and_shrinks_is_seen():
    with Watch() as watch:
        harness.write_file(watch.path("grown.txt"), b"")
        for i in range(ROUNDS):
            size = (i * 1009) % 5000
            edit_file(watch.path("grown.txt"), body_of(i, size) if size else b"")
            os.truncate(watch.path("grown.txt"), size)
            watch.expect("/grown.txt", body_of(i, size) if size else b"", f"at size {size}")


@test
def a_deleted_file_is_missing_and_a_created_one_is_there():
    with Watch() as watch:
        for i in range(ROUNDS):
            watch.expect("/coming.txt", None, f"before creation {i}", 404)
            harness.write_file(watch.path("coming.txt"), body_of(i))
            watch.expect("/coming.txt", body_of(i), f"after creation {i}")
            os.unlink(watch.path("coming.txt"))
        watch.expect("/coming.txt", None, "after the last deletion", 404)


@test
def a_file_moved_away_is_missing():
    with Watch() as watch:
        for i in range(20):
            harness.write_file(watch.path("here.txt"), body_of(i))
            watch.expect("/here.txt", body_of(i), "before its move")
            os.rename(watch.path("here.txt"), watch.path("there.txt"))
            watch.expect("/here.txt", None, "after its move", 404)
            watch.expect("/there.txt", body_of(i), "after its move")


@test
def a_large_file_replaced_by_rename_is_seen():
    with Watch() as watch:
        for i in range(10):
            harness.replace_file(watch.path("large.bin"), body_of(i, 1 << 20))
            watch.expect("/large.bin", body_of(i, 1 << 20), f"after rename {i}")


@test
def a_large_file_edited_in_place_is_seen():
    with Watch() as watch:
        harness.write_file(watch.path("wide.bin"), body_of(0, 1 << 20))
        for i in range(10):
            edit_file(watch.path("wide.bin"), body_of(i, 1 << 20))
            watch.expect("/wide.bin", body_of(i, 1 << 20), f"after edit {i}")


@test
def an_index_that_comes_and_goes_is_seen():
    with Watch() as watch:
        os.mkdir(watch.path("folder"))
        for i in range(20):
            watch.expect("/folder/", None, "without an index", 403)
            harness.write_file(watch.path("folder/index.html"), body_of(i))
            watch.expect("/folder/", body_of(i), "with an index")
            os.unlink(watch.path("folder/index.html"))


@test
def a_whole_directory_replaced_is_seen():
    with Watch() as watch:
        for i in range(20):
            harness.make_tree({"sub/deep/file.txt": body_of(i)}, watch.path("fresh"))
            if i:
                os.rename(watch.path("site"), watch.path("old"))
            os.rename(watch.path("fresh"), watch.path("site"))
            watch.expect("/site/sub/deep/file.txt", body_of(i), f"after swap {i}")
            shutil.rmtree(watch.path("old"), ignore_errors=True)


@test
def a_directory_removed_is_missing():
    with Watch() as watch:
        for i in range(20):
            harness.make_tree({"gone/sub/file.txt": body_of(i)}, watch.server.root)
            watch.expect("/gone/sub/file.txt", body_of(i), "while it is there")
            shutil.rmtree(watch.path("gone"))
            watch.expect("/gone/sub/file.txt", None, "after its removal", 404)
            watch.expect("/gone", None, "after its removal", 404)


@test
def a_link_that_is_switched_is_seen():
    with Watch() as watch:
        for name in ("one", "two"):
            harness.make_tree({f"releases/{name}/file.txt": name.encode()}, watch.server.root)
        for i in range(40):
            name = ("one", "two")[i % 2]
            os.symlink(f"releases/{name}", watch.path("current~"))
            os.rename(watch.path("current~"), watch.path("current"))
            watch.expect("/current/file.txt", name.encode(), f"after switch {i}")


@test
def the_target_of_a_link_that_changes_is_seen():
    with Watch() as watch:
        harness.make_tree({"store/data.txt": b""}, watch.server.root)
        os.symlink("store/data.txt", watch.path("alias.txt"))
        for i in range(40):
            harness.replace_file(watch.path("store/data.txt"), body_of(i))
            watch.expect("/alias.txt", body_of(i), f"after rename {i}")


@test
def the_target_of_a_precompressed_link_that_changes_is_seen():
    """The watch sees the link, not what it leads to."""
    with Server(harness.make_tree({"site.js": b"x" * 5000, "br/site.br": b"first"}),
                {"cache.revalidate": "1h"}) as server:
        os.symlink("br/site.br", server.path("site.js.br"))
        age_tree(server.root)
        harness.wait_until(lambda: not server.get("/site.js").fields["etag"].startswith("W/"),
                           "the tag is strong")
        for i in range(20):
            body = body_of(i)
            change_by_rename(server.path("br/site.br"), body)
            for _ in range(2):
                response = server.get("/site.js", fields=("Accept-Encoding: br",))
                equal((response.status, response.body), (200, body), f"round {i}")


@test
def a_link_to_nothing_in_the_place_of_an_index_that_becomes_one_is_seen():
    tree = {"dir/second.html": b"second", "elsewhere/x": b""}
    with Server(harness.make_tree(tree), {"cache.revalidate": "1h",
                                          "index": "first.html second.html"}) as server:
        os.symlink("../elsewhere/first", server.path("dir/first.html"))
        age_tree(server.path("dir"))
        harness.wait_until(lambda: not server.get("/dir/").fields["etag"].startswith("W/"),
                           "the tag is strong")
        equal(server.get("/dir/").body, b"second")
        harness.write_file(server.path("elsewhere/first"), b"first")
        equal(server.get("/dir/").body, b"first")


@test
def a_file_that_becomes_a_directory_and_back_is_seen():
    with Watch() as watch:
        for i in range(20):
            harness.write_file(watch.path("both"), body_of(i))
            watch.expect("/both", body_of(i), "as a file")
            os.unlink(watch.path("both"))
            os.mkdir(watch.path("both"))
            watch.expect("/both", None, "as a directory", 301)
            os.rmdir(watch.path("both"))


@test
def every_change_gives_a_new_tag():
    with Watch() as watch:
        tags = set()
        for i in range(50):
            harness.replace_file(watch.path("tagged.txt"), body_of(i))
            tags.add(watch.expect("/tagged.txt", body_of(i), f"after rename {i}").fields["etag"])
        equal(len(tags), 50, "different tags")


@test
def freshness_does_not_need_the_cache():
    with Server(ini={"cache": "off"}) as server, server.connect() as client:
        for i in range(20):
            harness.replace_file(server.path("f.txt"), body_of(i))
            equal(client.get("/f.txt").body, body_of(i))
            edit_file(server.path("f.txt"), body_of(i + 1))
            equal(client.get("/f.txt").body, body_of(i + 1))
            os.unlink(server.path("f.txt"))
            equal(client.get("/f.txt").status, 404)


if __name__ == "__main__":
    harness.main()
