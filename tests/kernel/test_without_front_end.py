"""A notebook run by a program, as nbconvert and papermill do it, on each line of ipykernel."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

from .lines import LINES, of_line
from .table import CIRCUITS, OPEN

CELLS = {
    "opens": "%load_ext qsession_widgets",
    "prepares": CIRCUITS + "\nimport asyncio, ipykernel\nprint(ipykernel.__version__)",
    "runs": OPEN + "first = SamplerV2().run([(measured,)])\nfirst.result()",
    "awaits": "await asyncio.sleep(0)\n"
    "second = await asyncio.to_thread(lambda: EstimatorV2().run([(flip, observable)]))\n"
    "second.result()\n"
    # in one piece, for what is told meanwhile comes from another thread
    "print(f'inside: { {first.session_id, second.session_id} == {session.session_id} }')",
    "strays": "stray = SamplerV2(mode=backend).run([(measured,)])\nstray.result()",
    "clears": "from IPython.display import clear_output\n"
    "from qsession_widgets.deferred_output import NOTICES\n"
    "NOTICES.emit('session on aer: before')\nclear_output()\n"
    "NOTICES.emit('session on aer: after')",
    "shows": "%session receipt",
}


def _lines(cell: Any) -> list[str]:
    """The outputs of a cell in which events of a session are told."""
    shown = [output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    texts = [*(output.get("text", "") for output in cell.outputs), *shown]
    return [text for text in texts if "session on aer: " in text]


def _text(cell: Any) -> str:
    shown = [output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    return "".join([*(output.get("text", "") for output in cell.outputs), *shown])


@pytest.mark.parametrize("line", LINES)
def test_the_same_is_told_as_text_and_the_session_is_closed_at_exit(
    ask: Callable[..., Any], line: str
) -> None:
    notebook = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, CELLS.values())))
    NotebookClient(notebook, timeout=250).execute(env={**os.environ, **of_line(line)})
    told = dict(zip(CELLS, map(_text, notebook.cells), strict=True))
    assert told["prepares"].strip().startswith(f"{line}.")
    assert "inside: True" in told["awaits"]
    # one output for a cell, which was updated
    (run,) = _lines(notebook.cells[list(CELLS).index("runs")])
    assert [word in run for word in ("opened", "is queued", "is done")] == [True] * 3
    assert len(run.split("\n")) >= 3
    stamps = re.findall(r"^\[(\d\d:\d\d:\d\d)", run, re.MULTILINE)
    assert stamps == sorted(stamps), "in the order in which it happened"
    assert _lines(notebook.cells[list(CELLS).index("clears")]) == ["session on aer: after"]
    assert "runs outside the session" in told["strays"]
    assert "Session" in told["shows"]
    assert "aer" in told["shows"]
    (session,) = ask("GET", "/workloads", params={"mode": "session"})["workloads"]
    assert ask("GET", f"/sessions/{session['id']}")["state"] == "closed"


@pytest.mark.parametrize(
    "cell", ["%%session --service local --backend nope\npass", "%session close nothing"]
)
def test_a_mistake_is_an_error_to_programs_that_run_notebooks(cell: str) -> None:
    cells = ["%load_ext qsession_widgets", cell, "print('reached')"]
    notebook = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, cells)))
    with pytest.raises(CellExecutionError, match="Session error: "):
        NotebookClient(notebook, timeout=250).execute()
    (error,) = [one for one in notebook.cells[1].outputs if one["output_type"] == "error"]
    assert len(error["traceback"]) == 1
    assert error["traceback"][0].startswith("Session error: ")
    assert notebook.cells[2].outputs == []


def test_what_is_saved_of_a_panel_says_how_the_session_ended(ask: Callable[..., Any]) -> None:
    cells = {**CELLS, "shows": "%session close\nlast = session.wait_for()"}
    notebook = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, cells.values())))
    NotebookClient(notebook, timeout=250).execute()
    opened = notebook.cells[list(cells).index("runs")]
    (shown,) = [out["data"] for out in opened.outputs if "text/html" in out.get("data", {})]
    assert set(shown) == {"text/plain", "text/html"}, "no page shows a panel"
    for mime in ("text/plain", "text/html"):
        assert "Closed" in shown[mime]
        assert "2 done" in shown[mime]
    assert "widgets" not in notebook.metadata, "nor does the file hold one"
    page, _ = HTMLExporter(template_name="basic").from_notebook_node(notebook)
    # without nbconvert's own styles and scripts, which are 280 kB in themselves
    assert max(len(page), len(nbformat.writes(notebook))) < 100_000
    assert "qsession-receipt" in page
