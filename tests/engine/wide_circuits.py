"""Circuits too wide for an exact simulation, as they are posted for a device of 156 qubits."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from engine import jobs
from qiskit import QuantumCircuit, generate_preset_pass_manager
from qiskit.circuit.library import efficient_su2
from qiskit.quantum_info import SparsePauliOp

DEVICE = "fake_fez"


@cache
def _transpiler() -> Any:
    with jobs.quiet():
        return generate_preset_pass_manager(
            optimization_level=1, backend=jobs.backend(DEVICE), seed_transpiler=1
        )


def transpiled(circuit: QuantumCircuit) -> QuantumCircuit:
    """Return a circuit in the device's gates."""
    with jobs.quiet():
        return _transpiler().run(circuit)


@cache
def ghz(width: int, measured: bool = True) -> QuantumCircuit:
    """Return a circuit that makes a GHZ state."""
    circuit = QuantumCircuit(width)
    circuit.h(0)
    for qubit in range(width - 1):
        circuit.cx(qubit, qubit + 1)
    if measured:
        circuit.measure_all()
    return transpiled(circuit)


@cache
def ansatz(reps: int) -> QuantumCircuit:
    """Return a hardware-efficient ansatz on 127 qubits with random angles."""
    circuit = efficient_su2(127, reps=reps, entanglement="linear")
    angles = np.random.default_rng(1).uniform(-np.pi, np.pi, circuit.num_parameters)
    circuit = circuit.assign_parameters(angles)
    circuit.measure_all()
    return transpiled(circuit)


@cache
def ising(steps: int = 6) -> QuantumCircuit:
    """Return a Trotterized transverse Ising chain of 100 qubits."""
    circuit = QuantumCircuit(100)
    for _ in range(steps):
        circuit.rx(1.2, range(100))
        for start in (0, 1):
            for qubit in range(start, 99, 2):
                circuit.rzz(0.8, qubit, qubit + 1)
    return transpiled(circuit)


@cache
def scrambling(width: int = 70, layers: int = 30) -> QuantumCircuit:
    """Return a deep random circuit that no method can simulate."""
    rng = np.random.default_rng(2)
    circuit = QuantumCircuit(width)
    for layer in range(layers):
        for qubit in range(width):
            circuit.u(*rng.uniform(-3, 3, 3), qubit)
        for qubit in range(layer % 2, width - 1, 2):
            circuit.cx(qubit, qubit + 1)
            circuit.rz(rng.uniform(-3, 3), qubit + 1)
            circuit.cx(qubit + 1, qubit)
    return transpiled(circuit)


def correlation(circuit: QuantumCircuit, width: int, *pairs: tuple[int, int]) -> SparsePauliOp:
    """Return the sum of Z Z over pairs of a circuit's virtual qubits, on the device's qubits."""
    terms = [("ZZ", list(pair), 1.0) for pair in pairs]
    return SparsePauliOp.from_sparse_list(terms, width).apply_layout(circuit.layout)


def signs(result: Any) -> np.ndarray:
    """Return measured bits as 1 and -1, the first qubit first."""
    return 1 - 2 * result.data.meas.to_bool_array()[:, ::-1].astype(int)
