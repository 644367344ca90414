"""Circuits with twirled gates, all randomizations at once: the gates that twirling adds, as noise.

A twirled layer begins with two ``sx`` on each of its qubits, whatever their gates were before; the
Paulis that are drawn are in the angles between them. Averaged over randomizations only the errors
of what was added are left, which are those of as many identity gates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from qiskit.circuit import CircuitInstruction, QuantumCircuit
from qiskit.circuit.library import IGate
from qiskit.quantum_info import PauliLindbladMap

from qsession_widgets.emulator.engine.programs import layers, prepared
from qsession_widgets.emulator.engine.programs.pubs import CircuitFacts
from qsession_widgets.emulator.engine.simulation import injected_noise
from qsession_widgets.emulator.engine.simulation.compaction import empty_like

_DRESSING = 2
"""Pulses of each qubit before a layer. Source: samplomatic's decomposition ``rzsx``."""

_PULSES = ("sx", "sxdg", "x", "id")
"""Gates on one qubit that take a pulse."""

_IDENTITY = IGate()


def dressed(
    facts: CircuitFacts,
    kept: tuple[int, ...],
    boxing: Mapping[str, Any],
    injected: Mapping[str, PauliLindbladMap] | None = None,
    scale: float = 0.0,
) -> QuantumCircuit:
    """Return a circuit with identity gates where twirling adds pulses.

    Parameters
    ----------
    facts : CircuitFacts
        The circuit, as wide as the device, without control flow.
    kept : tuple of int
        Its qubits that are in use.
    boxing : Mapping
        The client's options for grouping gates into layers.
    injected : Mapping, optional
        The noise of layers by their names, where noise is injected after them.
    scale : float
        Factor of what is injected: minus one undoes the noise.

    Raises
    ------
    JobFailure
        If the client's functions cannot group the circuit into layers.
    """
    boxed = boxed_circuit(facts, kept, boxing, inject=injected is not None)
    circuit = facts.straight
    outer = dict(zip(boxed.qubits, (circuit.qubits[at] for at in kept), strict=True))
    place = {qubit: number for number, qubit in enumerate(circuit.qubits)}
    found = empty_like(circuit, circuit.qubits)
    for box in boxed.data:
        at = [outer[qubit] for qubit in box.qubits]
        if box.name != "box":
            found._append(box.replace(qubits=at))
            continue
        body = box.operation.body
        inner = dict(zip(body.qubits, at, strict=True))
        gates = [
            gate.replace(qubits=[inner[qubit] for qubit in gate.qubits])
            for gate in body.data
            if gate.name not in ("measure", "barrier")
        ]
        if any(len(gate.qubits) > 1 for gate in gates):
            pulses = Counter(gate.qubits[0] for gate in gates if gate.name in _PULSES)
            for qubit in at:
                for _ in range(_DRESSING - pulses[qubit]):
                    found._append(CircuitInstruction(_IDENTITY, (qubit,)))
        for gate in gates:
            found._append(gate)
        noise = (injected or {}).get(layers.reference(box) or "")
        if noise is not None:
            # a map's qubits are in the order of the circuit's
            ordered = sorted(at, key=place.__getitem__)
            for operation, on in injected_noise.injected(noise, scale):
                found._append(CircuitInstruction(operation, [ordered[each] for each in on]))
    return found


def boxed_circuit(
    facts: CircuitFacts, kept: tuple[int, ...], boxing: Mapping[str, Any], *, inject: bool
) -> QuantumCircuit:
    """Return a circuit on the kept qubits, grouped into layers by the client's functions."""
    from qiskit_mitigation import PEC, MitigationTask

    key = ("boxed", kept, inject, *sorted(boxing.items()))
    if key not in facts.extra:
        task = PEC if inject else MitigationTask
        try:
            # The boxing alone has no public name, as in `layers`.
            facts.extra[key] = task._box_circuit(prepared.registered(facts, kept), dict(boxing))
        except Exception as error:
            raise layers.refused(error) from error
    found: QuantumCircuit = facts.extra[key]
    return found
