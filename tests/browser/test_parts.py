"""Parts of the panel in a layout of the user's: drawn by one model, which need not be shown."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from .cells import OPEN
from .lab import Notebook

DASHBOARD = """
import qsession_widgets as qs
from ipywidgets import HBox, VBox

phases = []
clocks = qs.SessionClocks(session)
clocks.observe(lambda change: phases.append(change["new"]), "phase")
session.log(energy=-1.0)
VBox([
    HBox([clocks, qs.SessionButtons(session)]),
    qs.ObjectiveLane(session), qs.JobTimeline(session), qs.JobTable(session),
])
"""


@pytest.mark.timeout(300)
def test_a_dashboard_of_parts_shows_a_session_and_ends_it(
    write_notebook: Callable[..., str], open_notebook: Callable[..., Notebook]
) -> None:
    begin = (
        "from qsession_widgets import open_session\nsession = open_session('aer', service='local')"
    )
    quiet = "\n".join([begin, "backend = session._backend", *OPEN.splitlines()[2:]])
    name = write_notebook(
        "parts.ipynb", "%load_ext qsession_widgets", quiet, DASHBOARD, "print(phases, clocks.done)"
    )
    notebook = open_notebook(name)
    load, run, layout, ask = notebook.code_cells()
    notebook.run_cell(load)
    assert "4096" in notebook.run_cell(run)
    assert "Error" not in notebook.run_cell(layout)
    part = notebook.page.locator("section.qs-part")
    expect(part).to_have_count(5)
    clocks, buttons, objective, timeline, jobs = (part.nth(at) for at in range(5))
    expect(clocks.get_by_role("timer", name="Interactive timeout")).to_be_visible()
    expect(objective).to_contain_text("energy")
    expect(timeline.locator(".qs-chart .main-svg").first).to_be_visible()
    # a part is drawn anew as long as it is in sight
    jobs.scroll_into_view_if_needed()
    # a job that is picked in one part is picked in all
    job = jobs.locator("tbody tr.qs-row").first
    job.click()
    expect(timeline.locator("rect.qs-live-picked")).to_have_count(1)
    buttons.get_by_role("button", name="Close session").click()
    expect(buttons.locator(".qs-state")).to_have_text("Closed", timeout=30_000)
    expect(clocks.get_by_role("timer")).to_have_count(0)
    assert "'closed'] 1" in notebook.run_cell(ask)
