"""Writes out loops whose turns are known, because the simulator draws shots of straight circuits.

Whatever has control flow in it is simulated shot by shot; a loop over known numbers needs not be.
"""

from __future__ import annotations

from qiskit.circuit import ForLoopOp, QuantumCircuit
from qiskit.transpiler import PassManager
from qiskit.transpiler.passes import UnrollForLoops

from qsession_widgets.emulator.engine.instruction_names import has_control_flow

LONGEST = 50_000
"""Instructions; a circuit that would have more stays as it is."""


def unrolled(circuit: QuantumCircuit) -> QuantumCircuit:
    """Return a circuit with its static loops written out, or itself if there are none to write."""
    if (
        not has_control_flow(circuit)
        or not _has_loops(circuit)
        or _leaves(circuit)
        or _length(circuit) > LONGEST
    ):
        return circuit
    # One pass writes out one level of loops.
    found, before = circuit, -1
    while _has_loops(found) and (loops := _loops(found)) != before:
        before = loops
        found = PassManager([UnrollForLoops()]).run(found)
    return found


def _has_loops(circuit: QuantumCircuit) -> bool:
    return _loops(circuit) > 0


def _loops(circuit: QuantumCircuit) -> int:
    """Return how many ``for`` loops there are, at any depth."""
    return sum(
        (instruction.name == "for_loop")
        + sum(_loops(block) for block in instruction.operation.blocks)
        for instruction in circuit.data
        if instruction.is_control_flow()
    )


def _leaves(circuit: QuantumCircuit) -> bool:
    """True if a loop can be left early, or a turn of it cut short."""
    return any(
        instruction.name in ("break_loop", "continue_loop")
        or (
            instruction.is_control_flow()
            and any(_leaves(block) for block in instruction.operation.blocks)
        )
        for instruction in circuit.data
    )


def _length(circuit: QuantumCircuit) -> int:
    """Return how many instructions there would be."""
    total = 0
    for instruction in circuit.data:
        operation = instruction.operation if instruction.is_control_flow() else None
        if isinstance(operation, ForLoopOp):
            total += len(operation.params[0]) * _length(operation.params[2])
        elif operation is not None:
            total += sum(_length(block) for block in operation.blocks)
        else:
            total += 1
    return total
