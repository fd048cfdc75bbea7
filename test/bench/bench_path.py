"""Makes bench/ and the TAP runner of test/tidy/ importable, and gives the tests runs to judge."""
import math
import pathlib
import sys
from typing import NamedTuple

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(REPOSITORY / "bench"), str(REPOSITORY / "test" / "tidy")]


class FakeCell(NamedTuple):
    workload: str
    what: str = "4 KB"
    connections: int = 64

    @property
    def name(self):
        return f"{self.workload} {self.what} x{self.connections}"


class FakeRun(NamedTuple):
    cpu_us: float = math.nan
    own_us: float = math.nan
    p99_ms: float = math.nan
    rate: float = math.nan
    per_both: float = math.nan
    per_server: float = math.nan
    idle_bytes: float = math.nan
    errors: int = 0


def fake_runs(figure, **values):
    """{name: runs}, of which `figure` is known."""
    return {name: [FakeRun(**{figure: value}) for value in each] for name, each in values.items()}
