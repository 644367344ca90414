"""One test through everything: the quickstart, in JupyterLab, in Chromium, on the emulator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from qsession_widgets.client.emulators import connect
from qsession_widgets.client.rest import Answer, ServiceClient
from qsession_widgets.emulator.process import launcher

from .cells import RUN_UNTIL_CLOSED, press_close_while_it_runs
from .lab import Notebook, wait_until


@pytest.mark.timeout(600)
def test_the_quickstart_from_the_first_cell_to_a_close_while_a_cell_runs(
    open_notebook: Callable[[str], Notebook],
) -> None:
    notebook = open_notebook("01_quickstart.ipynb")
    problem, load, run, check = notebook.code_cells()[:4]
    assert "lowest energy" in notebook.run_cell(problem)
    notebook.run_cell(load)

    _a_job_appears_while_the_cell_runs(notebook, run)
    assert "Using the local emulator" in notebook.printed(run)
    assert "the lowest energy found is" in notebook.printed(run)

    _the_countdown_needs_no_kernel(notebook)

    assert notebook.run_cell(check) == ""

    _close_acts_while_a_cell_runs(notebook)
    _the_receipt_is_no_formula(notebook)


def _a_job_appears_while_the_cell_runs(notebook: Notebook, run: int) -> None:
    notebook.start_cell(run)
    panel = notebook.panel
    panel.wait_for(timeout=90_000)
    # a panel that is out of sight draws nothing
    panel.scroll_into_view_if_needed()
    row = panel.locator("tbody tr.qs-row")
    row.first.wait_for(timeout=90_000)
    assert notebook.execution_count(run) is None, "the cell still runs"
    # the value of the first result that the cell reads
    panel.locator(".qs-objective-words b").wait_for(timeout=90_000)
    notebook.wait_executed(run)


def _the_countdown_needs_no_kernel(notebook: Notebook) -> None:
    panel = notebook.panel
    panel.scroll_into_view_if_needed()
    # as soon as the last figures have arrived, the kernel has nothing more to say
    expect(panel.locator(".qs-state")).to_have_text("Active, idle", timeout=20_000)
    timer = panel.get_by_role("timer", name="Interactive timeout")
    frames = _Frames(notebook)
    wait_until(frames.quiet, "a while without any message from the kernel")
    begin = _seconds(timer.inner_text())
    frames.forget()
    wait_until(lambda: _seconds(timer.inner_text()) <= begin - 3, "the countdown by three seconds")
    assert frames.received == [], "the page counts by itself"


def _the_receipt_is_no_formula(notebook: Notebook) -> None:
    place = notebook.add_cell("%session receipt")
    notebook.run_cell(place)
    receipt = notebook.page.locator(".qsession-receipt").last
    expect(receipt).to_contain_text("≈ $")
    # an output is typeset once it was drawn; a formula after it says that this has happened
    after = notebook.add_cell("from IPython.display import Math\nMath('1 + 1')")
    notebook.run_cell(after)
    notebook.page.locator(".jp-RenderedLatex mjx-container").last.wait_for(timeout=30_000)
    expect(receipt).to_contain_text("at $0.80/s, list price of Premium")
    expect(receipt.locator("mjx-container")).to_have_count(0)


def _close_acts_while_a_cell_runs(notebook: Notebook) -> None:
    session_id = _session_id(notebook)
    waiting = notebook.add_cell(RUN_UNTIL_CLOSED)
    press_close_while_it_runs(notebook, waiting)
    session = wait_until(lambda: _closed(session_id), "the close on the emulator")
    assert session["state_reason"] == "session_closed_early"
    notebook.wait_executed(waiting)
    assert "the session takes jobs: False" in notebook.printed(waiting)
    expect(notebook.panel.locator(".qs-state")).to_have_text("Closed")


class _Frames:
    """Messages that the page gets from the kernel."""

    def __init__(self, notebook: Notebook):
        self._page = notebook.page
        # what arrives on the kernel's socket is seen where it is dispatched, binary frames included
        self._page.evaluate(
            """() => {
                const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
                window.arrived = [];
                window.arrivedLast = performance.now();
                kernel.anyMessage.connect((_, args) => {
                    if (args.direction !== 'recv') return;
                    window.arrived.push(args.msg.header.msg_type);
                    window.arrivedLast = performance.now();
                });
            }"""
        )

    @property
    def received(self) -> list[str]:
        return list(self._page.evaluate("() => window.arrived"))

    def quiet(self) -> bool:
        return bool(self._page.evaluate("() => performance.now() - window.arrivedLast > 1500"))

    def forget(self) -> None:
        self._page.evaluate("() => { window.arrived = []; }")


def _seconds(text: str) -> int:
    minutes, seconds = text.split(":")
    return 60 * int(minutes) + int(seconds)


def _session_id(notebook: Notebook) -> str:
    place = notebook.add_cell("print(session.session_id)")
    return notebook.run_cell(place).strip()


def _closed(session_id: str) -> dict[str, Any] | None:
    connection = launcher.find()
    assert connection is not None
    line = ServiceClient(connect(connection))
    try:
        answer: Answer = line.session(session_id)
    finally:
        line.close()
    return dict(answer.data) if answer.data["state"] == "closed" else None
