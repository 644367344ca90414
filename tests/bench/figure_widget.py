"""What the panel costs beside plotly's ``FigureWidget`` that shows the same: one JSON line each.

Bytes are those of the messages from the kernel; milliseconds are CPU time of the page's main
thread in Chromium, for the whole life of one more job: queued, running, done, exact times. The
peer's bars are changed as ``FigureWidget`` changes them: by sending the traces' arrays, and
``Plotly.restyle`` in the page. Without a Chromium the milliseconds are left out.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
from pathlib import Path
from typing import Any

import comm
from playwright.sync_api import Browser, sync_playwright
from plotly.graph_objects import FigureWidget

sys.path.insert(0, str(Path(__file__).parents[1]))

from _report import report
from panel import harness, measure, states
from panel.test_panel import Watcher, WritingComm
from panel.test_wire import lives, size

from qsession_widgets.views.panel import STATIC, SessionPanel
from qsession_widgets.views.protocol import PanelProtocol

PEER_PAGE = """
async ([url, count]) => {
  const plotly = (await import(url)).default;
  const el = document.body.appendChild(document.createElement("div"));
  el.style.width = "1000px";
  const index = Array.from({length: count}, (_, i) => i);
  window.peer = {
    plotly, el,
    base: index.map(i => 1000 * i), x: index.map(() => 700), y: index.map(() => 0),
  };
  const {base, x, y} = window.peer;
  const trace = {type: "bar", orientation: "h", base, x, y, width: 0.5};
  await plotly.newPlot(el, [trace], {height: 160, xaxis: {type: "date"}});
}
"""
PEER_STEP = """
async (step) => {
  const {plotly, el, base, x, y} = window.peer;
  if (step === 0) { base.push(1000 * base.length); x.push(100); y.push(0); }
  else x[x.length - 1] = 100 + 200 * step;
  await plotly.restyle(el, {base: [base.slice()], x: [x.slice()], y: [y.slice()]}, [0]);
  await new Promise(r => setTimeout(r, 1000));
}
"""


def sent(line: WritingComm, since: int = 0) -> int:
    """Bytes of the messages over a comm, buffers included."""
    return sum(
        size(data) + sum(memoryview(each).nbytes for each in buffers)
        for _, data, buffers in line.messages[since:]
    )


def figure_widget(count: int) -> Any:
    """The same bars in a FigureWidget."""
    jobs = states.many(count).jobs
    figure = FigureWidget()
    figure.add_bar(
        orientation="h",
        base=[1000 * (job.started or 0) for job in jobs],
        x=[1000 * ((job.finished or states.NOW) - (job.started or 0)) for job in jobs],
        y=[0] * len(jobs),
    )
    return figure


def bytes_of_one_job(count: int) -> tuple[int, int]:
    """Bytes of one more job's life: of ours, of the peer's."""
    snapshot = states.many(count)
    wire = PanelProtocol(snapshot)
    wire.everything(states.NOW)
    ours = sum(size(wire.update(each, states.NOW)) for each in lives(snapshot))
    figure = figure_widget(count)
    before = len(figure.comm.messages)
    bars = figure.data[0]
    for step in range(measure.STEPS):
        with figure.batch_update():
            if step == 0:
                bars.base, bars.y = (*bars.base, 1e6), (*bars.y, 0)
                bars.x = (*bars.x, 1.0)
            else:
                bars.x = (*bars.x[:-1], 1.0 + step)
    return ours, sent(figure.comm, before)


def peer_milliseconds(browser: Browser, count: int) -> float:
    """Main-thread time of one more job's life in a chart that plotly keeps."""
    page = harness.open_harness(browser.new_page(viewport={"width": 1050, "height": 900}))
    page.evaluate(PEER_PAGE, [f"{harness.ORIGIN}/plotly.min.js", count])
    busy = measure.thread_time(page)
    spent = [sum(busy(PEER_STEP, step) for step in range(measure.STEPS)) for _ in range(3)]
    page.close()
    return round(statistics.median(spent), 1)


def main() -> None:
    """Print the comparisons."""
    comm.create_comm = WritingComm
    panel = SessionPanel(Watcher(states.many(10)))
    report(
        "bytes to open one panel", sent(panel.comm), sent(figure_widget(10).comm), "bytes", "less"
    )
    for count in (1000, 10_000):
        ours, peer = bytes_of_one_job(count)
        report(f"bytes for one more job among {count}", ours, peer, "bytes", "at most 400")
    if not (shutil.which(measure.chromium()) and (STATIC / "plotly.min.js").exists()):
        return
    with sync_playwright() as playwright:
        browser = harness.launch(playwright, measure.chromium())
        for count in (1000, 10_000):
            ours_now = measure.measure(browser, count)
            report(
                f"main thread for one more job among {count}",
                ours_now["ms of main thread for a job's life"],
                peer_milliseconds(browser, count),
                "ms",
                "at most 40",
            )
        first = ours_now["ms to chart"]
        browser.close()
    row = {"name": "first paint with 10000 jobs", "ours": first, "peer": None, "ratio": None}
    print(json.dumps({**row, "unit": "ms", "target": "at most 1000"}), flush=True)


if __name__ == "__main__":
    main()
