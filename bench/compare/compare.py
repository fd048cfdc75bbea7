"""compare: gyre and its peers through the same checks; who passes what goes to OUTPUT.

usage: compare.py [--gyre FILE] [--output DIR] [--server NAME]... [--only WORD]...

Writes compare.md (a table, and for each server the reasons of what it does not pass) and
compare.csv. With --only or --server nothing is written but to standard output. The exit status is 0
when every check ran, whatever came of it.
"""
import argparse
import concurrent.futures
import csv
import datetime
import os
import pathlib
import platform
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import check  # noqa: E402 - with the path above, what these import is found
import peers  # noqa: E402
import launch  # noqa: E402
import servers  # noqa: E402
import check_framing  # noqa: E402,F401 - each registers its checks, in this order
import check_targets  # noqa: E402,F401
import check_conditions  # noqa: E402,F401
import check_ranges  # noqa: E402,F401
import check_content  # noqa: E402,F401
import check_connections  # noqa: E402,F401

ROWS = ("Framing", "Methods", "Connections", "Targets", "Directories", "Validators", "Ranges",
        "Content", "Under change")  # the sections of the contract, in its order
EXPLAINED = """\
Each server has the same files, a configuration as its documentation recommends for a static site
with precompressed files (`bench/compare/conf/`), short deadlines and a small limit of bodies where
it has such settings (as shipped, Caddy waits for a head without end), and the privileges of an
ordinary user. Everything else is as it ships.

- `pass` and `FAIL`: the check stands for a MUST or SHOULD of RFC 9110 to 9112, or for plain safety.
- `no*`: not passed, and *stricter than the RFC*: gyre's contract asks for it; a server without it
  breaks no RFC.
- `-`: the server does not offer what the check is about.

The framing checks are the rows of gyre's own tests (`test/e2e/framing_rows.py`), in groups; a group
passes when all its rows do. A row that is to be refused passes with any 4xx or 5xx, or when the
connection is closed at once; where the framing is in doubt, nothing behind it may be answered;
where the body is malformed, the answer may come before that is known, and the connection must end.
"""


def ordered_checks(words):
    chosen = [one for one in check.CHECKS if not words or any(word in one.name for word in words)]
    return sorted(chosen, key=lambda one: ROWS.index(one.row))


def run_checks(name, gyre, directory, checks):
    """All verdicts of one server, in order. One that dies has failed, and is started anew."""
    verdicts, at, lives = [], 0, 0
    while at < len(checks):
        lives += 1
        home = directory / f"life-{lives}"
        home.mkdir(exist_ok=True)
        with peers.Peer(name, gyre, home) as peer:
            while at < len(checks) and peer.is_running():
                verdict = check.judge(checks[at], peer)
                if not peer.is_running():
                    verdict = check.Verdict(check.FAIL, "the server died")
                verdicts.append(verdict)
                at += 1
    return verdicts


def run_all(names, gyre, checks):
    """name -> verdicts. The servers are tried side by side, each with files of its own."""
    directory = servers.temporary_directory()
    try:
        with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
            futures = {name: pool.submit(run_checks, name, gyre, directory, checks)
                       for name in names}
            return {name: future.result() for name, future in futures.items()}
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def summary(names, checks, verdicts):
    """One line for each server: what it passes of what counts."""
    lines = []
    for name in names:
        parts = [passed(verdicts[name])]
        for level in (check.REQUIRED, check.STRICTER):
            parts.append(passed([verdict for one, verdict in zip(checks, verdicts[name])
                                 if one.level == level]) + f" {level}")
        absent = sum(verdict.word == check.ABSENT for verdict in verdicts[name])
        lines.append(f"{name}: {parts[0]} ({', '.join(parts[1:])}"
                     + (f"; {absent} not offered)" if absent else ")"))
    return lines


def passed(verdicts):
    counted = [verdict.word for verdict in verdicts if verdict.word != check.ABSENT]
    return f"{counted.count(check.PASS)} of {len(counted)}"


def table(names, checks, verdicts):
    """The rows of a Markdown table, in columns."""
    rows = [["check", "HTTP.md", "by the RFC", *names]]
    for i, one in enumerate(checks):
        rows.append([one.name, one.row, one.level, *(verdicts[name][i].word for name in names)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rows.insert(1, ["-" * width for width in widths])
    return ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |"
            for row in rows]


def reasons(names, checks, verdicts):
    lines = []
    for name in names:
        lines += [f"### {name}", ""]
        for one, verdict in zip(checks, verdicts[name]):
            if verdict.word in (check.FAIL, check.DIFFERS):
                mark = " (stricter than the RFC)" if verdict.word == check.DIFFERS else ""
                lines.append(f"- {one.name}{mark}: {escape(verdict.reason)}")
        lines.append("")
    return lines


def plain(text):
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def escape(text):
    """Reasons quote bytes: nothing of them is to be taken for markup."""
    text = plain(text)
    for char in "\\`*_<[|":
        text = text.replace(char, "\\" + char)
    return text


def render(names, missing, checks, verdicts, gyre):
    head = [
        "# gyre beside nginx, Apache, lighttpd and Caddy: who passes what", "",
        f"- {datetime.date.today()}; Linux {platform.release()}; `make compare`",
        "- " + "; ".join(launch.version(name, gyre) for name in names) + f" (gyre at {commit()})",
        *([f"- not installed, not compared: {', '.join(missing)}"] if missing else []), "",
        "Passed, of what the RFC requires and of what is stricter:", "",
        *(f"- {line}" for line in summary(names, checks, verdicts)), "",
        EXPLAINED, *table(names, checks, verdicts), "", "## Why not", "",
    ]
    return "\n".join(head + reasons(names, checks, verdicts)).rstrip("\n") + "\n"


def commit():
    said = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=HERE, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return said.strip() or "no commit"


def write_results(output, text, names, checks, verdicts):
    output.mkdir(parents=True, exist_ok=True)
    (output / "compare.md").write_text(text, encoding="utf-8")
    with open(output / "compare.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("check", "row", "level", "server", "verdict", "reason"))
        for i, one in enumerate(checks):
            for name in names:
                verdict = verdicts[name][i]
                writer.writerow((one.name, one.row, one.level, name, verdict.word,
                                 plain(verdict.reason)))


def main():
    parser = argparse.ArgumentParser(description="gyre and its peers through the same checks")
    parser.add_argument("--gyre", type=pathlib.Path, default=HERE.parents[1] / "build" / "gyre")
    parser.add_argument("--output", type=pathlib.Path, default=HERE.parent / "results")
    parser.add_argument("--server", action="append", choices=peers.NAMES)
    parser.add_argument("--only", action="append")
    options = parser.parse_args()
    gyre = options.gyre.resolve()
    if not os.access(gyre, os.X_OK):
        parser.error(f"no server at {gyre}: run make")
    names, missing = launch.available(options.server or peers.NAMES, gyre)
    checks = ordered_checks(options.only)
    try:
        verdicts = run_all(names, gyre, checks)
    except servers.Failed as reason:
        print(f"compare: {reason}", file=sys.stderr)
        return 1
    if options.server or options.only:
        print("\n".join(table(names, checks, verdicts) + [""] + reasons(names, checks, verdicts)))
    else:
        text = render(names, missing, checks, verdicts, gyre)
        write_results(options.output, text, names, checks, verdicts)
    print("\n".join(summary(names, checks, verdicts)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
