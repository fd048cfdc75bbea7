"""Clients: what people really use. curl, wget, ab, wrk; each is skipped where it is missing."""

import os
import re
import subprocess

import harness
from harness import Server, contains, equal, test, truth

SIZES = {"small.txt": 100, "page.bin": 4096, "big.bin": 5 << 20, "empty.txt": 0}


def start():
    tree = {name: harness.pattern_bytes(size) for name, size in SIZES.items()}
    tree |= {"index.html": b'<a href="small.txt">s</a> <a href="dir">d</a>\n',
             "dir/index.html": b'<a href="page.bin">p</a>\n', "dir/page.bin": b"page\n",
             "with space/grüße.txt": b"greetings\n"}
    return Server(harness.make_tree(tree))


def run(program, *arguments, timeout_s=50, cwd=None):
    path = harness.require(program)
    result = subprocess.run([path, *arguments], capture_output=True, timeout=timeout_s, check=False,
                            cwd=cwd, env={**os.environ, "LC_ALL": "C.UTF-8", "no_proxy": "*"})
    result.errors = result.stderr.decode(errors="replace")
    return result


def url(path=""):
    return f"{harness.shared(start).url}/{path}"


def curl(*arguments):
    result = run("curl", "-sS", "--noproxy", "*", *arguments)
    equal(result.returncode, 0, f"exit status of curl: {result.errors}")
    return result.stdout


@test
def curl_gets_every_size():
    for name, size in SIZES.items():
        truth(curl(url(name)) == harness.pattern_bytes(size), f"{name} differs")


@test
def curl_reuses_its_connection():
    out = curl("-w", "%{num_connects} ", *[item for name in SIZES
                                            for item in ("-o", "/dev/null", url(name))])
    equal(out.split(), [b"1", b"0", b"0", b"0"], "new connections")


@test
def curl_asks_for_the_head():
    out = curl("-I", url("big.bin")).decode()
    contains(out, r"^HTTP/1\.1 200 ")
    contains(out, f"content-length: {5 << 20}\r\n")


@test
def curl_follows_the_slash_redirect():
    out = curl("-L", "-w", "%{url_effective}", url("dir?a=b"))
    equal(out.decode(), '<a href="page.bin">p</a>\n' + url("dir/?a=b"))


@test
def curl_fails_on_404():
    result = run("curl", "-sS", "--fail", url("missing"))
    equal(result.returncode, 22)


@test
def curl_speaks_http_1_0():
    equal(curl("-0", url("page.bin")), harness.pattern_bytes(4096))


@test
def curl_posts_a_large_body_and_learns_405_or_413():
    body = harness.temporary_directory() + "/body"
    for size, status in ((100000, b"405"), (5 << 20, b"413")):
        harness.write_file(body, bytes(size))
        out = curl("-o", "/dev/null", "-w", "%{http_code}", "--data-binary", f"@{body}", url())
        equal(out, status, f"status for {size} bytes")
        out = curl("-o", "/dev/null", "-w", "%{http_code}", "-H", "Transfer-Encoding: chunked",
                   "--data-binary", f"@{body}", url())
        equal(out, status, f"status for {size} bytes in chunks")


@test
def curl_gets_odd_names():
    equal(curl(url("with%20space/gr%C3%BC%C3%9Fe.txt")), b"greetings\n")


@test
def curl_gets_many_files_in_parallel():
    out = harness.temporary_directory()
    curl("--parallel", "--parallel-max", "16", "--output-dir", out, "-o", "f#1.bin",
         url("page.bin?[1-100]"))
    names = os.listdir(out)
    equal(len(names), 100, "files")
    for name in names:
        with open(os.path.join(out, name), "rb") as file:
            equal(file.read(), harness.pattern_bytes(4096), name)


@test
def wget_mirrors_the_site():
    out = harness.temporary_directory()
    result = run("wget", "-q", "-r", "-np", "-nH", url(), cwd=out)
    equal(result.returncode, 0, result.errors)
    found = sorted(os.path.relpath(os.path.join(folder, name), out)
                   for folder, _, names in os.walk(out) for name in names)
    for name in ("index.html", "small.txt", "dir/page.bin"):
        truth(name in found, f"{name} is not among {found}")


def ab(*arguments):
    result = run("ab", "-q", *arguments)
    text = result.stdout.decode(errors="replace")
    equal(result.returncode, 0, f"exit status of ab: {result.errors}")
    equal(re.search(r"Failed requests:\s+(\d+)", text).group(1), "0", text)
    equal(re.search(r"Complete requests:\s+(\d+)", text).group(1), "2000", text)
    truth("Non-2xx" not in text, text)
    return text


@test
def ab_without_keep_alive_has_no_failure():
    ab("-n", "2000", "-c", "16", url("page.bin"))


@test
def ab_with_keep_alive_has_no_failure_and_keeps_alive():
    text = ab("-k", "-n", "2000", "-c", "16", url("page.bin"))
    equal(re.search(r"Keep-Alive requests:\s+(\d+)", text).group(1), "2000", text)


@test
def wrk_has_no_error():
    for name in ("page.bin", "big.bin"):
        result = run("wrk", "-t", "2", "-c", "64", "-d", "1s", url(name))
        text = result.stdout.decode()
        equal(result.returncode, 0, result.errors)
        truth("Socket errors" not in text and "Non-2xx" not in text, text)
        truth(int(re.search(r"(\d+) requests in", text).group(1)) > 10, text)


if __name__ == "__main__":
    harness.main()
