"""ablation: turns off one choice at a time, and measures what that costs.

What a configuration can turn off is turned off so. What is built in is turned off by building a
copy of the sources with one edit: so the server itself has no switch that only a measurement would
use. An edit whose text is no longer found, or found twice, stops the run (and fails a test).

usage: ablation.py [--gyre FILE] [--rounds N] [--only WORD]... [--choice NAME]... [--output DIR]
"""
import argparse
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
from typing import NamedTuple

import figures
import files
import measure
import report
import servers
import targets
import workloads
from files import KB, MB

BASE = "gyre"
COPIED = ("uring", "http", "conf", "server")
LINKED = ("Makefile", "bench", "test", "deps.sh")
BUILD = report.REPOSITORY / "build"


class Edit(NamedTuple):
    file: str
    old: str
    new: str


class Choice(NamedTuple):
    name: str
    instead: str  # what is done in its place
    lines: str = ""  # of the configuration
    edits: tuple = ()


CHOICES = (
    Choice("multishot recv", "a receive is armed anew for each request", edits=(
        Edit("uring/ring_ops.c", "io_uring_prep_recv_multishot(entry, fd, NULL, 0, 0);",
             "io_uring_prep_recv(entry, fd, NULL, 0, 0);"),)),
    Choice("registered reads", "chunks are plain memory: READ, not READ_FIXED", edits=(
        Edit("uring/pool.c", "pool->registered = registered;",
             "pool->registered = registered && false;"),)),
    Choice("linked reads", "a chunk is sent in the batch after the one that read it", edits=(
        Edit("server/sender.c", "load_next(worker, connection, file, !zero_copy);",
             "load_next(worker, connection, file, false);"),
        Edit("server/sender.c", "if (loading && zero_copy) {", "if (loading) {"))),
    Choice("memory cache", "bodies come from their files, which stay open",
           "[cache]\nfile_bytes_max = 0"),
    Choice("cache", "files are opened, and heads rendered, for each request",
           "[cache]\ncache = off"),
    Choice("watch", "cached files are compared with their paths in each batch",
           "[cache]\nwatch = off"),
    Choice("coalesced head", "head and body are two pieces of one SENDMSG", edits=(
        Edit("server/limits.h", "COALESCE_BODY_MAX = 4 * 1024,", "COALESCE_BODY_MAX = 0,"),)),
    Choice("batching", "one event is handled a system call", edits=(
        Edit("server/limits.h", "EVENTS_MAX = 512, ", "EVENTS_MAX = 1, "),)),
    Choice("zero-copy", "never tried", "[ring]\nzerocopy = off"),
)


def cells(packed_sizes):
    return [*workloads.small(0.5, (64,), (KB, 4 * KB, 16 * KB)),
            *workloads.small(0.5, (512,), (4 * KB,)),
            *workloads.site(0.5, packed_sizes, (64,)),
            *workloads.large(0.5, (MB, 10 * MB), (8,))]


# --- the builds -----------------------------------------------------------------------------------

def edited(text, edit):
    if text.count(edit.old) != 1:
        raise servers.Failed(f"{edit.file}: '{edit.old}' is there {text.count(edit.old)} times")
    return text.replace(edit.old, edit.new)


def source_of(choice, name):
    """The text of one file as it is without the choice."""
    text = (report.REPOSITORY / name).read_text()
    for edit in choice.edits:
        if edit.file == name:
            text = edited(text, edit)
    return text


def seed(home):
    """A tree with the objects of the ordinary build: most of them are the same."""
    home.mkdir(parents=True)
    for name in LINKED:
        (home / name).symlink_to(report.REPOSITORY / name)
    for name in COPIED:
        shutil.copytree(report.REPOSITORY / name, home / name)
    if (BUILD / "gcc").is_dir():
        shutil.copytree(BUILD / "gcc", home / "build" / "gcc",
                        ignore=shutil.ignore_patterns("test", "gyre"))


def refresh(choice, home):
    """Writes what differs; so only that is compiled again."""
    for folder in COPIED:
        names = {path.name for path in (report.REPOSITORY / folder).glob("*.[ch]")}
        for path in (home / folder).glob("*.[ch]"):
            if path.name not in names:
                path.unlink()
        for name in names:
            text = source_of(choice, f"{folder}/{name}")
            path = home / folder / name
            if not path.exists() or path.read_text() != text:
                path.write_text(text)


def build(choice):
    """The server without the choice. Its tree stays in build/, for the next time."""
    home = BUILD / "ablation" / choice.name.replace(" ", "-")
    if not home.exists():
        seed(home)
    refresh(choice, home)
    subprocess.run(["make", "-s", f"-j{os.cpu_count()}", "build/gyre"], cwd=home, check=True,
                   stdout=subprocess.DEVNULL)
    return home / "build" / "gyre"


# --- the report -----------------------------------------------------------------------------------

def figure_of(cell):
    return "rate" if cell.workload == "large" else "cpu_us"


def cost(cell, runs, name):
    """What it costs to do without, as a share: 0.1 is ten per cent more CPU, or less throughput."""
    figure = figure_of(cell)
    base = targets.values(runs, BASE, figure)
    other = targets.values(runs, name, figure)
    ratios = figures.ratio(other, base)
    if figure == "cpu_us":
        return figures.Spread(*(value - 1 for value in ratios))
    return figures.Spread(1 - ratios.median, 1 - ratios.most, 1 - ratios.least)


def percent(spread):
    return f"{spread.median:+.0%} ({spread.least:+.0%}..{spread.most:+.0%})"


def table(results, choices):
    rows = [["gyre as it is", *(report.number(figures.median(targets.values(
        runs, BASE, figure_of(cell)))) + (" GB/s" if cell.workload == "large" else " us")
        for cell, runs in results)]]
    rows += [[f"without {choice.name}", *(percent(cost(cell, runs, choice.name))
                                          for cell, runs in results)] for choice in choices]
    return report.markdown(["", *(cell.name for cell, _ in results)], rows)


def page(setting, results, choices):
    explained = [f"- {choice.name}: {choice.instead}"
                 f"{' (' + choice.lines.splitlines()[-1] + ')' if choice.lines else ''}"
                 for choice in choices]
    return "\n\n".join([
        "# What each choice buys",
        "\n".join(f"- {line}" for line in report.conditions(setting, [])),
        "One choice is turned off at a time. The first line is server CPU per request, or "
        "throughput for large files; the others say by how much that becomes worse without the "
        "choice: positive is what it buys, with the least and the greatest of the rounds.",
        table(results, choices), "Instead of", "\n".join(explained)]) + "\n"


# --- the run --------------------------------------------------------------------------------------

def start_all(setting, choices, stack):
    gyres = {choice.name: build(choice) if choice.edits else setting.gyre for choice in choices}
    group = [stack.enter_context(measure.start(setting, BASE))]
    for choice in choices:
        group.append(stack.enter_context(measure.start(
            setting, choice.name, extra=choice.lines, gyre=gyres[choice.name])))
    return group


def run(options, setting, choices):
    files.provide_all(setting.root, (MB, 10 * MB), False)
    wanted = [cell for cell in cells(files.packed_sizes(setting.root))
              if not options.only or any(word in cell.name for word in options.only)]
    results = []
    with contextlib.ExitStack() as stack:
        group = start_all(setting, choices, stack)
        seconds = workloads.expected_s(wanted, len(group), setting.rounds)
        print(f"ablation: about {seconds / 60:.0f} minutes", file=sys.stderr, flush=True)
        for cell in wanted:
            results.append((cell, measure.measure_cell(cell, group, setting, False)))
            print(f"ablation: {cell.name} done", file=sys.stderr, flush=True)
    return results


def main():
    parser = argparse.ArgumentParser(description="what each choice of gyre's buys")
    parser.add_argument("--gyre", default=BUILD / "gyre", type=pathlib.Path)
    parser.add_argument("--rounds", default=workloads.ROUNDS, type=int)
    parser.add_argument("--only", action="append", default=[], metavar="WORD")
    parser.add_argument("--choice", action="append", default=[],
                        choices=[choice.name for choice in CHOICES])
    parser.add_argument("--output", type=pathlib.Path)
    options = parser.parse_args()
    choices = [choice for choice in CHOICES if not options.choice or choice.name in options.choice]
    with measure.setting_for(options) as setting:
        try:
            results = run(options, setting, choices)
        except (servers.Failed, subprocess.CalledProcessError) as failure:
            sys.exit(f"ablation: {failure}")
        text = page(setting, results, choices)
    report.publish(options.output, "ablation", text, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
