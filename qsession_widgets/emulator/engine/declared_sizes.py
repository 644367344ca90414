"""Sizes that a circuit declares in a few bytes, and that are allocated when it is read.

They are looked at before that: a register of a billion bits takes gigabytes.
"""

from __future__ import annotations

import functools
import re
import struct
from typing import Any

from qiskit import QuantumCircuit

from qsession_widgets.emulator.engine.failure import INVALID_BODY, JobFailure

MOST_BITS = 100_000
"""Qubits and classical bits that a circuit may have, taken together."""

_PREFACE = b"QISKIT"
_FILE_HEADER = struct.Struct("!6sBBBBQcc")
_OFFSET = struct.Struct("!Q")
_OFFSETS_SINCE = 16
"""QPY version since which the circuits' offsets follow the header of the file."""
_BITS = struct.Struct("!HcHII")
"""Beginning of a circuit's header: lengths and type of name and phase, qubits, classical bits."""


def check_bits(count: int) -> None:
    """Refuse a circuit with too many qubits and classical bits.

    Raises
    ------
    JobFailure
        They are more than `MOST_BITS`.
    """
    if count > MOST_BITS:
        raise JobFailure(
            f"A circuit declares more than {MOST_BITS:,} qubits and bits, which the emulator "
            "refuses: use smaller registers.",
            INVALID_BODY,
        )


def check_qpy(data: bytes) -> None:
    """Look at the headers of circuits in QPY's format; other data has none.

    Of several circuits in a version before `_OFFSETS_SINCE`, only the first one can be found.

    Parameters
    ----------
    data : bytes
        The data, or its beginning: what is not in it is not looked at.

    Raises
    ------
    JobFailure
        One declares too many bits.
    """
    if not data.startswith(_PREFACE) or len(data) < _FILE_HEADER.size:
        return
    _, version, *_, programs, _, _ = _FILE_HEADER.unpack_from(data)
    table = data[_FILE_HEADER.size :]
    starts = [_FILE_HEADER.size]
    if version >= _OFFSETS_SINCE:
        known = min(programs, len(table) // _OFFSET.size, MOST_BITS)
        starts = [start for (start,) in _OFFSET.iter_unpack(table[: known * _OFFSET.size])]
    for start in starts:
        if start + _BITS.size <= len(data):
            *_, qubits, bits = _BITS.unpack_from(data, start)
            check_bits(qubits + bits)


def read_qasm(text: str) -> QuantumCircuit:
    """A circuit from OpenQASM 3, with each declared size looked at before it is allocated.

    Raises
    ------
    JobFailure
        It declares too many bits.
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

        def _count(self, size: Any, context: Any) -> None:
            self._declared += 1 if size is None else self._resolve_constant_int(size, context)
            check_bits(self._declared)

    return Importer
