"""targets: what gyre is to reach, and whether it does. Pure: results in, verdicts out.

Results are a list of (cell, {server: [run]}), a run being anything that has the figures.
"""
import math
from typing import NamedTuple

import figures

PEERS = ("nginx", "h2o", "lighttpd", "apache", "caddy")
BEST, ALONE = "best peer", ""  # against whom, beside names
FIGURES = {"cpu_us": "CPU per request", "p99_ms": "p99", "rate": "throughput",
           "per_both": "bytes per CPU-second, both cores",
           "per_server": "bytes per CPU-second, server", "idle_bytes": "bytes per idle connection",
           "errors": "errors"}
LOWER_IS_BETTER = {"cpu_us", "p99_ms", "idle_bytes", "errors"}
EVERYWHERE = ()


class Target(NamedTuple):
    workloads: tuple
    figure: str
    against: str
    bound: float  # of the ratio; of the figure itself where it stands alone

    def holds(self, value):
        """False for nan."""
        return value <= self.bound if self.figure in LOWER_IS_BETTER else value >= self.bound

    def is_for(self, cell):
        return self.workloads == EVERYWHERE or cell.workload in self.workloads

    @property
    def bound_text(self):
        sign = "<=" if self.figure in LOWER_IS_BETTER else ">="
        return f"{sign} {self.bound:g}" if self.against == ALONE else f"{sign} {self.bound:.2f}"


TARGETS = (
    Target(("small", "site"), "cpu_us", "nginx", 0.60),
    Target(("small", "site"), "cpu_us", BEST, 0.85),
    Target(("small", "site"), "cpu_us", "bare", 1.15),
    Target(("large",), "rate", BEST, 1.70),
    Target(("large",), "per_both", BEST, 1.70),
    Target(("large",), "per_server", "nginx", 1.00),
    Target(("many", "churn", "pipeline", "logged"), "cpu_us", "nginx", 0.70),
    Target(("many", "churn", "pipeline", "logged"), "cpu_us", BEST, 0.90),
    Target(("cold",), "p99_ms", "nginx", 0.20),
    Target(("crowd",), "idle_bytes", ALONE, 1.5 * 1024),
    Target(EVERYWHERE, "p99_ms", BEST, 1.00),
    Target(EVERYWHERE, "errors", ALONE, 0),
)


class Verdict(NamedTuple):
    cell: object
    target: Target
    ours: float  # gyre's figure
    rival: str  # who it was compared with
    theirs: float
    ratio: figures.Spread  # of the figure itself where it stands alone
    met: bool
    own_ratio: float = math.nan  # CPU per request: the same ratio of the servers' threads alone


def values(runs, name, figure):
    return [getattr(run, figure) for run in runs.get(name, ())]


def best_peer(runs, figure):
    peers = {name: values(runs, name, figure) for name in PEERS if name in runs}
    return figures.best(peers, figure in LOWER_IS_BETTER)


def rival_of(target, runs):
    """The name, or None when there is nobody to compare with."""
    if target.against == BEST:
        return best_peer(runs, target.figure)
    return target.against if target.against in runs else None


def is_moot(cell, runs, target):
    """Where nginx is alone, it says nothing that it is the best, too, of what it is judged for."""
    return (target.against == BEST and sum(name in runs for name in PEERS) < 2
            and any(other.against == "nginx" and other.figure == target.figure
                    and other.is_for(cell) for other in TARGETS))


def judge(cell, runs, target):
    """The verdict, or None where the run had nothing to judge it by."""
    if is_moot(cell, runs, target):
        return None
    ours = values(runs, "gyre", target.figure)
    middle = figures.median(ours)
    if target.figure == "errors":
        total = sum(ours)
        return Verdict(cell, target, total, "", math.nan, figures.Spread(total, total, total),
                       target.holds(total))
    if target.against == ALONE:
        return Verdict(cell, target, middle, "", math.nan, figures.spread(ours),
                       target.holds(middle))
    rival = rival_of(target, runs)
    if rival is None or math.isnan(middle):
        return None
    theirs = values(runs, rival, target.figure)
    ratio = figures.ratio(ours, theirs)
    own = math.nan
    if target.figure == "cpu_us":
        own = figures.ratio(values(runs, "gyre", "own_us"), values(runs, rival, "own_us")).median
    return Verdict(cell, target, middle, rival, figures.median(theirs), ratio,
                   target.holds(ratio.median), own)


def verdicts(results):
    """In the order of the cells, then of the targets."""
    found = [judge(cell, runs, target) for cell, runs in results if "gyre" in runs
             for target in TARGETS if target.is_for(cell)]
    return [verdict for verdict in found if verdict is not None]
