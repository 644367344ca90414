"""What notebooks of these tests run, and the Close button pressed while one of them runs."""

from __future__ import annotations

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
