"""The built bundle in a page of its own, fed with what the Python half really sends."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Playwright, Route, expect, sync_playwright

from qsession_widgets.model import SessionSnapshot
from qsession_widgets.views.panel import STATIC
from qsession_widgets.views.protocol import PanelProtocol

from . import states

HERE = Path(__file__).parent
ORIGIN = "http://panel.test"
TIMEOUT = 60_000
"""Milliseconds to wait for what is to happen on a page."""
SILENT = 4_000
"""Milliseconds after which a panel says that its kernel does not answer, and some."""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-quic",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}


def launch(playwright: Playwright, executable: str) -> Browser:
    """Chromium, or a Firefox as people have it, which is driven over WebDriver BiDi."""
    if "firefox" in Path(executable).name:
        return playwright.firefox.launch(channel="moz-firefox", executable_path=executable)
    return playwright.chromium.launch(executable_path=executable, args=FLAGS)


@contextmanager
def launched(executable: str) -> Iterator[Browser]:
    """A browser for tests; what they expect of its pages may take its time on a busy machine."""
    expect.set_options(timeout=TIMEOUT)
    with sync_playwright() as playwright:
        running = launch(playwright, executable)
        yield running
        running.close()


@cache
def _plotly() -> bytes:
    return gzip.compress((STATIC / "plotly.min.js").read_bytes(), 6)


def _serve(route: Route) -> None:
    name = route.request.url.removeprefix(ORIGIN).lstrip("/") or "harness.html"
    if name == "plotly.gz":
        route.fulfill(body=_plotly(), content_type="application/octet-stream")
        return
    path = HERE / name if name.endswith(".html") else STATIC / name
    if path.is_file():
        route.fulfill(body=path.read_bytes(), content_type=TYPES[path.suffix])
    else:
        route.fulfill(status=404)


def open_harness(page: Page) -> Page:
    """Load the page; nothing leaves the machine, for every request is answered here."""
    page.route("**/*", _serve)
    page.goto(ORIGIN + "/")
    page.wait_for_function("window.ready")
    return page


def stand_still(page: Page) -> None:
    """Let the page's time pass only when a test moves it, however slow the machine is."""
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 1)


class Kernel:
    """The kernel's half for one panel on the page: the wire is the real one."""

    def __init__(
        self,
        page: Page,
        snapshot: SessionSnapshot,
        *,
        answers: bool = True,
        clock_known: bool = True,
        now: float = states.NOW,
    ) -> None:
        self.page = page
        self.told = snapshot
        self.wire = PanelProtocol(snapshot)
        sync = self.wire.everything(now) if answers else None
        self.index: int = page.evaluate(
            "([facts, sync, options]) => mount(facts, sync, options)",
            [self.wire.facts, sync, {"clockKnown": clock_known}],
        )
        self.panel = page.locator("section.qs-panel").nth(self.index)

    def update(self, snapshot: SessionSnapshot, now: float = states.NOW) -> dict[str, Any] | None:
        """Send what changed, as the widget would."""
        self.told = snapshot
        message = self.wire.update(snapshot, now)
        if message is not None:
            self.deliver(message)
        return message

    def deliver(self, message: dict[str, Any]) -> None:
        """Send any message."""
        self.page.evaluate(
            "([i, message]) => panels[i].model.deliver(message)", [self.index, message]
        )

    def sent(self, kind: str | None = None) -> list[dict[str, Any]]:
        """What the panel sent."""
        sent: list[dict[str, Any]] = self.page.evaluate("i => panels[i].model.sent", self.index)
        return [message for message in sent if kind is None or message["type"] == kind]

    def die(self) -> None:
        """End the kernel as the front end sees it."""
        self.page.evaluate(
            "i => { const m = panels[i].model; m.dead = true; m.fire('comm_live_update'); }",
            self.index,
        )

    def wait_for_chart(self) -> None:
        """Until plotly has drawn."""
        self.panel.locator(".qs-chart .main-svg").first.wait_for(state="attached")


def show(page: Page, name: str) -> Kernel:
    """A panel in one of the states of ``states.STATES``, on a page whose clock is installed."""
    kernel = Kernel(page, states.STATES[name](), answers=name != "silent")
    if name != "silent":
        kernel.wait_for_chart()
    if name == "stale":
        kernel.die()
    if name == "silent":
        page.clock.run_for(SILENT)
        kernel.panel.get_by_text("does not answer").wait_for()
    return kernel
