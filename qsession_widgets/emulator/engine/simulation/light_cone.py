"""The part of a circuit that the measurement of some qubits depends on."""

from __future__ import annotations

from collections.abc import Collection

from qiskit.circuit import CircuitInstruction, QuantumCircuit

from qsession_widgets.emulator.engine.simulation.compaction import empty_like

Steps = list[tuple[CircuitInstruction, tuple[int, ...]]]
"""A circuit's instructions without barriers, each with its qubits, the last one first."""


def backwards(circuit: QuantumCircuit) -> Steps:
    """Return the instructions of a circuit, in the order in which light cones are followed."""
    index = {qubit: at for at, qubit in enumerate(circuit.qubits)}
    found = [
        (instruction, tuple([index[qubit] for qubit in instruction.qubits]))
        for instruction in circuit.data
        if instruction.name != "barrier"
    ]
    found.reverse()
    return found


def cut(
    steps: Steps, measured: Collection[int], limit: int | None = None
) -> tuple[list[CircuitInstruction], set[int]]:
    """Return what happens in the past light cone of a circuit's last measurements.

    A gate that no measurement follows, not even by way of other gates, does nothing to the state of
    the rest, and nor does its noise: both preserve the trace.

    Parameters
    ----------
    steps : Steps
        Of gates, delays and measurements.
    measured : collection of int
        Qubits whose measurements matter; all other measurements are left out.
    limit : int, optional
        Stop where more qubits than these are reached.

    Returns
    -------
    tuple
        The instructions in the cone, and the qubits it reaches.
    """
    reached = set(measured)
    kept: list[CircuitInstruction] = []
    for instruction, qubits in steps:
        if instruction.name == "measure":
            if qubits[0] in measured:
                kept.append(instruction)
        elif not reached.isdisjoint(qubits):
            kept.append(instruction)
            if len(qubits) > 1:
                reached.update(qubits)
                if limit is not None and len(reached) > limit:
                    break
    kept.reverse()
    return kept, reached


def circuit_of(
    circuit: QuantumCircuit, instructions: Collection[CircuitInstruction]
) -> QuantumCircuit:
    """Return a circuit of some of another's instructions, on all its qubits and bits."""
    found = empty_like(circuit, circuit.qubits)
    for instruction in instructions:
        found._append(instruction)
    return found
