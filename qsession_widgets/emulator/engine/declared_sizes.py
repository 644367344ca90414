"""Sizes that a circuit declares in a few bytes, and that are allocated when it is read.

They are looked at before that: a register of a billion bits takes gigabytes.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from qiskit import QuantumCircuit

from qsession_widgets.emulator.engine.failure import INVALID_BODY, JobFailure

MOST_BITS = 100_000
"""Qubits and classical bits that a circuit may have, taken together."""

MOST_WRITTEN = 10_000
"""Instructions that the gates defined in a text may stand for, as they are copied when it is read,
at half a millisecond each: thirty gates of two of the one before it stand for a billion."""


def check_bits(count: int) -> None:
    """Refuse a circuit with too many qubits and classical bits.

    Raises
    ------
    JobFailure
        They are more than `MOST_BITS`.
    """
    _check(count, MOST_BITS, "A circuit declares", "qubits and bits", "registers")


def check_elements(count: int) -> None:
    """Refuse a circuit that has a parameter vector with too many elements.

    Raises
    ------
    JobFailure
        They are more than `MOST_BITS`.
    """
    _check(count, MOST_BITS, "A circuit declares a parameter vector with", "elements", "vectors")


def _check_written(count: int) -> None:
    what = "instructions with the definitions of its gates written out"
    _check(count, MOST_WRITTEN, "A circuit has", what, "definitions")


def _check(count: int, most: int, begins: str, what: str, smaller: str) -> None:
    if count > most:
        raise JobFailure(
            f"{begins} more than {most:,} {what}, which the emulator refuses: use smaller "
            f"{smaller}.",
            INVALID_BODY,
        )


def read_qasm(text: str) -> QuantumCircuit:
    """A circuit from OpenQASM 3, with each declared size looked at before it is allocated.

    Raises
    ------
    JobFailure
        It declares too many bits, or gates that stand for too many instructions.
    Exception
        The text does not parse.
    """
    import openqasm3

    for number in re.findall(r"\$0*([0-9_]+)", text):
        check_bits(int(number.replace("_", "")[:10] or 0) + 1)
    circuit: QuantumCircuit = _importer()().convert(openqasm3.parse(text)).circuit
    return circuit


@functools.cache
def _importer() -> Any:
    # importing it takes a while, and most circuits are not text
    from qiskit_qasm3_import.converter import ConvertVisitor

    class Importer(ConvertVisitor):
        def __init__(self) -> None:
            super().__init__()
            self._declared = 0
            self._gates: dict[str, int] = {}
            self._written = 0

        def _resolve_constant_int(self, node: Any, context: Any) -> int:
            # of registers and types, and numbers of controls
            value: int = super()._resolve_constant_int(node, context)
            check_bits(value)
            return value

        def visit_QubitDeclaration(self, node: Any, context: Any) -> Any:
            self._count(node.size, context)
            return super().visit_QubitDeclaration(node, context)

        def visit_ClassicalDeclaration(self, node: Any, context: Any) -> Any:
            self._count(getattr(node.type, "size", None), context)
            return super().visit_ClassicalDeclaration(node, context)

        def visit_QuantumGateDefinition(self, node: Any, context: Any) -> Any:
            size = sum(map(self._written_out, node.body))
            _check_written(size)
            self._gates[node.name.name] = max(1, size)
            return super().visit_QuantumGateDefinition(node, context)

        def visit_QuantumGate(self, node: Any, context: Any) -> Any:
            if node.name.name in self._gates:
                # its definition is copied
                self._written += self._gates[node.name.name]
                _check_written(self._written)
            return super().visit_QuantumGate(node, context)

        def _written_out(self, statement: Any) -> int:
            return self._gates.get(getattr(getattr(statement, "name", None), "name", ""), 1)

        def _count(self, size: Any, context: Any) -> None:
            self._declared += 1 if size is None else self._resolve_constant_int(size, context)
            check_bits(self._declared)

    return Importer
