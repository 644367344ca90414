"""Hashes of values of any kind, taken in unambiguously."""

from __future__ import annotations

import hashlib
import struct
from typing import Any

import numpy as np

SIZE = 20
"""Bytes of a digest."""


class Unfingerprintable(Exception):
    """A value cannot be told from another one like it: what holds it is never taken for paid."""


class Hasher:
    """Collects values unambiguously: each has its kind and length before it."""

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=SIZE)

    def add(self, kind: str, data: bytes = b"") -> None:
        """Take in a value of some kind."""
        self._hash.update(b"%s%d:" % (kind.encode(), len(data)))
        self._hash.update(data)

    def text(self, kind: str, value: str) -> None:
        """Take in a text."""
        self.add(kind, value.encode("utf-8", "surrogatepass"))

    def count(self, kind: str, *numbers: int) -> None:
        """Take in whole numbers, such as indices."""
        self.text(kind, ",".join(map(str, numbers)))

    def number(self, value: Any) -> None:
        """Take in a number by its bits; a whole one is the same as an int and as a float."""
        if isinstance(value, bool | np.bool_):
            self.add("b", b"1" if value else b"0")
        elif isinstance(value, complex | np.complexfloating):
            self.add("z", struct.pack("<dd", value.real, value.imag))
        elif isinstance(value, int | np.integer) and float(value) != value:
            self.text("i", str(int(value)))
        else:
            self.add("f", struct.pack("<d", float(value)))

    def array(self, value: np.ndarray[Any, Any]) -> None:
        """Take in an array of numbers by their bits, whatever the order of bytes here."""
        little = value.astype(value.dtype.newbyteorder("<"), copy=False)
        self.text("a", f"{little.dtype.str}{little.shape}")
        self.add("A", little.tobytes())

    def digest(self) -> bytes:
        """The digest of all that was taken in."""
        return self._hash.digest()
