"""Measurement of observables: basis rotations, bits, and the value of an outcome.

A term of an observable is a label with one letter per qubit, the highest qubit first: a Pauli
letter, or one of ``0 1 + - r l`` for the projector on that state. Terms whose letters agree, qubit
by qubit, on the axis to measure share one circuit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import ClassicalRegister, Gate, QuantumCircuit
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.quantum_info import PauliList
from qiskit.transpiler import InstructionProperties, PassManager, Target
from qiskit.transpiler.passes import Optimize1qGatesDecomposition

from qsession_widgets.emulator.engine.devices.device import Device
from qsession_widgets.emulator.engine.failure import INVALID_OBSERVABLE, JobFailure

_AXIS = {"I": "I", "X": "X", "Y": "Y", "Z": "Z"}
_AXIS.update({"0": "Z", "1": "Z", "+": "X", "-": "X", "r": "Y", "l": "Y"})

_WORTH = {"I": (1.0, 1.0), "0": (1.0, 0.0), "1": (0.0, 1.0)}
_WORTH.update({"+": (1.0, 0.0), "-": (0.0, 1.0), "r": (1.0, 0.0), "l": (0.0, 1.0)})
_WORTH.update({"X": (1.0, -1.0), "Y": (1.0, -1.0), "Z": (1.0, -1.0)})

_TOGETHER = 1 << 22
"""Values of terms and sums that are in memory at once."""


def support(label: str) -> list[int]:
    """Return the qubits on which a term is not the identity."""
    return [qubit for qubit, letter in enumerate(reversed(label)) if letter != "I"]


@dataclass(frozen=True, eq=False)
class Sums:
    """Weighted sums of terms, one after the other.

    Attributes
    ----------
    coefficients, terms : ndarray
        The summands: a factor each, and the position of a term.
    starts : ndarray
        Where each sum's summands start; none is empty.
    """

    coefficients: NDArray[np.float64]
    terms: NDArray[np.intp]
    starts: NDArray[np.intp]

    @classmethod
    def build(cls, sums: Sequence[Sequence[tuple[int, float]]]) -> Sums:
        """Return sums of summands that are given as pairs of a term's position and a factor."""
        terms, coefficients = zip(*chain.from_iterable(sums), strict=True)
        starts = np.cumsum([0, *(len(summands) for summands in sums[:-1])])
        return cls(np.array(coefficients, dtype=float), np.array(terms), starts)

    def of(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sums, shape ``(sums, rows)``, of terms' values, shape ``(terms, rows)``."""
        summands = self.coefficients[:, None] * values[self.terms]
        return np.add.reduceat(summands, self.starts, axis=0)


@dataclass(frozen=True, eq=False)
class Group:
    """Terms measured together.

    Attributes
    ----------
    labels : tuple of str
        The terms, on the device's qubits.
    circuit : QuantumCircuit
        The compacted circuit with rotations and measurements, parameters unbound.
    first_bit : int
        Classical bit of the first measured qubit; the others follow.
    worth : ndarray
        What each bit contributes as factor, shape ``(len(labels), measured qubits, 2)``.
    """

    labels: tuple[str, ...]
    circuit: QuantumCircuit
    first_bit: int
    worth: NDArray[np.float64]

    def qubit_of_bit(self) -> dict[int, int]:
        """The circuit's qubit that is measured for each bit."""
        index = {qubit: at for at, qubit in enumerate(self.circuit.qubits)}
        bit_of = {bit: at - self.first_bit for at, bit in enumerate(self.circuit.clbits)}
        return {
            bit_of[instruction.clbits[0]]: index[instruction.qubits[0]]
            for instruction in self.circuit.data
            if instruction.name == "measure" and bit_of[instruction.clbits[0]] >= 0
        }

    def evaluate(
        self,
        sums: Sums,
        bits: NDArray[np.uint8],
        weights: NDArray[np.float64],
        realizations: NDArray[np.intp] | None = None,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and variance, over single shots, of weighted sums of the terms.

        The terms of a shot depend on each other, so what varies is their sum: variances of the
        terms say nothing of it.

        Parameters
        ----------
        sums : Sums
            Of this group's terms.
        bits : ndarray
            Outcomes, shape ``(rows, classical bits)``.
        weights : ndarray
            How many shots each outcome stands for, shape ``(rows,)``.
        realizations : ndarray, optional
            Which realization of the noise each outcome has, where several share one, shape
            ``(rows,)``. Then the variance is that of a shot so independent of others that as many
            have a mean as certain as these: it holds what differs between realizations.

        Returns
        -------
        tuple of ndarray
            Each of shape ``(len(sums.starts),)``.
        """
        if realizations is not None:
            return self._between(sums, bits[:, self.first_bit :], realizations)
        bits = bits[:, self.first_bit :]
        weights = weights / weights.sum()
        rows = max(1, _TOGETHER // (len(self.labels) + len(sums.terms)))
        # Deviations from the first shot's sums: what never varies has a variance of exactly zero.
        first = sums.of(self._values(bits[:1]))
        means, squares = np.zeros(len(first)), np.zeros(len(first))
        for start in range(0, len(bits), rows):
            deviations = sums.of(self._values(bits[start : start + rows])) - first
            means += deviations @ weights[start : start + rows]
            squares += deviations**2 @ weights[start : start + rows]
        return first[:, 0] + means, np.maximum(squares - means**2, 0.0)

    def _between(
        self, sums: Sums, bits: NDArray[np.uint8], realizations: NDArray[np.intp]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        order = np.argsort(realizations, kind="stable")
        starts = np.flatnonzero(np.diff(realizations[order], prepend=-1))
        sizes = np.diff([*starts, len(order)])
        rows = max(1, _TOGETHER // (len(self.labels) + len(sums.terms)))
        values = np.concatenate(
            [
                sums.of(self._values(bits[order[start : start + rows]]))
                for start in range(0, len(order), rows)
            ],
            axis=1,
        )
        totals = np.add.reduceat(values, starts, axis=1)
        means = totals.sum(axis=1) / len(order)
        deviations = ((totals - means[:, None] * sizes) ** 2).sum(axis=1)
        return means, deviations / len(order) * len(starts) / max(len(starts) - 1, 1)

    def _values(self, bits: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return what each term is worth in each outcome, shape ``(len(labels), rows)``."""
        return np.array(
            [np.where(bits, one, zero).prod(axis=1) for zero, one in self.worth.swapaxes(1, 2)]
        )


def groups(
    cut: QuantumCircuit, kept: Sequence[int], labels: Iterable[str], device: Device
) -> list[Group]:
    """Return the circuits that measure some terms after a compacted circuit.

    Raises
    ------
    JobFailure
        If a label has an unknown letter.
    """
    ordered = sorted(labels)
    axes = []
    for label in ordered:
        letters = [label[len(label) - 1 - qubit] for qubit in kept]
        if not set(letters) <= _AXIS.keys():
            raise JobFailure(
                f"The observable term {label[:60]!r} has letters other than I X Y Z 0 1 + - r l.",
                INVALID_OBSERVABLE,
            )
        axes.append("".join(_AXIS[letter] for letter in reversed(letters)))
    by_axes: dict[str, list[str]] = {}
    for label, axis in zip(ordered, axes, strict=True):
        by_axes.setdefault(axis, []).append(label)
    found = []
    for commuting in PauliList(sorted(by_axes)).group_commuting(qubit_wise=True):
        members = [label for axis in commuting.to_labels() for label in by_axes[axis]]
        found.append(_group(cut, kept, commuting, members, device))
    return found


def _group(
    cut: QuantumCircuit,
    kept: Sequence[int],
    commuting: PauliList,
    labels: Sequence[str],
    device: Device,
) -> Group:
    x, z = commuting.x.any(axis=0), commuting.z.any(axis=0)
    # Terms without any letter still need shots to be counted.
    measured = [int(qubit) for qubit in np.flatnonzero(x | z)] or [0]
    circuit = cut.copy()
    register = ClassicalRegister(len(measured), "__measured")
    first_bit = circuit.num_clbits
    circuit.add_register(register)
    for bit, local in enumerate(measured):
        axis = ("Y" if z[local] else "X") if x[local] else "Z"
        for gate in _rotation(device, kept[local], axis):
            circuit.append(gate, [local])
        circuit.measure(local, register[bit])
    worth = np.array(
        [[_WORTH[label[len(label) - 1 - kept[local]]] for local in measured] for label in labels]
    )
    return Group(tuple(labels), circuit, first_bit, worth)


@lru_cache(maxsize=4096)
def _rotation(device: Device, qubit: int, axis: str) -> tuple[Gate, ...]:
    """Return the gates of a device that turn an axis into the measured one."""
    if axis == "Z":
        return ()
    circuit = QuantumCircuit(1)
    if axis == "Y":
        circuit.sdg(0)
    circuit.h(0)
    if not device.ideal:
        optimize = Optimize1qGatesDecomposition(target=_one_qubit_target(device, qubit))
        circuit = PassManager([optimize]).run(circuit)
    return tuple(instruction.operation for instruction in circuit.data)


def _one_qubit_target(device: Device, qubit: int) -> Target:
    """Return what the transpiler needs to know of one qubit to choose its cheapest rotation."""
    target = Target(num_qubits=1)
    known = get_standard_gate_name_mapping()
    for name in sorted(device.configuration["basis_gates"]):
        gate = known.get(name)
        if gate is None or gate.num_qubits != 1 or not isinstance(gate, Gate):
            continue
        entry = device.gates.get((name, (qubit,)))
        values = {v["name"]: v["value"] for v in entry["parameters"]} if entry else {}
        target.add_instruction(gate, {(0,): InstructionProperties(error=values.get("gate_error"))})
    return target
