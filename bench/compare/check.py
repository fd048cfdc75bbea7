"""check: how a check is written down, run and told.

A check is a function that talks to a server and returns when all is well; miss() ends it with a
reason. @check says what it stands for: its row of HTTP.md, and how the RFC sees it. REQUIRED: a
MUST or SHOULD of RFC 9110 to 9112, or plain safety and correctness. STRICTER: HTTP.md asks for it,
a server without it breaks no RFC. A check may need what not every server offers.
"""
import re
from typing import Callable, NamedTuple

import probe

REQUIRED, STRICTER = "required", "stricter"
PASS, FAIL, DIFFERS, ABSENT = "pass", "FAIL", "no*", "-"
REASON_MAX = 200
FIELD = re.compile(r"(If|Last|Accept|Content)(_[A-Z][a-z]+)+")
SPELLED = (("q_0", "q=0"), ("HTTP_1_0", "HTTP/1.0"), ("percent_00", "%00"))


class Check(NamedTuple):
    name: str
    row: str  # of HTTP.md
    level: str
    needs: str  # a feature, "" for none
    run: Callable


class Verdict(NamedTuple):
    word: str
    reason: str


class Miss(Exception):
    """What a server did instead."""


CHECKS = []


def add(name, row, run, level=REQUIRED, needs=""):
    assert all(name != other.name for other in CHECKS), name
    CHECKS.append(Check(name, row, level, needs, run))


def check(row, level=REQUIRED, needs=""):
    """Registers a check under its function's name, as one would write it."""
    def register(function):
        add(spelled(function.__name__), row, function, level, needs)
        return function
    return register


def spelled(name):
    name = FIELD.sub(lambda match: match[0].replace("_", "-"), name)
    for word, text in SPELLED:
        name = name.replace(word, text)
    return name.replace("_", " ")


def miss(reason):
    raise Miss(reason)


def expect(condition, reason):
    if not condition:
        raise Miss(reason)


def status_in(answer, *statuses, what=""):
    if answer.status not in statuses:
        wanted = " or ".join(map(str, statuses))
        raise Miss(f"{what + ': ' if what else ''}{answer.status} instead of {wanted}")


def body_is(answer, body, what="the body"):
    if answer.body != body:
        raise Miss(f"{what}: {len(answer.body)} bytes {answer.body[:30]!r} instead of "
                   f"{len(body)} bytes {body[:30]!r}")


def judge(one, server):
    """Runs a check. Whatever goes wrong on the way is the server's miss."""
    if one.needs and one.needs not in server.offers:
        return Verdict(ABSENT, "not offered")
    try:
        one.run(server)
        return Verdict(PASS, "")
    except (Miss, probe.NoAnswer) as reason:
        text = str(reason)
    except (OSError, ValueError) as error:
        text = f"{type(error).__name__}: {error}"
    text = " ".join(text.replace(f":{server.address[1]}", ":PORT").split())
    if len(text) > REASON_MAX:
        text = text[:REASON_MAX - 3] + "..."
    return Verdict(FAIL if one.level == REQUIRED else DIFFERS, text)
