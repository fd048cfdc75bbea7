"""load: drives wrk and ab against a server for a while, and says in numbers what came of it."""
import math
import pathlib
import re
import signal
import subprocess
import time
from typing import NamedTuple

import servers

RUN_TIMEOUT_S = 30
STOP_TIMEOUT_S = 20
SCRIPT = pathlib.Path(__file__).resolve().parent / "wrk.lua"


class Load(NamedTuple):
    seconds: float
    requests: int  # answered in full
    bytes: int  # all that came, unfinished answers included
    p50_us: float  # nan where no request was answered
    p99_us: float
    errors: int


class Wrk:
    """A wrk that runs. Its arguments are those of wrk.lua."""

    def __init__(self, url, connections, core, fields=(), arguments=()):
        command = [servers.find_program("wrk"), "-t", "1", "-c", str(connections), "-d",
                   f"{RUN_TIMEOUT_S}s", "--timeout", f"{RUN_TIMEOUT_S}s", "-s", str(SCRIPT)]
        for field in fields:
            command += ["-H", field]
        self.started = time.monotonic()
        self.process = subprocess.Popen([*command, url, "--", *map(str, arguments)],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        preexec_fn=servers.pin(core))

    def finish(self, seconds):
        """wrk takes whole seconds only, but stops, with its figures, when interrupted."""
        try:
            self.process.wait(max(0.0, self.started + seconds - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGINT)
        try:
            text = self.process.communicate(timeout=STOP_TIMEOUT_S)[0].decode()
        except subprocess.TimeoutExpired:
            self.process.kill()
            text = self.process.communicate()[0].decode()
        match = re.search(r"^figures (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)$", text, re.MULTILINE)
        if match is None:
            raise servers.Failed(f"wrk failed: {text}")
        duration_us, requests, size, p50_us, p99_us, errors = map(int, match.groups())
        if requests == 0:
            p50_us = p99_us = math.nan
        return Load(duration_us / 1e6, requests, size, p50_us, p99_us, errors)


def run_wrk(url, connections, seconds, core, fields=(), arguments=()):
    return Wrk(url, connections, core, fields, arguments).finish(seconds)


def run_ab(url, connections, requests, core):
    """A new connection for each request."""
    command = [servers.find_program("ab"), "-q", "-n", str(requests), "-c", str(connections), url]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=RUN_TIMEOUT_S, check=False, preexec_fn=servers.pin(core))

    def figure(pattern, missing=None):
        match = re.search(pattern, done.stdout, re.MULTILINE)
        if match is None and missing is None:
            raise servers.Failed(f"ab failed: {done.stdout}")
        return float(match[1]) if match else missing

    return Load(seconds=figure(r"^Time taken for tests: +([\d.]+)"),
                requests=int(figure(r"^Complete requests: +(\d+)")),
                bytes=int(figure(r"^Total transferred: +(\d+)")),
                p50_us=figure(r"^ +50% +(\d+)") * 1000,
                p99_us=figure(r"^ +99% +(\d+)") * 1000,
                errors=int(figure(r"^Failed requests: +(\d+)")
                           + figure(r"^Non-2xx responses: +(\d+)", 0)
                           + (requests - figure(r"^Complete requests: +(\d+)"))))
