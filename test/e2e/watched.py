"""watched: servers whose cached files change under them, for the tests of the watch.

A scenario runs on one site for each of its ways to be served. Only files that were left alone for
two seconds are kept in the cache, so all trees of a test file are made first and age together; the
number of operations that requests cost then proves that they came from the cache. `revalidate` is
an hour unless a way says otherwise, so that nothing but the watch can have told.
"""

import atexit
import functools
import os
import re
import shutil
import signal
import tempfile

import harness
from harness import Server, equal, truth

ASKED_MIN = 100
MANY = "with_many_directories"
WORKER_LINE = re.compile(
    r"gyre: worker (\d+): (\d+) connections, .* (\d+) requests, .* (\d+) operations")

WAYS = {
    "with_one_worker": (1, {}),
    "with_two_workers": (2, {}),
    "without_a_watch": (2, {"cache.watch": "off"}),
    "with_sqpoll": (1, {"ring.sqpoll": "on"}),
    "as_an_ordinary_user": (1, {}),
    "with_a_short_revalidate": (2, {"cache.revalidate": "200ms"}),
    MANY: (1, {}),
}
THREE_WAYS = ("with_one_worker", "with_two_workers", "without_a_watch")
SCENARIOS = []
SITES = {}


def memory_directory():
    """Where thousands of directories cost little to make, if there is such a place."""
    if not os.access("/dev/shm", os.W_OK):
        return harness.temporary_directory()
    path = tempfile.mkdtemp(prefix="gyre-e2e-", dir="/dev/shm")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


class ConnectedServer(Server):
    """Ends its clients first: else it would linger for them."""

    clients = ()

    def stop(self):
        for client in self.clients:
            client.close()
        super().stop()


class Site:
    """One server, its tree, and clients that reach every worker of it."""

    def __init__(self, way, scenarios):
        self.workers, settings = WAYS[way]
        self.root = memory_directory() if way == MANY else harness.temporary_directory()
        self.targets = {}
        for scenario in scenarios:
            folder = self.path(scenario.__name__)
            os.mkdir(folder)
            names = scenario.prepare(folder)
            self.targets[scenario] = [f"/{scenario.__name__}/{name}" for name in names]
        # A site waits for its turn longer than an idle connection is kept.
        settings = {"cache.revalidate": "1h", "timeouts.keepalive": "1h", **settings}
        user = harness.ordinary_user() if way == "as_an_ordinary_user" else ()
        self.server = harness.shared(lambda: ConnectedServer(
            self.root, settings, ["-w", str(self.workers)], user=user))
        self.clients = self.server.clients = [self.server.connect() for _ in range(3)]
        while min(connections for _, connections, _, _ in self.report()) == 0:
            self.clients.append(self.server.connect())

    def path(self, name):
        return os.path.join(self.root, name)

    def report(self):
        """(index, connections, requests so far, operations so far) of each worker."""
        lines = self.server.stderr.lines
        known = len(lines)
        self.server.signal(signal.SIGUSR2)
        return self.server.stderr.wait_for(
            lambda lines: self.complete_report(lines[known:]), 15, "a report")

    def complete_report(self, lines):
        found = [tuple(map(int, match.groups())) for match in map(WORKER_LINE.match, lines)
                 if match]
        return sorted(found) if len(found) == self.workers else None

    def settle(self, targets):
        """Until all of them are old enough to be cached, and cached by every worker."""
        for target in targets:
            harness.wait_until(
                lambda: not self.clients[0].get(target).fields["etag"].startswith("W/"),
                "the tag is strong")
        self.ask(targets)
        before = self.report()
        for _ in range(1 + ASKED_MIN // len(targets)):
            self.ask(targets)
        for (*_, requests, operations), (*_, asked, spent) in zip(before, self.report()):
            asked, spent = asked - requests, spent - operations
            truth(spent < 3 * asked, f"{asked} requests cost {spent} operations: not cached")

    def ask(self, targets):
        for client in self.clients:
            for target in targets:
                equal(client.get(target).status, 200, target)

    def expect(self, target, body, when, status=200):
        """On each connection, twice: as the first to ask, and from what that put in the cache."""
        for i, client in enumerate(self.clients + self.clients):
            judge(client.get(target), body, f"{target} {when}, connection {i}", status)

    def expect_status(self, target, status, when):
        self.expect(target, None, when, status)


def judge(response, body, what, status=200):
    equal(response.status, status, f"{what}: status")
    if body is not None:
        truth(response.body == body, f"{what}: expected {body[:40]!r} ({len(body)} bytes), "
              f"got {response.body[:40]!r} ({len(response.body)} bytes)")


def body_of(i, size=0):
    text = b"version %06d\n" % i
    return text if size == 0 else (text * (size // len(text) + 1))[:size]


def edit_file(path, content):
    """In place: same inode, no moment at which it is short."""
    with open(path, "r+b", buffering=0) as file:
        file.write(content)


def scenario(prepare, ways=THREE_WAYS):
    """The function gets the site, the path of its folder and the targets that prepare() named."""
    def register(function):
        function.prepare = prepare
        function.ways = ways
        SCENARIOS.append(function)
        for way in ways:
            run = functools.partial(run_scenario, function, way)
            harness.add(f"{function.__name__}_{way}", run)
        return function
    return register


def run_scenario(function, way):
    if not SITES:
        for name in WAYS:
            scenarios = [item for item in SCENARIOS if name in item.ways]
            if scenarios:
                SITES[name] = Site(name, scenarios)
    site = SITES[way]
    targets = site.targets[function]
    site.settle(targets)
    function(site, site.path(function.__name__), targets)


def files(count, name="{}.txt", size=0):
    def prepare(folder):
        names = [name.format(i) for i in range(count)]
        harness.make_tree({item: body_of(0, size) for item in names}, folder)
        return names
    return prepare
