"""docroot: the files that the checks ask for, made once for every server.

Each server has a tree of its own, since some checks change files. Bytes depend on their offset.
"""
import array
import gzip
import os
import time

AGED_S = 1_600_000_000
AGED = "Sun, 13 Sep 2020 12:26:40 GMT"
HELLO = b"hello, framing\n"
BIG_BYTES = 16 << 20
RANGED_BYTES = 10_000
SMALL_BYTES = 3_000
SECRET = b"outside the root\n"
SCRIPT = b"const a = 1;\n" * 200
INDEX = b"<!doctype html><title>packed</title>\n" * 100
# What stands for brotli: nobody here decodes it, and the standard library cannot encode it.
SCRIPT_BR = b"brotli bytes of site.js\n" * 4
INDEX_BR = b"brotli bytes of index\n" * 4
SCRIPT_GZ = gzip.compress(SCRIPT, mtime=0)
OLD_BR = b"brotli bytes of an older stale.js\n"
OLD_GZ = gzip.compress(b"const a = 0;\n" * 200, mtime=0)
INDEX_GZ = gzip.compress(INDEX, mtime=0)
PAGE = b"<!doctype html><script>alert(1)</script>\n"
SPLIT_NAME = "line\r\nX-Split: yes"
LONG_NAME = "n" * 255


def pattern(size, seed=0):
    """Bytes that depend on their offset: a counter in every four."""
    return array.array("I", range(seed, seed + size // 4 + 1)).tobytes()[:size]


def files():
    """Name -> content, of everything that is an ordinary file."""
    tree = {
        "hello.txt": HELLO, "smuggled": b"!\n", "index.html": b"index\n", "empty.txt": b"",
        "dir/index.html": b"dir\n", "dir/file.txt": b"file\n", "bare/x.txt": b"x\n",
        "evil.example/index.html": b"dir\n", "\\evil.example/index.html": b"dir\n",
        f"{SPLIT_NAME}/index.html": b"dir\n", "back\\slash.txt": b"backslash\n",
        "%41.txt": b"percent\n", LONG_NAME: b"long\n", "closed.txt": b"closed\n",
        ".hidden": SECRET, ".git/config": SECRET, ".well-known/acme/token": b"token\n",
        "ranged.bin": pattern(RANGED_BYTES), "small.bin": pattern(SMALL_BYTES),
        "cut.bin": pattern(BIG_BYTES), "grow.bin": pattern(BIG_BYTES),
        "page": PAGE, "old0.txt": b"old\n", "old1.txt": b"old\n", "aged.txt": b"old\n",
        "dated.txt": b"old\n",
        "gone.txt": b"gone\n", "renamed.txt": b"before\n", "edited.txt": b"before\n",
    }
    for name in ("m.mjs", "m.js", "m.css", "m.wasm", "m.webmanifest", "m.avif", "m.woff2", "m.webp",
                 "m.svg", "m.json", "m.html", "m.txt", "m.mp4", "m.map"):
        tree[name] = b"content of " + name.encode() + b"\n"
    tree |= {"site.js": SCRIPT, "site.js.br": SCRIPT_BR, "site.js.gz": SCRIPT_GZ,
             "only.js": SCRIPT, "only.js.gz": SCRIPT_GZ,
             "stale.js": SCRIPT, "stale.js.br": OLD_BR, "stale.js.gz": OLD_GZ,
             "packed/index.html": INDEX, "packed/index.html.br": INDEX_BR,
             "packed/index.html.gz": INDEX_GZ}
    return tree


def make(root):
    """Fills root, which is there, and what lies beside it."""
    for name, content in files().items():
        write(root / name, content)
    (root.parent / "secret.txt").write_bytes(SECRET)
    os.symlink("../secret.txt", root / "link-out")
    os.mkfifo(root / "pipe.txt")
    os.chmod(root / "pipe.txt", 0o644)
    os.chmod(root / "closed.txt", 0)
    for folder, _, names in os.walk(root):
        for name in names:
            age(os.path.join(folder, name))
    for name, seconds in {"old0.txt": 0, "old1.txt": 1, "aged.txt": 1, "stale.js.br": AGED_S - 60,
                          "stale.js.gz": AGED_S - 60}.items():
        age(root / name, seconds)


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def age(path, seconds=AGED_S):
    os.utime(path, (seconds, seconds), follow_symlinks=False)


def replace(path, content, seconds=None):
    """A new file, renamed over the old one."""
    fresh = path.with_name(path.name + ".fresh~")
    fresh.write_bytes(content)
    if seconds is not None:
        age(fresh, seconds)
    os.rename(fresh, path)


def write_twice_within_a_second(root, contents, look):
    """Writes a file with one content, then with the other, with look(name, content) after each; so
    often that the dates of both fall into one second. Returns the looks."""
    for i in range(10):
        path = root / f"young{i}.txt"
        time.sleep(1.02 - time.time() % 1.0)  # a second has just begun
        looks, dates = [], set()
        for content in contents:
            path.write_bytes(content)
            dates.add(int(path.stat().st_mtime))
            looks.append(look(path.name, content))
        if len(dates) == 1:
            return looks
    raise RuntimeError("this machine is too slow to write two files within a second")
