"""check_conditions: validators, preconditions and the order in which they count."""
import time

import docroot
from check import STRICTER, body_is, check, expect, status_in

SAME = ("Sun, 13 Sep 2020 12:26:40 GMT", "Sunday, 13-Sep-20 12:26:40 GMT",
        "Sun Sep 13 12:26:40 2020")
LATER = "Sun, 13 Sep 2020 12:26:41 GMT"
EARLIER = ("Sun, 13 Sep 2020 12:26:39 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
           "Sun Nov  6 08:49:37 1994")
NO_DATES = ("yesterday", "0", "Sun, 32 Sep 2020 12:26:41 GMT", "2030-09-13T12:26:41Z")
SEEN_S = 5
FILE = "/ranged.bin"
WHOLE = docroot.pattern(docroot.RANGED_BYTES)


def tag_of(server, target=FILE):
    tag = server.get(target, method="HEAD").tag
    expect(tag, f"{target} has no ETag")
    return tag


def assert_status(server, status, *fields):
    answer = server.get(FILE, *fields)
    status_in(answer, status, what=" and ".join(fields))
    if status == 200:
        body_is(answer, WHOLE)
    return answer


# --- validators -----------------------------------------------------------------------------------

@check("Validators")
def a_200_has_ETag_and_Last_Modified(server):
    answer = server.get(FILE)
    expect(answer.tag, "no ETag")
    expect(answer.get("last-modified") == docroot.AGED, f"Last-Modified: "
           f"{answer.get('last-modified')!r}")


@check("Validators")
def a_file_at_rest_has_a_strong_tag(server):
    expect(not tag_of(server).startswith("W/"), "a weak tag: no If-Range, no If-Match")


def look_for(server):
    """look(name, content): the answer that has the content, for which it waits a little."""
    def look(name, content):
        deadline = time.monotonic() + SEEN_S
        while True:
            answer = server.get(f"/{name}")
            if answer.body == content:
                return answer
            expect(time.monotonic() < deadline, f"still the old bytes after {SEEN_S} s")
            time.sleep(0.1)
    return look


@check("Validators")
def a_rewrite_within_the_second_changes_the_tag(server):
    """Or the tag was weak, which promises less."""
    first, second = docroot.write_twice_within_a_second(server.root, (b"one\n", b"two\n"),
                                                        look_for(server))
    expect(first.is_weak or first.tag != second.tag, f"the strong tag {first.tag} for both")


@check("Validators")
def a_rewrite_of_equal_size_with_its_old_date_changes_the_tag(server):
    """As `cp -p`, rsync and reproducible builds do it: mtime 1 for every file there is."""
    first = server.get("/aged.txt")
    docroot.replace(server.root / "aged.txt", b"new\n", 1)
    second = look_for(server)("aged.txt", b"new\n")
    expect(first.is_weak or first.tag != second.tag, f"the strong tag {first.tag} for both")


@check("Validators")
def an_edit_in_place_that_keeps_the_date_is_no_304(server):
    """As `rsync --inplace --times` does it: same inode, same size, same mtime, other bytes."""
    path = server.root / "dated.txt"
    tag = tag_of(server, "/dated.txt")
    path.write_bytes(b"new\n")
    docroot.age(path)
    look_for(server)("dated.txt", b"new\n")
    answer = server.get("/dated.txt", f"If-None-Match: {tag}")
    expect(answer.status == 200, f"{answer.status} for the tag of the old bytes, {tag}")


@check("Validators", STRICTER)
def dates_that_say_nothing_are_not_sent(server):
    for name in ("old0.txt", "old1.txt"):
        date = server.get(f"/{name}").get("last-modified")
        expect(not date, f"/{name}: Last-Modified: {date}")


@check("Validators")
def a_date_in_the_future_is_not_sent(server):
    docroot.write(server.root / "future.txt", b"future\n")
    docroot.age(server.root / "future.txt", int(time.time()) + 86400)
    answer = server.get("/future.txt")
    date = answer.get("last-modified")
    expect(not date or date == answer.get("date"), f"Last-Modified: {date}")


# --- conditions -----------------------------------------------------------------------------------

@check("Validators")
def If_None_Match_gives_304(server):
    assert_status(server, 304, f"If-None-Match: {tag_of(server)}")


@check("Validators")
def If_None_Match_with_another_tag_gives_200(server):
    assert_status(server, 200, 'If-None-Match: "other"')


@check("Validators")
def If_None_Match_takes_a_list(server):
    tag = tag_of(server)
    for value in (f'"a", {tag}', f'{tag}, "b"', f'"a","b",W/"c", {tag}'):
        assert_status(server, 304, f"If-None-Match: {value}")


@check("Validators")
def If_None_Match_takes_an_asterisk(server):
    assert_status(server, 304, "If-None-Match: *")


@check("Validators")
def If_None_Match_compares_weakly(server):
    assert_status(server, 304, f"If-None-Match: W/{tag_of(server).removeprefix('W/')}")


@check("Validators")
def If_None_Match_hides_If_Modified_Since(server):
    assert_status(server, 200, 'If-None-Match: "other"', f"If-Modified-Since: {SAME[0]}")
    assert_status(server, 304, f"If-None-Match: {tag_of(server)}",
                  f"If-Modified-Since: {EARLIER[0]}")


@check("Validators")
def a_304_carries_the_tag_and_no_body(server):
    with server.connect() as client:
        tag = client.get(FILE, method="HEAD").tag
        answer = client.get(FILE, f"If-None-Match: {tag}")
        status_in(answer, 304)
        expect(answer.tag == tag, f"ETag: {answer.tag!r}")
        expect("date" in answer.fields, "no Date")
        body_is(client.get("/hello.txt"), docroot.HELLO, "the next answer")


@check("Validators")
def If_Modified_Since_gives_304(server):
    assert_status(server, 304, f"If-Modified-Since: {SAME[0]}")


@check("Validators")
def If_Modified_Since_of_a_later_date_gives_304(server):
    assert_status(server, 304, f"If-Modified-Since: {LATER}")


@check("Validators")
def If_Modified_Since_of_an_earlier_date_gives_200(server):
    for date in EARLIER:
        assert_status(server, 200, f"If-Modified-Since: {date}")


@check("Validators")
def dates_are_read_in_three_formats(server):
    for date in SAME:
        assert_status(server, 304, f"If-Modified-Since: {date}")


@check("Validators")
def what_is_no_date_is_ignored(server):
    for date in NO_DATES:
        assert_status(server, 200, f"If-Modified-Since: {date}")
        assert_status(server, 200, f"If-Unmodified-Since: {date}")


@check("Validators")
def If_Match_with_another_tag_gives_412(server):
    for value in ('"other"', '"a", "b"'):
        assert_status(server, 412, f"If-Match: {value}")


@check("Validators")
def If_Match_with_the_tag_or_an_asterisk_gives_200(server):
    for value in (tag_of(server), f'"a", {tag_of(server)}', "*"):
        assert_status(server, 200, f"If-Match: {value}")


@check("Validators")
def If_Match_compares_strongly(server):
    assert_status(server, 412, f"If-Match: W/{tag_of(server).removeprefix('W/')}")


@check("Validators")
def If_Unmodified_Since_of_an_earlier_date_gives_412(server):
    for date in EARLIER:
        assert_status(server, 412, f"If-Unmodified-Since: {date}")


@check("Validators")
def If_Unmodified_Since_of_the_date_or_later_gives_200(server):
    for date in (*SAME, LATER):
        assert_status(server, 200, f"If-Unmodified-Since: {date}")


@check("Validators")
def If_Match_hides_If_Unmodified_Since(server):
    assert_status(server, 200, f"If-Match: {tag_of(server)}", f"If-Unmodified-Since: {EARLIER[0]}")


# --- If-Range -------------------------------------------------------------------------------------

def assert_if_range(server, value, status):
    answer = server.get(FILE, f"If-Range: {value}", "Range: bytes=8-99")
    status_in(answer, status, what=f"If-Range: {value}")
    body_is(answer, WHOLE[8:100] if status == 206 else WHOLE)


@check("Validators")
def If_Range_with_the_tag_gives_206(server):
    assert_if_range(server, tag_of(server), 206)


@check("Validators")
def If_Range_with_the_date_gives_206(server):
    assert_if_range(server, SAME[0], 206)


@check("Validators")
def If_Range_that_mismatches_gives_the_whole(server):
    for value in ('"other"', EARLIER[0]):
        assert_if_range(server, value, 200)


@check("Validators")
def If_Range_takes_no_later_date(server):
    assert_if_range(server, LATER, 200)


@check("Validators")
def If_Range_compares_strongly(server):
    assert_if_range(server, f"W/{tag_of(server).removeprefix('W/')}", 200)
