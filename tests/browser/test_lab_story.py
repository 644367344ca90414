"""From end to end: a session whose kernel is killed is seen, counted, taken up again and closed."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from contextlib import suppress

import pytest
from playwright.sync_api import Locator, expect

from .cells import OPEN, RUN_UNTIL_CLOSED
from .lab import Notebook, wait_until

ONE_MORE = "print(f'shots {Sampler().run([isa]).result()[0].data.meas.num_shots}')"
SETUP = "\n".join(line for line in OPEN.splitlines() if not line.startswith(("%%session", "print")))


@pytest.mark.timeout(300)
def test_a_session_outlives_its_kernel_and_is_ended_from_the_status_bar(
    write_notebook: Callable[..., str], open_notebook: Callable[..., Notebook]
) -> None:
    name = write_notebook(
        "story.ipynb",
        "%load_ext qsession_widgets",
        OPEN,
        "import os\nprint(os.getpid(), session.session_id)",
    )
    notebook = open_notebook(name)
    load, run, who = notebook.code_cells()

    # a session opens: the status bar counts it down
    notebook.run_cell(load)
    assert "4096" in notebook.run_cell(run)
    expect(notebook.status).to_contain_text(
        re.compile(r"^aer · active, idle · ITTL 0:\d\d · max \d:\d\d · 1 job$"), timeout=30_000
    )
    process, session_id = notebook.run_cell(who).split()
    notebook.show_sessions()
    expect(notebook.side_panel.locator("h3").first).to_have_text("This notebook")
    expect(notebook.side_panel.locator(".qs-lab-totals")).to_contain_text("now, if on IBM")

    # its kernel is killed: the side panel says so, and what it costs
    os.kill(int(process), signal.SIGKILL)
    row = notebook.row(session_id)
    expect(row).to_contain_text("kernel gone", timeout=30_000)
    expect(row).to_contain_text("story.ipynb")
    died = notebook.page.locator(".jp-Dialog").get_by_role("button", name="Ok")
    died.click(timeout=30_000)
    expect(notebook.status).to_contain_text("kernel gone")
    expect(
        notebook.page.get_by_text(
            re.compile(r"opened the session on aer.* is gone, but the session is still active")
        )
    ).to_be_visible()
    before = _money(row.inner_text())
    assert wait_until(lambda: _money(row.inner_text()) > before, "the idle cost to grow")

    # another notebook, with a kernel of its own, goes on in it
    other = write_notebook("story-goes-on.ipynb", "pass")
    notebook.command("docmanager:open", path=other)
    wait_until(lambda: _current(notebook) == other, "the other notebook to be the current one")
    notebook.wait_idle()
    row.get_by_role("button", name="Attach").click()
    wait_until(lambda: _cell_with(notebook, "%session attach") is not None, "the visible cell")
    attached = _cell_with(notebook, "%session attach")
    assert attached is not None
    notebook.wait_executed(attached)
    assert "Attached to the session on aer" in notebook.printed(attached)
    expect(row).to_contain_text("kernel idle, new primitives run in it", timeout=30_000)
    expect(row).to_contain_text("story-goes-on.ipynb")

    # one more job runs in it
    notebook.run_cell(notebook.add_cell(SETUP))
    assert "shots 4096" in notebook.run_cell(notebook.add_cell(ONE_MORE))
    expect(notebook.status).to_contain_text("2 jobs", timeout=30_000)

    # and it is closed from the status bar while a cell runs
    waiting = notebook.add_cell(RUN_UNTIL_CLOSED)
    notebook.start_cell(waiting)
    wait_until(lambda: "waiting" in notebook.printed(waiting), "the cell to run")
    notebook.status.click()
    busy = "kernel busy, new primitives run in it"
    expect(notebook.popover).to_contain_text(busy, timeout=30_000)
    _press_until(
        notebook.popover.get_by_role("button", name="Close session"),
        notebook.popover.get_by_role("status").first,
        re.compile("^Clos"),
    )
    notebook.wait_executed(waiting)
    assert "the session takes jobs: False" in notebook.printed(waiting)
    expect(notebook.popover.get_by_role("status").first).to_have_text("Closed")
    expect(notebook.row(session_id)).to_contain_text("usage", timeout=30_000)
    expect(notebook.row(session_id)).to_contain_text("closed")
    expect(notebook.side_panel).to_contain_text(re.compile(r"ended today · would be ≈ \$\d"))

    # what it came to is the same in the side panel, the kernel and a terminal
    notebook.run_cell(notebook.add_cell("import sys"))
    for action in ("show", "receipt"):
        terminal = f"-c 'from qsession_widgets.cli import main; main()' {action} {session_id}"
        told = notebook.run_cell(notebook.add_cell(f"!{{sys.executable}} {terminal}"))
        # what has ended is folded where another session is open
        words = notebook.row(session_id).text_content() or ""
        used = re.search(r"usage (.*?), would be (≈ \$[\d.]+)", words)
        assert used, words
        assert used[1] in told, told
        assert used[2] in told, told
    # and in the panel of the ended session
    ended = notebook.page.locator(".qs-panel .qs-usage").last
    expect(ended).to_contain_text(used[1].removeprefix("≈ "))
    expect(ended).to_contain_text(f"would be {used[2]}")

    # and in the history, until that is deleted
    panel = notebook.side_panel
    panel.get_by_text("History", exact=True).click()
    kept = panel.locator("details section li").filter(
        has=notebook.page.locator(f'[title="{session_id}"]')
    )
    expect(kept).to_contain_text(used[2], timeout=30_000)
    expect(kept).to_contain_text("story-goes-on.ipynb")
    delete = panel.get_by_role("button", name="Delete history…")
    expect(delete).to_be_enabled()
    delete.click()
    question = panel.get_by_role("group", name="Delete the history?")
    expect(question).to_be_focused()
    question.press("Escape")
    expect(kept).to_be_visible()
    expect(delete).to_be_enabled()
    delete.press("Enter")
    confirm = question.get_by_role("button", name="Delete history")
    expect(confirm).to_be_enabled()
    # what was to be deleted is gone meanwhile, and there again: the question stays
    summary = panel.get_by_text("History", exact=True)
    asked_for = "**/qsession/api/history?*"
    notebook.page.route(asked_for, lambda route: route.fulfill(json=EMPTY))
    summary.click()
    expect(question).to_be_hidden()
    summary.click()
    expect(question).to_contain_text("Nothing to delete")
    expect(confirm).to_be_disabled()
    notebook.page.unroute(asked_for)
    summary.click()
    expect(question).to_be_hidden()
    summary.click()
    expect(confirm).to_be_enabled()
    confirm.press("Enter")
    expect(panel).to_contain_text("No session has ended within the last two weeks.")
    # folded where a session of another test's is open
    expect(notebook.row(session_id)).to_be_attached()

    # the form writes the cell of a new one, by keyboard alone, and opens nothing
    new = panel.get_by_role("button", name="New…")
    new.press("Enter")
    form = panel.get_by_role("form", name="New session")
    expect(form.get_by_label("Service")).to_be_focused()
    device = form.get_by_label("Device")
    expect(device.locator("option", has_text="aer · ")).to_have_count(1)
    device.select_option("aer")
    longest = form.get_by_label("Maximum time")
    longest.fill("soon")
    longest.press("Enter")
    expect(form.get_by_role("status")).to_contain_text("--max-time")
    longest.fill("30m")
    longest.press("Enter")
    expect(form.get_by_role("status")).to_contain_text("The cell is in story-goes-on.ipynb")
    written = _cell_with(notebook, "%%session --service local --backend aer --max-time 30m")
    assert written is not None
    assert notebook.execution_count(written) is None
    expect(panel.locator("h3", has_text="This notebook")).to_have_count(0)
    device.press("Escape")
    expect(form).to_have_count(0)
    expect(new).to_be_focused()


EMPTY: dict[str, list[object]] = {"sessions": []}
"""The answer of a server that keeps no history."""


def _press_until(button: Locator, state: Locator, told: re.Pattern[str]) -> None:
    """Press a button until it acts: just after it appeared, moved or changed it takes no click."""
    for _ in range(5):
        if button.is_enabled():
            button.click()
        with suppress(AssertionError):
            expect(state).to_have_text(told, timeout=3_000)
            return
    raise AssertionError(f"It says {state.inner_text()!r}.")


def _money(text: str) -> float:
    """What idling has cost so far, as the row says."""
    found = re.search(r"idle for .*?\$([\d.,]+)", text)
    return float(found[1].replace(",", "")) if found else 0.0


def _current(notebook: Notebook) -> str:
    return str(
        notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget?.context?.path ?? ''")
    )


def _cell_with(notebook: Notebook, text: str) -> int | None:
    found = notebook.page.evaluate(
        """text => {
            const { cells } = window.jupyterapp.shell.currentWidget.content.model;
            return Array.from({length: cells.length}, (_, i) => i)
                .find(i => cells.get(i).sharedModel.getSource().includes(text)) ?? null;
        }""",
        text,
    )

    return None if found is None else int(found)
