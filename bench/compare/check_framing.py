"""check_framing: the framing rows of gyre's own tests, sorted into checks, sent to any server.

What gyre's tests demand of a row is HTTP.md to the letter. Here less is enough. A row that must be
refused passes with any 4xx or 5xx, or with a connection that is closed at once; one that is only
invalid may be redirected, as RFC 9112 3 has it; where it is in doubt where the next request begins,
nothing behind it may be read as one. A doubt that comes up in the body may come after the answer:
then the connection must end. A row that must be served passes with any answer that is not for bad
framing, when the connection then goes on or the answer said that it closes.

Every row falls into the first check that wants it, and every row has one.
"""
import concurrent.futures
import re
import time
from typing import NamedTuple

import probe
from check import REQUIRED, STRICTER, Miss, add

import framing_rows

ROWS_AT_ONCE = 8
ROW_LIMIT_S = 4  # longer than the servers wait for a head or a body
AT_ONCE_S = 1.5  # shorter
NAMED_MAX = 5
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
SMUGGLED_BODY = b"\r\n\r\n!\n"
UNDERSTOOD = (200, 204, 301, 308, 403, 404, 405, 501)
VALIDITY, FRAMING, BODY = "validity", "framing", "body"  # what is in doubt


class Group(NamedTuple):
    name: str
    level: str
    doubt: str
    pattern: str  # of the names of its rows, from their beginning


GROUPS = (
    Group("good requests are served", REQUIRED, VALIDITY,
          r"Host with (a port$|IPv|blanks)|1\.0 without Host|HTTP/1\.[29]$"
          r"|absolute-form (that agrees|in other|without a path)|1 empty lines"
          r"|an empty value|no blank after|blanks and tabs|tab inside a|bytes over|every token"),
    Group("OPTIONS * is answered", STRICTER, VALIDITY, r"asterisk with OPTIONS"),
    Group("HTTP/2 is not spoken in plain text", STRICTER, VALIDITY,
          r"Upgrade to h2c|HTTP/2 preface"),
    Group("Upgrade and hop-by-hop fields are ignored", REQUIRED, VALIDITY,
          r"Upgrade|an unknown connection|Connection that|hop-by-hop"),
    Group("a body of GET and HEAD is read", STRICTER, FRAMING,
          r"chunked GET with|(GET|HEAD) with a (chunked )?body$|Content-Length of 20 digits"),
    Group("a good body is read, the next request is found", REQUIRED, FRAMING,
          r"Content-Length 0$|Transfer-Encoding '( \\t)?(?i:chunked)(\\t )?'"
          r"|chunked POST with|[A-Z]+ with a (chunked )?body$|a (chunked )?body of body_max"),
    Group("100-continue is understood", REQUIRED, FRAMING,
          r"Expect: 100-continue( in other case,|, body| without)"),
    Group("Host missing or twice is refused", REQUIRED, VALIDITY, r"Host (missing|twice)"
          r"|absolute-form without Host"),
    Group("a Host with a comma or a port past 65535 is refused", STRICTER, VALIDITY,
          r"Host with (a comma|a port over)"),
    Group("a malformed Host is refused", REQUIRED, VALIDITY, r"Host with (?!an empty)"),
    Group("a Host that disagrees with the target is refused", STRICTER, VALIDITY,
          r"absolute-form (that dis|with another)"),
    Group("targets of the wrong form are refused", REQUIRED, VALIDITY,
          r"absolute-form|asterisk|CONNECT|authority|a target without|an empty target"),
    Group("HTTP/0.9 is refused", REQUIRED, VALIDITY, r"HTTP/0\.9|version HTTP/0\.9"),
    Group("other major versions are refused", REQUIRED, VALIDITY, r"HTTP/[239]"),
    Group("blanks around the request line's words are refused", STRICTER, VALIDITY,
          r"version with a|tab after the m|tab before the v|two spaces|(space|tab) before the m"
          r"|version HTTP/ 1"),
    Group("malformed versions are refused", REQUIRED, VALIDITY, r"version"),
    Group("bare LF as a line end is refused", STRICTER, FRAMING,
          r"bare LF|LF in the (target|query)"),
    Group("bare CR is refused", STRICTER, FRAMING,
          r"bare CR|CR CR LF|CR in (the|a)"),
    Group("more than two empty lines before a request are refused", STRICTER, FRAMING,
          r"3 empty"),
    Group("blanks and control bytes in the target are refused", REQUIRED, VALIDITY,
          r"(space|NUL|control byte|DEL|vertical tab) in the (target|query)"),
    Group("# and bytes past ASCII in the target are refused", REQUIRED, VALIDITY,
          r"(raw byte.*|fragment) in the (target|query)"),
    Group("methods that are no token are refused", REQUIRED, VALIDITY,
          r"method (with|empty|non|qu)"),
    Group("overlong and lower-case methods are refused", REQUIRED, VALIDITY, r"method"),
    Group("NUL in a field value is refused", REQUIRED, FRAMING, r"NUL (in|as) a value"),
    Group("other control bytes in a field value are refused", STRICTER, FRAMING,
          r".* (in|before) a value$"),
    Group("obs-fold is refused", STRICTER, FRAMING, r"obs-fold|Transfer-Encoding folded"),
    Group("space before the colon is refused", REQUIRED, FRAMING,
          r"(space|tab) before the colon|Transfer-Encoding with a blank"),
    Group("blanks before the first field are refused", STRICTER, FRAMING,
          r"(space|tab|a line of blanks) before the first"),
    Group("malformed field names are refused", REQUIRED, FRAMING,
          r".* in a name|empty name|missing colon"),
    Group("equal Content-Lengths, and over 20 digits, are refused", STRICTER, FRAMING,
          r"Content-Length (twice and equal|as a list$|of 21)"),
    Group("malformed Content-Lengths are refused", REQUIRED, FRAMING,
          r"Content-Length (?!0|with id)"),
    Group("Content-Length with Transfer-Encoding is refused", STRICTER, FRAMING,
          r"Content-Length|Transfer-Encoding, then"),
    Group("Transfer-Encoding in HTTP/1.0 is refused", STRICTER, FRAMING,
          r"Transfer-Encoding in 1\.0"),
    Group("empty items in Transfer-Encoding are refused", STRICTER, FRAMING,
          r"Transfer-Encoding ('chunked,'|',chunked'|twice, the first empty)"),
    Group("Transfer-Encodings other than chunked are refused", REQUIRED, FRAMING,
          r"Transfer-Encoding"),
    Group("malformed chunk sizes are refused", REQUIRED, BODY, r"chunk size '"),
    Group("blanks around a chunk extension are refused", STRICTER, BODY,
          r"(chunk ext|extension of the l)\w+( chunk)? ' ;a'"),
    Group("malformed chunk extensions are refused", REQUIRED, BODY,
          r"chunk extension '|extension of the last"),
    Group("malformed ends of chunks are refused", REQUIRED, BODY,
          r"chunk (size ended|data)|last chunk|a request where|bad chunk"),
    Group("endless chunk extensions are refused", STRICTER, BODY, r"chunk extensions? over"),
    Group("folds, bare LF and control bytes in a trailer are refused", STRICTER, BODY,
          r"trailer with (a fold|bare LF|con)"),
    Group("malformed trailers are refused", REQUIRED, BODY, r"trailer with"),
    Group("a body is checked before it is answered", STRICTER, FRAMING, r"[A-Z]+ with a bad chunk"),
    Group("bodies and trailers over a limit are refused", STRICTER, FRAMING,
          r".* over body_max|a body of 6[34]|trailers over"),
    Group("unknown expectations are refused", STRICTER, VALIDITY, r"another expectation"),
    Group("what a server may refuse is served up to the limits", STRICTER, VALIDITY,
          r"Host with an empty|2 empty|request line of 8|one field that|fields of less|100 fields"),
    Group("overlong request lines are refused", STRICTER, VALIDITY, r"request line"),
    Group("overlong and too many fields are refused", STRICTER, VALIDITY,
          r"one field over|a value (of|without)|a name of|fields over|101"),
    Group("other protocols are refused", REQUIRED, VALIDITY,
          r"TLS|every byte|NULs|SSH|SOCKS|a PROXY"),
)

# Rows of a check above once more, with what the RFC demands of a server that takes them.
AGAIN = (
    ("after Content-Length with Transfer-Encoding the connection ends", BODY,
     "Content-Length with Transfer-Encoding is refused"),
    ("after Transfer-Encoding in HTTP/1.0 the connection ends", BODY,
     "Transfer-Encoding in HTTP/1.0 is refused"),
)


def sort_rows():
    """Group -> its rows, in the order of the table."""
    sorted_rows = {group: [] for group in GROUPS}
    for row in framing_rows.ROWS:
        for group in GROUPS:
            if re.match(group.pattern, row[0]):
                sorted_rows[group].append(row)
                break
        else:
            raise AssertionError(f"the framing row {row[0]!r} has no check")
    for group, rows in sorted_rows.items():
        assert rows, f"the check {group.name!r} has no row"
    return sorted_rows


def refused(server, data, doubt):
    """Returns what is wrong, "" for nothing."""
    begin = time.monotonic()
    with probe.Probe(server.address) as client:
        client.send(data + SMUGGLED)
        stream, closed = client.everything(ROW_LIMIT_S)
    if not stream:
        at_once = closed and time.monotonic() - begin < AT_ONCE_S
        return "" if at_once else "waits for more"
    status = probe.Answer(stream.partition(b"\r\n\r\n")[0] + b"\r\n").status
    if doubt != VALIDITY and SMUGGLED_BODY in stream:
        return f"{status}, and what follows is read as a request"
    if status == 408:
        return "waits for more"
    if doubt == BODY and status < 400:
        return "" if closed else f"{status}, and the connection goes on"
    return "" if status >= (300 if doubt == VALIDITY else 400) else str(status)


def served(server, data, method):
    with probe.Probe(server.address) as client:
        client.send(data)
        answer = client.answer(method)
        if answer.status not in UNDERSTOOD:
            return str(answer.status)
        if answer.closes or b"HTTP/1.0" in data:
            return ""
        if client.get("/hello.txt").status != 200:
            return f"{answer.status}, then no 200"
    return ""


def try_row(server, row, doubt):
    _, data, statuses, _, method = row
    try:
        if min(statuses) < 400 or statuses == (405,):
            return served(server, data, method)
        return refused(server, data, doubt)
    except (probe.NoAnswer, OSError) as reason:
        return str(reason)


def run_rows(server, rows, doubt):
    with concurrent.futures.ThreadPoolExecutor(ROWS_AT_ONCE) as pool:
        found = list(pool.map(lambda row: try_row(server, row, doubt), rows))
    bad = [f"{row[0]}: {what}" for row, what in zip(rows, found) if what]
    if bad:
        more = [f"and {len(bad) - NAMED_MAX} more"] if len(bad) > NAMED_MAX else []
        raise Miss(f"{len(bad)} of {len(rows)} rows: " + "; ".join(bad[:NAMED_MAX] + more))


def add_rows(name, level, doubt, rows):
    add(name, "Framing", lambda server: run_rows(server, rows, doubt), level)


SORTED = sort_rows()
for found_group, found_rows in SORTED.items():
    add_rows(found_group.name, found_group.level, found_group.doubt, found_rows)
for again_name, again_doubt, of in AGAIN:
    add_rows(again_name, REQUIRED, again_doubt,
             next(rows for group, rows in SORTED.items() if group.name == of))
