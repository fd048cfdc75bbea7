"""Repositories: git clones and apt installs from files, as their users serve them for real."""

import gzip
import hashlib
import os
import re

import harness
from harness import contains, equal, require, test, truth
from programs import LoggedServer, content_of, run, tree_of

OLD_S = 1_600_000_000

# --- git ------------------------------------------------------------------------------------------

GIT = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
       "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example", "GIT_COMMITTER_NAME": "A",
       "GIT_COMMITTER_EMAIL": "a@example"}


def git(folder, *arguments, status=0):
    return run("git", *arguments, cwd=folder, more_environment=GIT, status=status).decode()


def commit(work, names, seed):
    harness.make_tree({name: harness.pattern_bytes(3000 + 7919 * i, seed + 1000 * i)
                       for i, name in enumerate(names)}, work)
    git(work, "add", "-A")
    git(work, "commit", "-q", "-m", f"Commit {seed}")


class Repository:
    """A work tree, and the bare repository beneath a root that is served."""

    def __init__(self):
        require("git")
        self.root = harness.temporary_directory()
        self.work = os.path.join(harness.temporary_directory(), "work")
        self.bare = os.path.join(self.root, "project.git")
        git(self.root, "init", "-q", "-b", "main", self.work)
        for seed in range(5):
            commit(self.work, [f"f{seed}.bin", "same.bin", f"d/e/{seed}"], seed)
        git(self.work, "tag", "-a", "v1", "-m", "One")
        git(self.root, "clone", "-q", "--bare", self.work, self.bare)
        git(self.bare, "repack", "-a", "-d", "-q")
        git(self.bare, "config", "transfer.unpackLimit", "1000")
        self.push(5)

    def push(self, seed):
        """More commits, as loose objects beside the pack."""
        commit(self.work, [f"f{seed}.bin", "same.bin"], seed)
        git(self.work, "push", "-q", self.bare, "main:main")
        git(self.bare, "update-server-info")

    def head(self):
        return git(self.work, "rev-parse", "main")

    def assert_copied(self, copy):
        git(copy, "fsck", "--full", "--strict")
        equal(git(copy, "rev-parse", "HEAD"), self.head(), "the commit at the copy's head")
        equal(git(copy, "status", "--porcelain"), "", "what differs from that commit")


@test
def git_clones_packs_and_loose_objects_and_pulls_what_is_new():
    repository = Repository()
    copy = os.path.join(harness.temporary_directory(), "copy")
    with LoggedServer(repository.root) as server:
        git(repository.root, "clone", "-q", f"{server.url}/project.git", copy)
        repository.assert_copied(copy)
        equal(git(copy, "rev-parse", "v1"), git(repository.work, "rev-parse", "v1"), "the tag")
        targets = [entry.target for entry in server.entries() if entry.status == 200]
        for pattern in (r"/objects/pack/pack-.*\.pack$", r"/objects/[0-9a-f]{2}/[0-9a-f]{38}$",
                        r"/info/refs\?service=git-upload-pack$", "/project.git/HEAD$"):
            truth(any(re.search(pattern, target) for target in targets), f"no {pattern} was sent")
        for seed in (6, 7):
            repository.push(seed)
            git(copy, "pull", "-q", "--ff-only")
            repository.assert_copied(copy)
        server.entries()
        git(copy, "pull", "-q", "--ff-only")
        equal({entry.target.partition("?")[0] for entry in server.entries()}
              - {"/project.git/info/refs", "/project.git/HEAD"}, set(), "fetched for nothing new")


@test
def git_sees_a_repository_that_was_repacked_meanwhile():
    repository = Repository()
    copy = os.path.join(harness.temporary_directory(), "copy")
    with LoggedServer(repository.root) as server:
        git(repository.root, "clone", "-q", f"{server.url}/project.git", copy)
        repository.push(6)
        git(repository.bare, "repack", "-a", "-d", "-q")
        git(repository.bare, "prune-packed", "-q")
        git(repository.bare, "update-server-info")
        git(copy, "pull", "-q", "--ff-only")
        repository.assert_copied(copy)


@test
def the_git_folder_of_a_work_tree_is_not_served():
    repository = Repository()
    git(repository.work, "update-server-info")
    with LoggedServer(repository.work) as server:
        equal(server.get("/f0.bin").status, 200)
        for name in (".git/HEAD", ".git/config", ".git/info/refs", "d/../.git/HEAD"):
            equal(server.get(f"/{name}").status, 404, name)
        git(repository.root, "clone", "-q", f"{server.url}/.git", "copy", status=128)


# --- apt ------------------------------------------------------------------------------------------

PACKAGES = [f"gyre-sample-{i}" for i in range(12)]  # apt pipelines up to 10 requests
PART_BYTES = 2000


class DebianRepository:
    """A flat one, with an unsigned Release or with none; and apt with nothing of this system's. apt
    asks by time, of which HTTP knows seconds: what is published has one of its own each time."""

    def __init__(self, with_release):
        for program in ("apt-get", "dpkg-deb", "dpkg-scanpackages"):
            require(program)
        self.with_release = with_release
        self.root = harness.temporary_directory()
        self.home = harness.temporary_directory()
        self.published_s = OLD_S
        self.publish("1.0")

    def publish(self, version, names=PACKAGES):
        for name in names:
            tree = harness.make_tree({
                "DEBIAN/control": f"Package: {name}\nVersion: {version}\nArchitecture: all\n"
                                  "Maintainer: A <a@example>\nDescription: a sample\n".encode(),
                f"usr/share/{name}/data": harness.pattern_bytes(9000, 77 * len(version))})
            run("dpkg-deb", "--build", "--root-owner-group", "-Zgzip", tree, self.root)
        index = run("dpkg-scanpackages", "--multiversion", ".", cwd=self.root)
        self.published_s += 1000
        self.put("Packages", index)
        self.put("Packages.gz", gzip.compress(index, mtime=self.published_s))
        if self.with_release:
            self.release()

    def put(self, name, content):
        path = os.path.join(self.root, name)
        harness.write_file(path + ".new", content)
        os.utime(path + ".new", (self.published_s, self.published_s))
        os.rename(path + ".new", path)

    def release(self):
        lines = [f" {hashlib.sha256(content).hexdigest()} {len(content)} {name}"
                 for name in ("Packages", "Packages.gz")
                 for content in [content_of(f"{self.root}/{name}")]]
        text = "Origin: sample\nDate: Sun, 13 Sep 2020 12:26:40 UTC\nSHA256:\n" + "\n".join(lines)
        self.put("Release", text.encode() + b"\n")

    def configure(self, url):
        for name in ("state/lists/partial", "cache/archives/partial", "etc/apt.conf.d",
                     "etc/preferences.d", "etc/sources.list.d", "etc/trusted.gpg.d", "log"):
            os.makedirs(f"{self.home}/{name}")
        source = f"deb [trusted=yes] {url} ./\n"
        harness.write_file(f"{self.home}/etc/sources.list", source.encode())
        harness.write_file(f"{self.home}/status", b"")
        harness.write_file(f"{self.home}/apt.conf", f'''
Dir::State "{self.home}/state"; Dir::State::status "{self.home}/status";
Dir::Cache "{self.home}/cache"; Dir::Etc "{self.home}/etc"; Dir::Log "{self.home}/log";
APT::Sandbox::User "root"; Acquire::Languages "none"; Acquire::Retries "0";
Acquire::http::Proxy "DIRECT"; Acquire::http::Timeout "20";
'''.encode())

    def apt(self, *arguments, folder=None):
        return run("apt-get", "-q", *arguments, cwd=folder or self.home,
                   more_environment={"APT_CONFIG": f"{self.home}/apt.conf"}).decode()

    def deb(self, version, name=PACKAGES[0]):
        return f"{name}_{version}_all.deb"


def assert_updated_twice(with_release, indexes):
    """indexes: those that the second update must ask for, all to be told that they are the same."""
    repository = DebianRepository(with_release)
    with LoggedServer(repository.root) as server:
        repository.configure(server.url)
        repository.apt("update")
        truth([200] in server.statuses().values(), "nothing was sent the first time")
        repository.apt("update")
        statuses = server.statuses()
        for name in indexes:
            equal(statuses.get(f"/./{name}"), [304], f"{name} the second time, of {statuses}")
        equal(sum(200 in answers for answers in statuses.values()), 0, "sent again")
        repository.publish("1.10", PACKAGES[:1])
        repository.apt("update")
        folder = harness.temporary_directory()
        repository.apt("download", PACKAGES[0], folder=folder)
        equal(os.listdir(folder), [repository.deb("1.10")], "downloaded")


@test
def apt_updates_by_release_and_the_second_time_gets_304():
    assert_updated_twice(True, ["Release"])


@test
def apt_updates_without_release_and_the_second_time_gets_304():
    assert_updated_twice(False, ["Packages.gz"])


@test
def apt_downloads_many_packages_on_one_connection():
    repository = DebianRepository(True)
    with LoggedServer(repository.root) as server:
        repository.configure(server.url)
        repository.apt("update")
        server.entries()
        folder = harness.temporary_directory()
        repository.apt("download", *PACKAGES, folder=folder)
        expected = {name: content for name, content in tree_of(repository.root).items()
                    if name.endswith(".deb")}
        equal(sorted(expected), sorted(repository.deb("1.0", name) for name in PACKAGES))
        truth(tree_of(folder) == expected, "other bytes than the packages'")
        equal([entry.status for entry in server.entries()], [200] * len(PACKAGES))


@test
def apt_resumes_what_is_unchanged_and_gets_the_rest_whole():
    """By If-Range with the time of what it has."""
    repository = DebianRepository(True)
    name = repository.deb("1.0")
    whole = content_of(f"{repository.root}/{name}")
    os.utime(f"{repository.root}/{name}", (OLD_S, OLD_S))
    with LoggedServer(repository.root) as server:
        repository.configure(server.url)
        repository.apt("update")
        for modified_s, status, sent in ((OLD_S, 206, len(whole) - PART_BYTES),
                                         (OLD_S - 1, 200, len(whole))):
            partial = f"{repository.home}/cache/archives/partial/{name}"
            harness.write_file(partial, whole[:PART_BYTES])
            os.utime(partial, (modified_s, modified_s))
            server.entries()
            repository.apt("install", "-y", "--download-only", PACKAGES[0])
            equal([(entry.status, entry.bytes) for entry in server.entries()], [(status, sent)],
                  f"answer for a part of {modified_s}")
            truth(content_of(f"{repository.home}/cache/archives/{name}") == whole, "other bytes")
            repository.apt("clean")


@test
def apt_names_what_is_missing():
    repository = DebianRepository(True)
    with LoggedServer(repository.root) as server:
        repository.configure(server.url)
        repository.apt("update")
        os.unlink(f"{repository.root}/{repository.deb('1.0')}")
        out = run("apt-get", "-q", "install", "-y", "--download-only", PACKAGES[0], status=100,
                  more_environment={"APT_CONFIG": f"{repository.home}/apt.conf"})
        contains(out.decode(), "404  Not Found", "what apt says")


if __name__ == "__main__":
    harness.main()
