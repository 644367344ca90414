"""Digests of circuits, remembered for as long as a circuit is there and unchanged."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import Barrier, Measure, Parameter, ParameterExpression, Reset

from .. import fork_safety
from .circuit_digest import digest_of
from .hasher import Hasher

REMEMBERED = 64
"""Circuits whose digests are remembered."""
MOST_INSTRUCTIONS = 200_000
"""Instructions of all of them together, but for the last one alone: 200 bytes each."""

_COMPARED = (Barrier, Measure, Reset)
"""Those that have no numbers. Of a delay, Qiskit's comparison does not see the duration."""

Feed = Callable[[Hasher, Any], None]
"""Takes in a value that is no part of circuits, such as metadata."""


class _Known:
    """A circuit whose digest is known, as it was then.

    Attributes
    ----------
    size : int
        Its number of instructions.
    digest : bytes
        Its digest.
    """

    def __init__(self, circuit: QuantumCircuit, digest: bytes):
        then = circuit.copy()
        self._circuit = weakref.ref(circuit)
        self._facts = _facts(then)
        # as objects: a comparison with the copy's data would make them anew each time
        self._instructions = list(then.data)
        # Qiskit's comparison of expressions has a tolerance
        self._expressions = [
            (number, _texts(instruction))
            for number, instruction in enumerate(self._instructions)
            if any(map(_is_expression, instruction.params))
        ]
        self.size = len(self._instructions)
        self.digest = digest

    @property
    def gone(self) -> bool:
        """True if the circuit is no more."""
        return self._circuit() is None

    def is_still(self, circuit: QuantumCircuit) -> bool:
        """Check that a circuit is this one, and unchanged; the numbers in it by their bits."""
        return (
            bool(self._circuit() is circuit)
            and not any((circuit.num_vars, circuit.num_stretches))
            and not isinstance(circuit.global_phase, ParameterExpression)
            and self._facts == _facts(circuit)
            and bool(circuit.data == self._instructions)
            and all(_texts(circuit.data[number]) == text for number, text in self._expressions)
        )


def _is_expression(value: Any) -> bool:
    return isinstance(value, ParameterExpression) and not isinstance(value, Parameter)


def _texts(instruction: Any) -> list[str]:
    return [str(value) for value in instruction.params]


def _facts(circuit: QuantumCircuit) -> tuple[Any, ...]:
    """Everything about a circuit that counts and is no instruction."""
    bits = circuit.num_qubits, circuit.num_clbits
    return list(circuit.cregs), bits, circuit.global_phase


class CircuitDigests:
    """Digests of circuits, remembered for as long as a circuit is there and unchanged.

    Every time, the circuit is compared with a copy of what it was. Only circuits of standard gates
    are remembered, which no other code can change in place unnoticed; none with delays, and none
    where labels count, for the comparison sees neither durations nor labels.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[int, _Known] = OrderedDict()
        self._lock = fork_safety.lock()

    def of(self, circuit: QuantumCircuit, feed: Feed, *, labels: bool = False) -> bytes:
        """The digest of a circuit.

        Parameters
        ----------
        circuit : QuantumCircuit
            The circuit.
        feed : callable
            Takes in its metadata.
        labels : bool
            Whether labels of standard gates count.

        Raises
        ------
        Unfingerprintable
            It holds something that cannot be told from another.
        """
        body = None if labels else self._remembered(circuit)
        if body is None:
            body = digest_of(circuit, labels=labels)
            if not labels and _may_be_remembered(circuit):
                self._remember(circuit, body)
        hasher = Hasher()
        hasher.add("circuit", body)
        if circuit.metadata:
            feed(hasher, circuit.metadata)
        return hasher.digest()

    def _remembered(self, circuit: QuantumCircuit) -> bytes | None:
        with self._lock:
            known = self._known.get(id(circuit))
        return known.digest if known is not None and known.is_still(circuit) else None

    def _remember(self, circuit: QuantumCircuit, body: bytes) -> None:
        made = _Known(circuit, body)
        with self._lock:
            self._known = OrderedDict(
                (number, known) for number, known in self._known.items() if not known.gone
            )
            self._known[id(circuit)] = made
            self._known.move_to_end(id(circuit))
            size = sum(known.size for known in self._known.values())
            while len(self._known) > REMEMBERED or (
                len(self._known) > 1 and size > MOST_INSTRUCTIONS
            ):
                _, oldest = self._known.popitem(last=False)
                size -= oldest.size


def _may_be_remembered(circuit: QuantumCircuit) -> bool:
    return (
        not any((circuit.num_vars, circuit.num_stretches))
        and not isinstance(circuit.global_phase, ParameterExpression)
        and all(map(_is_compared, circuit.data))
    )


def _is_compared(instruction: Any) -> bool:
    """Check that Qiskit's comparison sees all that an instruction asks for."""
    return (
        instruction.is_standard_gate()
        or getattr(instruction.operation, "base_class", None) in _COMPARED
    )
