"""ranged: the files and the checks of the tests about ranges.

Every byte is compared with the file itself, and every byte of a multipart body is accounted for.
"""

import os
import re
import time

import harness
from harness import Server, equal, truth
from wire import expect

MODIFIED_S = 1_600_000_000
MIB = 1 << 20
HUGE_BYTES = (5 << 30) + 12345
MARKS = (0, (1 << 31) - 2000, (1 << 32) - 2000, (1 << 32) + 100_000, HUGE_BYTES - 4096)
SIZES = {"small.txt": 10_000, "large.bin": MIB, "tiny.txt": 1}
PART_HEAD = re.compile(rb"Content-Type: ([^\r\n]+)\r\n"
                       rb"Content-Range: bytes (0|[1-9]\d*)-(0|[1-9]\d*)/(\d+)\r\n\r\n")
MULTIPART = re.compile(r"multipart/byteranges; boundary=([0-9A-Za-z]{20,70})")


def start():
    root = harness.make_tree({name: harness.pattern_bytes(size) for name, size in SIZES.items()}
                             | {"empty.txt": b"", "huge.bin": b""})
    with open(os.path.join(root, "huge.bin"), "r+b") as file:
        file.truncate(HUGE_BYTES)
        for mark in MARKS:
            file.seek(mark)
            file.write(harness.pattern_bytes(4096, mark // 4 & 0xffffff))
    for name in os.listdir(root):
        os.utime(os.path.join(root, name), (MODIFIED_S, MODIFIED_S))
    # Only what has not been touched for a while is cached.
    touched_s = os.stat(os.path.join(root, name)).st_ctime
    harness.wait_until(lambda: time.time() > touched_s + 3, "the files have rested")
    return Server(root)


def get(target, *fields, **keywords):
    return harness.shared(start).get(target, fields=fields, **keywords)


def bytes_of(name, first, last):
    """What a client is to get, read from the file itself."""
    with open(harness.shared(start).path(name), "rb") as file:
        file.seek(first)
        return file.read(last - first + 1)


def size_of(name):
    return os.path.getsize(harness.shared(start).path(name))


def assert_single(response, name, first, last, what):
    equal(response.status, 206, what)
    equal(response.fields.get("content-range"), f"bytes {first}-{last}/{size_of(name)}", what)
    equal(response.length, last - first + 1, f"Content-Length of {what}")
    truth(response.body == bytes_of(name, first, last), f"{what}: other bytes")
    whole = get(f"/{name}", method="HEAD")
    for field in ("etag", "last-modified", "content-type", "accept-ranges"):
        equal(response.fields.get(field), whole.fields[field], f"{field} of {what}")


def assert_whole(response, name, what):
    equal(response.status, 200, what)
    truth("content-range" not in response.fields, f"Content-Range on 200: {what}")
    equal(response.length, size_of(name), what)
    truth(response.body == bytes_of(name, 0, size_of(name)), f"{what}: other bytes")


def read_parts(response, name):
    """The parts of a multipart body as (first, last), each checked against the file. Strict: every
    byte of the body is accounted for."""
    equal(response.status, 206)
    truth("content-range" not in response.fields, "Content-Range on a multipart answer")
    match = MULTIPART.fullmatch(response.fields["content-type"])
    expect(match, f"Content-Type: {response.fields['content-type']}")
    boundary = b"--" + match.group(1).encode()
    type_expected = get(f"/{name}", method="HEAD").fields["content-type"]
    body, at, parts = response.body, 0, []
    while True:
        opening = (b"\r\n" if parts else b"") + boundary
        expect(body.startswith(opening, at), f"no delimiter at {at}: {body[at:at + 100]!r}")
        at += len(opening)
        if body.startswith(b"--\r\n", at):
            expect(at + 4 == len(body), f"{len(body) - at - 4} bytes behind the end")
            expect(len(parts) > 1, "a multipart body of less than two parts")
            return parts
        expect(body.startswith(b"\r\n", at), f"delimiter goes on with {body[at:at + 9]!r}")
        head = PART_HEAD.match(body, at + 2)
        expect(head, f"bad head of a part: {body[at:at + 200]!r}")
        first, last, size = (int(head.group(i)) for i in (2, 3, 4))
        equal(head.group(1).decode(), type_expected, "Content-Type of a part")
        equal(size, size_of(name), "size in Content-Range")
        expect(first <= last < size, f"part {first}-{last} of {size}")
        content = body[head.end():head.end() + last - first + 1]
        truth(content == bytes_of(name, first, last), f"part {first}-{last}: other bytes")
        at = head.end() + len(content)
        parts.append((first, last))


def spread(count, length, size):
    """count ranges of that length, evenly apart, the last at the very end."""
    step = (size - length) // (count - 1)
    return [(i * step, i * step + length - 1) for i in range(count)]


def range_field(ranges):
    return "Range: bytes=" + ", ".join(f"{first}-{last}" for first, last in ranges)
