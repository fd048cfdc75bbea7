"""A browser: the sample site in headless Chromium, with its scripts run and its console read."""

import os
import re
import subprocess
import tempfile

import harness
from harness import Server, contains, equal, test, truth

# Nothing but the page is to be fetched: no updates, no metrics, no certificate lists.
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--enable-logging=stderr", "--v=0", "--virtual-time-budget=4000")
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def start():
    return Server("www", {"errors.404": "/404.html"})


def visit(path, *flags):
    """Opens a page; returns what the browser printed, and what it wrote on its console."""
    browser = harness.require("chromium")
    with tempfile.TemporaryDirectory() as profile:
        result = subprocess.run([browser, *FLAGS, f"--user-data-dir={profile}", *flags,
                                 f"{harness.shared(start).url}{path}"],
                                capture_output=True, timeout=50, check=False)
    equal(result.returncode, 0, "exit status of the browser")
    console = re.findall(r"^.*CONSOLE.*$", result.stderr.decode(errors="replace"), re.MULTILINE)
    return result.stdout.decode(errors="replace"), console


@test
def the_home_page_renders_without_console_errors():
    page, console = visit("/", "--dump-dom")
    equal(console, [], "console")
    contains(page, "<h1", "a heading")
    # Written by the module script from the head of a HEAD request: it ran, and gyre answered it.
    contains(page, "nosniff", "the response's fields, filled in by the script")


@test
def a_page_in_a_folder_renders_without_console_errors():
    page, console = visit("/docs/", "--dump-dom")
    equal(console, [], "console")
    contains(page, "How gyre works", "the title")


@test
def a_missing_page_shows_the_404_page():
    page, _ = visit("/docs/no/such/page", "--dump-dom")
    contains(page, r"(?i)404 not found", "the error page")
    contains(page, 'href="/"', "the way home")


@test
def a_screenshot_can_be_taken():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "home.png")
        visit("/", f"--screenshot={path}", "--window-size=1280,900")
        with open(path, "rb") as file:
            data = file.read()
    equal(data[:8], PNG_MAGIC, "the picture")
    truth(len(data) > 50_000, f"a picture of {len(data)} bytes shows nothing")


if __name__ == "__main__":
    harness.main()
