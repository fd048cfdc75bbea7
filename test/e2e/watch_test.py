"""The watch: what is in the cache changes on disk, and the very next request sees it."""

import ctypes
import mmap
import os
import shutil

import harness
from harness import replace_file, truth, write_file
from watched import body_of, edit_file, files, judge, scenario

LARGE = 100_000  # more than [cache] file_bytes_max: the entry holds the open file
RENAME_EXCHANGE = 2
AT_FDCWD = -100


def switch_link(path, target):
    os.symlink(target, path + "~")
    os.rename(path + "~", path)


# --- files ----------------------------------------------------------------------------------------

@scenario(files(100))
def a_file_replaced_by_rename_is_seen(site, folder, targets):
    for i, target in enumerate(targets):
        replace_file(f"{folder}/{i}.txt", body_of(i + 1))
        site.expect(target, body_of(i + 1), "after the rename")


@scenario(files(20, size=LARGE))
def a_file_kept_open_and_replaced_by_rename_is_seen(site, folder, targets):
    for i, target in enumerate(targets):
        replace_file(f"{folder}/{i}.txt", body_of(i + 1, LARGE))
        site.expect(target, body_of(i + 1, LARGE), "after the rename")


@scenario(files(100))
def an_edit_in_place_of_the_same_size_is_seen(site, folder, targets):
    for i, target in enumerate(targets):
        edit_file(f"{folder}/{i}.txt", body_of(i + 1))
        site.expect(target, body_of(i + 1), "after the edit")


@scenario(files(50))
def a_deleted_file_is_missing_and_one_made_again_is_there(site, folder, targets):
    for i, target in enumerate(targets):
        os.unlink(f"{folder}/{i}.txt")
        site.expect_status(target, 404, "after its deletion")
        write_file(f"{folder}/{i}.txt", body_of(i + 1))
        site.expect(target, body_of(i + 1), "made again")


@scenario(files(50, "{}/index.html"))
def an_index_that_is_replaced_or_deleted_is_seen(site, folder, targets):
    for i in range(len(targets)):
        site.ask([f"/{os.path.basename(folder)}/{i}/"])
        replace_file(f"{folder}/{i}/index.html", body_of(i + 1))
        site.expect(f"/{os.path.basename(folder)}/{i}/", body_of(i + 1), "after the rename")
        os.unlink(f"{folder}/{i}/index.html")
        site.expect_status(f"/{os.path.basename(folder)}/{i}/", 403, "without its index")


@scenario(files(50), ("as_an_ordinary_user",))
def a_file_that_may_no_longer_be_read_is_refused(site, folder, targets):
    for i, target in enumerate(targets):
        os.chmod(f"{folder}/{i}.txt", 0)
        site.expect_status(target, 403, "after chmod 000")
        os.chmod(f"{folder}/{i}.txt", 0o644)
        site.expect(target, body_of(0), "after chmod 644")


# --- directories ----------------------------------------------------------------------------------

def two_directories(inner):
    """live/INNER and next/INNER: a release, and the one that follows it."""
    def prepare(folder):
        harness.make_tree({f"live/{inner}": body_of(0), f"next/{inner}": body_of(1)}, folder)
        return [f"live/{inner}"]
    return prepare


def swap_directories(site, folder, targets):
    for i in range(100):
        os.rename(f"{folder}/live", f"{folder}/last")
        if i % 10 == 0:
            site.expect_status(targets[0], 404, "between the releases")
        os.rename(f"{folder}/next", f"{folder}/live")
        site.expect(targets[0], body_of((i + 1) % 2), f"after swap {i}")
        os.rename(f"{folder}/last", f"{folder}/next")


@scenario(two_directories("file.txt"))
def a_directory_swapped_for_another_is_seen(site, folder, targets):
    swap_directories(site, folder, targets)


@scenario(two_directories("a/b/file.txt"))
def a_directory_swapped_two_levels_up_is_seen(site, folder, targets):
    swap_directories(site, folder, targets)


@scenario(two_directories("a/file.txt"))
def two_directories_exchanged_in_one_step_are_seen(site, folder, targets):
    libc = ctypes.CDLL(None, use_errno=True)
    pair = [os.fsencode(f"{folder}/{name}") for name in ("live", "next")]
    for i in range(100):
        if libc.renameat2(AT_FDCWD, pair[0], AT_FDCWD, pair[1], RENAME_EXCHANGE) != 0:
            raise harness.Skip(f"renameat2: {os.strerror(ctypes.get_errno())}")
        site.expect(targets[0], body_of((i + 1) % 2), f"after exchange {i}")


def pairs_of_directories(folder):
    tree = {f"{name}{i}/sub/file.txt": body_of(0) for i in range(50) for name in ("live", "next")}
    harness.make_tree(tree, folder)
    return [f"live{i}/sub/file.txt" for i in range(50)]


@scenario(pairs_of_directories)
def an_edit_in_a_directory_that_was_swapped_in_is_seen(site, folder, targets):
    """The old one is still there, and so are the watches of it."""
    for i, target in enumerate(targets):
        os.rename(f"{folder}/live{i}", f"{folder}/last{i}")
        os.rename(f"{folder}/next{i}", f"{folder}/live{i}")
        site.expect(target, body_of(0), "after the swap")
        edit_file(f"{folder}/live{i}/sub/file.txt", body_of(i + 1))
        site.expect(target, body_of(i + 1), "after the edit")


@scenario(files(50, "{}/sub/file.txt"))
def a_directory_moved_out_of_one_that_was_made_anew_around_it_is_missing(site, folder, targets):
    """The file is the same all the time, and so is the path; the directory between is not."""
    for i, target in enumerate(targets):
        os.rename(f"{folder}/{i}", f"{folder}/old{i}")
        os.mkdir(f"{folder}/{i}")
        os.rename(f"{folder}/old{i}/sub", f"{folder}/{i}/sub")
        site.expect(target, body_of(0), "in the new directory")
        os.rename(f"{folder}/{i}/sub", f"{folder}/old{i}/sub")
        site.expect_status(target, 404, "after it was moved out")


@scenario(files(50, "{}/sub/file.txt"))
def a_directory_deleted_and_made_again_is_seen(site, folder, targets):
    for i, target in enumerate(targets):
        shutil.rmtree(f"{folder}/{i}")
        site.expect_status(target, 404, "after the deletion")
        harness.make_tree({"sub/file.txt": body_of(i + 1)}, f"{folder}/{i}")
        site.expect(target, body_of(i + 1), "made again")


@scenario(files(1))
def a_new_nested_directory_is_seen_after_a_404(site, folder, _):
    for i in range(50):
        target = f"/{os.path.basename(folder)}/{i}/new/nested/file.txt"
        site.expect_status(target, 404, "before there is a directory")
        os.makedirs(f"{folder}/{i}/new/nested")
        site.expect_status(target, 404, "in an empty directory")
        write_file(f"{folder}/{i}/new/nested/file.txt", body_of(i))
        site.expect(target, body_of(i), "once it is there")


# --- symbolic and hard links ----------------------------------------------------------------------

def linked_files(folder):
    harness.make_tree({"store/0": body_of(0), "store/1": body_of(1)}, folder)
    os.symlink("store/0", f"{folder}/link.txt")
    return ["link.txt"]


@scenario(linked_files)
def a_link_switched_to_another_file_is_seen(site, folder, targets):
    for i in range(100):
        switch_link(f"{folder}/link.txt", f"store/{(i + 1) % 2}")
        site.expect(targets[0], body_of((i + 1) % 2), f"after switch {i}")


def linked_directories(folder):
    harness.make_tree({f"store/{i}/sub/file.txt": body_of(i) for i in range(2)}, folder)
    os.symlink("store/0", f"{folder}/current")
    return ["current/sub/file.txt"]


@scenario(linked_directories)
def a_link_switched_to_another_directory_is_seen(site, folder, targets):
    for i in range(100):
        switch_link(f"{folder}/current", f"store/{(i + 1) % 2}")
        site.expect(targets[0], body_of((i + 1) % 2), f"after switch {i}")


def linked_release(folder):
    names = two_directories("file.txt")(folder + "/releases")
    os.symlink("releases/live", f"{folder}/current")
    return [name.replace("live", "current") for name in names]


@scenario(linked_release)
def a_directory_swapped_where_a_link_leads_is_seen(site, folder, targets):
    swap_directories(site, f"{folder}/releases", targets)


def links_to_files(folder):
    harness.make_tree({f"store/{i}": body_of(0) for i in range(50)}, folder)
    for i in range(50):
        os.symlink(f"store/{i}", f"{folder}/{i}.txt")
    return [f"{i}.txt" for i in range(50)]


@scenario(links_to_files)
def an_edit_of_what_a_link_leads_to_is_seen(site, folder, targets):
    for i, target in enumerate(targets):
        edit_file(f"{folder}/store/{i}", body_of(i + 1))
        site.expect(target, body_of(i + 1), "after the edit")


@scenario(files(50, "{}/file.txt"))
def an_edit_beneath_a_directory_that_became_a_link_to_its_new_place_is_seen(site, folder, targets):
    """The files stay as they are, so nothing but the way to them tells that it has changed."""
    os.mkdir(f"{folder}/moved")
    for i, target in enumerate(targets):
        os.rename(f"{folder}/{i}", f"{folder}/moved/{i}")
        os.symlink(f"moved/{i}", f"{folder}/{i}")
        site.expect(target, body_of(0), "after the move")
        edit_file(f"{folder}/moved/{i}/file.txt", body_of(i + 1))
        site.expect(target, body_of(i + 1), "after the edit")


# --- what inotify does not see --------------------------------------------------------------------

def assert_seen_within_revalidate(site, path, target, change, i):
    """No event tells of it; until it shows, the old body is right as well."""
    date = os.stat(path).st_ctime_ns
    change(path, body_of(i))
    if os.stat(path).st_ctime_ns == date:
        raise harness.Skip("this file system does not date such a write")
    for client in site.clients:
        def is_new():
            body = client.get(target).body
            truth(body in (body_of(i - 1), body_of(i)), f"{target}: {body[:40]!r}")
            return body == body_of(i)
        harness.wait_until(is_new, f"{target} is version {i}", timeout_s=3)
    site.expect(target, body_of(i), "once it has been seen")


@scenario(files(4), ("with_a_short_revalidate",))
def a_write_through_a_hard_link_from_outside_is_seen(site, folder, targets):
    outside = harness.temporary_directory()
    client = site.clients[0]
    for i, target in enumerate(targets):
        tag = client.get(target).fields["etag"]
        os.link(f"{folder}/{i}.txt", f"{outside}/{i}.txt")
        # The link is a change, too: the files settle anew, from when it is seen.
        harness.wait_until(lambda: client.get(target).fields["etag"] != tag, "another tag")
    site.settle(targets)
    for i, target in enumerate(targets):
        site.ask([target])
        assert_seen_within_revalidate(
            site, f"{folder}/{i}.txt", target,
            lambda path, body: edit_file(f"{outside}/{os.path.basename(path)}", body), 1)


def write_through_mapping(path, body):
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        memory[:] = body


@scenario(files(4), ("with_a_short_revalidate",))
def a_write_through_a_mapping_is_seen(site, folder, targets):
    for i, target in enumerate(targets):
        site.ask([target])
        assert_seen_within_revalidate(site, f"{folder}/{i}.txt", target, write_through_mapping, 1)


if __name__ == "__main__":
    harness.main()
