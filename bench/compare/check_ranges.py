"""check_ranges: one range, several, and those that cannot be had."""
import re

import docroot
from check import STRICTER, body_is, check, expect, miss, status_in

FILE = "/ranged.bin"
SIZE = docroot.RANGED_BYTES
WHOLE = docroot.pattern(SIZE)
PART = re.compile(rb"(?i)content-range: bytes (\d+)-(\d+)/(\d+)")
MANY = 1000
HEADS_BYTES_MAX = 2000


def assert_range(server, value, first, last):
    answer = server.get(FILE, f"Range: bytes={value}")
    status_in(answer, 206, what=value)
    told = answer.get("content-range")
    expect(told == f"bytes {first}-{last}/{SIZE}", f"{value}: Content-Range: {told}")
    body_is(answer, WHOLE[first:last + 1], value)
    return answer


def parts_of(answer):
    """The parts of a multipart answer as (first, last), each compared with the file."""
    status_in(answer, 206)
    match = re.search(r'multipart/byteranges; *boundary="?([^";]+)', answer.get("content-type"))
    if not match:
        told = PART.search(answer.raw) or miss("206 without Content-Range")
        first, last = int(told[1]), int(told[2])
        body_is(answer, WHOLE[first:last + 1])
        return [(first, last)]
    pieces = answer.body.split(b"--" + match[1].encode())
    expect(pieces[-1].startswith(b"--"), "no closing delimiter")
    parts = []
    for piece in pieces[1:-1]:
        head, _, content = piece.partition(b"\r\n\r\n")
        told = PART.search(head) or miss("a part without Content-Range")
        first, last = int(told[1]), int(told[2])
        expect(content == WHOLE[first:last + 1] + b"\r\n", f"part {first}-{last}: other bytes")
        parts.append((first, last))
    return parts


@check("Ranges")
def first_to_last(server):
    assert_range(server, "0-0", 0, 0)
    assert_range(server, "500-999", 500, 999)


@check("Ranges")
def open_ranges(server):
    assert_range(server, "9000-", 9000, SIZE - 1)
    assert_range(server, "0-", 0, SIZE - 1)


@check("Ranges")
def suffix_ranges(server):
    assert_range(server, "-1", SIZE - 1, SIZE - 1)
    assert_range(server, "-500", SIZE - 500, SIZE - 1)


@check("Ranges")
def ranges_longer_than_the_file_are_clamped(server):
    assert_range(server, f"9000-{SIZE + 5}", 9000, SIZE - 1)
    assert_range(server, f"-{SIZE + 5}", 0, SIZE - 1)


@check("Ranges")
def a_206_carries_the_validators_of_the_200(server):
    part, whole = assert_range(server, "0-9", 0, 9), server.get(FILE)
    for name in ("etag", "content-type"):
        expect(part.get(name) == whole.get(name), f"{name}: {part.get(name)!r}")


@check("Ranges")
def what_cannot_be_satisfied_gives_416_with_Content_Range(server):
    for value in (f"{SIZE}-", "99999999-", "-0"):
        answer = server.get(FILE, f"Range: bytes={value}")
        status_in(answer, 416, what=value)
        told = answer.get("content-range")
        expect(told == f"bytes */{SIZE}", f"{value}: Content-Range: {told!r}")


def assert_ignored(server, values):
    for value in values:
        answer = server.get(FILE, f"Range: {value}")
        status_in(answer, 200, what=value)
        body_is(answer, WHOLE, value)


@check("Ranges")
def other_units_are_ignored(server):
    assert_ignored(server, ("items=0-1", "x=5-"))


@check("Ranges", STRICTER)
def malformed_sets_are_ignored(server):
    assert_ignored(server, ("bytes", "bytes=", "bytes=-", "bytes=5-1", "bytes=a-b", "bytes=1",
                            "bytes 0-1", "bytes=0x0-0x1"))


@check("Ranges", STRICTER)
def the_unit_is_read_in_any_case(server):
    answer = server.get(FILE, "Range: BYTES=0-9")
    status_in(answer, 206)


@check("Ranges")
def numbers_past_64_bits_are_not_wrapped(server):
    for value in (f"0-{1 << 64}", f"0-{(1 << 64) + 9}", f"5-{(1 << 63) + 9}"):
        answer = server.get(FILE, f"Range: bytes={value}")
        status_in(answer, 200, 206, 416, what=value)
        if answer.status == 206:
            body_is(answer, WHOLE[int(value[0]):], value)
    for value in (f"{1 << 64}-", f"{(1 << 64) + 5}-{(1 << 64) + 9}", f"-{(1 << 64) + 5}"):
        answer = server.get(FILE, f"Range: bytes={value}")
        expect(answer.status in (200, 416) or answer.body == WHOLE and value[0] == "-",
               f"{value}: {answer.status} with {len(answer.body)} bytes")


@check("Ranges", STRICTER)
def an_empty_file_has_no_ranges(server):
    for value in ("0-", "0-0", "-1"):
        answer = server.get("/empty.txt", f"Range: bytes={value}")
        status_in(answer, 200, what=value)


@check("Ranges", STRICTER)
def Accept_Ranges_is_told(server):
    expect(server.get(FILE).get("accept-ranges") == "bytes", "no Accept-Ranges: bytes")


@check("Ranges", STRICTER)
def several_ranges_come_in_their_order(server):
    wanted = [(5000, 5009), (0, 9), (9990, 9999)]
    answer = server.get(FILE, "Range: bytes=5000-5009,0-9,-10")
    expect(parts_of(answer) == wanted, f"parts {parts_of(answer)}")


@check("Ranges")
def several_ranges_are_the_right_bytes_or_the_whole(server):
    answer = server.get(FILE, "Range: bytes=0-99, 5000-5099,-7")
    if answer.status == 200:
        body_is(answer, WHOLE)
    else:
        parts_of(answer)


@check("Ranges", STRICTER)
def overlapping_ranges_are_sent_once(server):
    answer = server.get(FILE, "Range: bytes=0-99,50-149,100-199")
    if answer.status == 206:
        total = sum(last - first + 1 for first, last in parts_of(answer))
        expect(total <= 200, f"{total} bytes of 200")


@check("Ranges")
def many_ranges_do_not_amplify(server):
    for item in ("0-", "0-0", "-1"):
        with server.connect() as client:
            client.request("/small.bin", fields=["Range: bytes=" + ",".join([item] * MANY)])
            answer = client.answer()
        limit = docroot.SMALL_BYTES + HEADS_BYTES_MAX
        expect(len(answer.body) <= limit,
               f"{MANY} times {item}: {len(answer.body)} bytes of {docroot.SMALL_BYTES}")
