"""From the simulator's hexadecimal outcomes to the arrays a result consists of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import ClassicalRegister, Clbit, QuantumCircuit

from qsession_widgets.emulator.engine.simulation.approximation import Approximation


class Sampled(NamedTuple):
    """Outcomes of one circuit with one parameter set.

    Attributes
    ----------
    bits : ndarray
        Outcomes, shape ``(rows, classical bits)``.
    weights : ndarray
        How many shots each row stands for, shape ``(rows,)``; where outcomes are wanted shot by
        shot, a row is a shot.
    realizations : ndarray or None
        Which realization of the noise each row has, where several rows share one.
    approximation : Approximation or None
        In what way they are not exact.
    """

    bits: NDArray[np.uint8]
    weights: NDArray[np.float64]
    realizations: NDArray[np.intp] | None = None
    approximation: Approximation | None = None


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
    distinct = dict.fromkeys(texts)
    if 2 * len(distinct) < len(texts):
        # Few texts that come again and again: each is read once.
        row = {text: at for at, text in enumerate(distinct)}
        rows = np.fromiter(map(row.__getitem__, texts), dtype=np.intp, count=len(texts))
        return bits(list(distinct), num_bits)[rows]
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
