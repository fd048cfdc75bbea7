"""sites: what the tests of hosts, mounts and rules share: ini texts, credentials, and one request
for every status that a path can answer with."""

import base64
import os
import subprocess
import warnings

import harness
from harness import Server, equal

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    try:
        import crypt
    except ImportError:
        crypt = None

FILE = harness.pattern_bytes(5000)
TREE = {"s/file.bin": FILE, "s/dir/index.html": b"index of dir\n", "s/bare/file.txt": b"bare\n",
        "s/locked.txt": b"locked\n", "index.html": b"top\n", "denied.txt": b"denied\n"}
RULES = """[path /s/moved]
redirect = 302 /s/dir/
[path /s/denied]
deny = on
[path /s/hidden]
deny = hide
"""
# (what, target, method, fields, status): all beneath /s/, on a server with TREE and RULES.
STATUSES = (
    ("a file", "/s/file.bin", "GET", (), 200),
    ("HEAD of a file", "/s/file.bin", "HEAD", (), 200),
    ("an index", "/s/dir/", "GET", (), 200),
    ("a preflight", "/s/file.bin", "OPTIONS", (), 204),
    ("a range", "/s/file.bin", "GET", ("Range: bytes=0-9",), 206),
    ("ranges", "/s/file.bin", "GET", ("Range: bytes=0-9,2000-2009",), 206),
    ("a directory without its slash", "/s/dir", "GET", (), 301),
    ("a redirect by rule", "/s/moved", "GET", (), 302),
    ("a validator", "/s/file.bin", "GET", ("If-None-Match: *",), 304),
    ("a directory without an index", "/s/bare/", "GET", (), 403),
    ("denied by rule", "/s/denied", "GET", (), 403),
    ("hidden by rule", "/s/hidden", "GET", (), 404),
    ("a missing file", "/s/missing", "GET", (), 404),
    ("HEAD of a missing file", "/s/missing", "HEAD", (), 404),
    ("another method", "/s/file.bin", "POST", (), 405),
    ("no acceptable coding", "/s/file.bin", "GET", ("Accept-Encoding: *;q=0",), 406),
    ("a failed precondition", "/s/file.bin", "GET", ('If-Match: "other"',), 412),
    ("a range past the end", "/s/file.bin", "GET", ("Range: bytes=9999-",), 416),
)


def serve(tree, text, **keywords):
    """A server for the tree, with that configuration."""
    return Server(harness.make_tree(tree), text, **keywords)


def ask_all(server, fields=(), skipped=()):
    """(what, response) for every one of STATUSES, its status checked."""
    for what, target, method, more, status in STATUSES:
        if status not in skipped:
            response = server.get(target, method=method, fields=(*more, *fields))
            equal(response.status, status, what)
            yield what, response


def password_file(users, path=None):
    """users: name -> hash. Returns the path of the file, outside of every served directory."""
    if path is None:
        path = os.path.join(harness.temporary_directory(), "users")
    text = "".join(f"{name}:{value}\n" for name, value in users.items())
    harness.replace_file(path, text.encode())
    return path


def sha512(password, rounds=1000):
    """Of SHA-512-crypt, as long as Python has it; then of bcrypt."""
    if crypt is None:
        return bcrypt(password)
    return crypt.crypt(password, crypt.mksalt(crypt.METHOD_SHA512, rounds=rounds))


def bcrypt(password, cost=4):
    command = [harness.require("htpasswd"), "-nbB", "-C", str(cost), "user", password]
    result = subprocess.run(command, capture_output=True, check=True, text=True)
    return result.stdout.strip().partition(":")[2]


def basic(user, password):
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    return f"Authorization: Basic {token}"


def wait_for_cached(server, target, fields=()):
    """Until the file is old enough to be kept: its tag is strong then."""
    def is_strong():
        return server.get(target, fields=fields).fields["etag"].startswith('"')
    harness.wait_until(is_strong, f"a strong tag of {target}")
