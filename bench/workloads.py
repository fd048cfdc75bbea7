"""workloads: what is measured, cell by cell, and for how long."""
from typing import NamedTuple

import files
from files import GB, KB, MB

ACCEPT = "Accept-Encoding: br;q=1, gzip;q=0.8"
ACCEPT_PLAIN = "Accept-Encoding: br, gzip"
NO_WEIGHTS = ("h2o",)  # who takes a coding with a weight for another, and sends the file itself
ROUNDS = 5
DEPTH = 16
CROWD, CROWD_ACTIVE = 10000, 64
CROWD_IDLE = 9900  # lighttpd takes half as many connections as descriptors: of 20,000, no 10,001st
HOT_CONNECTIONS = 4
RUN_OVERHEAD_S = 0.2  # to start and stop a client
WARM_S = 0.25
DROP_S = 1.0  # to drop the page cache
CROWD_OPEN_S = 6.0  # to open a crowd at one server, and to close it


class Cell(NamedTuple):
    workload: str
    what: str
    connections: int
    seconds: float  # of one run
    path: str
    fields: tuple = ()  # of the request's head
    arguments: tuple = ()  # of wrk.lua
    bare_sizes: tuple = ()  # of the bodies, for the floor; (): it is not measured
    warm_s: float = WARM_S

    @property
    def name(self):
        return f"{self.workload} {self.what} x{self.connections}"


def size_name(size):
    for unit, letters in ((GB, "GB"), (MB, "MB"), (KB, "KB")):
        if size >= unit:
            return f"{size // unit} {letters}"
    return f"{size} B"


def small(seconds, connections=(64, 512), sizes=files.SMALL_SIZES, workload="small"):
    return [Cell(workload, size_name(size), each, seconds, f"small/{size}.txt",
                 bare_sizes=(size,) if workload == "small" else ())
            for size in sizes for each in connections]


def fields_for(name, cell):
    """The same, in the words that the server understands."""
    return tuple(ACCEPT_PLAIN if field == ACCEPT and name in NO_WEIGHTS else field
                 for field in cell.fields)


def site(seconds, sizes, connections=(64, 1024)):
    """`sizes` of the precompressed files: the floor sends just these."""
    names = files.site_names()
    arguments = ("paths", 1, *(f"/site/{name}" for name in names))
    return [Cell("site", f"{len(names)} files", each, seconds, f"site/{names[0]}", (ACCEPT,),
                 arguments, tuple(sizes)) for each in connections]


def large(seconds, sizes=files.LARGE_SIZES, connections=(1, 8, 64)):
    return [Cell("large", size_name(size), each, seconds, f"large/{size}.bin")
            for size in sizes for each in connections]


def many(seconds, workload="many"):
    """Of `cold`, the path is the hot file's."""
    return Cell(workload, f"{files.MANY_COUNT // 1000}k files", 64, seconds,
                f"small/{4 * KB}.txt", arguments=("zipf", 1, files.MANY_COUNT), warm_s=1.0)


def full(packed_sizes):
    four = f"small/{4 * KB}.txt"
    return [
        *small(0.7),
        *site(0.7, packed_sizes),
        *large(0.7),
        many(1.0),
        Cell("churn", "4 KB", 64, 0.7, four),
        Cell("pipeline", "1 KB", 64, 0.7, f"small/{KB}.txt",
             arguments=("paths", DEPTH, f"/small/{KB}.txt")),
        *small(0.7, connections=(64,), sizes=(KB, 4 * KB), workload="logged"),
        Cell("crowd", f"4 KB, {CROWD_IDLE} idle", CROWD_ACTIVE, 0.7, four),
        many(1.5, "cold"),
    ]


def quick(packed_sizes):
    return [*small(0.4), *site(0.4, packed_sizes), *large(0.4, sizes=(MB, 10 * MB))]


def expected_s(cells, servers_count, rounds):
    """About how long they take, when nobody leaves the race."""
    total = 0.0
    for cell in cells:
        each = cell.seconds + RUN_OVERHEAD_S + (DROP_S if cell.workload == "cold" else 0)
        total += servers_count * (rounds * each + cell.warm_s + RUN_OVERHEAD_S)
        total += servers_count * CROWD_OPEN_S if cell.workload == "crowd" else 0
    return total
