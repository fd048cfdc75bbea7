"""verify: before anything is measured: does every server answer with the bytes of the files?"""
import collections
import gzip
import http.client
import subprocess

import files
import servers
import workloads


def fetch(server, path, fields=()):
    """(status, content coding, body) of one GET."""
    connection = http.client.HTTPConnection(*server.address, timeout=10)
    try:
        headers = dict(field.split(": ", 1) for field in fields)
        connection.request("GET", f"/{path}", headers={"Accept-Encoding": "identity", **headers})
        response = connection.getresponse()
        return response.status, response.getheader("Content-Encoding", "identity"), response.read()
    finally:
        connection.close()


def decode(coding, body):
    if coding == "gzip":
        return gzip.decompress(body)
    if coding == "br":
        return subprocess.run([servers.find_program("brotli"), "-d", "-c"], input=body, check=True,
                              stdout=subprocess.PIPE).stdout
    return body


def check(server, path, root, fields=()):
    """The coding and the size of the answer, whose bytes are right; or Failed."""
    status, coding, body = fetch(server, path, fields)
    if status != 200 or decode(coding, body) != (root / path).read_bytes():
        raise servers.Failed(f"{server.name} answers {path} with {status}, {len(body)} bytes")
    return coding, len(body)


def check_server(server, root, cells):
    """What it sends for the site, in words: {coding: files} and bytes."""
    for path in sorted({cell.path for cell in cells if cell.workload != "site"}):
        if (root / path).stat().st_size <= files.MB:
            check(server, path, root)
    site = next((cell for cell in cells if cell.workload == "site"), None)
    if site is None:
        return ""
    fields = workloads.fields_for(server.name, site)
    answers = [check(server, f"site/{name}", root, fields) for name in files.site_names()]
    codings = collections.Counter(coding for coding, _ in answers)
    sent = ", ".join(f"{count} {coding}" for coding, count in sorted(codings.items()))
    return f"{sent}, {sum(size for _, size in answers)} bytes"
