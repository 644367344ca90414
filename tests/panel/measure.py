"""Prints what many jobs cost a page, in milliseconds of its main thread and in bytes.

    python -m panel.measure [jobs]            (in tests/, or with tests/ on the path)

First paint runs from mounting the panel to the first frame after its chart is drawn, with the
chart library loaded before. A job's life is five updates, a second apart: it is queued, runs, ends,
its exact times come, and its value is read. What the page does anyway in that second is not
counted.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

from playwright.sync_api import Browser, Page, sync_playwright

from qsession_widgets.model import READ_SERIES, SeriesPoint, SessionSnapshot
from qsession_widgets.views.protocol import PanelProtocol

from . import states
from .harness import launch, open_harness, show
from .test_wire import lives, size

DELIVER = """
async (message) => {
  if (message) panels[panels.length - 1].model.deliver(message);
  await new Promise(r => setTimeout(r, 1000));
}
"""

FIRST_PAINT = """
async ([facts, sync]) => {
  const paint = () => new Promise(r => requestAnimationFrame(() => setTimeout(r, 0)));
  const started = performance.now();
  await mount(facts, sync, {});
  const panel = panels[panels.length - 1].el;
  while (!panel.querySelector(".qs-row")) await paint();
  const table = performance.now() - started;
  while (!panel.querySelector(".qs-chart .bars path")) await paint();
  await paint();
  return { table, chart: performance.now() - started };
}
"""


LIVES = 6
STEPS = 4
"""Messages that tell of one job: queued, running, done, with exact times."""
MESSAGES = STEPS + 1
"""These, and the one that tells its value."""


def chromium() -> str:
    """The browser that the tests use."""
    found = os.environ.get("QSESSION_CHROMIUM") or shutil.which("chromium")
    return found or shutil.which("google-chrome") or "chromium"


def measure(browser: Browser, count: int) -> dict[str, float]:
    """What a panel of so many jobs costs: bytes, and milliseconds of the page's main thread."""
    page = open_harness(browser.new_page(viewport={"width": 1050, "height": 900}))
    show(page, "idle")
    page.evaluate("panels.pop().remove()")
    snapshot = states.many(count)
    paints = []
    for _ in range(3):
        wire = PanelProtocol(snapshot)
        everything = wire.everything(states.NOW)
        paints.append(page.evaluate(FIRST_PAINT, [wire.facts, everything]))
        if len(paints) < 3:
            page.evaluate("panels.pop().remove()")
    busy = thread_time(page)
    messages = [wire.update(each, states.NOW) for each in more_jobs(snapshot, LIVES)]
    idle, updates = [], []
    for message in messages:
        idle.append(busy(DELIVER, None))
        updates.append(busy(DELIVER, message))
    each_costs = statistics.mean(updates) - statistics.mean(idle)
    page.close()
    return {
        "jobs": count,
        "opening bytes": size(everything),
        "bytes of one more job": sum(size(message) for message in messages) // LIVES,
        "ms to table": round(statistics.median(p["table"] for p in paints)),
        "ms to chart": round(statistics.median(p["chart"] for p in paints)),
        "ms of main thread an update": round(each_costs, 1),
        "ms of main thread for a job's life": round(MESSAGES * each_costs, 1),
        "ms of main thread while counting down, a second": round(statistics.mean(idle), 1),
    }


def main(count: int) -> None:
    """Measure once, print one JSON line."""
    with sync_playwright() as playwright:
        browser = launch(playwright, chromium())
        print(json.dumps(measure(browser, count)))
        browser.close()


def more_jobs(snapshot: SessionSnapshot, count: int) -> Iterator[SessionSnapshot]:
    """So many more jobs, each from its submission to its exact times."""
    for number in range(count):
        steps = lives(snapshot)
        new = f"d3kabcdefghijklmn{number:03d}"
        steps = [
            replace(step, jobs=(*step.jobs[:-1], replace(step.jobs[-1], id=new))) for step in steps
        ]
        yield from steps
        point = SeriesPoint(READ_SERIES, -4.41 - number / 100, states.NOW, 0.02, job_id=new)
        snapshot = replace(steps[-1], points=(*snapshot.points, point))
        yield snapshot


def thread_time(page: Page) -> Callable[[str, object], float]:
    """Measures the CPU milliseconds of the page's main thread while a script runs."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def read() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return 1000 * next(m["value"] for m in metrics if m["name"] == "TaskDuration")

    def spent(script: str, argument: object) -> float:
        before = read()
        page.evaluate(script, argument)
        return read() - before

    return spent


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
