"""The devices that a cell can ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qsession_widgets import open_session
from qsession_widgets.errors import UserError
from qsession_widgets.magics import backends
from qsession_widgets.sessions.binding import BINDING

from .cells import Notebook

HERE = "%%session --service local"
FRACTION = """
from qiskit import QuantumCircuit
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_ibm_runtime import SamplerV2
circuit = QuantumCircuit(2)
circuit.rzz(0.3, 0, 1)
circuit.measure_all()
isa = generate_preset_pass_manager(1, backend=backend, seed_transpiler=1).run(circuit)
counts = SamplerV2().run([isa], shots=100).result()[0].data.meas.get_counts()
"""


def test_fractional_gates_in_a_cell(notebook: Notebook) -> None:
    notebook.good(f"{HERE} --backend ibm_fez --fractional-gates", *FRACTION.splitlines())
    assert notebook["isa"].count_ops()["rzz"] == 1
    assert sum(notebook["counts"].values()) == 100
    # the same again, or without saying so, is the same session
    opened = notebook["session"].session_id
    notebook.good(f"{HERE} --backend ibm_fez --fractional-gates", "pass")
    notebook.good("%%session", "pass")
    assert notebook["session"].session_id == opened


def test_open_session_without_them_is_another_one(notebook: Notebook) -> None:
    notebook.good(f"{HERE} --backend ibm_fez", "pass")
    assert "rzz" not in notebook["backend"].operation_names
    ran = notebook("%%session --fractional-gates", "pass")
    assert "asks for another one (--fractional-gates)" in ran.err + ran.out


def test_device_without_fractional_gates(notebook: Notebook) -> None:
    ran = notebook(f"{HERE} --backend fake_manila --fractional-gates", "pass")
    assert "fake_manila has no fractional gates: leave --fractional-gates out" in ran.err + ran.out


def test_fractional_gates_from_python(notebook: Notebook) -> None:
    with pytest.raises(UserError, match="has no fractional gates"):
        open_session("fake_manila", service="local", use_fractional_gates=True)
    session = open_session("ibm_fez", service="local", use_fractional_gates=True)
    try:
        assert BINDING.bound is not None
        assert {"rx", "rzz"} <= set(BINDING.bound.target.backend.operation_names)
    finally:
        session.close()


def test_calibration_is_named_with_the_service(notebook: Notebook) -> None:
    notebook.good(f"{HERE} --backend ibm_fez", "info = session.snapshot.service")
    assert notebook["info"].label == "local emulator · calibrated 2025-02-26 · no charge"


def test_simulator_takes_sessions_under_either_name(notebook: Notebook) -> None:
    notebook.good(f"{HERE} --backend aer_simulator", "pass")
    assert notebook["backend"].name == "aer"
    assert notebook["session"].session_id


def test_backends_are_listed(
    notebook: Notebook, ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = notebook.good("%session backends --service local").value
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["ibm_fez"] == ("156", "0", "")
    assert rows["fake_manila"][:2] == ("5", "0")
    assert "ibm_manila" not in rows
    head, *lines = str(table).splitlines()[1:]
    assert head.split() == ["backend", "qubits", "jobs", "waiting"]
    assert len(lines) == len(rows)
    assert "<td" in table._repr_html_()
    broken = {"method": "GET", "path": "/backends", "body": "nulls", "times": None}
    ask("POST", "/emulator/v1/faults", json=broken)
    sentence = notebook("%session backends --service local").sentence()
    ask("DELETE", "/emulator/v1/faults")
    assert "Could not list the backends" in sentence
    # so many are asked only where they are few
    monkeypatch.setattr(backends, "MOST_CALIBRATIONS", len(lines))
    table = notebook.good("%session backends --service local").value
    assert {row[0]: row[3] for row in table.rows}["ibm_fez"].endswith(" ago")
