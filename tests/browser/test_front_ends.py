"""What the panel does in each front end: act while a cell runs, survive what pages go through."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from .cells import (
    AWAIT_UNTIL_CLOSED,
    OPEN,
    RUN_UNTIL_CLOSED,
    a_job_leads_to_a_cell_that_is_out_of_the_page,
    close_while_it_runs,
    load_and_open,
)
from .lab import Lab, Notebook, wait_until


@pytest.mark.timeout(300)
@pytest.mark.parametrize("front_end", ["lab", "notebook"])
@pytest.mark.parametrize("waiting", [RUN_UNTIL_CLOSED, AWAIT_UNTIL_CLOSED], ids=["plain", "await"])
def test_close_acts_while_a_cell_runs(
    front_end: str,
    waiting: str,
    write_notebook: Callable[..., str],
    open_notebook: Callable[..., Notebook],
) -> None:
    name = write_notebook(
        f"close-{front_end}-{len(waiting)}.ipynb", "%load_ext qsession_widgets", OPEN, waiting
    )
    notebook = open_notebook(name, front_end)
    close_while_it_runs(notebook)
    # when JupyterLab takes a cell out of the page differs from run to run in Firefox
    if waiting == RUN_UNTIL_CLOSED and _browser_of(notebook) != "firefox":
        a_job_leads_to_a_cell_that_is_out_of_the_page(notebook)


def _browser_of(notebook: Notebook) -> str:
    running = notebook.page.context.browser
    return running.browser_type.name if running else ""


@pytest.mark.timeout(300)
def test_a_panel_survives_a_reload_and_a_second_tab(
    write_notebook: Callable[..., str], open_notebook: Callable[..., Notebook], lab: Lab
) -> None:
    name = write_notebook("reload.ipynb", "%load_ext qsession_widgets", OPEN, "session.close()")
    notebook = open_notebook(name)
    load, run, close = notebook.code_cells()
    load_and_open(notebook, load, run)
    notebook.command("docmanager:save")
    wait_until(lambda: "widget-view" in (lab.root / name).read_text(), "the save")

    notebook.reload()
    second = open_notebook(name)
    for page in (notebook, second):
        page.panel.scroll_into_view_if_needed()
        state = page.panel.locator(".qs-state")
        # on a slow machine the interactive timeout has passed by now
        expect(state).to_have_text(re.compile("^(Active, idle|Deactivated)$"), timeout=30_000)
        expect(page.panel.locator("tbody tr.qs-row")).to_have_count(1)
    notebook.run_cell(close)
    for page in (notebook, second):
        expect(page.panel.locator(".qs-state")).to_have_text("Closed", timeout=30_000)


@pytest.mark.timeout(300)
def test_a_saved_notebook_holds_a_receipt_for_readers_without_a_kernel(
    write_notebook: Callable[..., str], open_notebook: Callable[..., Notebook], lab: Lab
) -> None:
    slider = "import ipywidgets\nipywidgets.IntSlider()"
    name = write_notebook(
        "saved.ipynb", "%load_ext qsession_widgets", OPEN, "session.close()", slider
    )
    notebook = open_notebook(name)
    for place in notebook.code_cells():
        notebook.run_cell(place)
    expect(notebook.panel.locator(".qs-state")).to_have_text("Closed", timeout=30_000)

    def saved() -> dict[str, Any]:
        notebook.command("docmanager:save")
        cells = json.loads((lab.root / name).read_text())["cells"]
        (shown,) = (
            output["data"]
            for output in cells[1]["outputs"]
            if "application/vnd.jupyter.widget-view+json" in output.get("data", {})
        )
        return shown

    wait_until(lambda: "Closed" in "".join(saved()["text/html"]), "the last receipt, saved")
    expect(notebook.panel).to_have_count(1)
    expect(notebook.panel.locator(".qs-state")).to_have_text("Closed")
    shown = saved()
    html, text = "".join(shown["text/html"]), "".join(shown["text/plain"])
    assert "local emulator" in html
    assert "local emulator" in text
    assert len(html.encode()) <= 60_000

    # opened again, no kernel knows of the panel: the receipt is there, and of others' widgets is
    # said what ever was
    for front_end in ("lab", "notebook"):
        copy = f"saved-{front_end}.ipynb"
        shutil.copy(lab.root / name, lab.root / copy)
        reopened = open_notebook(copy, front_end)
        output = reopened.cell(reopened.code_cells()[1]).locator(".jp-OutputArea")
        receipt = output.locator(".qsession-receipt")
        expect(receipt).to_be_visible(timeout=30_000)
        expect(receipt).to_contain_text("local emulator")
        receipt.locator("summary").click()
        expect(receipt.locator("details table")).to_contain_text("done")
        # else the panel would not be tried at all
        assert reopened.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.content.model.cells.get(1).trusted"
        )
        expect(output).not_to_contain_text("displaying widget")
        # where any output of a cell begins
        edge, table = output.bounding_box(), receipt.locator("> table").bounding_box()
        assert edge is not None
        assert table is not None
        assert table["x"] - edge["x"] < 120
        slid = reopened.cell(reopened.code_cells()[3])
        expect(slid).to_contain_text("Error displaying widget", timeout=30_000)
