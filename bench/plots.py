"""plots: which plots the page has: results to panels."""
import math

import figures
import plot
import targets

COLOURS = {"gyre": "#e8590c", "gyre-epoll": "#ffc078", "bare": "#495057", "nginx": "#2f9e44",
           "h2o": "#1971c2", "lighttpd": "#74c0fc", "apache": "#ae3ec9", "caddy": "#ced4da"}
WIDTH, LEFT, GAP = 1240, 24, 28
FULL = WIDTH - 2 * LEFT
HALF = (FULL - GAP) / 2
TOPS = (84, 322, 560, 798, 1070)  # of the rows
HEIGHT, DOTS_HEIGHT = 226, 256
CUT = 2.2  # times nginx's highest bar: what is higher is cut


def label(cell):
    return f"{cell.what.partition(',')[0]} x{cell.connections}"


def long_label(cell):
    return f"{cell.workload} {cell.what.partition(',')[0]} x{cell.connections}"


def spreads(runs, figure, scale=1.0):
    found = {}
    for name in runs:
        each = figures.spread(targets.values(runs, name, figure))
        found[name] = figures.Spread(*(value * scale for value in each))
    return found


def reach(cell, runs, figure):
    """The value that gyre's has to reach, by the first target for the figure; None: there is none.
    """
    for target in targets.TARGETS:
        if target.figure == figure and target.workloads and target.is_for(cell):
            verdict = targets.judge(cell, runs, target)
            if verdict is not None:
                return target.bound * (1 if math.isnan(verdict.theirs) else verdict.theirs)
    return None


def cut_of(groups):
    known = [bars["nginx"].median for _, bars in groups if "nginx" in bars]
    return CUT * max(known) if known else 0.0


def bars(title, unit, cells, figure, box, name=label):
    groups = [(name(cell), spreads(runs, figure)) for cell, runs in cells]
    marks = {name(cell): reach(cell, runs, figure) for cell, runs in cells}
    marks = {key: value for key, value in marks.items() if value is not None}
    is_cut = figure in targets.LOWER_IS_BETTER
    return plot.Panel(title, unit, groups, box, marks, cut_of(groups) if is_cut else 0.0)


def beside_nginx(title, cells, box):
    """Of workloads whose figures are too different for one axis: nginx's is 1."""
    groups, marks = [], {}
    for cell, runs in cells:
        unit = figures.median(targets.values(runs, "nginx", "cpu_us"))
        if math.isnan(unit) or not unit:
            continue
        groups.append((long_label(cell), spreads(runs, "cpu_us", 1 / unit)))
        value = reach(cell, runs, "cpu_us")
        if value is not None:
            marks[long_label(cell)] = value / unit
    return plot.Panel(title, "nginx = 1, lower is better", groups, box, marks, CUT)


def panels(results):
    def of(*workloads):
        return [(cell, runs) for cell, runs in results if cell.workload in workloads]

    def row(index, column=0, width=FULL, height=HEIGHT):
        return LEFT + column * (HALF + GAP), TOPS[index], width, height

    small, large = of("small"), of("large")
    mixed = of("site", "many", "churn", "pipeline", "logged")
    dots = [(long_label(cell), spreads(runs, "p99_ms")) for cell, runs in results]
    found = [
        bars("Small files: server CPU per request", "microseconds, lower is better", small,
             "cpu_us", row(0)),
        beside_nginx("Other workloads: server CPU per request", mixed, row(1)),
        bars("Large files: throughput", "GB/s, higher is better", large, "rate",
             row(2, width=HALF)),
        bars("Large files: per CPU-second of both cores", "GB, higher is better", large,
             "per_both", row(2, 1, HALF)),
        plot.Panel("p99 (cold: of the hot file)", "milliseconds, logarithmic, lower is better",
                   dots, row(3, height=DOTS_HEIGHT), is_dots=True),
        bars("Crowd: memory for each idle connection", "bytes of PSS, lower is better",
             of("crowd"), "idle_bytes", row(4, width=HALF)),
        bars("Cold: p99 of the hot file", "milliseconds, lower is better", of("cold"), "p99_ms",
             row(4, 1, HALF)),
    ]
    return [panel for panel in found if panel.groups]


def page(results, conditions):
    """None when there is nothing to show."""
    shown = panels(results)
    if not shown:
        return None
    names = {name for _, runs in results for name in runs}
    colours = {name: colour for name, colour in COLOURS.items() if name in names}
    return plot.page("gyre beside its peers", conditions, shown, colours,
                     "whiskers: least and greatest of the rounds; a black line: gyre's target",
                     WIDTH)
