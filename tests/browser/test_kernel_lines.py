"""The panel's Close button while a cell runs, on older lines of ipykernel than the newest."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect

from ..kernel.lines import of_line
from .cells import (
    AWAIT_UNTIL_CLOSED,
    OPEN,
    RUN_UNTIL_CLOSED,
    close_while_it_runs,
    load_and_open,
    press_close_while_it_runs,
)
from .lab import Lab, Notebook

WAIT_FOR_A_FILE = """
print("waiting")
import pathlib, time
while not pathlib.Path("go-on").exists():
    time.sleep(0.01)
"""


@pytest.fixture
def open_on_line(lab: Lab, open_notebook: Callable[..., Notebook]) -> Callable[..., Notebook]:
    """Opens a new notebook of some cells with a kernel of a line of ipykernel."""

    def open_one(line: str, name: str, *cells: str) -> Notebook:
        kernel = f"ipykernel-{line}"
        spec = Path(os.environ["JUPYTER_DATA_DIR"]) / "kernels" / kernel / "kernel.json"
        spec.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec.write_text(
            json.dumps(
                {
                    "argv": command,
                    "display_name": kernel,
                    "language": "python",
                    "env": of_line(line),
                }
            )
        )
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell.strip()) for cell in cells],
            metadata={"kernelspec": {"name": kernel, "display_name": kernel}},
        )
        nbformat.write(notebook, lab.root / name)
        return open_notebook(name)

    return open_one


def _load(line: str) -> str:
    return (
        "%load_ext qsession_widgets\n"
        "import ipykernel\n"
        f"assert ipykernel.__version__.startswith('{line}.'), ipykernel.__version__"
    )


@pytest.mark.timeout(300)
@pytest.mark.parametrize("waiting", [RUN_UNTIL_CLOSED, AWAIT_UNTIL_CLOSED], ids=["plain", "await"])
def test_close_acts_while_a_cell_runs_on_ipykernel_7_3(
    waiting: str, open_on_line: Callable[..., Notebook]
) -> None:
    name = f"close-7.3-{len(waiting)}.ipynb"
    notebook = open_on_line("7.3", name, _load("7.3"), OPEN, waiting)
    close_while_it_runs(notebook)


@pytest.mark.timeout(300)
def test_close_goes_by_the_server_on_ipykernel_6_31(
    open_on_line: Callable[..., Notebook], lab: Lab
) -> None:
    notebook = open_on_line("6.31", "close-6.31.ipynb", _load("6.31"), OPEN, WAIT_FOR_A_FILE)
    load, run, wait = notebook.code_cells()
    load_and_open(notebook, load, run)
    press_close_while_it_runs(notebook, wait)
    # by the server, while the kernel is at its cell
    expect(notebook.panel.locator(".qs-state")).to_have_text("Closed", timeout=30_000)
    expect(notebook.panel).to_contain_text("from JupyterLab")
    (lab.root / "go-on").touch()
    notebook.wait_executed(wait)
    expect(notebook.panel.locator(".qs-state")).to_have_text("Closed", timeout=30_000)
