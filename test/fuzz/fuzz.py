"""Runs libFuzzer targets, one after the other, each on its corpus.

usage: python3 test/fuzz/fuzz.py [--seconds N] [--findings FOLDER] TARGET...

A target is a program NAME_fuzz; its corpus is test/fuzz/corpus/NAME and stays as it is: inputs that
reach something new go to FOLDER/NAME/, inputs that break something to FOLDER/NAME-crash-... . The
last line is `N passed, N failed`. Exits 1 when a target failed or there was none.
"""
import argparse
import pathlib
import re
import subprocess
import sys

FUZZ = pathlib.Path("test/fuzz")
SECONDS_PER_INPUT = 10  # slower than this is a finding, too
SHOWN_LINES_MAX = 60

ARTIFACT = re.compile(r"Test unit written to (\S+)")
RUNS = re.compile(r"^stat::number_of_executed_units:\s*(\d+)", re.MULTILINE)


def command(target, name, seconds, findings):
    """The command line for one target."""
    new = findings / name
    new.mkdir(parents=True, exist_ok=True)
    corpus = FUZZ / "corpus" / name
    words = FUZZ / f"{name}.dict"
    line = [
        str(target), f"-max_total_time={seconds}", f"-timeout={SECONDS_PER_INPUT}",
        f"-artifact_prefix={findings / name}-", "-print_final_stats=1", "-verbosity=1",
    ]
    if words.exists():
        line.append(f"-dict={words}")
    line.append(str(new))
    if corpus.is_dir():
        line.append(str(corpus))
    return line


def fuzz(target, seconds, findings):
    """Runs one target; prints what happened; returns whether all went well."""
    name = target.name.removesuffix("_fuzz")
    line = command(target, name, seconds, findings)
    print(f"# {name}: {seconds} s", flush=True)
    done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False, timeout=seconds + 120)
    runs = RUNS.search(done.stdout)
    count = runs.group(1) if runs else "?"
    found = sum(1 for _ in (findings / name).iterdir())
    if done.returncode == 0:
        print(f"ok - {name}: {count} inputs, {found} kept in {findings / name}", flush=True)
        return True
    for text in done.stdout.splitlines()[-SHOWN_LINES_MAX:]:
        print(f"# {text}")
    print(f"not ok - {name}: exit status {done.returncode}")
    for path in ARTIFACT.findall(done.stdout):
        print(f"# input:  {path}")
        print(f"# replay: {target} {path}")
        print(f"# fixed?  cp {path} {FUZZ / 'corpus' / name}/ and commit it with the fix")
    sys.stdout.flush()
    return False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--findings", type=pathlib.Path, default=pathlib.Path("build/fuzz"))
    parser.add_argument("targets", nargs="*", type=pathlib.Path)
    arguments = parser.parse_args()
    seconds = max(1, arguments.seconds // max(1, len(arguments.targets)))
    results = [fuzz(target, seconds, arguments.findings) for target in arguments.targets]
    print(f"{results.count(True)} passed, {results.count(False)} failed")
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
