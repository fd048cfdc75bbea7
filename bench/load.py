"""load: drives wrk and ab against a server for a while, and says in numbers what came of it."""
import pathlib
import re
import signal
import subprocess
from typing import NamedTuple

import servers

RUN_TIMEOUT_S = 60
SCRIPT = pathlib.Path(__file__).resolve().parent / "wrk.lua"


class Load(NamedTuple):
    seconds: float
    requests: int
    bytes: int
    p50_us: float
    p99_us: float
    errors: int


def run_wrk(url, connections, seconds, core):
    """wrk takes whole seconds only, but stops, with its figures, when interrupted."""
    command = [servers.find_program("wrk"), "-t", "1", "-c", str(connections), "-d",
               f"{RUN_TIMEOUT_S}s", "-s", str(SCRIPT), url]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               preexec_fn=servers.pin(core))
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
    try:
        text = process.communicate(timeout=10)[0].decode()
    except subprocess.TimeoutExpired:
        process.kill()
        text = process.communicate()[0].decode()
    match = re.search(r"^figures (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)$", text, re.MULTILINE)
    if match is None:
        raise servers.Failed(f"wrk failed: {text}")
    duration_us, requests, size, p50_us, p99_us, errors = map(int, match.groups())
    return Load(duration_us / 1e6, requests, size, p50_us, p99_us, errors)


def run_ab(url, connections, requests, keep_alive, core):
    command = [servers.find_program("ab"), "-q", "-n", str(requests), "-c", str(connections),
               *(["-k"] if keep_alive else []), url]
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
