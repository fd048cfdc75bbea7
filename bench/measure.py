"""measure: runs one cell for several servers in interleaved rounds.

The server has core 0 and the load core 1 (the first two that the process may use). In each round
every server has one run, and who begins moves on. A peer that has lost beyond doubt is not run for
all of the rounds (figures.is_out_of_race): it could not become the best.
"""
import contextlib
import math
import os
import pathlib
import shutil
import signal
import sys
import time
from typing import NamedTuple

import crowd
import figures
import load
import launch
import servers
import workloads

PEERS_FOLDER = servers.BENCH / "peers"
FILES_FOLDER = servers.BENCH.parent / "build" / "bench-files"
PEERS = tuple(launch.PROGRAMS)
ALWAYS = ("gyre", "nginx", "bare")  # targets name them
AB_REQUESTS_PROBE = 1000
AB_REQUESTS_MIN = 200
RACE_ROUNDS, RACE_FACTOR = 2, 1.25
REST_S = 0.03  # the server takes leave of the last client
CROWD_PROCESSES = 4
CROWD_WARM, CROWD_WARM_ROUNDS = 16, 20  # connections of each process, and answers on them
DROP_CACHES = pathlib.Path("/proc/sys/vm/drop_caches")


class Setting(NamedTuple):
    """What all measurements of a run have in common."""
    gyre: pathlib.Path
    bare: pathlib.Path
    root: pathlib.Path
    directory: pathlib.Path
    cores: tuple
    rounds: int


class Run(NamedTuple):
    load: load.Load
    core_s: float  # what the server's core was busy
    own_s: float  # what the server's threads used
    both_s: float  # both cores
    idle_bytes: float = math.nan  # crowd: memory for each idle connection

    @property
    def cpu_us(self):
        return self.core_s / self.load.requests * 1e6 if self.load.requests else math.nan

    @property
    def own_us(self):
        return self.own_s / self.load.requests * 1e6 if self.load.requests else math.nan

    @property
    def rps(self):
        return self.load.requests / self.load.seconds

    @property
    def rate(self):
        """GB a second."""
        return self.load.bytes / self.load.seconds / 1e9

    @property
    def per_both(self):
        """GB per CPU-second of server and client together."""
        return self.load.bytes / self.both_s / 1e9 if self.both_s else math.nan

    @property
    def per_server(self):
        return self.load.bytes / self.core_s / 1e9 if self.core_s else math.nan

    @property
    def p50_ms(self):
        return self.load.p50_us / 1e3

    @property
    def p99_ms(self):
        return self.load.p99_us / 1e3

    @property
    def errors(self):
        return self.load.errors

    @property
    def foreign(self):
        return max(0.0, 1 - self.own_s / self.core_s) if self.core_s else 0.0

    @property
    def cost(self):
        """What decides who is still in the race: CPU per byte, since sizes of answers differ."""
        return self.both_s / self.load.bytes if self.load.bytes else math.inf


@contextlib.contextmanager
def setting_for(options):
    """A temporary directory, and the cores; this process goes where the load is."""
    cores = tuple(sorted(os.sched_getaffinity(0))[:2])
    if len(cores) < 2:
        sys.exit("bench: two cores are needed, one for the server and one for the load")
    os.sched_setaffinity(0, {cores[1]})
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers are stopped, too
    directory = servers.temporary_directory()
    try:
        yield Setting(options.gyre, getattr(options, "bare", None), FILES_FOLDER, directory, cores,
                      options.rounds)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


# --- servers --------------------------------------------------------------------------------------

def start(setting, name, is_logged=False, extra="", gyre=None, sizes=()):
    """A running server of that name, pinned. `extra`: lines for gyre's configuration."""
    home = setting.directory / f"{name}{'-logged' if is_logged else ''}"
    home.mkdir(exist_ok=True)
    home.chmod(0o777)  # a peer's workers may be another user's
    words = {**launch.log_words(is_logged), "EXTRA": extra}
    pin = servers.pin(setting.cores[0])
    if name == "bare":
        return servers.start_told(name, [str(setting.bare), *map(str, sizes)], home, preexec_fn=pin)
    if name in PEERS:
        return launch.start(name, PEERS_FOLDER, home, setting.root, words, preexec_fn=pin)
    path = launch.write_configuration("gyre", PEERS_FOLDER, home, words)
    engine = ["--engine", "epoll"] if name == "gyre-epoll" else []
    return servers.start_gyre(gyre or setting.gyre, setting.root, home, ["-c", str(path), *engine],
                              name=name, preexec_fn=pin)


# --- one run --------------------------------------------------------------------------------------

def drop_page_cache():
    os.sync()
    DROP_CACHES.write_text("3\n")


def may_drop_page_cache():
    return os.geteuid() == 0 and os.access(DROP_CACHES, os.W_OK)


def arguments_of(cell, index):
    """Every server gets the same draws in one round, and others in the next."""
    if cell.arguments[:1] == ("zipf",):
        return ("zipf", index + 1, *cell.arguments[2:])
    return cell.arguments


def apply_load(cell, server, seconds, index, requests, core):
    """What the clients of the cell do for a while; for `cold`, the answers of the hot file."""
    url = server.url(cell.path)
    if cell.workload == "churn":
        return load.run_ab(url, cell.connections, requests, core)
    begin = load.Wrk(url, cell.connections, core, workloads.fields_for(server.name, cell),
                     arguments_of(cell, index))
    if cell.workload != "cold":
        return begin.finish(seconds)
    hot = load.run_wrk(url, workloads.HOT_CONNECTIONS, seconds, core)
    rest = begin.finish(seconds)
    return hot._replace(errors=hot.errors + rest.errors)


def measure(cell, server, index, requests, cores):
    if cell.workload == "cold":
        drop_page_cache()
    time.sleep(REST_S)
    busy = [servers.core_busy_s(core) for core in cores]
    own_s = server.cpu_s()
    result = apply_load(cell, server, cell.seconds, index, requests, cores[1])
    own_s = server.cpu_s() - own_s
    busy = [servers.core_busy_s(core) - before for core, before in zip(cores, busy)]
    if result.bytes == 0:
        raise servers.Failed(f"{cell.name}: {server.name} answered nothing: {server.errors()}")
    return Run(result, busy[0], own_s, sum(busy))


# --- one cell -------------------------------------------------------------------------------------

def warm(cell, server, core):
    """Files open, bodies in memory. Returns how many requests ab is to make in a run."""
    first = apply_load(cell, server, cell.warm_s, 0, AB_REQUESTS_PROBE, core)
    return max(AB_REQUESTS_MIN, int(first.requests / first.seconds * cell.seconds))


def in_race(name, runs):
    """Whether one more run of this server can matter to anybody."""
    mine = runs[name]
    if name not in PEERS or name in ALWAYS or len(mine) < RACE_ROUNDS:
        return True
    rivals = [other for other in PEERS if other in runs and other != name]
    return not all(
        figures.is_out_of_race([getattr(run, figure) for run in mine],
                               {other: [getattr(run, figure) for run in runs[other]]
                                for other in rivals}, RACE_FACTOR)
        for figure in ("cost", "p99_ms"))


def interleave(cell, group, setting):
    """name -> the runs of that server, one a round."""
    requests = {server.name: warm(cell, server, setting.cores[1]) for server in group}
    runs = {server.name: [] for server in group}
    for index in range(setting.rounds):
        first = index % len(group)
        for server in [*group[first:], *group[:first]]:
            if len(runs[server.name]) == index and in_race(server.name, runs):
                runs[server.name].append(measure(cell, server, index, requests[server.name],
                                                 setting.cores))
    return runs


def measure_cell(cell, group, setting, with_floor):
    """`group`: the servers that run. The floor is started for the cell, crowds are opened."""
    with contextlib.ExitStack() as stack:
        if cell.bare_sizes and with_floor:
            group = [*group, stack.enter_context(start(setting, "bare", sizes=cell.bare_sizes))]
        if cell.workload != "crowd":
            return interleave(cell, group, setting)
        idle = open_crowds(cell, group, setting, stack)
        runs = interleave(cell, [server for server in group if server.name in idle], setting)
        return {name: [run._replace(idle_bytes=idle[name]) for run in runs[name]] for name in runs}


def open_crowds(cell, group, setting, stack):
    """name -> memory of each connection, for those that can hold so many."""
    idle = {}
    for server in group:
        try:
            idle[server.name] = open_crowd(cell, server, setting, stack)
        except servers.Failed as failure:
            print(f"bench: {cell.name}: left out: {failure}", file=sys.stderr, flush=True)
    return idle


def open_crowd(cell, server, setting, stack):
    """Connections that each have been answered once, and stay. Returns the memory of each."""
    size = (setting.root / cell.path).stat().st_size
    processes = stack.enter_context(crowd.CrowdProcesses(
        server.port, f"/{cell.path}", size, CROWD_PROCESSES,
        preexec_fn=servers.pin(setting.cores[1])))
    processes.tell(f"open {CROWD_WARM}")  # touches what all connections share
    for _ in range(CROWD_WARM_ROUNDS):
        processes.tell("ask")
    before = server.memory_bytes()
    each = workloads.CROWD_IDLE // CROWD_PROCESSES - CROWD_WARM
    opened = processes.tell(f"open {each}")
    if opened != each * CROWD_PROCESSES:
        raise servers.Failed(f"{server.name} answered {opened} of {each * CROWD_PROCESSES}: "
                             f"{server.errors()}")
    return (server.memory_bytes() - before) / opened
