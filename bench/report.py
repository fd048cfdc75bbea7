"""report: results as a page of Markdown and as a CSV."""
import csv
import datetime
import math
import os
import pathlib
import platform
import subprocess

import figures
import launch
import servers
import targets

REPOSITORY = servers.BENCH.parent
CSV_HEAD = ["workload", "what", "connections", "round", "server", "seconds", "requests", "bytes",
            "errors", "p50_us", "p99_us", "core_s", "own_s", "both_s", "idle_bytes"]


def number(value):
    """With as many digits as say something."""
    if math.isnan(value):
        return "-"
    if value == 0 or abs(value) >= 1000:
        return f"{value:.0f}"
    return f"{value:.{1 if abs(value) >= 100 else 2}f}"


def markdown(head, rows):
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [[*head], ["-" * width for width in widths], *rows]
    return "\n".join("| " + " | ".join(text.ljust(width) for text, width in zip(line, widths))
                     + " |" for line in lines)


# --- targets --------------------------------------------------------------------------------------

def target_row(verdict):
    target, ratio = verdict.target, verdict.ratio
    if target.against == targets.ALONE:
        rival, theirs = "-", "-"
    else:
        rival, theirs = verdict.rival, number(verdict.theirs)
    spread = "-" if ratio.least == ratio.most else f"{number(ratio.least)}..{number(ratio.most)}"
    return [verdict.cell.name, targets.FIGURES[target.figure], number(verdict.ours),
            f"{'best: ' if target.against == targets.BEST else ''}{rival}", theirs,
            number(ratio.median), spread, number(verdict.own_ratio), target.bound_text,
            "met" if verdict.met else "MISSED"]


def tally(verdicts):
    """How many are met, target by target."""
    lines = []
    for target in targets.TARGETS:
        mine = [verdict for verdict in verdicts if verdict.target == target]
        if mine:
            met = sum(verdict.met for verdict in mine)
            where = ", ".join(target.workloads) or "everywhere"
            against = f" of {target.against}" if target.against else ""
            lines.append([f"{where}: {targets.FIGURES[target.figure]}",
                          f"{target.bound_text}{against}", f"{met} of {len(mine)}"])
    return lines


TARGET_HEAD = ["cell", "figure", "gyre", "against", "theirs", "ratio", "spread", "own ratio",
               "target", "verdict"]


def target_parts(results):
    """The tally, then what is missed and what is met; of the absence of errors, only breaches."""
    verdicts = targets.verdicts(results)
    met = [verdict for verdict in verdicts if verdict.met and verdict.target.figure != "errors"]
    missed = [verdict for verdict in verdicts if not verdict.met]
    parts = [f"## Targets: {sum(verdict.met for verdict in verdicts)} of {len(verdicts)} met",
             markdown(["target", "bound", "met"], tally(verdicts))]
    for title, some in (("Missed", missed), ("Met", met)):
        if some:
            parts += [f"### {title}", markdown(TARGET_HEAD, [target_row(each) for each in some])]
    return parts


# --- all servers ----------------------------------------------------------------------------------

def figure_table(title, figure, results, names):
    rows = []
    for cell, runs in results:
        medians = {name: figures.median(targets.values(runs, name, figure)) for name in names}
        if not all(math.isnan(value) for value in medians.values()):
            rows.append([cell.name, *(number(medians[name]) for name in names)])
    return [f"### {title}", markdown(["", *names], rows)] if rows else []


def of(results, *workloads):
    return [(cell, runs) for cell, runs in results if cell.workload in workloads]


def others(results, *workloads):
    return [(cell, runs) for cell, runs in results if cell.workload not in workloads]


def server_parts(results, names):
    small = others(results, "large", "cold")
    large = of(results, "large")
    return [
        "## All servers, medians",
        *figure_table("CPU of the server per request, us (its core)", "cpu_us", small, names),
        *figure_table("The same, of its own threads alone, us", "own_us", small, names),
        *figure_table("Requests a second", "rps", others(results, "large"), names),
        *figure_table("Large files, GB/s", "rate", large, names),
        *figure_table("Large files, GB per CPU-second of both cores", "per_both", large, names),
        *figure_table("Large files, GB per CPU-second of the server", "per_server", large, names),
        *figure_table("p50, ms", "p50_ms", results, names),
        *figure_table("p99, ms (cold: of the hot file)", "p99_ms", results, names),
        *figure_table("Memory for each idle connection, bytes of PSS", "idle_bytes",
                      of(results, "crowd"), names),
        *noise_part(results, names),
    ]


def noise_part(results, names):
    rows = [[cell.name, *(number(max((run.foreign * 100 for run in runs.get(name, ())),
                                     default=math.nan)) for name in names)]
            for cell, runs in results]
    return ["### Foreign: the most of its core's time that others took in any round, %",
            markdown(["", *names], rows)]


def names_in(results):
    """In the order in which they come."""
    return list(dict.fromkeys(name for _, runs in results for name in runs))


# --- conditions -----------------------------------------------------------------------------------

def command_line(*command):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              cwd=REPOSITORY, check=False)
        return done.stdout.strip().splitlines()[0]
    except (OSError, IndexError):
        return "unknown"


def commit():
    changed = command_line("git", "status", "--porcelain", "--", "server", "http", "uring", "conf")
    short = command_line("git", "rev-parse", "--short", "HEAD")
    return short if changed == "unknown" else f"{short} with uncommitted changes"


def conditions(setting, names):
    cpu = next((line.partition(":")[2].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                if line.startswith("model name")), platform.machine())
    congestion = pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip()
    peers = [launch.version(name, setting.gyre) for name in names
             if name in launch.PROGRAMS]
    return [
        f"{datetime.date.today()}; Linux {platform.release()}; {cpu}, {os.cpu_count()} cores; "
        f"TCP {congestion}; load average {os.getloadavg()[0]:.2f} at the start",
        "; ".join([f"{launch.version('gyre', setting.gyre)} at {commit()}", *peers]),
        f"{command_line(servers.find_program('wrk'), '-v').partition(' Copy')[0]}; "
        f"{command_line(servers.find_program('ab'), '-V').removeprefix('This is ')}",
        f"{setting.rounds} interleaved rounds (fewer for a peer that two rounds show out of the "
        "race); medians; a ratio is the median of the rounds' ratios, with the least and the "
        "greatest",
        f"one worker each, on core {setting.cores[0]}, the load on core {setting.cores[1]}; "
        "keep-alive but for churn, no logs but for logged",
        "own ratio: the same of what the servers' threads used (schedstat), whatever else ran on "
        "their core; what runs outside of them (softirq) is not in it",
    ]


def publish(output, name, text, results):
    """On standard output; and into a folder, unless there is none."""
    print(text, end="")
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        (output / f"{name}.md").write_text(text, encoding="utf-8")
        write_csv(output / f"{name}.csv", results)


def write_csv(path, results):
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(CSV_HEAD)
        for cell, runs in results:
            for name in runs:
                for index, run in enumerate(runs[name]):
                    rows.writerow([cell.workload, cell.what, cell.connections, index, name,
                                   *run.load[:3], run.load.errors, run.load.p50_us,
                                   run.load.p99_us, f"{run.core_s:.3f}", f"{run.own_s:.6f}",
                                   f"{run.both_s:.3f}", f"{run.idle_bytes:.0f}"])
