"""A deploy under load: files and their siblings are replaced, in every order, while clients ask in
every coding. Whatever comes decodes to a version that was in force between request and answer.

Two files change all the time, and are hardly ever kept in the cache; many others rest in it for
some seconds before their turn comes.

A version's files all have its date, as a deploy that keeps dates makes them: a sibling that is
renamed first is newer than the file, one that is renamed last has been older for a while. (The
clock of a file system is coarse: what is written within one step of it cannot be told apart.)
"""

import gzip
import os
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import harness
from coded import MODIFIED_S, SUFFIXES, ask, coding_of, decode
from harness import Server, equal, one_of, test, truth

DEPLOYS = 300
ROUNDS = 3  # of deploys of those that rest
RESTING_COUNT = DEPLOYS // ROUNDS
REQUESTS_PER_DEPLOY = 48
THREADS = 4
CONNECTIONS = 2  # of each thread
WAIT_S = 30
SIZES = (3000, 80_000)  # the larger is over cache.file_bytes_max
CODINGS = (None, "br", "gzip")
ORDERS = ((None, "br", "gzip"), ("br", "gzip", None), ("gzip", None, "br"))
# (Accept-Encoding, the coding when nothing changes)
ACCEPTED = (("br", "br"), (None, None), ("gzip", "gzip"), ("br;q=0.5, gzip", "gzip"),
            ("identity;q=0, br", "br"), ("identity", None), ("gzip, br", "br"),
            ("identity;q=0, gzip", "gzip"))


def text_of(version, size):
    line = b"version %06d of this file, which goes on\n" % version
    return (line * (size // len(line) + 1))[:size]


class Changing:
    """A file in each coding. Once the file itself is replaced, it alone is the version `done`, and
    older siblings are nothing; those of the version `begun` may be there before it. `complete`: all
    of it is there."""

    def __init__(self, root, name, store, size, versions_count):
        self.name = name
        self.path = os.path.join(root, name)
        self.store = os.path.join(store, name)
        self.size = size
        self.begun = self.done = self.complete = 0
        self.versions_count = versions_count
        self.versions = {}  # (coding, bytes) -> version
        self.tags = {}

    def source(self, coding, version):
        return f"{self.store}.{version}{SUFFIXES.get(coding, '')}"

    def build(self):
        """All versions, as a build would make them, but for brotli's part."""
        plain = [self.source(None, version) for version in range(self.versions_count)]
        for version, path in enumerate(plain):
            body = text_of(version, self.size)
            harness.write_file(path, body)
            harness.write_file(path + ".gz", gzip.compress(body, 1))
        return plain

    def take(self):
        for version in range(self.versions_count):
            for coding in CODINGS:
                with open(self.source(coding, version), "rb") as file:
                    self.versions[coding, file.read()] = version
                os.utime(self.source(coding, version), (MODIFIED_S + version,) * 2)
        for coding in CODINGS:
            self.put(coding, 0)

    def put(self, coding, version):
        os.rename(self.source(coding, version), self.path + SUFFIXES.get(coding, ""))

    def deploy(self, order):
        self.begun += 1
        for coding in order:
            self.put(coding, self.begun)
            if coding is None:
                self.done += 1
        self.complete += 1

    def version_of(self, response, what):
        """Of what is a sibling by its bytes; what the server has coded is decoded first."""
        coding = coding_of(response)
        version = self.versions.get((coding, response.body))
        if version is None:
            version = self.versions.get((None, decode(coding, response.body)))
            truth(version is not None, f"{what}: {response.body[:60]!r} in {coding}, "
                  f"{len(response.body)} bytes, is no version")
            self.versions[coding, response.body] = version
        return version


class Deploy:
    def __init__(self, root):
        store = os.path.join(harness.temporary_directory(), "store")
        os.mkdir(store)
        self.restless = [Changing(root, f"restless{size}.js", store, size, DEPLOYS + 1)
                         for size in SIZES]
        self.resting = [Changing(root, f"{i}.css", store, SIZES[i % 10 == 0], ROUNDS + 1)
                        for i in range(RESTING_COUNT)]
        files = self.restless + self.resting
        plain = [path for file in files for path in file.build()]
        subprocess.run([harness.require("brotli"), "-q", "1", "-k", *plain], check=True)
        for file in files:
            file.take()
        self.server = None
        self.turn = 0
        self.wanted = threading.Semaphore(0)  # deploys that the requests so far ask for
        self.counts = {coding: 0 for coding in CODINGS}
        self.unchanged_count = 0

    def deploy_all(self):
        """After each, the next request sees it: asked on a connection of its own."""
        with self.server.connect() as client:
            for i in range(DEPLOYS):
                truth(self.wanted.acquire(timeout=WAIT_S), "the requests stopped")
                self.turn = i
                for file in (*self.restless, self.resting[i % RESTING_COUNT]):
                    file.deploy(ORDERS[i % len(ORDERS)])
                    for coding in CODINGS:
                        response = ask(client, f"/{file.name}", coding)
                        what = f"{file.name} in {coding} after deploy {i}"
                        equal(coding_of(response), coding, what)
                        equal(file.version_of(response, what), file.done, what)

    def file_of(self, i):
        """One that changes now, has just changed, or is soon to."""
        if i % 3 == 0:
            return self.restless[i // 3 % len(self.restless)]
        return self.resting[(self.turn + i % 7 - 2) % RESTING_COUNT]

    def ask_all(self, number):
        clients = [self.server.connect() for _ in range(CONNECTIONS)]
        known = {}  # (file, Accept-Encoding) -> (tag, version)
        for i in range(DEPLOYS * REQUESTS_PER_DEPLOY // THREADS // CONNECTIONS):
            if i % (REQUESTS_PER_DEPLOY // CONNECTIONS) == 0:
                self.wanted.release()
            self.ask(clients, self.file_of(i + number),
                     *ACCEPTED[(i // 2 + number) % len(ACCEPTED)], known)
        for client in clients:
            client.close()

    def ask(self, clients, file, accept, wanted, known):
        tag, version = known.pop((file, accept), (None, None))
        fields = [f"Accept-Encoding: {accept}"] if accept else []
        fields += [f"If-None-Match: {tag}"] if tag else []
        done, complete = file.done, file.complete
        for client in clients:
            client.request(f"/{file.name}", fields=fields)
        for response in [client.read_response() for client in clients]:
            begun = file.begun
            what = f"{file.name} for {accept!r}, {response.status}, between {done} and {begun}"
            if response.status == 406 and "identity;q=0" in (accept or "") and complete < begun:
                continue  # there is a new sibling of another coding, and no other
            if response.status == 304:
                self.unchanged_count += 1
            else:
                equal(response.status, 200, what)
                version = self.check(file, response, wanted, complete == begun, what)
                known[file, accept] = response.fields["etag"], version
            truth(done <= version <= begun, f"{what}: version {version} in {coding_of(response)}")

    def check(self, file, response, wanted, is_quiet, what):
        coding = coding_of(response)
        equal(response.fields.get("vary"), "Accept-Encoding", f"{what}: Vary")
        one_of(coding, (wanted,) if is_quiet else CODINGS, f"{what}: coding")
        self.counts[coding] += 1
        version = file.version_of(response, what)
        tag = response.fields["etag"].removeprefix("W/")
        equal(file.tags.setdefault(tag, (version, coding)), (version, coding), f"{what}: {tag}")
        return version


@test
def a_deploy_of_files_and_siblings_under_load_is_seen_at_once_and_never_mixed():
    deploy = Deploy(harness.temporary_directory())
    with Server(os.path.dirname(deploy.restless[0].path),
                {"workers": 2, "cache.revalidate": "1h"}) as server:
        deploy.server = server
        with ThreadPoolExecutor(THREADS + 1) as pool:
            changes = pool.submit(deploy.deploy_all)
            asked = [pool.submit(deploy.ask_all, number) for number in range(THREADS)]
            for task in [*asked, changes]:
                task.result()
        requests = DEPLOYS * REQUESTS_PER_DEPLOY
        for file in deploy.resting:
            equal(file.complete, ROUNDS, f"deploys of {file.name}")
        for coding, count in deploy.counts.items():
            truth(count > requests // 20, f"only {count} of {requests} in {coding}")
        truth(deploy.unchanged_count > requests // 200, f"only {deploy.unchanged_count} times 304")


if __name__ == "__main__":
    harness.main()
