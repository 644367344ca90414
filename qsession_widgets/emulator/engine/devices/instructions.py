"""A device's own kinds of instructions, told to the simulator as what they do.

Some devices have a second, shorter measurement or reset, named ``measure_2`` or ``reset_2``. The
simulator knows one of each. Its readout error belongs to a qubit, not to an instruction, so the
shorter kind is simulated with the readout error of the qubit's usual measurement.
"""

from __future__ import annotations

import re

from qiskit.circuit import Measure, QuantumCircuit, Reset

from qsession_widgets.emulator.engine.instruction_names import has_control_flow

_VARIANT = re.compile(r"(measure|reset)_\d+")
_PLAIN = {"measure": Measure, "reset": Reset}


def plain(circuit: QuantumCircuit) -> QuantumCircuit:
    """Return a circuit in which every second kind of measurement or reset is the usual one.

    The circuit itself when there is none in it, which is left unchanged in any case.
    """
    if not _has_variant(circuit):
        return circuit
    rewritten = circuit.copy_empty_like()
    for instruction in circuit.data:
        operation = instruction.operation
        if instruction.is_control_flow():
            blocks = [plain(block) for block in operation.blocks]
            instruction = instruction.replace(operation=operation.replace_blocks(blocks))
        elif found := _VARIANT.fullmatch(instruction.name):
            instruction = instruction.replace(operation=_PLAIN[found[1]]())
        rewritten._append(instruction)
    return rewritten


def _has_variant(circuit: QuantumCircuit) -> bool:
    if any(map(_VARIANT.fullmatch, circuit.count_ops())):
        return True
    return has_control_flow(circuit) and any(
        any(map(_has_variant, instruction.operation.blocks))
        for instruction in circuit.data
        if instruction.is_control_flow()
    )
