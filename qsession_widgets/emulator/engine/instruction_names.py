"""Names of a circuit's instructions, looked at without a turn through all of them in Python."""

from __future__ import annotations

from collections.abc import Iterable

from qiskit.circuit import CONTROL_FLOW_OP_NAMES, QuantumCircuit

_CONTROL_FLOW = frozenset(CONTROL_FLOW_OP_NAMES)


def has_control_flow(circuit: QuantumCircuit) -> bool:
    """True if a circuit has instructions with blocks of others in them."""
    return not _CONTROL_FLOW.isdisjoint(circuit.count_ops())


def may_hold(circuit: QuantumCircuit, names: Iterable[str]) -> bool:
    """True unless a circuit certainly has no instruction of some names, at any depth."""
    return not _CONTROL_FLOW.union(names).isdisjoint(circuit.count_ops())
