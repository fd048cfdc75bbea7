"""A deploy under load: files that are replaced and edited while several connections ask for them.

watch_load_test.py has many small files, all cached. Here are few, of every size that is served in a
way of its own: from the cache, streamed, and streamed in more than one chunk; and clients that ask
whether what they have is still the same.
"""

import array
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import harness
from harness import Server, equal, one_of, replace_file, test, truth
from watched import edit_file

CHANGES = 1000  # of each kind
REQUESTS = 20_000
THREADS = 4
CONNECTIONS = 2  # of each thread
REQUESTS_PER_CHANGE = REQUESTS // CHANGES
WAIT_S = 20
BLOCK_SIZE = 8
SIZES = {"small": 2000, "medium": 80_000, "large": 600_000}  # large: over ring.chunk_bytes
TURNS = ("small", "medium", "small", "small", "medium", "small", "large", "small", "medium",
         "small")
SPREAD = 97  # renamed files differ in length, too: by as many blocks at most


class Changing:
    """A file and its versions: at least `done` is on disk, and at most `begun`."""

    def __init__(self, root, kind, size_name):
        self.name = f"{kind}-{size_name}.bin"
        self.path = os.path.join(root, self.name)
        self.is_renamed = kind == "renamed"
        self.size = SIZES[size_name]
        self.begun = self.done = 0
        harness.write_file(self.path, self.body(0))

    def body(self, version):
        """In equal blocks that name the version."""
        extra = version % SPREAD if self.is_renamed else 0
        return b"%08x" % version * (self.size // BLOCK_SIZE + extra)

    def change(self):
        body = self.body(self.begun + 1)
        self.begun += 1
        (replace_file if self.is_renamed else edit_file)(self.path, body)
        self.done += 1

    def version_of(self, body, done, begun):
        """Of a body that was asked for when `done` was done, and came when `begun` was begun."""
        what = f"{self.name}, versions {done} to {begun}, a body of {len(body)} bytes"
        version = int(body[:BLOCK_SIZE], 16)
        truth(done <= version <= begun, f"{what}: begins with version {version}")
        if body == self.body(version):
            return version
        # HTTP has no name for a moment: a file that is written to while it is read comes mixed, of
        # the versions of that while, and in full. One that is renamed never does.
        truth(not self.is_renamed, f"{what}: mixed, or of another length than version {version}")
        equal(len(body), self.size, f"{what}: length")
        for block in set(array.array("Q", body)):
            one_of(int(block.to_bytes(BLOCK_SIZE, "little"), 16), range(done, begun + 1), what)
        return None


class Deploy:
    def __init__(self, server):
        self.server = server
        self.files = {kind: {name: Changing(server.root, kind, name) for name in SIZES}
                      for kind in ("renamed", "edited")}
        self.wanted = threading.Semaphore(0)  # changes that the requests so far ask for
        self.tags = {}  # of renamed files: (name, tag) -> version
        self.unchanged_count = 0

    def file_of(self, i, kind):
        return self.files[kind][TURNS[i % len(TURNS)]]

    def change_all(self):
        """After each change, the next request sees it: asked on a connection of its own."""
        with self.server.connect() as client:
            for i in range(CHANGES):
                truth(self.wanted.acquire(timeout=WAIT_S), "the requests stopped")
                for kind in self.files:
                    file = self.file_of(i, kind)
                    file.change()
                    body = client.get(f"/{file.name}").body
                    truth(body == file.body(file.done), f"{file.name} after change {file.done}: "
                          f"{body[:BLOCK_SIZE]!r}, {len(body)} bytes")

    def ask_all(self, number):
        clients = [self.server.connect() for _ in range(CONNECTIONS)]
        known = {}  # renamed file -> (tag, version)
        for i in range(REQUESTS // THREADS // CONNECTIONS):
            if i * CONNECTIONS % REQUESTS_PER_CHANGE == 0:
                self.wanted.release()
            self.ask(clients, self.file_of(i // 2 + number, ("renamed", "edited")[i % 2]), known)
        for client in clients:
            client.close()

    def ask(self, clients, file, known):
        tag, version = known.get(file, (None, None))
        fields = [f"If-None-Match: {tag}"] if tag else []
        done = file.done
        for client in clients:
            client.request(f"/{file.name}", fields=fields)
        for response in [client.read_response() for client in clients]:
            begun = file.begun
            if response.status == 304:
                truth(done <= version <= begun, f"{file.name}: 304 for version {version}, between "
                      f"{done} and {begun}")
                self.unchanged_count += 1
                known.pop(file, None)
            else:
                equal(response.status, 200, file.name)
                seen = file.version_of(response.body, done, begun)
                if file.is_renamed:
                    self.know_tag(file, response.fields["etag"], seen)
                    known[file] = (response.fields["etag"], seen)

    def know_tag(self, file, tag, version):
        """Weak or strong, a tag is that of one version."""
        equal(self.tags.setdefault((file.name, tag.removeprefix("W/")), version), version,
              f"version of {file.name} that has the tag {tag}")


@test
def a_deploy_under_load_is_seen_at_once_and_never_in_part():
    with Server(harness.temporary_directory(), {"workers": 2}) as server:
        deploy = Deploy(server)
        with ThreadPoolExecutor(THREADS + 1) as pool:
            changes = pool.submit(deploy.change_all)
            asked = [pool.submit(deploy.ask_all, number) for number in range(THREADS)]
            for task in [*asked, changes]:
                task.result()
        for files in deploy.files.values():
            equal(sum(file.done for file in files.values()), CHANGES, "changes")
        truth(deploy.unchanged_count > REQUESTS // 100, f"only {deploy.unchanged_count} times 304")


if __name__ == "__main__":
    harness.main()
