"""tree: what there is to fetch: a tree of odd sizes and names, and what any tree should answer.

What is to be expected of a path is asked of the kernel: openat2 beneath the root, as symlinks =
within has it, and the kind of what it opens.
"""
import ctypes
import errno
import os
import stat

from fetch import Target

KB, MB, GB = 1024, 1024**2, 1024**3
MARKER_STEP = 3 * MB + 17  # odd, so that markers fall everywhere in a chunk
OPENAT2 = 437  # the same on every architecture
RESOLVE_NO_MAGICLINKS, RESOLVE_BENEATH = 0x02, 0x08
UNRESERVED = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/")

SIZES = (0, 1, 4 * KB - 1, 4 * KB, 4 * KB + 1, 64 * KB - 1, 64 * KB, 64 * KB + 1,
         256 * KB - 1, 256 * KB, 256 * KB + 1, GB)
NAMES = ("with space.txt", "  leading and trailing  ", "100%.txt", "%41%00%2f.txt",
         "a+b&c=d;e,f.txt", "q?query#fragment.txt", "back\\slash.txt", "quote\"'<>.html",
         "colon:name@host.txt", "grüße-日本語-\u2603.txt", "e\u0301.txt", "\U0001f600.svg",
         "no-extension", "n" * 251 + ".txt", "ü" * 127 + "n", b"\xff\xfe-not-utf8.bin",
         b"\x01\x7f-control.bin", "deep/er/and deeper/still/%/file.js")
SYMLINKS = {"link-within": "4096.bin", "sub/link-up": "../4096.bin", "link-out": "../../etc/passwd",
            "link-absolute": "/etc/passwd", "link-loop": "link-loop", "link-dangling": "nothing"}


def pattern(size, seed):
    """Bytes that depend on their offset and on the seed."""
    unit = b"".join(b"%07x%09x" % (seed & 0xfffffff, index) for index in range(size // 16 + 1))
    return unit[:size]


def make_sparse(path, size):
    """A large file that costs little: holes, and a marker with its own offset every few MB."""
    with open(path, "wb") as file:
        file.truncate(size)
        for offset in [*range(0, size - 64, MARKER_STEP), max(0, size - 64)]:
            file.seek(offset)
            file.write(pattern(64, offset))
        file.truncate(size)


def make_tree(root):
    for size in SIZES:
        path = root / f"{size}.bin"
        if size >= 16 * MB:
            make_sparse(path, size)
        else:
            path.write_bytes(pattern(size, size))
    for index, name in enumerate(NAMES):
        path = os.path.join(os.fsencode(root), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(pattern(1000 + 37 * index, index))
    for name, to in SYMLINKS.items():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.symlink_to(to)


def quote(path):
    return b"".join(b"%c" % byte if byte in UNRESERVED else b"%%%02X" % byte for byte in path)


class OpenHow(ctypes.Structure):
    _fields_ = [("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64),
                ("resolve", ctypes.c_uint64)]


def open_beneath(directory, path):
    """A descriptor, or -errno."""
    libc = ctypes.CDLL(None, use_errno=True)
    how = OpenHow(os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC, 0,
                  RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS)
    file = libc.syscall(OPENAT2, directory, ctypes.c_char_p(path), ctypes.byref(how),
                        ctypes.c_size_t(ctypes.sizeof(how)))
    return file if file >= 0 else -ctypes.get_errno()


def expected_status(directory, path):
    if any(part.startswith(b".") for part in path.split(b"/")):
        return 404  # dotfiles = deny
    file = open_beneath(directory, path)
    if file < 0:
        return 403 if -file == errno.EACCES else 404
    try:
        mode = os.fstat(file).st_mode
    finally:
        os.close(file)
    return 200 if stat.S_ISREG(mode) else 301 if stat.S_ISDIR(mode) else 403


def targets_of(root):
    """A target for everything but directories, in the order of the tree."""
    root = os.fsencode(root)
    directory = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    targets = []
    for folder, folders, names in os.walk(root):
        folders.sort()
        linked = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in sorted(names + linked):
            full = os.path.join(folder, name)
            path = os.path.relpath(full, root)
            status = expected_status(directory, path)
            targets.append(Target(b"/" + quote(path), status, full if status == 200 else None))
    os.close(directory)
    return targets
