"""bench: gyre beside nginx, in interleaved rounds, on the same files and cores.

The server has core 0 and the load core 1 (the first two that the process may use). The figure that
counts is server CPU per request: what core 0 was busy (/proc/stat) over the responses completed.
What only gyre's or nginx's own threads used (schedstat) stands beside it, as `own`: on a quiet
machine the two agree, and where something else ran on core 0, the table says how much (`foreign`).
Large files are counted in bytes per CPU-second of both cores, since on the loopback a server can
shift the cost of a copy to its client.

usage: bench.py [--gyre FILE] [--rounds N] [--seconds S] [--only WORD]... [--output DIR]
"""
import argparse
import contextlib
import csv
import datetime
import os
import pathlib
import platform
import shutil
import signal
import statistics
import subprocess
import sys
from typing import NamedTuple

import load
import servers

REPOSITORY = servers.BENCH.parent
KB, MB = 1024, 1024 * 1024
AB_REQUESTS_PROBE = 2000
PIPE_SECONDS = 1.0  # how long system calls are counted


class Cell(NamedTuple):
    workload: str
    tool: str
    size: int
    connections: int
    aim: float  # of nginx: CPU per request at most, or throughput at least

    @property
    def file(self):
        return f"{self.size}.txt"

    @property
    def name(self):
        size = f"{self.size // MB} MB" if self.size >= MB else \
            f"{self.size // KB} KB" if self.size >= KB else f"{self.size} B"
        return f"{self.workload} {self.tool} {size} x{self.connections}"


class Run(NamedTuple):
    load: load.Load
    core_s: float  # what the server's core was busy
    own_s: float  # what the server's threads used
    both_s: float  # both cores

    @property
    def cpu_us(self):
        return self.core_s / self.load.requests * 1e6

    @property
    def own_us(self):
        return self.own_s / self.load.requests * 1e6

    @property
    def rps(self):
        return self.load.requests / self.load.seconds

    @property
    def rate(self):
        return self.load.bytes / self.load.seconds / 1e9

    @property
    def per_both(self):
        """GB per CPU-second of server and client together."""
        return self.load.bytes / self.both_s / 1e9

    @property
    def per_server(self):
        return self.load.bytes / self.core_s / 1e9

    @property
    def foreign(self):
        return max(0.0, 1 - self.own_s / self.core_s) if self.core_s else 0.0


def cells():
    small = [Cell("small", "wrk", size, connections, 0.60)
             for size in (100, KB, 4 * KB, 16 * KB) for connections in (64, 512)]
    large = [Cell("large", "wrk", size, connections, 1.70)
             for size in (MB, 10 * MB) for connections in (1, 8, 64)]
    return [*small, Cell("keep", "ab -k", 4 * KB, 64, 0.65), Cell("churn", "ab", 4 * KB, 64, 0.70),
            *large]


# --- measuring ------------------------------------------------------------------------------------

def make_files(root, wanted):
    """Bytes that depend on their offset."""
    for size in {cell.size for cell in wanted}:
        unit = b"".join(b"%015d\n" % index for index in range(size // 16 + 1))
        (root / f"{size}.txt").write_bytes(unit[:size])


def apply_load(cell, server, seconds, requests, core):
    if cell.tool == "wrk":
        return load.run_wrk(server.url(cell.file), cell.connections, seconds, core)
    return load.run_ab(server.url(cell.file), cell.connections, requests, cell.tool == "ab -k",
                       core)


def measure(cell, server, seconds, requests, cores):
    busy = [servers.core_busy_s(core) for core in cores]
    own_s = server.cpu_s()
    result = apply_load(cell, server, seconds, requests, cores[1])
    own_s = server.cpu_s() - own_s
    busy = [servers.core_busy_s(core) - before for core, before in zip(cores, busy)]
    if result.requests == 0:
        raise servers.Failed(f"{cell.name}: {server.name} answered nothing")
    return Run(result, busy[0], own_s, sum(busy))


def measure_cell(cell, pair, options, cores):
    """name -> the runs of that server, one a round; who goes first alternates."""
    requests = 0
    for server in pair:  # warm: files open, bodies in memory; and how many requests ab is to make
        warm = apply_load(cell, server, 0.1, AB_REQUESTS_PROBE, cores[1])
        requests = max(requests, int(warm.requests / warm.seconds * options.seconds))
    runs = {server.name: [] for server in pair}
    for index in range(options.rounds):
        for server in pair if index % 2 == 0 else reversed(pair):
            runs[server.name].append(measure(cell, server, options.seconds, requests, cores))
    return runs


def count_calls(pair, directory, cores):
    """name -> (requests, {system call: calls}), each for a second of 4 KB to 64 connections."""
    counts = {}
    for server in pair:
        calls, result = servers.trace_calls(
            server.pids()[-1], directory / f"{server.name}.strace",
            lambda server=server: load.run_wrk(server.url(f"{4 * KB}.txt"), 64, PIPE_SECONDS,
                                               cores[1]))
        counts[server.name] = result.requests, calls
    return counts


# --- reporting ------------------------------------------------------------------------------------

def ratio(runs, figure):
    """Median, least and greatest of the ratios, gyre to nginx, of the rounds."""
    ratios = [getattr(ours, figure) / getattr(theirs, figure)
              for ours, theirs in zip(runs["gyre"], runs["nginx"])]
    return statistics.median(ratios), min(ratios), max(ratios)


def median(runs, name, figure):
    return statistics.median(getattr(run, figure) for run in runs[name])


def median_load(runs, name, figure):
    return statistics.median(getattr(run.load, figure) for run in runs[name])


def small_row(cell, runs):
    middle, least, most = ratio(runs, "cpu_us")
    own = ratio(runs, "own_us")[0]
    row = [cell.name]
    row += [f"{median(runs, name, 'cpu_us'):.2f}" for name in ("gyre", "nginx")]
    row += [f"{middle:.2f}", f"{least:.2f}..{most:.2f}", f"{own:.2f}", f"<= {cell.aim:.2f}"]
    for figure in ("p50_us", "p99_us"):
        row += [f"{median_load(runs, name, figure) / 1000:.2f}" for name in ("gyre", "nginx")]
    row += [f"{median(runs, name, 'rps'):.0f}" for name in ("gyre", "nginx")]
    return row + [foreign(runs), str(errors(runs))]


def large_row(cell, runs):
    row = [cell.name]
    for figure in ("rate", "per_both", "per_server"):
        middle, least, most = ratio(runs, figure)
        row += [f"{median(runs, name, figure):.2f}" for name in ("gyre", "nginx")]
        row += [f"{middle:.2f} ({least:.2f}..{most:.2f})"]
    row += [f"{median_load(runs, name, 'p99_us') / 1000:.2f}" for name in ("gyre", "nginx")]
    return row + [foreign(runs), str(errors(runs))]


def foreign(runs):
    worst = max(run.foreign for name in runs for run in runs[name])
    return f"{worst:.0%}"


def errors(runs):
    return sum(run.load.errors for name in runs for run in runs[name])


SMALL_HEAD = ["server CPU per request", "gyre us", "nginx us", "ratio", "spread", "own ratio",
              "aim", "p50 ms", "nginx", "p99 ms", "nginx", "req/s", "nginx", "foreign", "errors"]
LARGE_HEAD = ["large files", "gyre GB/s", "nginx", "ratio (aim >= 1.70)", "GB/CPU-s, both cores",
              "nginx", "ratio (aim >= 1.70)", "GB/CPU-s, server", "nginx", "ratio (aim >= 1)",
              "p99 ms", "nginx", "foreign", "errors"]


def markdown(head, rows):
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [[*head], ["-" * width for width in widths], *rows]
    return "\n".join("| " + " | ".join(text.ljust(width) for text, width in zip(line, widths))
                     + " |" for line in lines)


def calls_lines(counts):
    for name, (requests, calls) in counts.items():
        per_request = sum(calls.values()) / max(1, requests)
        parts = ", ".join(f"{call} {count / max(1, requests):.3f}"
                          for call, count in sorted(calls.items(), key=lambda item: -item[1])[:6])
        yield (f"- {name}: {per_request:.3f} system calls a request ({parts}; {requests} requests "
               "under strace, which slows the server and so enlarges its batches)")


def command_line(*command):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              cwd=REPOSITORY, check=False)
        return done.stdout.strip().splitlines()[0]
    except (OSError, IndexError):
        return "unknown"


def conditions(options):
    cpu = next((line.partition(":")[2].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                if line.startswith("model name")), platform.machine())
    congestion = pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip()
    changed = command_line("git", "status", "--porcelain", "--", "server", "http", "uring", "conf")
    return [
        f"{datetime.date.today()}; Linux {platform.release()}; {cpu}, {os.cpu_count()} cores; "
        f"TCP {congestion}",
        f"gyre {command_line('git', 'rev-parse', '--short', 'HEAD')}"
        f"{'' if changed == 'unknown' else ' with uncommitted changes'}; "
        f"{command_line(servers.find_program('nginx'), '-v').removeprefix('nginx version: ')}; "
        f"{command_line(servers.find_program('wrk'), '-v').partition(' Copy')[0]}; "
        f"{command_line(servers.find_program('ab'), '-V').removeprefix('This is ')}",
        f"{options.rounds} interleaved rounds of {options.seconds} s; medians; ratios are medians "
        "of the rounds' ratios, gyre to nginx, with the least and the greatest",
        "one worker each on core 0, the load on core 1; keep-alive but for churn; logs off",
        "foreign: the most that core 0 was busy with anything but the server, in any round; where "
        "it is large, `own` (the server's threads alone) says more",
    ]


def report(options, results, counts):
    parts = ["# gyre beside nginx", "\n".join(f"- {line}" for line in conditions(options))]
    small = [small_row(cell, runs) for cell, runs in results if cell.workload != "large"]
    large = [large_row(cell, runs) for cell, runs in results if cell.workload == "large"]
    parts += [markdown(SMALL_HEAD, small)] if small else []
    parts += [markdown(LARGE_HEAD, large)] if large else []
    parts += ["\n".join(calls_lines(counts))] if counts else []
    return "\n\n".join(parts) + "\n"


def write_csv(path, results):
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["workload", "tool", "size", "connections", "round", "server", "seconds",
                       "requests", "bytes", "errors", "p50_us", "p99_us", "core_s", "own_s",
                       "both_s"])
        for cell, runs in results:
            for name in runs:
                for index, run in enumerate(runs[name]):
                    rows.writerow([*cell[:4], index, name, *run.load[:3], run.load.errors,
                                   run.load.p50_us, run.load.p99_us, f"{run.core_s:.3f}",
                                   f"{run.own_s:.6f}", f"{run.both_s:.3f}"])


# --- the run --------------------------------------------------------------------------------------

def parse_arguments():
    parser = argparse.ArgumentParser(description="gyre beside nginx, in interleaved rounds")
    parser.add_argument("--gyre", default=REPOSITORY / "build" / "gyre", type=pathlib.Path)
    parser.add_argument("--rounds", default=5, type=int, help="default: 5")
    parser.add_argument("--seconds", default=0.5, type=float, help="of each run; default: 0.5")
    parser.add_argument("--only", action="append", default=[], metavar="WORD",
                        help="cells whose name holds it: small, large, '4 KB x64', 'ab -k', calls")
    parser.add_argument("--output", type=pathlib.Path, help="where quick.csv and quick.md go")
    options = parser.parse_args()
    if options.rounds < 1 or options.seconds < 0.2:
        parser.error("at least one round of 0.2 seconds")
    return options


def run_all(options, directory, cores):
    wanted = [cell for cell in cells()
              if not options.only or any(word in cell.name for word in options.only)]
    root = directory / "root"
    root.mkdir()
    make_files(root, [*wanted, Cell("", "", 4 * KB, 64, 0)])
    servers.let_age(root)
    results = []
    counts = {}
    with contextlib.ExitStack() as stack:
        pin = servers.pin(cores[0])
        pair = [stack.enter_context(servers.start_gyre(
                    options.gyre, root, directory, ["-w", "1"], preexec_fn=pin)),
                stack.enter_context(servers.start_nginx(root, directory, preexec_fn=pin))]
        for cell in wanted:
            results.append((cell, measure_cell(cell, pair, options, cores)))
            print(f"bench: {cell.name} done", file=sys.stderr, flush=True)
        if not options.only or "calls" in options.only:
            counts = count_calls(pair, directory, cores)
    return results, counts


def main():
    options = parse_arguments()
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        sys.exit("bench: two cores are needed, one for the server and one for the load")
    os.sched_setaffinity(0, {cores[1]})
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers are stopped, too
    directory = servers.temporary_directory()
    try:
        results, counts = run_all(options, directory, cores)
    except servers.Failed as failure:
        sys.exit(f"bench: {failure}")
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    text = report(options, results, counts)
    print(text, end="")
    if options.output is not None:
        options.output.mkdir(parents=True, exist_ok=True)
        (options.output / "quick.md").write_text(text, encoding="utf-8")
        write_csv(options.output / "quick.csv", results)
    return 1 if any(errors(runs) for _, runs in results) else 0


if __name__ == "__main__":
    sys.exit(main())
