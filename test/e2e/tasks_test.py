"""What helper threads do: how much of it at once, and how it ends."""

import random

import harness
from harness import Server, equal, test, truth


def text_bytes(size):
    """Text that takes a compressor its time."""
    source = random.Random(1)
    return " ".join(f"{source.getrandbits(40):x}" for _ in range(size // 10)).encode()[:size]


def wait_until_kept(server, target):
    """A file is kept in memory, and its tag is strong, once it has not changed for two seconds."""
    harness.wait_until(lambda: not server.get(target).fields["etag"].startswith("W/"),
                       f"{target} has a strong tag")


@test
def a_stop_does_not_wait_for_what_is_compressed():
    content = text_bytes(8_000_000)
    tree = {f"{i:02}.txt": content for i in range(16)}
    ini = {"workers": 1, "compress.threads": 1, "cache.bytes_max": "256M"}
    with Server(harness.make_tree(tree), ini) as server:
        wait_until_kept(server, "/15.txt")
        for name in tree:
            equal(server.get(f"/{name}").status, 200)
            equal(server.get(f"/{name}", fields=("Accept-Encoding: br",)).status, 200)
        truth(server.is_running(), "it has ended")


if __name__ == "__main__":
    harness.main()
