"""sweep: which size of chunk, and how many of them, send large files best.

Every pair of chunk_bytes and chunks_max is a server of its own; all have the same load, in
interleaved rounds.

usage: sweep.py [--gyre FILE] [--rounds N] [--size BYTES] [--connections N] [--output DIR]
"""
import argparse
import contextlib
import pathlib
import sys

import figures
import files
import measure
import report
import servers
import targets
import workloads
from files import KB, MB

CHUNK_BYTES = (64 * KB, 128 * KB, 256 * KB, 512 * KB, 1024 * KB, 2048 * KB)
CHUNKS = (4, 8, 16, 32, 128)
FIGURES = {"rate": "Throughput, GB/s", "per_both": "GB per CPU-second of both cores",
           "per_server": "GB per CPU-second of the server", "p99_ms": "p99, ms"}


def name_of(chunk_bytes, chunks):
    return f"{chunk_bytes // KB}K-{chunks}"


def lines_of(chunk_bytes, chunks):
    return f"[ring]\nchunk_bytes = {chunk_bytes}\nchunks_max = {chunks}"


def table(title, figure, runs):
    rows = []
    for chunk_bytes in CHUNK_BYTES:
        spreads = [figures.spread(targets.values(runs, name_of(chunk_bytes, chunks), figure))
                   for chunks in CHUNKS]
        rows.append([f"{chunk_bytes // KB} KB",
                     *(f"{report.number(each.median)} ({report.number(each.least)}.."
                       f"{report.number(each.most)})" for each in spreads)])
    return [f"## {title}",
            report.markdown(["chunk", *(f"{chunks} chunks" for chunks in CHUNKS)], rows)]


def page(setting, cell, runs):
    parts = ["# Chunks for large files",
             "\n".join(f"- {line}" for line in report.conditions(setting, [])),
             f"{cell.name}; rows: chunk_bytes, columns: chunks_max. Beyond half of the chunks a "
             "connection waits for its socket before it takes one."]
    for figure, title in FIGURES.items():
        parts += table(title, figure, runs)
    return "\n\n".join(parts) + "\n"


def run(setting, cell, size):
    files.provide_all(setting.root, (size,), False)
    with contextlib.ExitStack() as stack:
        group = [stack.enter_context(measure.start(
                     setting, name_of(chunk_bytes, chunks), extra=lines_of(chunk_bytes, chunks)))
                 for chunk_bytes in CHUNK_BYTES for chunks in CHUNKS]
        seconds = workloads.expected_s([cell], len(group), setting.rounds)
        print(f"sweep: about {seconds:.0f} seconds", file=sys.stderr, flush=True)
        return measure.measure_cell(cell, group, setting, False)


def main():
    parser = argparse.ArgumentParser(description="sizes and numbers of gyre's chunks")
    parser.add_argument("--gyre", default=report.REPOSITORY / "build" / "gyre", type=pathlib.Path)
    parser.add_argument("--rounds", default=workloads.ROUNDS, type=int)
    parser.add_argument("--size", default=10 * MB, type=int)
    parser.add_argument("--connections", default=8, type=int)
    parser.add_argument("--seconds", default=0.5, type=float)
    parser.add_argument("--output", type=pathlib.Path)
    options = parser.parse_args()
    cell = workloads.large(options.seconds, (options.size,), (options.connections,))[0]
    with measure.setting_for(options) as setting:
        try:
            runs = run(setting, cell, options.size)
        except servers.Failed as failure:
            sys.exit(f"sweep: {failure}")
        text = page(setting, cell, runs)
    report.publish(options.output, "sweep", text, [(cell, runs)])
    return 0


if __name__ == "__main__":
    sys.exit(main())
