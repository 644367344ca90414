"""Sizes that circuits declare in Qiskit's binary format (QPY), at any depth.

The format is walked as its readers do, and nothing is made: bodies of control flow and definitions
of gates are circuits of their own, each of which declares sizes. What does not follow the format is
left to the reader, which fails at the same place. The layouts are those of ``qiskit.qpy.formats``.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qsession_widgets.emulator.engine.declared_sizes import MOST_BITS, check_bits, check_elements
from qsession_widgets.emulator.engine.failure import INVALID_BODY, JobFailure

PREFACE = b"QISKIT"
"""Beginning of data in this format."""
MOST_IN_ALL = 1_000_000
"""Bits of all circuits, blocks and definitions in one text, and one more for each of its bytes."""
DEEPEST = 100
"""Circuits within circuits; the client's reader refuses more, too."""

_FILE_HEADER = struct.Struct("!6sBBBBQcc")
_OFFSET = struct.Struct("!Q")
_OFFSETS_SINCE = 16
"""Version since which the circuits' offsets follow the header of the file."""
_ANNOTATIONS_SINCE = 15
_TABLES_SINCE = 18
"""Version since which registers may name a range of bits, vectors have a table, and there are no
calibrations."""

_HEADER = struct.Struct("!HcHIIQIQI")
_REGISTER = struct.Struct("!c?IH?")
_ATTACHED = struct.Struct("!c?IH?B")
_RANGE = 1
_VECTOR = struct.Struct("!HQ16s")
_VARIABLE = struct.Struct("!16scH")
_DEFINITION = struct.Struct("!HcII?QIIQ")
_INSTRUCTION = struct.Struct("!HHHIIBHqII")
_ARGUMENT = struct.Struct("!cI")
_TYPED = struct.Struct("!cQ")
_MODIFIER = struct.Struct("!cIId")
_PARAMETER = struct.Struct("!H16s")
_ELEMENT = struct.Struct("!HQ16sQ")
_REFERENCE = struct.Struct("!HQ")
_EXPRESSION = struct.Struct("!QQ")
_OPERATION = struct.Struct("!Bc16sc16s")
_SYMBOL = struct.Struct("!ccQ")
_MAPPED = struct.Struct("!HcH")
_STATE = struct.Struct("!IQ")
_LAYOUT = struct.Struct("!?iiiIi")
_LAYOUT_BIT = struct.Struct("!ii")
_COUNT = struct.Struct("!I")
_LONG_COUNT = struct.Struct("!Q")
_SHORT_COUNT = struct.Struct("!H")
_BY_EXPRESSION = 2
_ANNOTATED = 0x80
_EVOLUTION = b"###PauliEvolutionGate_"


class _Unreadable(Exception):
    """Data that does not follow the format, or that is not walked any further."""


def check_qpy(data: bytes | bytearray) -> None:
    """Look at the sizes that circuits in QPY's format declare; other data has none.

    Raises
    ------
    JobFailure
        One declares too many bits, or too many elements of a parameter vector.
    """
    if not data.startswith(PREFACE) or len(data) < _FILE_HEADER.size:
        return
    _, version, *_, programs, _, _ = _FILE_HEADER.unpack_from(data)
    whole = memoryview(data)
    starts = [_FILE_HEADER.size]
    if version >= _OFFSETS_SINCE:
        table = whole[_FILE_HEADER.size :]
        known = min(programs, len(table) // _OFFSET.size, MOST_BITS)
        starts = [start for (start,) in _OFFSET.iter_unpack(table[: known * _OFFSET.size])]
        programs = 1
    for start in starts:
        walk = _Walk(whole[start:], version, 0, _Sum(MOST_IN_ALL + len(data)))
        try:
            for _ in range(programs):
                walk.circuit()
        except (struct.error, _Unreadable):
            continue
        except RecursionError:
            raise _too_deep() from None


def _too_deep() -> JobFailure:
    return JobFailure("A circuit is nested too deeply: use fewer blocks.", INVALID_BODY)


@dataclass
class _Sum:
    """The bits that may still be declared."""

    left: int

    def add(self, bits: int) -> None:
        """Count bits that one circuit, register or gate declares."""
        check_bits(bits)
        self.left -= bits
        if self.left < 0:
            raise JobFailure(
                f"The blocks and definitions of a circuit declare more than {MOST_IN_ALL:,} qubits "
                "and bits in all, which the emulator refuses: use smaller registers.",
                INVALID_BODY,
            )


class _Walk:
    """Goes over a part of the data, and looks at the sizes in it."""

    def __init__(self, data: memoryview, version: int, depth: int, sizes: _Sum):
        self._data = data
        self._sizes = sizes
        self._version = version
        self._depth = depth
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes that are left."""
        return len(self._data) - self._at

    def circuit(self) -> None:
        """Go over a circuit."""
        if self._depth > DEEPEST:
            raise _too_deep()
        name, kind, phase, qubits, bits, metadata, registers, count, variables = self._take(_HEADER)
        self._sizes.add(qubits + bits)
        self._skip(name)
        self._value(kind, phase)
        self._skip(metadata)
        self._registers(registers)
        for _ in range(variables):
            _, _, size = self._take(_VARIABLE)
            self._skip(_COUNT.size if self._bytes(1) == b"u" else 0)
            self._skip(size)
        if self._version >= _ANNOTATIONS_SINCE:
            for _ in range(*self._take(_COUNT)):
                self._skip(sum(self._take(_STATE)))
        if self._version >= _TABLES_SINCE:
            for _ in range(*self._take(_SHORT_COUNT)):
                size, elements, _ = self._take(_VECTOR)
                check_elements(elements)
                self._skip(size)
        for _ in range(*self._take(_LONG_COUNT)):
            self._definition()
        self._instructions(count)
        if self._version < _TABLES_SINCE and self._take(_SHORT_COUNT) != (0,):
            raise _Unreadable
        self._layout()

    def _registers(self, count: int) -> None:
        for _ in range(count):
            if self._version < _TABLES_SINCE:
                _, _, size, name, _ = self._take(_REGISTER)
                indices = _OFFSET.size * size
            else:
                _, _, size, name, _, kind = self._take(_ATTACHED)
                indices = _COUNT.size * (1 if kind == _RANGE else size)
            self._sizes.add(size)
            self._skip(name + indices)

    def _definition(self) -> None:
        name, _, qubits, bits, defined, size, controls, _, base = self._take(_DEFINITION)
        self._sizes.add(qubits + bits)
        check_bits(controls)
        evolution = self._bytes(name).startswith(_EVOLUTION)
        if defined and not evolution:
            self._within(size, _Walk.circuit)
        elif defined:
            self._skip(size)
        if base:
            self._within(base, lambda walk: walk._instruction(arguments=False))

    def _instructions(self, count: int) -> None:
        """Go over a circuit's instructions, plain ones without a call for each of their parts."""
        data, end, at = self._data, len(self._data), self._at
        plain, typed, values = _INSTRUCTION.unpack_from, _TYPED.unpack_from, _VALUES
        for _ in range(count):
            start = at
            name, label, parameters, qubits, bits, extras, condition, _, controls, _ = plain(
                data, at
            )
            simple = controls <= MOST_BITS and not extras & (_ANNOTATED | _BY_EXPRESSION)
            at += _INSTRUCTION.size + name + label + condition + _ARGUMENT.size * (qubits + bits)
            while simple and parameters and at <= end:
                kind, size = typed(data, at)
                simple = kind not in values
                at += _TYPED.size + size
                parameters -= 1
            if not simple:
                self._at = start
                self._instruction()
                at = self._at
            elif at > end:
                raise _Unreadable
        self._at = at

    def _instruction(self, *, arguments: bool = True) -> None:
        name, label, parameters, qubits, bits, extras, condition, _, controls, _ = self._take(
            _INSTRUCTION
        )
        check_bits(controls)
        self._skip(name + label + condition)
        if extras & 3 == _BY_EXPRESSION:
            self._typed()
        if arguments:
            self._skip(_ARGUMENT.size * (qubits + bits))
        for _ in range(parameters):
            self._typed()
        if extras & _ANNOTATED:
            for _ in range(*self._take(_COUNT)):
                _, size = self._take(_STATE)
                self._skip(size)

    def _layout(self) -> None:
        exists, initial, mapping, final, registers, _ = self._take(_LAYOUT)
        if not exists:
            return
        self._registers(registers)
        for _ in range(initial):
            index, size = self._take(_LAYOUT_BIT)
            self._skip(0 if index == size == -1 else size)
        self._skip(_COUNT.size * (max(0, mapping) + max(0, final)))

    # ---------------------------------------------------------------------------------------------
    # Values

    def _typed(self) -> None:
        kind, size = self._take(_TYPED)
        self._value(kind, size)

    def _value(self, kind: bytes, size: int) -> None:
        look = _VALUES.get(kind)
        if look is None:
            self._skip(size)
        else:
            self._within(size, look)

    def _sequence(self) -> None:
        for _ in range(*self._take(_LONG_COUNT)):
            self._typed()

    def _modifier(self) -> None:
        _, controls, _, _ = self._take(_MODIFIER)
        check_bits(controls)

    def _element(self) -> None:
        if self._version >= _TABLES_SINCE:
            self._take(_REFERENCE)
            return
        name, size, _, _ = self._take(_ELEMENT)
        check_elements(size)
        self._skip(name)

    def _expression(self) -> None:
        symbols, size = self._take(_EXPRESSION)
        self._within(size, _Walk._operations)
        for _ in range(symbols):
            kind, value_kind, size = self._take(_SYMBOL)
            if kind == b"p":
                name, _ = self._take(_PARAMETER)
                self._skip(name)
            elif kind == b"v":
                self._element()
            elif kind == b"e":
                self._expression()
            else:
                raise _Unreadable
            # one that stands for itself has no value
            self._value(value_kind if size else b"", size)

    def _operations(self) -> None:
        while self.left:
            _, kind, operand, _, _ = self._take(_OPERATION)
            if kind == b"u":
                # what is put in its parameters' place
                (size,) = _LONG_COUNT.unpack_from(operand)
                self._within(size, _Walk._mapping)

    def _mapping(self) -> None:
        for _ in range(*self._take(_LONG_COUNT)):
            name, kind, size = self._take(_MAPPED)
            self._skip(name)
            self._value(kind, size)

    # ---------------------------------------------------------------------------------------------
    # Bytes

    def _take(self, layout: struct.Struct) -> tuple[Any, ...]:
        values = layout.unpack_from(self._data, self._at)
        self._at += layout.size
        return values

    def _skip(self, size: int) -> None:
        if not 0 <= size <= self.left:
            raise _Unreadable
        self._at += size

    def _bytes(self, size: int) -> bytes:
        start = self._at
        self._skip(size)
        return bytes(self._data[start : self._at])

    def _within(self, size: int, look: Callable[[_Walk], None]) -> None:
        start = self._at
        self._skip(size)
        look(_Walk(self._data[start : self._at], self._version, self._depth + 1, self._sizes))


_VALUES: dict[bytes, Callable[[_Walk], None]] = {
    b"q": _Walk.circuit,
    b"t": _Walk._sequence,
    b"v": _Walk._element,
    b"e": _Walk._expression,
    b"m": _Walk._modifier,
}
"""Values that declare sizes, by the character of their type."""
