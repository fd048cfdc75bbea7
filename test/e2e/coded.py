"""coded: content codings for tests: what to ask, how to decode, and files that have rested.

A sibling is served as it lies there, whatever its bytes: most tests give it text that names it.
Where the server has coded itself, decode() is another program's word for it.
"""

import gzip
import itertools
import os
import re
import subprocess

import harness
from harness import equal, truth

SUFFIXES = {"br": ".br", "zstd": ".zst", "gzip": ".gz"}
DECODERS = {"br": ("brotli", "-dc"), "zstd": ("zstd", "-dcq")}
MODIFIED_S = 1_600_000_000
DATE_LINE = re.compile(rb"\r\nDate: [^\r]*")


def fields_of(accept, *fields):
    """accept: what Accept-Encoding says, in a tuple when in several lines; None: it is not sent."""
    lines = () if accept is None else accept if isinstance(accept, tuple) else (accept,)
    return [*(f"Accept-Encoding: {line}" for line in lines), *fields]


def ask(peer, target, accept=None, *fields, **keywords):
    """peer: a server, or a client. The answer, whose coding is left on."""
    return peer.get(target, fields=fields_of(accept, *fields), **keywords)


def coding_of(response):
    return response.fields.get("content-encoding")


def assert_coded(response, coding, body, what):
    """coding None: identity."""
    equal(response.status, 200, f"{what}: status")
    equal(coding_of(response), coding, f"{what}: Content-Encoding")
    truth(response.body == body, f"{what}: expected {body[:40]!r} ({len(body)} bytes), got "
          f"{response.body[:40]!r} ({len(response.body)} bytes)")


def decode(coding, data):
    if coding is None:
        return data
    if coding == "gzip":
        return gzip.decompress(data)
    program, option = DECODERS[coding]
    return subprocess.run([harness.require(program), option], input=data, capture_output=True,
                          timeout=harness.TEST_TIMEOUT_S, check=True).stdout


def wait_for_coding(peer, target, coding):
    """Asks until the server has made it; the first answer in that coding."""
    answers = []

    def has_come():
        answers[:] = [ask(peer, target, coding)]
        equal(answers[0].status, 200, target)
        return coding_of(answers[0]) == coding
    harness.wait_until(has_come, f"{target} comes in {coding}", timeout_s=40)
    return answers[0]


def wait_until_strong(peer, *targets, codings=(None,)):
    """Until the files are old enough to be kept in the cache."""
    for target, coding in itertools.product(targets, codings):
        harness.wait_until(
            lambda: ask(peer, target, coding, method="HEAD").fields["etag"].startswith('"'),
            f"{target} has rested")


def head_of(response):
    """But for the time of day."""
    return DATE_LINE.sub(b"", response.raw)


def sibling_text(coding, name, size=400):
    line = f"{coding} of {name}\n".encode()
    return (line * (size // len(line) + 1))[:size]


def add_siblings(tree, codings=tuple(SUFFIXES)):
    """The tree, and for each file of it one with the suffix of each coding."""
    return tree | {name + SUFFIXES[coding]: sibling_text(coding, name)
                   for name in tree for coding in codings}


def date_tree(root, date_s=MODIFIED_S):
    """Gives all files of a tree one date: siblings are no older than what they stand for."""
    for folder, _, names in os.walk(root):
        for name in names:
            os.utime(os.path.join(folder, name), (date_s, date_s), follow_symlinks=False)
    return root


def date_after(path, other):
    """Dates one file just after another: later changes of the other are surely later, however
    coarse the clock."""
    date_ns = os.stat(other).st_mtime_ns + 1
    os.utime(path, ns=(date_ns, date_ns))
