"""Visiting the page: a server in a process of its own, and what a visitor in a Chromium sees, does and suffers."""

import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

from playwright.sync_api import expect

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SOON = 90_000  # milliseconds for what takes a run of the model, on a machine that does other things too
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


class Server:
    """`python run.py app`, or a program of one's own that serves the page, with what it prints."""

    def __init__(self, port=0, program=None):
        command = [sys.executable, *(["-c", program] if program else ["run.py", "app", "--port", str(port)])]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line)
            found = re.search(r"http://127\.0\.0\.1:\d+/", line)
            if found:
                self.address = found[0]
                break
        else:
            raise RuntimeError("the server did not start: " + "".join(self.lines))
        threading.Thread(target=lambda: self.lines.extend(self.process.stdout), daemon=True).start()

    @property
    def port(self):
        return int(self.address.rstrip("/").rpartition(":")[2])

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Visitor:
    """A browser's page on the server; whatever goes wrong in it is written down."""

    def __init__(self, page, address):
        self.page, self.address = page, address
        self.requests, self.failures = [], []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("requestfailed", lambda request: self._failed(request))
        page.on("response", lambda answer: self._answered(answer))
        page.on("pageerror", lambda error: self.failures.append(f"error: {error}"))
        page.on("console", lambda message: self._said(message))

    def _failed(self, request):
        if "/_solara/api/close/" not in request.url:  # the farewell of a page that is left is cut short
            self.failures.append(f"failed: {request.url} {request.failure}")

    def _answered(self, answer):
        if answer.status >= 400:
            self.failures.append(f"{answer.status}: {answer.url}")

    def _said(self, message):
        if message.type == "error":
            self.failures.append(f"console: {message.text}")

    def open(self, query="", settled=True):
        """Go to the page and wait until its chart is painted, and until all worlds are there if ``settled``."""
        self.page.goto(self.address + ("?" + query if query else ""), timeout=SOON)
        self.painted()
        if settled:
            self.settled()
        return self

    def painted(self):
        """Wait until a chart is painted."""
        self.page.wait_for_selector(".tp-figure[data-painted]:not([data-painted=''])", timeout=SOON)

    def settled(self):
        """Wait until what is shown is all that was asked for."""
        self.page.wait_for_selector(".tp-footer[data-busy='0'][data-digest]", timeout=SOON)

    def stamp(self):
        """What the large chart was last painted of."""
        return self.page.get_attribute(".tp-figure[data-painted]", "data-painted")

    def digest(self):
        return self.page.get_attribute(".tp-footer", "data-digest")

    def recomputed(self, before):
        """Wait until another run than that of the digest ``before`` is shown whole."""
        self.page.wait_for_function(
            "before => { const digest = document.querySelector('.tp-footer').dataset.digest;"
            " return digest && digest !== before }",
            arg=before,
            timeout=SOON,
        )
        self.settled()

    def at_month(self, month):
        """Wait until the player stands at a month."""
        expect(self.page.locator(".tp-player")).to_have_attribute("data-month", str(month), timeout=SOON)

    def says(self, selector, words):
        """Wait until an element's text holds some words."""
        expect(self.page.locator(selector).first).to_contain_text(words, timeout=SOON)

    def count(self, selector, number):
        """Wait until there are so many elements."""
        expect(self.page.locator(selector)).to_have_count(number, timeout=SOON)

    def without(self, words):
        """Wait until the address does not hold some words any more."""
        self.page.wait_for_function("words => !location.search.includes(words)", arg=words, timeout=SOON)

    def changed(self, before):
        """Wait until the large chart is painted of something else than ``before``."""
        self.page.wait_for_function(
            "before => { const chart = document.querySelector('.tp-figure[data-painted]');"
            " return chart && chart.dataset.painted && chart.dataset.painted !== before }",
            arg=before,
            timeout=SOON,
        )

    def state(self, words):
        """Wait until the address holds some words."""
        self.page.wait_for_function("words => location.search.includes(words)", arg=words, timeout=SOON)
