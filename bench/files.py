"""files: what the servers serve in a measurement: one tree for all of them.

    small/SIZE.txt      one size each
    site/               20 files of 3 to 300 KB that compress, each with .br and .gz
    large/SIZE.bin      one size each
    many/NN/NNNNNN.txt  100,000 files of 1 to 16 KB; the number is the rank of its popularity

Bytes depend on their offset, and nothing on chance: every run has the same files. So they are kept:
some file systems need minutes to delete so many. What is made anew is renamed when it is complete.
"""
import gzip
import os
import random
import shutil
import subprocess

import servers
import tree

KB, MB, GB = 1024, 1024**2, 1024**3
SMALL_SIZES = (100, KB, 4 * KB, 16 * KB)
LARGE_SIZES = (MB, 10 * MB, GB)
SITE_COUNT = 20
SITE_SIZE_MIN, SITE_SIZE_MAX = 3 * KB, 300 * KB
SITE_SUFFIXES = ("html", "css", "js", "svg", "json")
MANY_COUNT = 100000
MANY_FOLDERS = 100
MANY_SIZE_MAX = 16 * KB
PIECE_SIZE = 16 * MB
WORDS_COUNT = 2000


def provide(path, make):
    """Has make(part) make the path unless it is there. Returns whether it was made."""
    if path.exists():
        return False
    part = path.with_name(f"{path.name}.part")
    if part.is_dir():
        shutil.rmtree(part)
    path.parent.mkdir(parents=True, exist_ok=True)
    make(part)
    part.rename(path)
    return True


def provide_all(root, large_sizes, with_many):
    """The tree, or what is wanted of it. Waits until new files are old enough."""
    made = [provide(root / "small", make_small), provide(root / "site", make_site)]
    made += [provide(root / "large" / f"{size}.bin", lambda part, size=size: make_large(part, size))
             for size in large_sizes]
    if with_many:
        made.append(provide(root / "many", make_many))
    if any(made):
        os.sync()  # writing back would be in the way
        servers.let_age()


def make_small(folder):
    folder.mkdir()
    for size in SMALL_SIZES:
        (folder / f"{size}.txt").write_bytes(tree.pattern(size, size))


def make_large(path, size):
    piece = tree.pattern(PIECE_SIZE, 1)
    with open(path, "wb") as file:
        for offset in range(0, size, PIECE_SIZE):
            file.write(piece[:size - offset])


# --- the site -------------------------------------------------------------------------------------

def site_sizes():
    """From the least to the greatest, each the same factor above the one before."""
    factor = (SITE_SIZE_MAX / SITE_SIZE_MIN) ** (1 / (SITE_COUNT - 1))
    return [round(SITE_SIZE_MIN * factor**index) for index in range(SITE_COUNT)]


def site_names():
    return [f"{index:02}.{SITE_SUFFIXES[index % len(SITE_SUFFIXES)]}"
            for index in range(SITE_COUNT)]


def site_text(size, seed):
    """Made-up words, the frequent ones more often: it compresses about as markup does."""
    source = random.Random(seed)
    words = ["".join(source.choices("etaoinshrdlucmfwypvbgkjqxz", k=source.randint(2, 9)))
             for _ in range(WORDS_COUNT)]
    parts, length = [], 0
    while length < size:
        word = words[int(WORDS_COUNT ** source.random()) - 1]
        parts.append(f"<{word}>" if source.random() < 0.1 else word)
        length += len(parts[-1]) + 1
    return " ".join(parts).encode()[:size]


def make_site(folder):
    folder.mkdir()
    brotli = servers.find_program("brotli")
    for name, size in zip(site_names(), site_sizes()):
        path = folder / name
        path.write_bytes(site_text(size, size))
        path.with_name(f"{name}.gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
        packed = path.with_name(f"{name}.br")
        subprocess.run([brotli, "-q", "9", "-o", str(packed), str(path)], check=True)
        packed.touch()  # brotli gives it the file's date without the fraction: that is older


def packed_sizes(root):
    """What those who take Brotli get, in the order of the names."""
    return [(root / "site" / f"{name}.br").stat().st_size for name in site_names()]


# --- the many -------------------------------------------------------------------------------------

def many_path(rank):
    """Within many/, as wrk.lua has it. Ranks begin with 1."""
    return f"{rank % MANY_FOLDERS:02}/{rank:06}.txt"


def many_size(rank):
    """1 to 16 KB, evenly spread, and independent of the rank."""
    return KB + rank * 2654435761 % 2**32 * (MANY_SIZE_MAX - KB) // 2**32


def make_many(folder):
    for index in range(MANY_FOLDERS):
        (folder / f"{index:02}").mkdir(parents=True)
    content = tree.pattern(MANY_SIZE_MAX, 2)
    for rank in range(1, MANY_COUNT + 1):
        with open(folder / many_path(rank), "wb") as file:
            file.write(content[:many_size(rank)])
