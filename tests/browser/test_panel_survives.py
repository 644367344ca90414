"""What the panel goes through in a real front end: kernels that die, twenty of them in a page."""

from __future__ import annotations

import functools
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Locator, expect

from .cells import OPEN, load_and_open
from .lab import Lab, Notebook, wait_until

TWENTY = """
from qsession_widgets import SessionPanel
from IPython.display import display
for _ in range(19):
    display(SessionPanel(session))
"""
DIE = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
REATTACH = re.compile(r"run %session attach ([0-9a-f-]{36})")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("front_end", ["lab", "notebook"])
@pytest.mark.parametrize("how", ["killed", "restarted"])
def test_a_panel_whose_kernel_is_gone_keeps_what_it_knew_and_says_so(
    how: str,
    front_end: str,
    write_notebook: Callable[..., str],
    open_notebook: Callable[..., Notebook],
) -> None:
    name = write_notebook(
        f"{how}-{front_end}.ipynb", "%load_ext qsession_widgets", OPEN + "\n", DIE
    )
    notebook = open_notebook(name, front_end)
    load, run, die = notebook.code_cells()
    load_and_open(notebook, load, run)
    notebook.panel.scroll_into_view_if_needed()
    expect(notebook.panel.locator("tbody tr.qs-row")).to_have_count(1)
    if how == "killed":
        notebook.start_cell(die)
    else:
        notebook.page.evaluate(
            """() => {
                const { sessionContext } = window.jupyterapp.shell.currentWidget;
                void sessionContext.session.kernel.restart();
            }"""
        )
    # what it knew of the jobs
    expect(notebook.panel.locator("tbody tr.qs-row")).to_have_count(1)
    first = notebook.panel.locator(".qs-cell").first
    if how == "restarted":
        # a kernel that ends in order closes its session itself, which the Jupyter server tells
        expect(notebook.panel.locator(".qs-state")).to_have_text("Closed", timeout=30_000)
        expect(first).to_contain_text("its kernel ended")
        expect(notebook.panel.locator(".qs-notice")).to_have_count(0)
        # nothing is left to do but to look at its cell, which is not run
        actions = notebook.panel.locator(".qs-actions").get_by_role("button")
        expect(actions).to_have_text(["To the cell"])
        before = notebook.execution_count(run)
        actions.click()
        expect(notebook.cell(run)).to_be_in_viewport()
        assert notebook.execution_count(run) == before
        return
    notice = notebook.panel.locator(".qs-notice")
    expect(notice).to_contain_text("The Jupyter server tells how it is.", timeout=30_000)
    expect(notebook.panel.get_by_text("checked by the Jupyter server")).to_be_visible()
    told = REATTACH.search(notice.text_content() or "")
    assert told is not None
    # and what it says to do works, in the kernel that comes after it
    notebook.wait_idle()
    again = notebook.add_cell(
        f"%load_ext qsession_widgets\n%session attach {told[1]} --service local"
    )
    assert "Error" not in notebook.run_cell(again)
    # JupyterLab says that the kernel died, over everything else
    notebook.page.locator("dialog.jp-Dialog .jp-mod-accept").click()
    # its own buttons work as well: the Jupyter server does what the kernel would have done
    notebook.panel.get_by_role("button", name="Close session").click()
    expect(notebook.panel.locator(".qs-state")).to_have_text("Closed", timeout=30_000)
    expect(first).to_contain_text("from JupyterLab")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("what", ["network", "server"])
def test_a_page_without_a_connection_says_so_until_it_is_back(
    what: str,
    lab: Lab,
    write_notebook: Callable[..., str],
    open_notebook: Callable[..., Notebook],
) -> None:
    name = write_notebook(
        f"apart-{what}.ipynb", "%load_ext qsession_widgets", OPEN, "session.close()"
    )
    notebook = open_notebook(name)
    load, run, close = notebook.code_cells()
    load_and_open(notebook, load, run)
    panel = notebook.panel
    panel.scroll_into_view_if_needed()
    expect(panel.get_by_text("up to date")).to_be_visible()
    lost = panel.get_by_text("lost its connection to the kernel")
    with _gone(what, notebook, lab):
        expect(lost).to_be_visible(timeout=120_000)
        expect(panel.get_by_text("not updated now")).to_be_visible()
    expect(lost).to_have_count(0, timeout=120_000)
    expect(panel.get_by_text("up to date")).to_be_visible(timeout=120_000)
    notebook.run_cell(close)
    expect(panel.locator(".qs-state")).to_have_text("Closed")


@contextmanager
def _gone(what: str, notebook: Notebook, lab: Lab) -> Iterator[None]:
    """The page has no network, or the server does not answer and yet keeps its connections."""
    if what == "network":
        notebook.page.context.set_offline(True)
        yield
        notebook.page.context.set_offline(False)
        return
    lab.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        lab.process.send_signal(signal.SIGCONT)


def _has_a_row(panel: Locator) -> bool:
    panel.scroll_into_view_if_needed()
    return panel.locator("tbody tr.qs-row").count() == 1


@pytest.mark.timeout(300)
def test_twenty_panels_in_one_notebook(
    write_notebook: Callable[..., str], open_notebook: Callable[..., Notebook]
) -> None:
    name = write_notebook(
        "twenty.ipynb", "%load_ext qsession_widgets", OPEN, TWENTY, "session.close()"
    )
    notebook = open_notebook(name)
    load, run, more, close = notebook.code_cells()
    page = notebook.page
    # anywidget gives a panel's code two seconds to come, which twenty of them may exceed
    page.evaluate(
        """() => {
            const { timeout } = AbortSignal;
            AbortSignal.timeout = ms => timeout.call(AbortSignal, ms === 2000 ? 0 : ms);
        }"""
    )
    load_and_open(notebook, load, run)
    notebook.run_cell(more)
    panels = page.locator("section.qs-panel")
    wait_until(lambda: panels.count() == 20, "twenty panels")
    for panel in panels.all():
        # out of sight nothing is drawn, and the charts of those above it may push it there
        wait_until(functools.partial(_has_a_row, panel), "the panel's job")
        expect(panel.locator(".qs-chart .main-svg").first).to_be_attached()
    # one timer and one chart library for all of them
    assert page.evaluate("globalThis[Symbol.for('qsession-widgets.plotly.3')].loaded")
    notebook.run_cell(close)
    for panel in panels.all():
        # the notebook draws one of them anew, with the receipt that it keeps of it
        panel.evaluate("panel => panel.scrollIntoView()")
        expect(panel.locator(".qs-state")).to_have_text("Closed")
