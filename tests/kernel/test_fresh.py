"""What needs a new interpreter: what loading imports, and machines where something is missing."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .cells import Notebook
from .conftest import end_kernel
from .fresh import run_cells
from .table import CIRCUITS

LOAD = "%load_ext qsession_widgets"


def _one_line(cell: tuple[str, str]) -> str:
    out, err = cell
    assert "Traceback" not in out + err
    (line,) = [line for line in (out + err).splitlines() if line.strip()]
    return line


def _nowhere() -> str:
    """An address on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def test_loading_imports_neither_qiskit_nor_aer() -> None:
    heavy = ("qiskit", "qiskit_aer", "qiskit_ibm_runtime", "numpy", "plotly", "anywidget")
    before, _, after, mistake, still = run_cells(
        f"import sys; print([name for name in {heavy} if name in sys.modules])",
        LOAD,
        f"print([name for name in {heavy} if name in sys.modules])",
        "%session close",
        f"print([name for name in {heavy} if name in sys.modules])",
    )
    assert before[0].strip() == after[0].strip() == still[0].strip() == "[]"
    assert "No session is bound" in _one_line(mistake)


def test_no_network_is_one_sentence() -> None:
    url = _nowhere()
    environment = {
        "QISKIT_IBM_TOKEN": "k" * 44,
        "QISKIT_IBM_INSTANCE": "crn:v1:bluemix:public:quantum-computing:us-east:a/0:0::",
        "QISKIT_IBM_URL": url + "/experimental/api/v1",
        "IAM_URL": url,
        "GLOBAL_SEARCH_URL": url,
        "GLOBAL_CATALOG_URL": url,
    }
    _, refused, alive = run_cells(
        LOAD,
        "%%session --backend aer\nprint('reached')",
        "print('usable')",
        environment=environment,
    )
    sentence = _one_line(refused)
    assert "the service cannot be reached. Check the network" in sentence
    assert "use --service local" in sentence
    assert alive[0].strip() == "usable"


@pytest.mark.skipif(sys.platform == "win32", reason="a folder cannot be made read-only there")
def test_an_emulator_that_cannot_start_is_one_sentence(tmp_path: Path) -> None:
    occupied = tmp_path / "occupied"
    occupied.write_text("a file where a folder should be")
    _, refused, alive = run_cells(
        LOAD,
        "%%session --service local --backend aer\nprint('reached')",
        "print('usable')",
        environment={"JUPYTER_DATA_DIR": str(occupied), "JUPYTER_RUNTIME_DIR": str(tmp_path)},
    )
    assert "The emulator could not be started: " in _one_line(refused)
    assert "reached" not in refused[0]
    assert alive[0].strip() == "usable"
    assert not list(tmp_path.glob("qsession-emulator*.json"))


def test_an_interpreter_that_cannot_be_run_is_one_sentence(tmp_path: Path) -> None:
    _, refused, alive = run_cells(
        LOAD,
        "import sys; working = sys.executable; sys.executable = '/nowhere/python'",
        "%%session --service local --backend aer\nprint('reached')",
        "print('usable')",
        # an emulator that runs beside the test would be found by its data
        environment={
            "JUPYTER_RUNTIME_DIR": str(tmp_path),
            "JUPYTER_DATA_DIR": str(tmp_path / "data"),
        },
    )[1:]
    assert "The emulator could not be started: " in _one_line(refused)
    assert alive[0].strip() == "usable"


def test_a_client_that_is_too_old_is_one_sentence(tmp_path: Path) -> None:
    version = "0.49.1"
    folder = tmp_path / f"qiskit_ibm_runtime-{version}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: qiskit-ibm-runtime\nVersion: {version}\n"
    )
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    _, refused, alive = run_cells(
        LOAD,
        "%%session --service local --backend aer\nprint('reached')",
        "print('usable')",
        environment={"PYTHONPATH": path, "JUPYTER_RUNTIME_DIR": str(tmp_path)},
    )
    sentence = _one_line(refused)
    assert "qiskit-ibm-runtime 0.49.1 is too old: sessions need 0.50 or newer" in sentence
    assert "pip install -U qiskit-ibm-runtime, then restart the kernel" in sentence
    assert alive[0].strip() == "usable"
    assert not list(tmp_path.glob("qsession-emulator*.json"))


def test_an_account_file_that_is_broken_is_one_sentence(tmp_path: Path) -> None:
    folder = tmp_path / ".qiskit"
    folder.mkdir()
    (folder / "qiskit-ibm.json").write_text("{ not JSON")
    _, refused = run_cells(
        LOAD, "%%session --backend aer\nprint('reached')", environment={"HOME": str(tmp_path)}
    )
    assert "The file of saved accounts" in _one_line(refused)
    assert "--service local" in _one_line(refused)


ALONE = """
from qiskit import QuantumCircuit
from qiskit_ibm_runtime import QiskitRuntimeService, SamplerV2, Session

measured = QuantumCircuit(1, 1)
measured.measure(0, 0)
backend = QiskitRuntimeService().backend('fake_manila')
with Session(backend=backend):
    SamplerV2().run([(measured,)]).cancel()
"""
"""A cell of the client library's alone, whose job waits for what else is active."""


def test_a_plain_interpreter_shows_the_session_as_text_and_closes_it_at_exit(
    ask: Callable[..., Any], notebook: Notebook, account: Callable[[str | None], None]
) -> None:
    account(None)
    notebook.good(CIRCUITS)
    notebook.good("%%session --service ibm --backend fake_manila", "SamplerV2().run([(measured,)])")
    left = notebook["session"].session_id
    notebook["session"].wait_for(lambda snapshot: snapshot.state == "active")
    end_kernel(notebook)
    _, alone, opened, used, listed = run_cells(
        LOAD,
        # before anything is opened by this package
        ALONE,
        "%%session --service local --backend aer\nprint('in the cell')",
        "print(session)",
        "print(session.session_id)",
    )
    assert f"line 8: this job waits for your session {left}" in alone[0], alone
    assert "on IBM $48.00 a minute" in alone[0]
    assert f"%session close {left} ends it" in alone[0]
    ask("DELETE", f"/sessions/{left}/close")
    assert "Using the local emulator: asked for by --service local." in opened[0]
    assert "in the cell" in opened[0]
    assert "<Session on aer, open>" in used[0]
    assert ask("GET", f"/sessions/{listed[0].strip()}")["state"] == "closed"
