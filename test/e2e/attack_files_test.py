"""Files that are swapped while they are asked for, and names that no tool would make: nothing from
outside of the root is ever sent, and what is listed can be had by the address it is listed by."""

import ctypes
import html
import json
import os
import random
import re
import shutil
import socket
import threading
import urllib.parse

import harness
from harness import Server, equal, test, truth
from wire import request_bytes

RACE_S = 5
CLIENTS = 3
CANARY = b"from outside of the root"
RENAME_EXCHANGE = 2
AT_FDCWD = -100
SEGMENT_SIZE_MAX = 255
PATH_SIZE_MAX = 4095
TARGETS = ("/s.css", "/s.css/", "/a/x.txt", "/a/d/x.txt", "/b/x.txt", "/a/d/", "/a/", "/b/",
           "/?format=tar", "/a/?format=tar", "/a/d/?format=tar", "/gone/", "/gone/sub/",
           "/gone/?format=tar", "/grows.css", "/out/x.txt", "/a/out/x.txt", "/mnt/m/x.txt", "/mnt/")
CODINGS = ([], ["Accept-Encoding: gzip, br"], ["Accept-Encoding: gzip, identity;q=0"],
           ["Range: bytes=10-"], ["If-None-Match: \"x\""])
# 503 where a file changed under every attempt to read it, 500 where it shrank in an archive.
STATUSES = {b"200", b"206", b"403", b"404", b"406", b"416", b"500", b"503"}


class Race:
    """Threads that change the tree, and threads that ask for it, until the time is over."""

    def __init__(self, server, outside, mounted):
        self.server = server
        self.root = server.root
        self.outside = outside
        self.mounted = mounted
        self.over = threading.Event()
        self.leaks = []
        self.statuses = set()
        changers = (self.swap_file, self.swap_folders, self.grow, self.remove)
        self.threads = [threading.Thread(target=self.repeat, args=(step,), daemon=True)
                        for step in changers + (self.ask,) * CLIENTS]

    def run(self):
        for thread in self.threads:
            thread.start()
        self.over.wait(RACE_S)
        self.over.set()
        for thread in self.threads:
            thread.join()

    def repeat(self, step):
        while not self.over.is_set():
            try:
                step()
            except OSError:
                pass  # another thread was faster

    def path(self, name):
        return os.path.join(self.root, name)

    def swap_file(self):
        """A file, links that lead out, a link that does not, a FIFO; of the sibling, too."""
        fresh = self.path(".fresh")
        for name in ("s.css", "s.css.gz"):
            outside = os.path.join(self.outside, name)
            for target in (outside, "../" + os.path.relpath(outside, os.path.dirname(self.root)),
                           "/proc/self/root" + outside, "a/x.txt", None):
                if os.path.lexists(fresh):
                    os.unlink(fresh)
                if target is None:
                    os.mkfifo(fresh)
                else:
                    os.symlink(target, fresh)
                os.rename(fresh, self.path(name))
                harness.replace_file(self.path(name), b"s { }\n" * (400 - 300 * (name[-1] == "z")))

    def swap_folders(self):
        libc = ctypes.CDLL(None)
        for inner, link in (("a/d", "a/out"), ("b", "out"), ("a", "out"), ("a", "out")):
            libc.renameat2(AT_FDCWD, self.path(inner).encode(), AT_FDCWD,
                           self.path(link).encode(), RENAME_EXCHANGE)

    def grow(self):
        path = self.path("grows.css")
        with open(path, "r+b") as file:
            file.truncate(random.randrange(1000, 300_000))
            file.seek(0, os.SEEK_END)
            file.write(b"p { }" * random.randrange(1, 5000))
        os.chmod(path, random.choice((0o644, 0o600, 0)))
        os.utime(path, (0, random.choice((0, 1, 1_600_000_000, 2**31 + 5, 4_000_000_000))))

    def remove(self):
        folder = self.path("gone")
        os.makedirs(os.path.join(folder, "sub"), exist_ok=True)
        for i in range(30):
            harness.write_file(os.path.join(folder, "sub", str(i)), b"x" * 100)
        os.rename(folder, folder + ".old")
        shutil.rmtree(folder + ".old")
        for path in (os.path.join(self.mounted, "m"), self.mounted):
            os.rename(path, path + ".old")
            os.rename(path + ".old", path)

    def ask(self):
        target = random.choice(TARGETS)
        with socket.create_connection(self.server.address[1], 10) as client:
            client.sendall(request_bytes(target, fields=[*random.choice(CODINGS),
                                                         "Connection: close"]))
            data = bytearray()
            try:
                while piece := client.recv(1 << 16):
                    data += piece
            except ConnectionResetError:
                pass  # an archive whose file shrank
        self.statuses.add(bytes(data[9:12]))
        if CANARY in data:
            self.leaks.append((target, bytes(data[:200])))


@test
def nothing_from_outside_is_sent_however_files_are_swapped():
    outside = harness.make_tree({"s.css": CANARY * 50, "s.css.gz": CANARY, "x.txt": CANARY * 50,
                                 "d/x.txt": CANARY * 50})
    root = harness.make_tree({
        "s.css": b"s { }\n", "a/x.txt": b"a" * 5000, "a/d/x.txt": b"d" * 3000,
        "b/x.txt": b"b" * 5000, "grows.css": b"p { }\n" * 9000,
        **{f"a/{i}": b"" for i in range(100)}})
    mounted = harness.make_tree({"m/x.txt": b"m" * 100})
    os.symlink(outside, os.path.join(root, "out"))
    os.symlink(os.path.join(outside, "d"), os.path.join(root, "a/out"))
    with Server(root, "[files]\nlisting = on\narchive = on\netag = hash\n"
                      f"[mount /mnt/]\nroot = {mounted}\n") as server:
        descriptors = server.descriptors()
        race = Race(server, outside, mounted)
        race.run()
        equal(race.leaks, [], "what was sent from outside")
        truth(race.statuses <= STATUSES, f"statuses {race.statuses}")
        truth(b"200" in race.statuses, "something was sent")
        harness.wait_until(lambda: server.sockets() <= descriptors, "connections are gone")


# --- names ----------------------------------------------------------------------------------------

NAMES = ([b"n" + bytes([byte]) + b"m" for byte in range(1, 256) if byte != ord("/")] +
         [bytes([byte]) for byte in range(1, 256) if byte not in b"./"] +
         [b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"\xe2\x80\xae", b"..a", b"...",
          b"a:b", b"javascript:alert(1)", b"<script>", b"&lt;", b"'\"", b"%2e%2e", b"%2f", b"%",
          b"?", b"#", b"\\..\\", b"x" * SEGMENT_SIZE_MAX, b"\xff" * SEGMENT_SIZE_MAX])


def get_by(server, href):
    return server.get("/" + href if not href.startswith("./") else href[1:])


@test
def every_name_is_listed_and_had_by_its_address():
    root = harness.make_tree({})
    for name in NAMES:
        harness.write_file(os.path.join(os.fsencode(root), name), b"content of " + name)
    with Server(root, "[files]\nlisting = on\ndotfiles = show\n") as server:
        listing = json.loads(server.get("/?format=json").body.decode("utf-8"))
        page = server.get("/?format=html").body.decode("utf-8")
        links = [html.unescape(link) for link in re.findall(r'<tr><td><a href="([^"]*)"', page)]
        hrefs = [item["href"] for item in listing["entries"]]
        equal(sorted(links), sorted(hrefs), "the two forms")
        equal(len(set(hrefs)), len(set(NAMES)), "one address for each name")
        for href in hrefs:
            truth(re.fullmatch(r"(?:\./)?(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+", href), f"href {href}")
            name = urllib.parse.unquote_to_bytes(href.removeprefix("./"))
            equal(get_by(server, href).body, b"content of " + name, href)


def nested(size):
    """A path of that many bytes, in names that are as long as can be."""
    path = "/".join(["s" * SEGMENT_SIZE_MAX] * (size // SEGMENT_SIZE_MAX + 1))[:size]
    return path[:-1] + "s"


@test
def paths_at_every_limit_are_answered_with_every_feature_on():
    rules = "[path /**]\nheader = X-A: b\n[path /**/private/]\ndeny = hide\n[path /*/r/**]\n" \
            "redirect = 302 /$1\n"
    keys = ("try = $uri $uri.html $uri/index.html $uri/ /small.txt", "try = off",
            "spa = /small.txt")
    root = harness.make_tree({"small.txt": b"small\n"})
    for key in keys:
        with Server(root, f"[files]\nlisting = on\narchive = on\n{key}\n"
                          f"[errors]\n404 = /small.txt\n{rules}") as server:
            with server.connect() as client:
                for size in [*range(250, 260), *range(PATH_SIZE_MAX - 260, PATH_SIZE_MAX + 4)]:
                    for end in ("", "/", ".gz", "/r/x", "/private"):
                        response = client.get("/" + nested(size) + end,
                                              fields=["Accept: text/html", "Accept-Encoding: gzip"])
                        harness.one_of(response.status, (200, 302, 404), f"{size} bytes and {end}")


@test
def names_and_folders_at_the_limits_are_served_listed_and_archived():
    """Deeper than an archive goes, and names that leave no room for a sibling's suffix."""
    root = harness.make_tree({})
    folder = root
    for depth in range(70):
        folder = os.path.join(folder, f"d{depth}")
    os.makedirs(folder)
    longest = "n" * (SEGMENT_SIZE_MAX - 4) + ".css"
    for name in (longest, longest[1:], longest[3:], longest[4:]):
        harness.write_file(os.path.join(root, name), b"p { color: red }\n" * 200)
    with Server(root, "[files]\nlisting = on\narchive = on\n") as server:
        for name in (longest, longest[1:], longest[3:], longest[4:]):
            for fields in ([], ["Accept-Encoding: gzip"], ["Accept-Encoding: br, identity;q=0.5"]):
                equal(server.get("/" + name, fields=fields).status, 200, f"{len(name)} bytes")
        deepest = "/" + os.path.relpath(folder, root) + "/"
        equal(server.get(deepest).status, 200, "the deepest listing")
        with server.connect() as client:
            client.send(request_bytes("/?format=tar", fields=["Connection: close"]))
            data = bytearray()
            while piece := client.socket.recv(1 << 16):
                data += piece
        truth(data.endswith(b"0\r\n\r\n"), "the archive is whole")


if __name__ == "__main__":
    harness.main()
