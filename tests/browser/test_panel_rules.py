"""The rules a kernel keeps a session to, and the price a reader counts with, in JupyterLab."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from .lab import Notebook

OPEN = """
%%session --backend aer --service local --max-time 10m --idle-close 5m --budget '$900'
from qiskit import QuantumCircuit
from qiskit_ibm_runtime.executor_sampler import Sampler

flip = QuantumCircuit(1)
flip.x(0)
flip.measure_all()
print(Sampler().run([flip]).result()[0].data.meas.num_shots)
"""


@pytest.mark.timeout(300)
def test_rules_are_shown_and_the_cost_follows_the_readers_price(
    write_notebook: Callable[..., str], open_notebook: Callable[..., Notebook]
) -> None:
    name = write_notebook("rules.ipynb", "%load_ext qsession_widgets", OPEN, "session.cancel()")
    notebook = open_notebook(name)
    load, run, cancel = notebook.code_cells()
    notebook.run_cell(load)
    assert "4096" in notebook.run_cell(run)
    panel = notebook.panel
    panel.scroll_into_view_if_needed()

    rules = panel.get_by_role("list", name="Rules of this session")
    idle_close = rules.get_by_role("timer", name="Idle close")
    expect(idle_close).to_have_text(re.compile(r"^[34]:\d\d$"))
    shown = idle_close.text_content() or ""
    expect(idle_close).not_to_have_text(shown)
    used = rules.get_by_role("progressbar", name="Budget used")
    expect(used).to_have_attribute("aria-valuetext", re.compile(r"≈ \$\d+(\.\d\d)? of \$900"))

    cost = panel.locator(".qs-cost")
    expect(cost).to_contain_text("at $0.80/s, list price of Premium")
    cost.get_by_role("button").click()
    cost.get_by_label("$ per second").fill("1000")
    cost.get_by_role("button", name="Set").click()
    expect(cost).to_contain_text("at your $1,000/s")
    # a second of usage is a thousand dollars now; the budget is the kernel's and counts as before
    expect(cost).to_contain_text(re.compile(r"would be ≈ \$[\d,]+,\d{3}\b"))
    expect(used).to_have_attribute("aria-valuetext", re.compile(r"of \$900"))
    notebook.run_cell(cancel)
    # what they were stays, and nothing counts any more
    expect(panel.locator(".qs-state")).to_have_text("Cancelled")
    expect(rules.get_by_role("timer")).to_have_count(0)
