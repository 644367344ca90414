"""Circuits that a transpiler has spread over more qubits than they were made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from panel.states import session
from qiskit import QuantumCircuit, generate_preset_pass_manager
from qiskit.transpiler import CouplingMap

from qsession_widgets.model import JobRecord, ServiceInfo, SessionSnapshot
from qsession_widgets.sessions.routed_circuits import MOST_JOBS, RoutedCircuits, excess

LOCAL = ServiceInfo("local", "local emulator", "premium", 1.60, charged=False)
SNAPSHOT = session([], service=LOCAL, backend="fake_fez", state="active", answered_at=1000.0)


def transpiled(qubits: int, places: list[int]) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits)
    for other in range(1, qubits):
        circuit.cx(0, other)
    circuit.measure_all()
    manager = generate_preset_pass_manager(
        0,
        coupling_map=CouplingMap.from_line(12),
        basis_gates=["rz", "sx", "cx"],
        initial_layout=places,
        seed_transpiler=1,
    )
    return manager.run(circuit)


class _Monitor:
    """A monitor whose snapshots a test hands out."""

    def __init__(self, snapshot: SessionSnapshot = SNAPSHOT):
        self.snapshot = snapshot
        self.listener: Callable[[SessionSnapshot], None] | None = None

    def subscribe(self, listener: Callable[[SessionSnapshot], None]) -> Callable[[], None]:
        self.listener = listener

        def unsubscribe() -> None:
            self.listener = None

        return unsubscribe

    def ran(self, seconds: list[float], **fields: Any) -> None:
        assert self.listener is not None
        jobs = [
            JobRecord(
                f"j{at}", "sampler", "done", 1000.0, **{**_EXACT, "finished": 1000 + took, **fields}
            )
            for at, took in enumerate(seconds)
        ]
        self.listener(replace(self.snapshot, jobs=tuple(jobs)))


_EXACT = {"started": 1000.0, "exact": True, "method": "exact"}
SPREAD = transpiled(3, [0, 4, 8])
CLOSE = transpiled(3, [4, 3, 5])


def pub(circuit: QuantumCircuit) -> dict[str, Any]:
    return {"pubs": [(circuit,)]}


@pytest.fixture
def told() -> list[tuple[str, str, dict[str, Any]]]:
    return []


def follow(told: list[Any], snapshot: SessionSnapshot = SNAPSHOT) -> tuple[_Monitor, Any]:
    monitor = _Monitor(snapshot)
    note = RoutedCircuits(monitor, lambda kind, text, **data: told.append((kind, text, data)))  # type: ignore[arg-type]
    return monitor, note


def test_the_qubits_of_a_route_are_counted_and_islands_are_not() -> None:
    qubits, needed = excess(SPREAD) or (0, 0)
    assert (qubits > 3, needed) == (True, 3)
    assert excess(CLOSE) is None
    assert excess(QuantumCircuit(5)) is None, "it was not transpiled"
    # two islands beside each other are simulated one by one
    apart = transpiled(2, [0, 1]).compose(transpiled(2, [5, 6]))
    apart._layout = transpiled(3, [4, 3, 5])._layout
    assert excess(apart) is None


def test_it_is_said_once_with_the_time_measured_and_estimated(told: list[Any]) -> None:
    monitor, note = follow(told)
    note.submitted("j0", pub(CLOSE))
    assert monitor.listener is None
    note.submitted("j1", {"pubs": [SimpleNamespace(circuit=SPREAD)]})
    monitor.ran([60.0])
    assert told == [], "that job has no more than it needs"
    monitor.ran([60.0, 38.0], method="stabilizer")
    assert told == [], "which does not take longer by each qubit"
    qubits, needed = excess(SPREAD) or (0, 0)
    monitor.ran([60.0, 2.0 ** (qubits - needed) * 10])
    ((kind, text, data),) = told
    assert kind == "routed"
    assert data == {"job": "j1", "qubits": qubits, "needed": needed}
    assert f"{qubits} active qubits where 3 are needed" in text
    assert "instead of about 10 s (estimated" in text
    assert monitor.listener is None
    note.submitted("j2", pub(SPREAD))
    assert monitor.listener is None, "once a session"


def test_short_jobs_and_devices_are_nothing_to_speak_of(told: list[Any]) -> None:
    monitor, note = follow(told)
    for at in range(MOST_JOBS + 1):
        note.submitted(f"j{at}", pub(SPREAD))
    monitor.ran([0.5] * (MOST_JOBS + 1))
    assert monitor.listener is None
    ibm = replace(SNAPSHOT, service=replace(LOCAL, kind="ibm", charged=True))
    monitor, note = follow(told, ibm)
    note.submitted("j0", pub(SPREAD))
    assert monitor.listener is None
    assert told == []
