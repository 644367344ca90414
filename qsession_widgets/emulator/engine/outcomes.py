"""From the simulator's hexadecimal outcomes to the arrays a result consists of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import ClassicalRegister, Clbit, QuantumCircuit


def bits(texts: Sequence[str], num_bits: int) -> NDArray[np.uint8]:
    """Return outcomes as bits.

    Parameters
    ----------
    texts : sequence of str
        Hexadecimal numbers such as ``"0x1f"``.
    num_bits : int
        How many classical bits there are.

    Returns
    -------
    ndarray
        Shape ``(len(texts), num_bits)``; column i is classical bit i.
    """
    num_bytes = max(1, (num_bits + 7) // 8)
    joined = "".join(text[2:].zfill(2 * num_bytes) for text in texts)
    packed = np.frombuffer(bytes.fromhex(joined), dtype=np.uint8).reshape(len(texts), num_bytes)
    return np.unpackbits(packed[:, ::-1], axis=1, bitorder="little")[:, :num_bits]


def columns(circuit: QuantumCircuit, register: ClassicalRegister) -> list[int]:
    """Return which classical bits of a circuit make up a register, lowest first."""
    index: Mapping[Clbit, int] = {bit: at for at, bit in enumerate(circuit.clbits)}
    return [index[bit] for bit in register]


def packed(outcome_bits: NDArray[np.uint8], chosen: Sequence[int]) -> NDArray[np.uint8]:
    """Return some bits of every shot in the layout of a ``BitArray``.

    Returns
    -------
    ndarray
        Shape ``(shots, bytes)``: big-endian, padded with zeros at the top.
    """
    selected = outcome_bits[:, list(chosen)]
    return np.packbits(selected, axis=1, bitorder="little")[:, ::-1]
