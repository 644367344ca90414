"""Cuts a circuit to the qubits it uses.

A circuit compiled for a device is as wide as the device, and all but a few of its qubits stay in
the ground state. A qubit counts as used when anything but a barrier or a delay acts on it: neither
changes a qubit in the ground state, and no device model heats one. Classical bits, registers and
variables are kept untouched, so results keep their shape.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from qiskit.circuit import (
    Barrier,
    CircuitInstruction,
    ControlFlowOp,
    QuantumCircuit,
    Qubit,
)

from qsession_widgets.emulator.engine.instruction_names import has_control_flow

IDLE_OPERATIONS = frozenset({"barrier", "delay"})


def active_qubits(circuit: QuantumCircuit) -> set[int]:
    """Return the indices of the qubits on which something happens."""
    index = {bit: position for position, bit in enumerate(circuit.qubits)}
    active: set[int] = set()
    if not has_control_flow(circuit):
        used: set[Qubit] = set()
        for instruction in circuit.data:
            if instruction.name not in IDLE_OPERATIONS:
                used.update(instruction.qubits)
        return {index[qubit] for qubit in used}
    for instruction in circuit.data:
        if instruction.name in IDLE_OPERATIONS:
            continue
        qubits = instruction.qubits
        if instruction.is_control_flow():
            for block in instruction.operation.blocks:
                active.update(index[qubits[inner]] for inner in active_qubits(block))
        else:
            active.update(index[qubit] for qubit in qubits)
    return active


def compact(circuit: QuantumCircuit, kept: Sequence[int]) -> QuantumCircuit:
    """Return a circuit of the kept qubits only: its qubit i is the given circuit's ``kept[i]``.

    Parameters
    ----------
    circuit : QuantumCircuit
        Left unchanged.
    kept : sequence of int
        Qubit indices, all active ones among them.

    Raises
    ------
    ValueError
        If an operation other than a barrier or a delay acts on a qubit that is not kept.
    """
    new_qubits = [Qubit() for _ in kept]
    replacement = {circuit.qubits[old]: new for old, new in zip(kept, new_qubits, strict=True)}
    compacted = empty_like(circuit, new_qubits)
    for instruction in circuit.data:
        reduced = _reduce(instruction, replacement)
        if reduced is not None:
            # The checks of append() were made when the circuit was built, and cost ten times more.
            compacted._append(reduced)
    return compacted


def empty_like(circuit: QuantumCircuit, qubits: Collection[Qubit]) -> QuantumCircuit:
    """Return an empty circuit of some qubits, with the classical half of another."""
    empty = QuantumCircuit(
        name=circuit.name, global_phase=circuit.global_phase, metadata=circuit.metadata
    )
    empty.add_bits(qubits)
    empty.add_bits(circuit.clbits)
    for register in circuit.cregs:
        empty.add_register(register)
    for variable in circuit.iter_input_vars():
        empty.add_input(variable)
    for variable in circuit.iter_captured_vars():
        empty.add_capture(variable)
    for variable in circuit.iter_declared_vars():
        empty.add_uninitialized_var(variable)
    return empty


def _reduce(
    instruction: CircuitInstruction, replacement: dict[Qubit, Qubit]
) -> CircuitInstruction | None:
    """Return the instruction on the kept qubits, or None if nothing of it remains."""
    qubits = [replacement[qubit] for qubit in instruction.qubits if qubit in replacement]
    if len(qubits) == len(instruction.qubits) and not instruction.is_control_flow():
        return instruction.replace(qubits=qubits)
    if instruction.name == "barrier":
        if not qubits:
            return None
        barrier = Barrier(len(qubits), label=instruction.label)
        return instruction.replace(operation=barrier, qubits=qubits)
    if instruction.name == "delay":
        return None
    operation = instruction.operation
    if isinstance(operation, ControlFlowOp):
        inner = [at for at, qubit in enumerate(instruction.qubits) if qubit in replacement]
        blocks = [compact(block, inner) for block in operation.blocks]
        return instruction.replace(operation=operation.replace_blocks(blocks), qubits=qubits)
    raise ValueError(f"The operation {instruction.name!r} acts on a qubit that is not kept.")
