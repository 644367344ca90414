"""Splits a circuit into islands: groups of qubits that have nothing to do with each other.

Qubits belong together when an instruction acts on several of them, when they share a classical bit
(both write it, or one writes what the other depends on), or when they are read out with errors that
depend on each other. Barriers join nothing, for they do nothing. Where a circuit holds something
whose reach is not known here, it is one island as a whole.

Simulating islands one by one is no approximation. Everything that happens acts within an island,
the noise of its gates and readouts included, and all qubits start in the ground state; so at given
parameter values the state of the whole is the product of the islands' states, and an outcome of the
whole is one outcome of each island, drawn independently. This holds because whatever could tell one
island about another joins them: a gate, a measurement followed by an operation that depends on it,
a variable, crosstalk in the readout.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from qiskit.circuit import (
    CircuitInstruction,
    Clbit,
    ControlFlowOp,
    Gate,
    QuantumCircuit,
    Qubit,
)
from qiskit.circuit.classical import expr

from qsession_widgets.emulator.engine.simulation.compaction import empty_like

_LOCAL_OPERATIONS = frozenset(
    {
        "barrier",
        "break_loop",
        "continue_loop",
        "delay",
        "initialize",
        "kraus",
        "measure",
        "quantum_channel",
        "reset",
        "superop",
    }
)
"""Operations other than gates that reach no further than the qubits and bits they name."""


@dataclass(eq=False)
class Island:
    """Qubits of a circuit that are simulated together.

    Attributes
    ----------
    circuit : QuantumCircuit
        What they are a part of.
    qubits, clbits : tuple of int
        Their indices there, and those of the classical bits the island uses, ascending.
    instructions : sequence of CircuitInstruction
        What happens on them, in order.
    """

    circuit: QuantumCircuit
    qubits: tuple[int, ...]
    clbits: tuple[int, ...]
    instructions: Sequence[CircuitInstruction]
    _placed: dict[tuple[int, ...], QuantumCircuit] = field(default_factory=dict, repr=False)

    @property
    def whole(self) -> bool:
        """True if all qubits of the circuit belong to it."""
        return len(self.qubits) == len(self.circuit.qubits)

    @property
    def measured(self) -> bool:
        """True if a classical bit depends on it; if none does, it need not be simulated."""
        return bool(self.clbits)

    def placed(self, lanes: tuple[int, ...]) -> QuantumCircuit:
        """Return a circuit of this island alone: its qubit i is the given circuit's ``lanes[i]``.

        Classical bits and registers are all of the given circuit's.
        """
        if lanes not in self._placed:
            if self.whole and lanes == self.qubits:
                return self.circuit
            bits = [Qubit() for _ in lanes]
            of_lane = dict(zip(lanes, bits, strict=True))
            new = {self.circuit.qubits[qubit]: of_lane[qubit] for qubit in self.qubits}
            placed = empty_like(self.circuit, bits)
            for instruction in self.instructions:
                placed._append(instruction.replace(qubits=[new[bit] for bit in instruction.qubits]))
            if len(self._placed) > 8:
                self._placed.clear()
            self._placed[lanes] = placed
        return self._placed[lanes]


class _Groups:
    """Disjoint sets of numbers, joined step by step."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def find(self, member: int) -> int:
        parent = self._parent
        while parent[member] != member:
            parent[member] = parent[parent[member]]
            member = parent[member]
        return member

    def join(self, members: Sequence[int]) -> None:
        for member in members[1:]:
            self._parent[self.find(member)] = self.find(members[0])


def split(circuit: QuantumCircuit, joined: Iterable[Sequence[int]] = ()) -> list[Island]:
    """Return the islands of a circuit, the largest first.

    Parameters
    ----------
    circuit : QuantumCircuit
        Of qubits on which something happens, as compaction leaves it.
    joined : iterable of sequence of int
        Groups of qubits to keep together for a reason outside of the circuit.

    Returns
    -------
    list of Island
        Together they have all instructions except barriers; qubits with no others are in none.
    """
    num_qubits = circuit.num_qubits
    qubit_at = {bit: at for at, bit in enumerate(circuit.qubits)}
    clbit_at: dict[object, int] = {bit: num_qubits + at for at, bit in enumerate(circuit.clbits)}
    if not _reach_is_known(circuit):
        return [
            Island(
                circuit, tuple(range(num_qubits)), tuple(range(circuit.num_clbits)), circuit.data
            )
        ]
    groups = _Groups(num_qubits + circuit.num_clbits)
    for qubits in joined:
        groups.join(list(qubits))
    acting: list[tuple[CircuitInstruction, list[int]]] = []
    for instruction in circuit.data:
        if instruction.name == "barrier":
            continue
        touched = [qubit_at[bit] for bit in instruction.qubits]
        touched += [clbit_at[bit] for bit in instruction.clbits]
        if instruction.is_control_flow():
            read = _bits_read(instruction.operation)
            touched += [clbit_at[bit] for bit in read if bit in clbit_at]
        if touched:
            groups.join(touched)
            acting.append((instruction, touched))

    instructions: dict[int, list[CircuitInstruction]] = {}
    members: dict[int, set[int]] = {}
    for instruction, touched in acting:
        root = groups.find(touched[0])
        instructions.setdefault(root, []).append(instruction)
        members.setdefault(root, set()).update(touched)
    found = [
        Island(
            circuit,
            tuple(sorted(at for at in members[root] if at < num_qubits)),
            tuple(sorted(at - num_qubits for at in members[root] if at >= num_qubits)),
            tuple(listed),
        )
        for root, listed in instructions.items()
    ]
    return sorted(found, key=lambda island: (-len(island.qubits), island.qubits))


def _reach_is_known(circuit: QuantumCircuit) -> bool:
    """True if no instruction reaches further than the qubits and bits it names."""
    if any(True for _ in circuit.iter_vars()) or bool(getattr(circuit, "num_stretches", 0)):
        return False
    for instruction in circuit.data:
        if instruction.is_control_flow():
            if not all(_reach_is_known(block) for block in instruction.operation.blocks):
                return False
        elif not (
            instruction.is_standard_gate()
            or instruction.name in _LOCAL_OPERATIONS
            or isinstance(instruction.operation, Gate)
        ):
            return False
    return True


def _bits_read(operation: ControlFlowOp) -> Iterator[Clbit]:
    """Yield the classical bits a control-flow operation, or one inside it, depends on."""
    condition = getattr(operation, "condition", None)
    for value in (condition, getattr(operation, "target", None)):
        if isinstance(value, tuple):
            value = value[0]
        if isinstance(value, expr.Expr):
            for variable in expr.iter_vars(value):
                yield from _bits(variable.var)
        elif value is not None:
            yield from _bits(value)
    for block in operation.blocks:
        for instruction in block.data:
            if instruction.is_control_flow():
                yield from _bits_read(instruction.operation)


def _bits(value: object) -> Iterator[Clbit]:
    if isinstance(value, Clbit):
        yield value
    elif hasattr(value, "__iter__"):
        yield from value
