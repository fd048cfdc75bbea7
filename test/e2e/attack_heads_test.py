"""What a request may not write: where a redirect leads, lines of a head, words of a page."""

import os
import re

import harness
from harness import Server, equal, shared, test, truth
from wire import ResponseHead, request_bytes

PAGE = "Accept: text/html"


def start_redirects():
    rules = "".join(f"[path {pattern}]\nredirect = {target}\n" for pattern, target in (
        ("/a/**", "302 /$1"), ("/b/**", "307 /$path"), ("/c/**", "308 https://gyre.example/$1"),
        ("/d/**", "301 https://gyre.example/$path"), ("/e/*/*", "302 /$2/$1?q=$1#$2"),
        ("/f/**", "302 /$1$1"), ("/g/{a,b}/**", "302 /$2")))
    return Server(harness.make_tree({"dir/x": b"x\n"}),
                  "[files]\nlisting = on\narchive = on\n" + rules +
                  "[path /dir/x]\ncors = https://app.example\n")


EVIL = (
    "//evil.example", "/%2fevil.example", "%2f%2fevil.example", "/%5cevil.example", "%5c%5cevil",
    "\\evil", "/\\evil.example", "%0d%0aSet-Cookie:%20x=1", "%0aX:1", "%0d", "%E5%98%8A%E5%98%8D",
    "https://evil.example", "@evil.example", ".evil.example", ":1/", "%09//evil", "%20//evil",
    "..//evil.example", ".%2e//evil.example", "?//evil.example", "?%0d%0aX:1", "?x=\\..\\evil",
    "%2e%2e//evil", ";//evil", "a//b", "%00//evil", "%7f", "%80//evil")


def leads_elsewhere(location):
    """As browsers read it: '\\' is '/', and controls are dropped."""
    plain = re.sub(r"[\x00-\x20]", "", location).replace("\\", "/")
    return plain.startswith("//") or (re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", plain) is not None and
                                      re.match(r"https://gyre\.example(/|$|\?|#)", plain) is None)


@test
def no_redirect_leads_to_another_host_nor_ends_its_line():
    server = shared(start_redirects)
    for folder in "abcdef":
        for evil in EVIL:
            for target in (f"/{folder}/{evil}", f"/{folder}//{evil}", f"/{folder}/x/{evil}",
                           f"/g/a/{evil}"):
                response = server.get(target)  # its client takes no head with a line too many
                location = response.fields.get("location", "/")
                truth(not leads_elsewhere(location), f"{target} leads to {location}")
                truth("set-cookie" not in response.fields and "x" not in response.fields, target)


@test
def no_request_writes_a_line_into_a_head():
    server = shared(start_redirects)
    names = [b"%0d%0aX:%201", b"a%0ab", b"%22;%20filename=%22evil", b"%80%ff", b"%e2%80%ae"]
    for name in names:
        name_bytes = re.sub(rb"%(..)", lambda match: bytes([int(match[1], 16)]), name)
        os.makedirs(os.path.join(os.fsencode(server.root), b"dir", name_bytes), exist_ok=True)
        for end in ("", "/", "/?format=tar", "/?format=json", "?%0d%0aX:1"):
            with server.connect() as client:
                client.send(request_bytes(f"/dir/{name.decode()}{end}",
                                          fields=[PAGE]))
                raw = bytearray()
                while b"\r\n\r\n" not in raw:
                    raw += client.socket.recv(4096)
                check_head(bytes(raw[:raw.index(b"\r\n\r\n") + 4]), end)


def check_head(raw, end):
    head = ResponseHead(raw)
    truth("x" not in head.fields, f"a line was added: {raw!r} for {end}")
    disposition = head.fields.get("content-disposition", "")
    truth(disposition.count("filename=") <= 1 and "evil\"" not in disposition, disposition)


@test
def an_origin_is_echoed_only_when_it_is_one_of_the_list():
    server = shared(start_redirects)
    for origin, echoed in (("https://app.example", True), ("https://app.example.evil", False),
                           ("https://app.example:443", False), ("null", False), ("*", False),
                           ("https://app.example https://evil", False), ("", False)):
        fields = server.get("/dir/x", fields=[f"Origin: {origin}"]).fields
        equal(fields.get("access-control-allow-origin"), origin if echoed else None, origin)


@test
def an_error_says_nothing_of_what_was_asked():
    for status, target in ((400, "/%zz<script>"), (404, "/none%3Cscript%3E%0d%0aX:1")):
        response = shared(start_redirects).get(target)
        equal(response.status, status, target)
        truth(b"script" not in response.body, f"{target} is echoed")


if __name__ == "__main__":
    harness.main()
