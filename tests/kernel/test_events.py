"""What happens to a session, told as text where no page shows it, and written into a file."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert.preprocessors import ExecutePreprocessor

from qsession_widgets.model.events import FIELDS, KINDS

from .cells import Notebook, wait_for
from .conftest import CIRCUITS
from .fresh import running_kernel

LOAD = "%load_ext qsession_widgets"
OPEN = "%%session --service local --backend aer"
JOB = "job = SamplerV2().run([(measured,)])\njob.result()"
TOLD = ("opened", "is queued", "is done")


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_file_has_every_event_as_a_json_line(
    notebook: Notebook, tmp_path: Path, ask: Callable[..., Any]
) -> None:
    path = tmp_path / "events.jsonl"
    notebook.good(CIRCUITS)
    notebook.good(f"{OPEN} --events {path} --name vqe --tags a", "told = []")
    notebook.good("session.on('*', told.append)", JOB)
    notebook.good("SamplerV2(mode=backend).run([(measured,)])")
    notebook.good("%session close")
    wait_for(lambda: '"closed"' in path.read_text(), "the close")
    kinds = [event["event"] for event in _read(path)]
    assert kinds[:2] == ["opened", "job_submitted"]
    assert {"activated", "job_done", "stray"} <= set(kinds) <= set(KINDS)
    for event in _read(path):
        assert event["session"] == notebook["session"].session_id
        assert event["name"] == "vqe"
        assert set(event) <= set(FIELDS)
    (stray,) = [event for event in _read(path) if event["event"] == "stray"]
    assert stray["where"].startswith("Cell [")
    # a callback gets the same, on the kernel's loop: at the latest when it has nothing else to do
    wait_for(lambda: notebook.good("pass") and _read(path)[-1] in notebook["told"], "the close")
    assert [event for event in _read(path) if event in notebook["told"]] == notebook["told"]
    # a second session goes on in the same file
    notebook.good(f"%%batch --service local --backend aer --events {path}", "pass")
    assert _read(path)[-1]["mode"] == "batch"


def test_a_guard_is_among_the_events(notebook: Notebook, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    notebook.good(f"{OPEN} --idle-close 1s --events {path}", "pass")
    wait_for(
        lambda: "guard_closed" in [event["event"] for event in _read(path)], "the guard's event"
    )


def test_a_file_that_cannot_be_written_opens_nothing(
    notebook: Notebook, tmp_path: Path, ask: Callable[..., Any]
) -> None:
    ran = notebook(f"{OPEN} --events {tmp_path}/nowhere/e.jsonl", "pass")
    assert "name a file in a folder that exists" in ran.sentence()
    assert ask("GET", "/workloads")["workloads"] == []


@pytest.mark.parametrize(
    ("environment", "first_cell", "told"),
    [
        ({}, "pass", True),
        ({"JPY_SESSION_NAME": "/home/ada/vqe.ipynb"}, "pass", False),
        ({}, "__vsc_ipynb_file__ = '/home/ada/vqe.ipynb'", False),
        ({"VSCODE_PID": "1"}, "pass", False),
        ({"VSCODE_PID": "1", "TERM_PROGRAM": "vscode"}, "pass", True),
        ({}, "import sys; sys.modules['google.colab'] = sys", False),
    ],
    ids=["program", "jupyter", "vscode", "vscode by its process", "vscode's terminal", "colab"],
)
def test_a_kernel_tells_unless_a_page_shows_the_panel(
    ask: Callable[..., Any],
    tmp_path: Path,
    environment: dict[str, str],
    first_cell: str,
    told: bool,
) -> None:
    path = tmp_path / "events.jsonl"
    with running_kernel(environment) as kernel:
        kernel.run(first_cell)
        kernel.run(f"{LOAD}\n{CIRCUITS}")
        printed, error = kernel.run(f"{OPEN} --events {path}\n{JOB}")
        assert not error, printed
        for text in TOLD:
            assert (text in printed) is told, printed
        named = "vqe.ipynb" in f"{environment} {first_cell}"
        notebook = "/home/ada/vqe.ipynb" if named else ""
        assert {event["notebook"] for event in _read(path)} == {notebook}
    session_id = _read(path)[0]["session"]
    assert ask("GET", f"/sessions/{session_id}")["state"] == "closed"
    assert _read(path)[-1]["event"] == "closed"
    assert _read(path)[-1]["reason"] == "exit"


def test_a_notebook_that_is_run_from_a_script_tells_in_its_outputs(ask: Callable[..., Any]) -> None:
    cells = [f"{LOAD}\n{CIRCUITS}", f"{OPEN}\njob = SamplerV2().run([(measured,)])", "job.result()"]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    ExecutePreprocessor(kernel_name="python3", timeout=90).preprocess(book)
    told = [
        "".join(output.get("data", {}).get("text/plain", "") for output in cell.outputs)
        for cell in book.cells
    ]
    assert "session on aer: opened" in told[1]
    assert "is queued" in told[1]
    assert "is done" in told[1] + told[2]
    outputs = [output for cell in book.cells for output in cell.outputs]
    red = [output.text for output in outputs if output.get("name") == "stderr"]
    assert "session on aer" not in "".join(red)
    (listed,) = ask("GET", "/workloads")["workloads"]
    assert ask("GET", f"/sessions/{listed['id']}")["state"] == "closed"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_ipython_in_a_terminal_tells_and_closes_when_it_ends(ask: Callable[..., Any]) -> None:
    import pexpect

    arguments = ["-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor"]
    shell = pexpect.spawn(
        sys.executable, [*arguments, "--no-confirm-exit"], encoding="utf-8", timeout=60
    )
    try:
        for line in (LOAD, "from qiskit import QuantumCircuit as Q", "c = Q(1, 1)"):
            shell.expect(r"In \[\d+\]: ")
            shell.sendline(line)
        shell.sendline("c.measure(0, 0); from qiskit_ibm_runtime import SamplerV2")
        # a cell's magic takes lines until an empty one
        shell.sendline(OPEN)
        shell.sendline("SamplerV2().run([(c,)]).result()")
        shell.sendline("")
        shell.expect("session on aer: opened, ([0-9a-f-]{36})")
        session_id = shell.match[1]
        shell.expect("is done")
        shell.sendline("exit")
        shell.expect(pexpect.EOF)
    finally:
        shell.close(force=True)
    assert ask("GET", f"/sessions/{session_id}")["state"] == "closed"
