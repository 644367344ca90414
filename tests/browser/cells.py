"""What notebooks of these tests run, and the Close button pressed while one of them runs."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from .lab import Notebook, wait_until

OPEN = """
%%session --backend aer --service local --max-time 10m
from qiskit import QuantumCircuit
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_ibm_runtime.executor_sampler import Sampler

bell = QuantumCircuit(2)
bell.h(0)
bell.cx(0, 1)
bell.measure_all()
isa = generate_preset_pass_manager(backend=backend, optimization_level=1).run(bell)
print(Sampler().run([isa]).result()[0].data.meas.num_shots)
"""
RUN_UNTIL_CLOSED = """
import time
print("waiting")
deadline = time.monotonic() + 60
while session.snapshot.accepting_jobs and time.monotonic() < deadline:
    time.sleep(0.01)
print("the session takes jobs: " + str(session.snapshot.accepting_jobs))
"""
AWAIT_UNTIL_CLOSED = """
import asyncio, time
print("waiting")
deadline = time.monotonic() + 60
while session.snapshot.accepting_jobs and time.monotonic() < deadline:
    await asyncio.sleep(0.01)
print("the session takes jobs: " + str(session.snapshot.accepting_jobs))
"""


def load_and_open(notebook: Notebook, load: int, run: int) -> None:
    """Run the cell that loads the extension and the one that opens a session, with one job."""
    assert "Error" not in notebook.run_cell(load)
    assert "4096" in notebook.run_cell(run)


def press_close_while_it_runs(notebook: Notebook, waiting: int) -> None:
    """Begin a cell that says when it waits, and press the panel's Close button then."""
    notebook.start_cell(waiting)
    wait_until(lambda: "waiting" in notebook.printed(waiting), "the cell to run")
    notebook.panel.scroll_into_view_if_needed()
    notebook.panel.get_by_role("button", name="Close session").click()


def close_while_it_runs(notebook: Notebook) -> None:
    """Load, open, and press Close while the third cell waits for that: it ends, and says so."""
    load, run, waiting = notebook.code_cells()
    load_and_open(notebook, load, run)
    press_close_while_it_runs(notebook, waiting)
    notebook.wait_executed(waiting)
    assert "the session takes jobs: False" in notebook.printed(waiting)
    expect(notebook.panel.locator(".qs-state")).to_have_text("Closed")
    its_job_leads_to_the_line(notebook)


def its_job_leads_to_the_line(notebook: Notebook) -> None:
    """The job's row says what was asked and measured, and a click goes to its line of the cell."""
    page, panel = notebook.page, notebook.panel
    size = page.viewport_size
    assert size is not None
    # lower than the panel is high: its table and the cell above it are not both in sight
    page.set_viewport_size({**size, "height": 420})
    row = panel.locator("tbody tr.qs-row")
    asked = "sampler 1 pub \N{MULTIPLICATION SIGN} 4,096 shots"
    expect(row.locator(".qs-what")).to_have_text(asked)
    expect(row.locator(".qs-result")).to_have_text(re.compile(r"^(00|11) 2,?\d+ · (00|11) \d"))
    row.locator(".qs-pick").click()
    line = page.locator(".cm-line").filter(has_text="Sampler().run")
    detail = panel.locator(".qs-detail")
    detail.scroll_into_view_if_needed()
    expect(line).not_to_be_in_viewport()
    detail.get_by_role("button", name=re.compile(r"Scroll to cell \[\d+\], line \d+")).click()
    expect(line).to_be_in_viewport()
    page.set_viewport_size(size)


def a_job_leads_to_a_cell_that_is_out_of_the_page(notebook: Notebook) -> None:
    """JupyterLab may take cells that are out of sight out of the page: only it can show them."""
    page = notebook.page
    # it keeps those that have drawings in them
    sent = notebook.add_cell(
        "from qsession_widgets import open_session\n"
        "more = open_session(backend='aer', service='local')\n"
        "far = Sampler(mode=more).run([isa]).result()\nmore.close()"
    )
    notebook.run_cell(sent)
    page.evaluate(
        """() => {
            const content = window.jupyterapp.shell.currentWidget.content;
            content.notebookConfig = {...content.notebookConfig, windowingMode: 'full'};
            for (let i = 0; i < 20; i++) {
                const source = 'a line\\n'.repeat(30);
                content.model.sharedModel.addCell({cell_type: 'raw', source});
            }
        }"""
    )
    place = notebook.add_cell("more.panel()")
    notebook.run_cell(place)
    page.evaluate(
        "i => window.jupyterapp.shell.currentWidget.content.scrollToItem(i, 'start')", place
    )
    panel = notebook.cell(place).locator(".qs-panel")
    pick = panel.locator("tbody tr.qs-row .qs-pick")
    line = page.locator(".cm-line").filter(has_text="far = Sampler")
    # in the row where there is room for it, and in the job's details
    to_cell = panel.get_by_role("button", name=re.compile(r"Scroll to cell \[\d+\], line 3"))

    def offered() -> bool:
        # while the list of cells settles, it may take the panel's own out and put it in anew
        if pick.get_attribute("aria-expanded") == "false":
            pick.click()
        return to_cell.count() > 0

    wait_until(offered, "the button that leads there")
    expect(line).not_to_be_visible()
    to_cell.first.click()
    expect(line).to_be_in_viewport()
