"""Web applications in Chromium: what it only runs if type, length and validators are right."""

import os

import harness
from harness import equal, shared, test, truth
from programs import LoggedServer, content_of
from webdriver import Browser

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono-Oblique.ttf"
OLD_S = 1_600_000_000
WASM = (b"\0asm\1\0\0\0"
        b"\1\7\1\x60\2\x7f\x7f\1\x7f"          # type: (i32, i32) -> i32
        b"\3\2\1\0"                            # function: of that type
        b"\7\7\1\3add\0\0"                     # export: "add"
        b"\x0a\x09\1\7\0\x20\0\x20\1\x6a\x0b"  # code: both locals, added
        )
PAGE = b"""<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Application</title>
<link rel="icon" href="/icon.svg"><link rel="stylesheet" href="/style.css">
<script type="module" src="/main.mjs"></script><body>%s</body></html>
"""
ICON = b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><path d="M0 0h8v8"/></svg>'
WORKER = b"""const version = "%s";
addEventListener("install", event => event.waitUntil(Promise.all([skipWaiting(),
    caches.open(version).then(cache => cache.addAll(
        ["/", "/icon.svg", "/style.css", "/main.mjs", "/lib/deep.mjs"]))])));
addEventListener("activate", event => event.waitUntil(clients.claim()));
addEventListener("fetch", event => {
    if (new URL(event.request.url).pathname === "/version")
        event.respondWith(new Response(version));
    else
        event.respondWith(caches.match(event.request).then(found => found || fetch(event.request)));
});
"""


def tree():
    return {"index.html": PAGE % b"<p>Home</p>", "icon.svg": ICON,
            "style.css": b"p { color: rgb(1, 2, 3) }\n@font-face { font-family: Sample;"
                         b" src: url(/font.ttf) }\n",
            "main.mjs": b"import {name} from './lib/deep.mjs';\n"
                        b"window.main = {name, lazy: () => import('./lib/lazy.mjs')};\n",
            "lib/deep.mjs": "export const name = 'tief und schön';\n".encode(),
            "lib/lazy.mjs": b"export default 42;\n", "add.wasm": WASM, "plain.bin": WASM,
            "script.txt": b"window.ran = true;\n", "data.json": b'{"a": 1}\n',
            "blocked.html": PAGE % b'<script src="/script.txt"></script>',
            "large.bin": harness.pattern_bytes(3 << 20)}


def start():
    root = harness.make_tree(tree())
    for name in tree():
        os.utime(os.path.join(root, name), (OLD_S, OLD_S))
    if os.path.exists(FONT):
        harness.write_file(os.path.join(root, "font.ttf"), content_of(FONT))
    return LoggedServer(root)


class Visit(Browser):
    """A browser on a page; its console stays empty, or the test fails."""

    def __init__(self, path="/", server=None):
        super().__init__()
        self.server = server or shared(start)
        self.visit(f"{self.server.url}{path}")

    def __exit__(self, kind, *ignored):
        messages = self.console()
        super().__exit__(kind, *ignored)
        if kind is None:
            equal(messages, [], "console")


# --- types ----------------------------------------------------------------------------------------

@test
def modules_run_with_what_they_import():
    with Visit() as page:
        equal(page.run("return main.name"), "tief und schön", "from a module of a module")
        equal(page.run("return (await main.lazy()).default"), 42, "from a module imported later")


@test
def styles_apply():
    with Visit() as page:
        equal(page.run("return getComputedStyle(document.querySelector('p')).color"),
              "rgb(1, 2, 3)", "colour of a paragraph")


@test
def webassembly_compiles_as_it_streams():
    """Only if it is application/wasm."""
    with Visit() as page:
        equal(page.run("const module = await WebAssembly.instantiateStreaming(fetch('/add.wasm'));"
                       "return module.instance.exports.add(40, 2);"), 42, "40 + 2")
        equal(page.run("return WebAssembly.instantiateStreaming(fetch('/plain.bin'))"
                       ".then(() => 'ran', error => error.name)"), "TypeError", "of another type")


@test
def fonts_load():
    if not os.path.exists(FONT):
        raise harness.Skip(f"{FONT} is not there")
    with Visit() as page:
        equal(page.run("const face = await new FontFace('Other', 'url(/font.ttf)').load();"
                       "await document.fonts.load('16px Sample');"
                       "return [face.status, document.fonts.check('16px Sample')];"),
              ["loaded", True], "a font by script, and one by style")


@test
def what_is_no_script_is_not_run_as_one():
    with Browser() as page:
        page.visit(f"{shared(start).url}/blocked.html")
        equal(page.run("return window.ran === undefined"), True, "script.txt was not run")
        refusals = [line for line in page.console() if "strict MIME type checking" in line]
        truth(any("script.txt" in line for line in refusals), f"console: {page.console_seen}")


# --- fetch: caches and ranges ---------------------------------------------------------------------

FETCH = ("const reply = await fetch('/data.json', {cache: 'no-cache'});"
         "return [reply.status, await reply.text()];")


@test
def the_cache_of_the_browser_is_told_what_is_unchanged_and_what_is_new():
    server = shared(start)
    with Visit() as page:
        for content, rounds in ((b'{"a": 1}\n', (200, 304, 304)), (b'{"b": 4}\n', (200, 304))):
            harness.replace_file(server.path("data.json"), content)
            for status in rounds:
                server.entries()
                equal(page.run(FETCH), [200, content.decode()], f"what the page gets, by {status}")
                # The browser asks for the page's icon when it likes.
                equal(server.statuses().get("/data.json"), [status], "what it asked for")


@test
def a_page_visited_again_is_not_sent_again():
    server = shared(start)
    with Visit() as page:
        server.entries()
        page.call("POST", "/refresh")
        equal(page.run("return main.name"), "tief und schön")
        statuses = server.statuses()
        equal(statuses.get("/"), [304], f"the page, of {statuses}")
        statuses.pop("/icon.svg", None)  # which is fetched some time after the first visit
        truth([200] not in statuses.values(), f"sent again: {statuses}")


@test
def scripts_get_the_ranges_they_ask_for():
    with Visit() as page:
        equal(page.run("const reply = await fetch('/large.bin', {headers: {Range: 'bytes=40-43'}});"
                       "const word = new Uint32Array(await reply.arrayBuffer())[0];"
                       "return [reply.status, reply.headers.get('Content-Range'), word];"),
              [206, f"bytes 40-43/{3 << 20}", 10], "status, Content-Range and bytes")


# --- service workers ------------------------------------------------------------------------------

REGISTER = ("await navigator.serviceWorker.register('/sw.js');"
            "await navigator.serviceWorker.ready;"
            "if (!navigator.serviceWorker.controller) await new Promise(done =>"
            " navigator.serviceWorker.addEventListener('controllerchange', done, {once: true}));")
UPDATE = ("const registration = await navigator.serviceWorker.ready;"
          "const changed = new Promise(done => navigator.serviceWorker.addEventListener("
          "'controllerchange', done, {once: true}));"
          "await registration.update();")
VERSION = "return (await fetch('/version')).text();"


@test
def a_service_worker_registers_updates_and_works_without_the_server():
    with LoggedServer(harness.make_tree({**tree(), "sw.js": WORKER % b"one"})) as server:
        with Visit("/", server) as page:
            equal(page.run(REGISTER + VERSION), "one", "the version of the worker")
            server.entries()
            page.run(UPDATE)
            equal(server.statuses(), {"/sw.js": [304]}, "a look for an update")
            harness.replace_file(server.path("sw.js"), WORKER % b"two")
            equal(page.run(UPDATE + "await changed;" + VERSION), "two", "after an update")
            server.stop()
            page.call("POST", "/refresh")
            equal(page.run("return document.querySelector('p').textContent + main.name"),
                  "Hometief und schön", "the page from the worker's cache")


if __name__ == "__main__":
    harness.main()
