"""The noise of a layer of gates as Pauli-Lindblad rates, computed from the noise that is simulated.

A layer is what twirling randomizes at once: two-qubit gates side by side, with one-qubit gates
before them. Twirled, the channel of each gate keeps only its Pauli fidelities, and from these the
rates follow by a Walsh-Hadamard transform. Channels of gates side by side multiply, so for a layer
of such gates this is exact, where a learning experiment has statistical errors.

Source: E. van den Berg et al., Nature Physics 19, 1116 (2023), arXiv:2201.09866.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import CircuitInstruction, QuantumCircuit
from qiskit.quantum_info import PTM, Operator, PauliLindbladMap

from qsession_widgets.emulator.engine.devices.noise_source import Noise
from qsession_widgets.emulator.engine.simulation.pauli_noise import letters, rates

Term = tuple[str, list[int], float]
"""Pauli letters, the positions they stand at, and a rate; as `PauliLindbladMap` takes them."""

_SMALLEST = 1e-12
"""Rates below are rounding errors."""


def layer_terms(
    layer: QuantumCircuit, qubits: Sequence[int], noise: Noise, *, dressed: bool = True
) -> list[Term]:
    """Return the noise of a layer of gates, as it acts after them.

    Parameters
    ----------
    layer : QuantumCircuit
        Gates on at most two qubits each, no two of them on the same qubit; barriers are ignored.
    qubits : sequence of int
        For each qubit of ``layer`` its number among those that ``noise`` speaks of.
    noise : Noise
        What is simulated.
    dressed : bool
        Whether every qubit has a twirling gate of two ``sx`` before the layer.

    Returns
    -------
    list of Term
        By position in ``layer``; a rate below zero, which no Pauli channel has, is left out.
    """
    found: list[Term] = []
    index = {bit: at for at, bit in enumerate(layer.qubits)}
    rest = set(range(layer.num_qubits))
    for instruction in layer.data:
        if instruction.name == "barrier":
            continue
        at = [index[bit] for bit in instruction.qubits]
        rest.difference_update(at)
        found += _terms(_after(instruction, [qubits[each] for each in at], noise, dressed), at)
    if dressed:
        for each in sorted(rest):
            found += _terms(_dressing(qubits[each], noise), [each])
    return found


def readout_terms(qubits: Sequence[int], noise: Noise) -> list[Term]:
    """Return the twirled readout error of some qubits: the rate of a flip, by position."""
    found: list[Term] = []
    for at, qubit in enumerate(qubits):
        matrix = noise.readout(qubit)
        flipped = 0.0 if matrix is None else float(matrix[0, 1] + matrix[1, 0]) / 2
        fidelity = (1 - 2 * flipped) * _dressing(qubit, noise)[3]
        factors = noise.twirled("measure", (qubit,))
        if factors is not None:
            fidelity *= float(factors[3])
        found.append(("X", [at], max(0.0, -np.log(max(fidelity, 1e-9)) / 2)))
    return found


def lindblad_map(terms: Sequence[Term], num_qubits: int) -> PauliLindbladMap:
    """Return terms as one map, equal ones added up."""
    found: dict[tuple[str, tuple[int, ...]], float] = {}
    for names, at, rate in terms:
        key = (names, tuple(at))
        found[key] = found.get(key, 0.0) + rate
    return PauliLindbladMap.from_sparse_list(
        [(names, list(at), rate) for (names, at), rate in found.items()], num_qubits
    )


def _after(
    instruction: CircuitInstruction, qubits: Sequence[int], noise: Noise, dressed: bool
) -> NDArray[np.float64]:
    """Return the Pauli fidelities of a gate with its dressing, moved behind the gate."""
    size = 4 ** len(qubits)
    fidelities = np.ones(size)
    if dressed:
        before: NDArray[np.float64] = np.ones(1)
        # The last qubit's letter is the first of a label.
        for qubit in qubits:
            before = np.asarray(np.kron(_dressing(qubit, noise), before), dtype=float)
        fidelities = np.asarray(PTM(Operator(instruction.operation)).data.real) ** 2 @ before
    factors = noise.twirled(instruction.name, tuple(qubits))
    return fidelities if factors is None else fidelities * factors


def _dressing(qubit: int, noise: Noise) -> NDArray[np.float64]:
    """Return the Pauli fidelities of a twirling gate: two ``sx`` with turns about Z in between.

    The turns are random, so each channel acts with its axes mixed: all three of the first gate's,
    and those across Z of the second's.
    """
    factors = noise.twirled("sx", (qubit,))
    if factors is None:
        return np.ones(4)
    _, x, y, z = factors
    first, across = (x + y + z) / 3, (x + y) / 2
    return np.array([1.0, first * across, first * across, first * z])


def _terms(fidelities: NDArray[np.float64], at: Sequence[int]) -> list[Term]:
    """Return the rates of a Pauli channel on one or two qubits, from its fidelities."""
    found: list[Term] = []
    for label, rate in zip(letters(len(at)), rates(fidelities), strict=True):
        if rate > _SMALLEST:
            placed = sorted(
                (place, letter) for place, letter in zip(at, label, strict=True) if letter != "I"
            )
            names = "".join(letter for _, letter in placed)
            found.append((names, [place for place, _ in placed], float(rate)))
    return found
