"""Circuits whose gates undo each other, so that only noise is left, and estimates of them."""

from __future__ import annotations

from typing import Any

from engine import jobs
from qiskit import QuantumCircuit, transpile
from qiskit.quantum_info import SparsePauliOp

LINE = [1, 2, 3]
SEED = {"seed_simulator": 11}


def echo(name: str, pairs: int) -> QuantumCircuit:
    """Return a GHZ state of three qubits, to which pairs of gates do nothing but add noise."""
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    for _ in range(pairs):
        for control in (0, 1):
            circuit.cx(control, control + 1)
            circuit.barrier()
            circuit.cx(control, control + 1)
            circuit.barrier()
    with jobs.quiet():
        return transpile(
            circuit,
            jobs.backend(name),
            initial_layout=LINE,
            optimization_level=0,
            seed_transpiler=1,
        )


def estimate(
    circuit: QuantumCircuit,
    observables: Any,
    level: int | None = None,
    device: str = "fake_manila",
    **options: Any,
) -> tuple[dict[str, Any], Any]:
    """Run a classic estimator's job, which must not fail; return its outcome and its result."""
    options.setdefault("simulator", SEED)
    params = jobs.estimator_params([(circuit, observables)], level=level, **options)
    outcome, result = jobs.run("estimator", device, params)
    assert outcome["status"] == "completed", outcome["reason"]
    return outcome, result


def parity(circuit: QuantumCircuit) -> SparsePauliOp:
    return SparsePauliOp(["ZZI", "XXX"]).apply_layout(circuit.layout)
