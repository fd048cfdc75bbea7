"""Conditions: which preconditions give 200, 304 or 412, in which order they count, and what a 304
carries. RFC 9110 13."""

import os
import time
from email.utils import formatdate

import harness
from harness import Server, add, equal, test, truth
from wire import request_bytes

MODIFIED_S = 1_600_000_000
SAME = ("Sun, 13 Sep 2020 12:26:40 GMT", "Sunday, 13-Sep-20 12:26:40 GMT",
        "Sun Sep 13 12:26:40 2020")
NEWER = ("Sun, 13 Sep 2020 12:26:41 GMT", "Sunday, 13-Sep-20 12:26:41 GMT",
         "Sun Sep 13 12:26:41 2020", "Wed Nov  4 00:00:00 2020")
OLDER = ("Sun, 13 Sep 2020 12:26:39 GMT", "Sunday, 13-Sep-20 12:26:39 GMT",
         "Sun Sep 13 12:26:39 2020", "Sun, 06 Nov 1994 08:49:37 GMT",
         "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994")
NO_DATE = ("yesterday", "0", "-1", "1600000001", "Sun, 13 Sep 2020 12:26:41",
           "Sun, 13 Sep 2020 12:26:41 +0000", "Sun, 32 Sep 2020 12:26:41 GMT",
           "Sun, 13 Sep 2020 25:26:41 GMT", "Sun, 13 Sep 2020 12:26:41 GMT, x",
           "2020-09-13T12:26:41Z", "Mon, 31 Feb 2021 00:00:00 GMT", '"tag"')
FILES = {"small.txt": 10_000, "large.bin": 1 << 20, "empty.txt": 0}

# What stands for {tag} is the file's own strong tag, {date} its Last-Modified.
MATCHING_TAGS = ("*", "{tag}", "W/{tag}", '"other", {tag}', '{tag}, "other"',
                 '"a","b",W/{tag},"c"', '"a,b", {tag}', ", , {tag} ,", '"other" ,\t{tag}')
OTHER_TAGS = ('"other"', 'W/"other"', '"a", "b", W/"c"', '""', '"*"')
BAD_TAGS = ("{bare}", '"a b", {tag}', "w/{tag}", '{tag}x', '{tag} "other"', '"other',
            '*, {tag}', "{tag};")

# Several at once, in the order of RFC 9110 13.2.2.
PRECEDENCE = (
    ("if_none_match_hides_if_modified_since", 200,
     ['If-None-Match: "other"', "If-Modified-Since: {date}"]),
    ("if_none_match_holds_whatever_if_modified_since_says", 304,
     ["If-None-Match: {tag}", f"If-Modified-Since: {OLDER[0]}"]),
    ("if_match_hides_if_unmodified_since", 200,
     ["If-Match: {tag}", f"If-Unmodified-Since: {OLDER[0]}"]),
    ("if_match_fails_whatever_if_unmodified_since_says", 412,
     ['If-Match: "other"', f"If-Unmodified-Since: {NEWER[0]}"]),
    ("if_match_fails_before_if_none_match_is_asked", 412,
     ['If-Match: "other"', "If-None-Match: {tag}"]),
    ("if_unmodified_since_fails_before_if_none_match_is_asked", 412,
     [f"If-Unmodified-Since: {OLDER[0]}", "If-None-Match: {tag}"]),
    ("if_match_passes_on_to_if_none_match", 304, ["If-Match: {tag}", "If-None-Match: {tag}"]),
    ("if_match_passes_on_to_if_modified_since", 304, ["If-Match: *", "If-Modified-Since: {date}"]),
    ("if_none_match_comes_before_range", 304, ["If-None-Match: {tag}", "Range: bytes=0-0"]),
    ("if_match_comes_before_range", 412, ['If-Match: "other"', "Range: bytes=0-0"]),
    ("if_modified_since_comes_before_an_unsatisfiable_range", 304,
     ["If-Modified-Since: {date}", "Range: bytes=99999999-"]),
    ("conditions_that_pass_leave_the_range", 206,
     ["If-Match: {tag}", 'If-None-Match: "other"', "Range: bytes=0-0"]),
    ("if_none_match_comes_before_if_range", 304,
     ["If-None-Match: {tag}", "If-Range: {tag}", "Range: bytes=0-0"]),
)

# If-Range: 206 where it names these very bytes, else the whole.
IF_RANGE = (
    ("the_tag", 206, "{tag}"), ("the_date", 206, "{date}"), ("the_date_in_rfc_850", 206, SAME[1]),
    ("the_date_in_asctime", 206, SAME[2]), ("the_tag_as_a_weak_one", 200, "W/{tag}"),
    ("another_tag", 200, '"other"'), ("an_older_date", 200, OLDER[0]),
    ("a_newer_date", 200, NEWER[0]), ("an_asterisk", 200, "*"), ("words", 200, "yesterday"),
    ("a_list_of_tags", 200, '{tag}, "other"'), ("a_bare_tag", 200, "{bare}"),
)


def start():
    root = harness.make_tree({name: harness.pattern_bytes(size) for name, size in FILES.items()})
    for name in FILES:
        os.utime(os.path.join(root, name), (MODIFIED_S, MODIFIED_S))
    server = Server(root)
    with server.connect() as client:
        for name in FILES:
            wait_until_settled(client, f"/{name}")
    # Only what has not been touched for a while is cached.
    touched_s = os.stat(os.path.join(root, name)).st_ctime
    harness.wait_until(lambda: time.time() > touched_s + 3, "the files have rested")
    return server


def wait_until_settled(client, target):
    """Only the tag of a file that has rested is strong."""
    harness.wait_until(lambda: client.get(target).fields["etag"].startswith('"'), "a strong tag")
    return client.get(target).fields["etag"]


def filled(fields, tag):
    return [field.replace("{tag}", tag).replace("{bare}", tag.strip('"'))
            .replace("{date}", SAME[0]) for field in fields]


def assert_answers(fields, status, names=tuple(FILES)):
    """GET and HEAD say the same, of every file, on a connection that goes on."""
    with harness.shared(start).connect() as client:
        for name in names:
            whole = client.get(f"/{name}", method="HEAD")
            sent = filled(fields, whole.fields["etag"])
            for method in ("GET", "HEAD"):
                response = client.get(f"/{name}", method=method, fields=sent)
                what = f"{method} /{name} with {sent}"
                equal(response.status, status, what)
                assert_content(response, name, method, whole, what)
            client.assert_open("/empty.txt")


def assert_content(response, name, method, whole, what):
    validators = ("etag", "last-modified")
    if response.status in (200, 206, 304):
        equal([response.fields.get(field) for field in validators],
              [whole.fields[field] for field in validators], what)
    if response.status == 200:
        equal(response.fields["content-length"], str(FILES[name]), what)
    if response.status == 200 and method == "GET":
        truth(response.body == harness.pattern_bytes(FILES[name]), f"{what}: another body")
    if response.status == 304:
        for field in ("content-type", "content-range", "accept-ranges"):
            truth(field not in response.fields, f"{field} on 304: {what}")
    if response.status == 412:
        truth("etag" not in response.fields, f"412 has the validators of its file: {what}")
        equal(response.fields["content-length"] != "0", True, "412 has a body")


# --- one condition --------------------------------------------------------------------------------

@test
def if_none_match_that_matches_gives_304():
    for tags in MATCHING_TAGS:
        assert_answers([f"If-None-Match: {tags}"], 304)


@test
def if_none_match_that_matches_nothing_gives_200():
    for tags in OTHER_TAGS:
        assert_answers([f"If-None-Match: {tags}"], 200)


@test
def a_malformed_if_none_match_gives_200():
    for tags in BAD_TAGS:
        assert_answers([f"If-None-Match: {tags}", "If-Modified-Since: {date}"], 200)


@test
def if_match_that_matches_gives_200():
    for tags in MATCHING_TAGS:
        if "W/" not in tags:
            assert_answers([f"If-Match: {tags}"], 200)


@test
def if_match_compares_strongly():
    for tags in ("W/{tag}", '"other", W/{tag}'):
        assert_answers([f"If-Match: {tags}"], 412)


@test
def if_match_that_matches_nothing_gives_412():
    for tags in OTHER_TAGS + BAD_TAGS:
        assert_answers([f"If-Match: {tags}"], 412)


@test
def if_modified_since_of_the_date_or_later_gives_304():
    for date in SAME + NEWER:
        assert_answers([f"If-Modified-Since: {date}"], 304)


@test
def if_modified_since_of_an_earlier_date_gives_200():
    for date in OLDER:
        assert_answers([f"If-Modified-Since: {date}"], 200)


@test
def if_unmodified_since_of_the_date_or_later_gives_200():
    for date in SAME + NEWER:
        assert_answers([f"If-Unmodified-Since: {date}"], 200)


@test
def if_unmodified_since_of_an_earlier_date_gives_412():
    for date in OLDER:
        assert_answers([f"If-Unmodified-Since: {date}"], 412)


@test
def what_is_no_date_is_ignored():
    for date in NO_DATE:
        assert_answers([f"If-Modified-Since: {date}"], 200, ["small.txt"])
        assert_answers([f"If-Unmodified-Since: {date}"], 200, ["small.txt"])


@test
def field_names_are_read_in_any_case():
    assert_answers(["if-none-match:{tag}"], 304)
    assert_answers(["IF-MODIFIED-SINCE:\t{date}  "], 304)
    assert_answers(['iF-mATCH: "other"'], 412)


# --- several at once ------------------------------------------------------------------------------

def add_precedence(name, status, fields):
    def run():
        if status != 206:
            assert_answers(fields, status, ["small.txt", "large.bin"])
            return
        with harness.shared(start).connect() as client:
            for file in ("small.txt", "large.bin"):
                tag = client.get(f"/{file}", method="HEAD").fields["etag"]
                response = client.get(f"/{file}", fields=filled(fields, tag))
                equal((response.status, response.body), (206, b"\0"), file)
                equal(response.fields["content-range"], f"bytes 0-0/{FILES[file]}", file)
    add(name, run)


for row in PRECEDENCE:
    add_precedence(*row)


def add_if_range(name, status, value):
    def run():
        with harness.shared(start).connect() as client:
            for file in ("small.txt", "large.bin"):
                tag = client.get(f"/{file}", method="HEAD").fields["etag"]
                fields = filled([f"If-Range: {value}", "Range: bytes=8-99"], tag)
                response = client.get(f"/{file}", fields=fields)
                whole = harness.pattern_bytes(FILES[file])
                equal(response.status, status, f"{file} with {fields}")
                truth(response.body == (whole[8:100] if status == 206 else whole), "another body")
                equal(response.fields["etag"], tag)
                equal("content-range" in response.fields, status == 206, "Content-Range")
    add(f"if_range_with_{name}_gives_{status}", run)


for row in IF_RANGE:
    add_if_range(*row)


@test
def if_range_that_fails_hides_an_unsatisfiable_range():
    fields = ['If-Range: "x"', "Range: bytes=10000-"]
    response = harness.shared(start).get("/small.txt", fields=fields)
    equal((response.status, len(response.body)), (200, 10_000))


@test
def if_range_without_range_is_ignored():
    assert_answers(['If-Range: "other"'], 200)
    assert_answers(["If-Range: {tag}"], 200)


# --- weak tags and files that change --------------------------------------------------------------

def answer_while_young(client, path, fields):
    """fields hold {tag}, which is weak before the request and still is after it."""
    while True:
        os.utime(path)
        tag = client.get("/f.txt").fields["etag"]
        if not tag.startswith("W/"):
            continue  # a second began: to the server's clock the time lay ahead, and says nothing
        response = client.get("/f.txt", fields=[field.format(tag=tag, bare=tag[2:])
                                                for field in fields])
        if client.get("/f.txt").fields["etag"] == tag:
            return response


@test
def a_young_file_has_a_weak_tag_that_if_match_and_if_range_refuse():
    with Server(harness.make_tree({"f.txt": b"content\n"})) as server, server.connect() as client:
        for form in ("{tag}", "{bare}"):
            for status, fields in ((304, [f"If-None-Match: {form}"]), (412, [f"If-Match: {form}"]),
                                   (200, [f"If-Range: {form}", "Range: bytes=0-1"])):
                response = answer_while_young(client, server.path("f.txt"), fields)
                equal(response.status, status, f"status with {fields}")


@test
def a_changed_file_fails_the_conditions_of_the_old_one():
    root = harness.make_tree({name: harness.pattern_bytes(FILES[name]) for name in FILES})
    with Server(root) as server, server.connect() as client:
        for name in ("small.txt", "large.bin"):
            os.utime(server.path(name), (MODIFIED_S, MODIFIED_S))
            tag = wait_until_settled(client, f"/{name}")
            body = harness.pattern_bytes(FILES[name], 77)
            harness.replace_file(server.path(name), body)
            os.utime(server.path(name), (MODIFIED_S + 9, MODIFIED_S + 9))
            for status, field in ((200, f"If-None-Match: {tag}"), (412, f"If-Match: {tag}"),
                                  (200, f"If-Modified-Since: {SAME[0]}"), (200, f"If-Range: {tag}"),
                                  (412, f"If-Unmodified-Since: {SAME[0]}"),
                                  (200, f"If-Range: {SAME[0]}")):
                response = client.get(f"/{name}", fields=[field, "Range: bytes=0-0"]
                                      if "If-Range" in field else [field])
                equal(response.status, status, f"/{name} with {field}")
                truth(status == 412 or response.body == body, f"/{name} with {field}: other bytes")


@test
def without_last_modified_dates_say_nothing():
    with Server(harness.make_tree({"f.txt": b"content\n"})) as server, server.connect() as client:
        os.utime(server.path("f.txt"), (0, 0))
        future = formatdate(4_000_000_000, usegmt=True)
        for field in (f"If-Modified-Since: {future}", f"If-Unmodified-Since: {OLDER[-1]}"):
            response = client.get("/f.txt", fields=[field])
            equal((response.status, response.body), (200, b"content\n"), field)
        epoch = ["If-Range: " + formatdate(0, usegmt=True), "Range: bytes=0-0"]
        equal(client.get("/f.txt", fields=epoch).status, 200, "If-Range with the date not sent")


# --- where conditions do not count ----------------------------------------------------------------

@test
def what_is_not_200_ignores_conditions():
    tree = {"dir/x.txt": b"x", "404.html": b"my 404\n"}
    with Server(harness.make_tree(tree), {"errors.404": "/404.html"}) as server:
        tag = server.get("/404.html").fields["etag"]
        for fields in (["If-None-Match: *"], [f"If-None-Match: {tag}"], ['If-Match: "x"'],
                       ["Range: bytes=0-0"], ["Range: bytes=99-"],
                       [f"If-Modified-Since: {NEWER[0]}"]):
            with server.connect() as client:
                for target, status in (("/missing", 404), ("/dir", 301), ("/dir/", 403)):
                    equal(client.get(target, fields=fields).status, status, f"{target}, {fields}")
                equal(client.get("/missing", fields=fields).body, b"my 404\n", f"{fields}")
                equal(client.get("*", method="OPTIONS", fields=fields).status, 204)
                equal(client.get("/404.html", method="POST", fields=fields).status, 405)


# --- connections ----------------------------------------------------------------------------------

@test
def pipelined_conditions_are_answered_in_order():
    server = harness.shared(start)
    tag = server.get("/small.txt", method="HEAD").fields["etag"]
    kinds = ((304, [f"If-None-Match: {tag}"]), (200, ['If-None-Match: "x"']),
             (412, ['If-Match: "x"']))
    methods = ("GET", "HEAD")
    rows = [(*kinds[i % 3], methods[i // 3 % 2]) for i in range(60)]
    with server.connect() as client:
        client.send(b"".join(request_bytes("/small.txt", method, fields)
                             for _, fields, method in rows))
        for i, (status, _, method) in enumerate(rows):
            equal(client.read_response(method).status, status, f"answer {i}")
        client.finish()
        client.assert_closed()


@test
def a_304_closes_when_asked_and_is_kept_alive_in_1_0():
    server = harness.shared(start)
    for version, fields, closes in (("HTTP/1.1", ["Connection: close"], True),
                                    ("HTTP/1.0", [], True),
                                    ("HTTP/1.0", ["Connection: keep-alive"], False)):
        with server.connect() as client:
            response = client.get("/small.txt", version=version,
                                  fields=["If-None-Match: *", *fields])
            equal(response.status, 304)
            if closes:
                client.assert_closed()
            else:
                equal(response.fields["connection"], "keep-alive")
                client.assert_open("/small.txt")


if __name__ == "__main__":
    harness.main()
