"""bench: gyre beside its peers, in interleaved rounds, on the same files and cores.

The figure that counts is server CPU per request: what the server's core was busy (/proc/stat) over
the responses completed. What only the server's own threads used (schedstat) stands beside it: on a
quiet machine the two agree, and where something else ran on the core, a table says how much. Large
files are counted in bytes per CPU-second of both cores, since on the loopback a server can shift
the cost of a copy to its client.

usage: bench.py [--quick] [--gyre FILE] [--bare FILE] [--rounds N] [--only WORD]...
                [--server NAME]... [--output DIR]
"""
import argparse
import contextlib
import datetime
import os
import pathlib
import re
import subprocess
import sys
import time

import figures
import files
import launch
import load
import measure
import plots
import report
import servers
import targets
import verify
import workloads

SERVERS = ("gyre", *measure.PEERS, "gyre-epoll", "bare")
QUICK_SERVERS = ("gyre", "nginx")
MEMORY_FOR_LARGE = 4 * files.GB
CALLS_SECONDS = 1.0  # how long system calls are counted


def say(words):
    print(f"bench: {words}", file=sys.stderr, flush=True)


# --- what is measured -----------------------------------------------------------------------------

def chosen_servers(options):
    """Those that can run here; of the others, says why not."""
    names = []
    for name in options.server or (QUICK_SERVERS if options.quick else SERVERS):
        if name in measure.PEERS and not launch.is_installed(name):
            say(f"{name} is not installed: left out")
        elif name == "gyre-epoll" and not has_epoll(options.gyre):
            say("this gyre has no --engine: gyre-epoll is left out")
        elif name == "bare" and not os.access(options.bare, os.X_OK):
            say(f"no {options.bare}: the floor is left out")
        else:
            names.append(name)
    return names


def has_epoll(gyre):
    done = subprocess.run([str(gyre), "--help"], stdout=subprocess.PIPE, check=False)
    return b"--engine" in done.stdout


def can_run(cell):
    if cell.workload == "cold" and not measure.may_drop_page_cache():
        say(f"{cell.name} is left out: only root can drop the page cache")
        return False
    if cell.what == "1 GB" and memory_available() < MEMORY_FOR_LARGE:
        say(f"{cell.name} is left out: the file would not stay in memory")
        return False
    return True


def memory_available():
    """What the page cache may grow to. proc(5), MemAvailable."""
    text = pathlib.Path("/proc/meminfo").read_text()
    return int(re.search(r"^MemAvailable:\s+(\d+) kB$", text, re.MULTILINE)[1]) * files.KB


def prepare(options, root):
    """The cells that are to be measured; the files that they need are there."""
    files.provide_all(root, (), False)
    make_cells = workloads.quick if options.quick else workloads.full
    cells = [cell for cell in make_cells(files.packed_sizes(root))
             if not options.only or any(word in cell.name for word in options.only)]
    cells = [cell for cell in cells if can_run(cell)]
    with_many = any(cell.workload in ("many", "cold") for cell in cells)
    if with_many:
        say(f"{files.MANY_COUNT} files are made, if they are not there yet")
    files.provide_all(root, [size for size in files.LARGE_SIZES
                             if any(f"large/{size}." in cell.path for cell in cells)], with_many)
    return cells


# --- measuring ------------------------------------------------------------------------------------

class Groups:
    """The running servers, with logs and without, started when they are first needed."""

    def __init__(self, setting, names, stack):
        self.setting = setting
        self.names = [name for name in names if name != "bare"]
        self.stack = stack
        self.running = {}

    def get(self, is_logged):
        if is_logged not in self.running:
            self.running[is_logged] = [
                self.stack.enter_context(measure.start(self.setting, name, is_logged))
                for name in self.names]
        return [server for server in self.running[is_logged] if server.name in self.names]

    def verify(self, cells):
        """Lines: what each sends for the site. A peer that answers wrongly takes no part."""
        lines = []
        for server in self.get(False):
            try:
                sent = verify.check_server(server, self.setting.root, cells)
                lines += [f"site, as {server.name} sends it: {sent}"] if sent else []
            except (servers.Failed, OSError) as failure:
                if server.name not in measure.PEERS:
                    raise
                say(f"{server.name} is left out: {failure}")
                self.names.remove(server.name)
        return lines


def progress(done_s, total_s, began, cell, runs):
    left_s = (time.monotonic() - began) / done_s * (total_s - done_s)
    end = datetime.datetime.now() + datetime.timedelta(seconds=left_s)
    figure = "rate" if cell.workload == "large" else \
        "p99_ms" if cell.workload == "cold" else "cpu_us"
    parts = [f"{name} {report.number(figures.median(targets.values(runs, name, figure)))}"
             for name in runs]
    say(f"{done_s / total_s:4.0%}, until {end:%H:%M:%S}: {cell.name}: {figure} {', '.join(parts)}")


def measure_all(setting, names, cells, groups):
    results = []
    began = time.monotonic()
    total_s = workloads.expected_s(cells, len(names), setting.rounds)
    say(f"{len(cells)} cells, {len(names)} servers; at most {total_s / 60:.0f} minutes")
    done_s = 0.0
    for cell in cells:
        group = groups.get(cell.workload == "logged")
        runs = measure.measure_cell(cell, group, setting, "bare" in names)
        results.append((cell, runs))
        done_s += workloads.expected_s([cell], len(names), setting.rounds)
        progress(done_s, total_s, began, cell, runs)
    return results


def count_calls(group, setting):
    """Lines: system calls a request of gyre and nginx, each for a second of 4 KB to 64 clients."""
    lines = []
    for server in group:
        if server.name not in QUICK_SERVERS:
            continue
        calls, result = servers.trace_calls(
            server.pids()[-1], setting.directory / f"{server.name}.strace",
            lambda server=server: load.run_wrk(server.url(f"small/{4 * files.KB}.txt"), 64,
                                               CALLS_SECONDS, setting.cores[1]))
        requests = max(1, result.requests)
        most = sorted(calls.items(), key=lambda item: -item[1])[:6]
        parts = ", ".join(f"{call} {count / requests:.3f}" for call, count in most)
        lines.append(f"{server.name}: {sum(calls.values()) / requests:.3f} system calls a request "
                     f"({parts}; {result.requests} requests under strace, which slows the server "
                     "and so enlarges its batches)")
    return lines


def run_all(options, setting):
    """The results, and lines about the servers."""
    names = chosen_servers(options)
    cells = prepare(options, setting.root)
    if not cells:
        raise servers.Failed("no cell is left to measure")
    with contextlib.ExitStack() as stack:
        groups = Groups(setting, names, stack)
        lines = groups.verify(cells)
        results = measure_all(setting, names, cells, groups)
        lines += [] if options.only else count_calls(groups.get(False), setting)
    return results, lines


# --- the run --------------------------------------------------------------------------------------

def write(options, results, conditions, lines):
    names = report.names_in(results)
    parts = ["# gyre beside " + ("nginx" if options.quick else "its peers"),
             "\n".join(f"- {line}" for line in conditions + lines),
             *report.target_parts(results), *report.server_parts(results, names)]
    text = "\n\n".join(parts) + "\n"
    report.publish(options.output, "quick" if options.quick else "bench", text, results)
    page = plots.page(results, conditions)
    if options.output is not None and not options.quick and page is not None:
        (options.output / "bench.svg").write_text(page, encoding="utf-8")


def parse_arguments():
    parser = argparse.ArgumentParser(description="gyre beside its peers, in interleaved rounds")
    build = report.REPOSITORY / "build"
    parser.add_argument("--quick", action="store_true", help="small, site, large; against nginx")
    parser.add_argument("--gyre", default=build / "gyre", type=pathlib.Path)
    parser.add_argument("--bare", default=build / "gcc" / "bench" / "bare", type=pathlib.Path)
    parser.add_argument("--rounds", default=workloads.ROUNDS, type=int)
    parser.add_argument("--only", action="append", default=[], metavar="WORD",
                        help="cells whose name holds it: small, large, '4 KB x64'")
    parser.add_argument("--server", action="append", default=[], choices=SERVERS)
    parser.add_argument("--output", type=pathlib.Path, help="where the results go")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("at least one round")
    return options


def main():
    options = parse_arguments()
    began = time.monotonic()
    with measure.setting_for(options) as setting:
        try:
            results, lines = run_all(options, setting)
        except servers.Failed as failure:
            sys.exit(f"bench: {failure}")
        conditions = report.conditions(setting, report.names_in(results))
        took_s = time.monotonic() - began
        conditions.append(f"the whole run took {took_s / 60:.1f} minutes")
        write(options, results, conditions, lines)
    # Errors of a peer stand in its figures; they are no failure of what is measured here.
    return 1 if any(run.errors for _, runs in results for name in runs if name.startswith("gyre")
                    for run in runs[name]) else 0


if __name__ == "__main__":
    sys.exit(main())
