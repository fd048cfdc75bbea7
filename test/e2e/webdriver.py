"""webdriver: headless Chromium driven over the WebDriver protocol (W3C), without a library.

One browser a test, with a profile of its own: nothing is cached from one test to the next. The
driver and what it starts stay in the process group of the tests, whose runner sweeps it.
"""

import atexit
import base64
import http.client
import json
import subprocess

import harness
from harness import Output, equal, require, truth
from programs import environment

REPLY_TIMEOUT_S = 50
SCRIPT_TIMEOUT_MS = 40_000
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
# Nothing but the page is to be fetched: no updates, no metrics, no certificate lists.
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--disable-quic", "--mute-audio", "--no-proxy-server",
         "--autoplay-policy=no-user-gesture-required", "--window-size=1000,800")


class Browser:
    """Use as a context manager."""

    def __init__(self):
        binary = require("chromium")
        self.process = subprocess.Popen([require("chromedriver"), "--port=0"], env=environment(),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        atexit.register(self.kill)
        self.output = Output(self.process.stdout)
        self.session = None
        self.console_seen = []
        match = self.output.wait_for_match(r"started successfully on port (\d+)", 30)
        self.driver = http.client.HTTPConnection("127.0.0.1", int(match.group(1)),
                                                 timeout=REPLY_TIMEOUT_S)
        try:
            self.session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
                "goog:chromeOptions": {"binary": binary, "args": list(FLAGS)},
                "goog:loggingPrefs": {"browser": "ALL"},
                "timeouts": {"script": SCRIPT_TIMEOUT_MS}}}})["sessionId"]
        except BaseException:
            self.kill()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        try:
            self.call("DELETE", "")
        finally:
            self.kill()

    def kill(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()
        self.output.stream.close()

    def call(self, method, path, body=None):
        """One command. Paths are beneath the session, once there is one."""
        whole = path if self.session is None else f"/session/{self.session}{path}"
        data = None if method != "POST" else json.dumps(body or {})
        self.driver.request(method, whole, data, {"Content-Type": "application/json"})
        reply = self.driver.getresponse()
        value = json.loads(reply.read())["value"]
        equal(reply.status, 200, f"status of {method} {path}, which says {value}")
        return value

    def visit(self, url):
        """Returns when the page's load event has been handled."""
        self.call("POST", "/url", {"url": url})

    def run(self, script):
        """The value that an async function with this body returns; its exception is a failure."""
        value = self.call("POST", "/execute/async", {"args": [], "script":
                          "const done = arguments[arguments.length - 1];"
                          f"(async () => {{ {script} }})().then(value => done({{value}}),"
                          "error => done({error: String(error)}));"})
        truth("error" not in value, f"the script threw {value.get('error')}")
        return value.get("value")

    def console(self):
        """Every message so far of the consoles of pages and workers: errors of scripts, blocked and
        missing resources, violated policies."""
        self.console_seen += [f"{entry['level']}: {entry['message']}"
                              for entry in self.call("POST", "/se/log", {"type": "browser"})]
        return self.console_seen

    def prefer(self, scheme):
        """"light" or "dark"."""
        self.call("POST", "/goog/cdp/execute", {
            "cmd": "Emulation.setEmulatedMedia",
            "params": {"features": [{"name": "prefers-color-scheme", "value": scheme}]}})

    def screenshot(self):
        data = base64.b64decode(self.call("GET", "/screenshot"))
        equal(data[:8], PNG_MAGIC, "the picture's first bytes")
        return data
