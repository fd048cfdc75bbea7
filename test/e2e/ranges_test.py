"""Ranges: which bytes of a file are sent, one range as a 206 of its own, several as one multipart
body. RFC 9110 14."""

import re

import harness
from harness import Server, add, contains, equal, test, truth
from ranged import (HUGE_BYTES, MARKS, MIB, SIZES, assert_single, assert_whole, bytes_of, get,
                    range_field, read_parts, size_of, spread, start)


# --- one range ------------------------------------------------------------------------------------

def single_rows(size):
    """What stands in the field, and the first and last byte it means."""
    end = size - 1
    return [("0-0", 0, 0), ("0-99", 0, 99), ("1-1", 1, 1), ("100-4299", 100, 4299),
            ("000100-000200", 100, 200), ("-1", end, end), ("-500", size - 500, end),
            (f"{end}-", end, end), (f"{end}-{end}", end, end), (f"{size - 700}-", size - 700, end),
            (f"{size - 9}-{size + 1000}", size - 9, end),
            (f"{size - 9}-18446744073709551615", size - 9, end),
            (f"{size - 9}-99999999999999999999999999", size - 9, end),
            (f" {size - 9}-{end} ", size - 9, end), (f",, {size - 9}-,", size - 9, end),
            (f"5-6,{size}-", 5, 6), (f"{size}-,5-6,{size}-{size + 1}", 5, 6), ("5-6,-0", 5, 6)]


def whole_rows(size):
    return [("0-", 0, size - 1), (f"0-{size - 1}", 0, size - 1), (f"-{size}", 0, size - 1),
            (f"-{size + 1}", 0, size - 1), ("-99999999999999999999999", 0, size - 1),
            ("0-18446744073709551616", 0, size - 1)]


def add_singles(name, rows):
    def run():
        with harness.shared(start).connect() as client:
            for spec, first, last in rows:
                response = client.get(f"/{name}", fields=[f"Range: bytes={spec}"])
                assert_single(response, name, first, last, f"bytes={spec} of {name}")
    return run


for NAME in ("small.txt", "large.bin"):
    add(f"every_form_of_one_range_of_{NAME}",
        add_singles(NAME, single_rows(SIZES[NAME]) + whole_rows(SIZES[NAME])))
add("one_range_of_a_single_byte", add_singles("tiny.txt", whole_rows(1)))
add("every_form_of_one_range_of_a_file_over_4_gib",
    add_singles("huge.bin", single_rows(HUGE_BYTES)
                + [(f"{mark}-{mark + 4095}", mark, mark + 4095) for mark in MARKS]
                + [(f"{4294967295 + i}-{4294967295 + i + n}", 4294967295 + i, 4294967295 + i + n)
                   for i in (-1, 0, 1, 2) for n in (0, 1, 2, 5000)]))


@test
def the_unit_is_read_in_any_case():
    for unit in ("bytes", "Bytes", "BYTES", "bYtEs"):
        assert_single(get("/small.txt", f"Range: {unit}=3-7"), "small.txt", 3, 7, unit)


@test
def every_place_and_length_of_a_streamed_file():
    """Around the edges of pages and chunks."""
    edges = [edge + i for edge in (4096, 65536, 262144, 524288) for i in (-1, 0, 1)]
    with harness.shared(start).connect() as client:
        for first in [0, 1, *edges]:
            for length in (1, 4095, 4096, 4097, 65537, 262145):
                last = first + length - 1
                response = client.get("/large.bin", fields=[f"Range: bytes={first}-{last}"])
                equal(response.fields["content-range"], f"bytes {first}-{last}/{MIB}")
                truth(response.body == bytes_of("large.bin", first, last),
                      f"{first}-{last} differs")


# --- no range -------------------------------------------------------------------------------------

@test
def other_units_and_malformed_sets_give_the_whole():
    values = ("seconds=0-9", "byte=0-9", "bytes 0-9", "bytes:0-9", "bytes", "bytes=", "bytes =0-9",
              "=0-9", "0-9", "bytes=a-9", "bytes=0-a", "bytes=9-0", "bytes=-", "bytes=--1",
              "bytes=0--9", "bytes=0-9;", "bytes=0-9 20-29", "bytes=0 - 9", "bytes=0-9,x",
              "bytes=0-9,9-8", "bytes=+0-9", "bytes=-+9", "bytes=0x0-9", "bytes=0-9,-", "bytes=5",
              "bytes=,", "bytes=*", "bytes=0-9/100", "none", "bytes=0-9, bytes=20-29")
    with harness.shared(start).connect() as client:
        for name in ("small.txt", "large.bin"):
            for value in values:
                response = client.get(f"/{name}", fields=[f"Range: {value}"])
                assert_whole(response, name, f"{name} with Range: {value}")


@test
def a_set_that_nothing_satisfies_gives_416():
    with harness.shared(start).connect() as client:
        for name in ("tiny.txt", "small.txt", "large.bin", "huge.bin"):
            size = size_of(name)
            for value in (f"{size}-", f"{size}-{size}", f"{size + 1}-", "-0", "-00", f"{size}-,-0",
                          "18446744073709551615-", "18446744073709551616-", "9" * 100 + "-",
                          f"9999999999999-9999999999999,{size}-", f"{size + (1 << 32)}-"):
                response = client.get(f"/{name}", fields=[f"Range: bytes={value}"])
                equal(response.status, 416, f"{name}, bytes={value}")
                equal(response.fields.get("content-range"), f"bytes */{size}", value)
                contains(response.body.decode(), "416", "body")
                equal(response.fields["content-type"], "text/html; charset=utf-8")
                truth("etag" not in response.fields, "416 has a tag")
            client.assert_open("/tiny.txt")


@test
def an_empty_file_has_no_ranges():
    for value in ("0-", "0-0", "-1", "-0", "5-", "0-0,2-3"):
        response = get("/empty.txt", f"Range: bytes={value}")
        equal((response.status, response.length), (200, 0), value)


@test
def head_ignores_range():
    for name in ("small.txt", "huge.bin"):
        for value in ("0-9", "99999999999-", "0-9,200-299"):
            response = get(f"/{name}", f"Range: bytes={value}", method="HEAD")
            equal(response.status, 200, value)
            equal(response.fields["content-length"], str(size_of(name)))
            truth("content-range" not in response.fields, "Content-Range for HEAD")


# --- several ranges -------------------------------------------------------------------------------

def add_multipart(name, count, length):
    def run():
        ranges = spread(count, length, size_of(name))
        with harness.shared(start).connect() as client:
            for order in (ranges, ranges[::-1], ranges[1::2] + ranges[::2]):
                response = client.get(f"/{name}", fields=[range_field(order)])
                equal(read_parts(response, name), order, "parts")
            client.assert_open("/tiny.txt")
    add(f"{count}_ranges_of_{length}_bytes_of_{name}", run)


for COUNT in (2, 3, 16):
    add_multipart("small.txt", COUNT, 1)
    add_multipart("small.txt", COUNT, 500)
    add_multipart("large.bin", COUNT, 700)
    add_multipart("large.bin", COUNT, 60_000)
    add_multipart("huge.bin", COUNT, 3000)
    add_multipart("huge.bin", COUNT, 300_000)
add_multipart("small.txt", 2, 4900)
add_multipart("large.bin", 2, 500_000)


@test
def several_ranges_of_a_large_file_in_memory():
    root = harness.shared(start).root
    with Server(root, {"cache_file_bytes_max": "4M"}) as server, server.connect() as client:
        for _ in range(2):
            for length in (1, 5000, 40_000, 60_000):
                ranges = spread(16, length, MIB)
                response = client.get("/large.bin", fields=[range_field(ranges)])
                equal(read_parts(response, "large.bin"), ranges)


@test
def more_than_16_ranges_give_the_whole():
    for name in ("small.txt", "large.bin"):
        for count in (17, 18, 100, 500):
            ranges = spread(count, 1, size_of(name))
            if ranges[1][0] > 81:
                assert_whole(get(f"/{name}", range_field(ranges)), name, f"{count} ranges")


@test
def many_ranges_that_coalesce_are_few():
    touching = ",".join(f"{i * 10}-{i * 10 + 9}" for i in range(100))
    assert_single(get("/small.txt", f"Range: bytes={touching}"), "small.txt", 0, 999, "100 at once")
    near = get("/small.txt", f"Range: bytes={touching},5000-5001,5082-5083,6000-")
    equal(read_parts(near, "small.txt"), [(0, 999), (5000, 5083), (6000, 9999)])


@test
def overlapping_ranges_are_sent_once():
    for value, first, last in (("0-99,50-149", 0, 149), ("50-149,0-99", 0, 149),
                               ("0-99,0-99", 0, 99), ("0-999,10-19", 0, 999),
                               ("0-9,10-19", 0, 19), ("0-9,90-99", 0, 99), ("90-99,0-9", 0, 99),
                               ("0-9,200-209,5-204", 0, 209), ("9990-,-20", 9980, 9999)):
        assert_single(get("/small.txt", f"Range: bytes={value}"), "small.txt", first, last, value)
    for value, parts in (("0-9,91-99", [(0, 9), (91, 99)]),
                         ("5000-5009,0-99,50-149", [(5000, 5009), (0, 149)]),
                         ("0-99,5000-5009,50-149", [(0, 149), (5000, 5009)]),
                         ("-10,0-9", [(9990, 9999), (0, 9)]),
                         ("0-9,20000-,500-509", [(0, 9), (500, 509)])):
        equal(read_parts(get("/small.txt", f"Range: bytes={value}"), "small.txt"), parts, value)


@test
def ranges_that_sum_to_more_than_the_file_give_the_whole():
    for name in ("small.txt", "large.bin"):
        for value in ("0-,0-", "0-,-1", ",".join(["0-"] * 500), "1-,1-", "0-,0-0"):
            assert_whole(get(f"/{name}", f"Range: bytes={value}"), name, value)


@test
def every_multipart_answer_has_its_own_boundary():
    seen = set()
    for _ in range(20):
        with harness.shared(start).connect() as client:
            for _ in range(10):
                response = client.get("/small.txt", fields=["Range: bytes=0-9,500-509"])
                seen.add(response.fields["content-type"])
    equal(len(seen), 200, "different boundaries")


@test
def ranges_of_an_index_and_of_a_type_guessed():
    tree = {"index.html": harness.pattern_bytes(5000), "noise": harness.pattern_bytes(50_000)}
    with Server(harness.make_tree(tree)) as server, server.connect() as client:
        for target, body in (("/", tree["index.html"]), ("/noise", tree["noise"])):
            response = client.get(target, fields=["Range: bytes=1000-1999"])
            equal((response.status, response.body), (206, body[1000:2000]), target)
            whole = client.get(target, method="HEAD")
            equal(response.fields["content-type"], whole.fields["content-type"], target)
            response = client.get(target, fields=["Range: bytes=0-9,4000-4009"])
            contains(response.body.decode("latin-1"),
                     "content-type: " + re.escape(whole.fields["content-type"]) + "\r\n")


if __name__ == "__main__":
    harness.main()
