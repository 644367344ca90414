"""How an observable is measured: which rotations, which bits, and what an outcome is worth.

A term of an observable is a label with one letter per qubit, the highest qubit first: a Pauli
letter, or one of ``0 1 + - r l`` for the projector on that state. Terms whose letters agree, qubit
by qubit, on the axis to measure share one circuit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import ClassicalRegister, Gate, QuantumCircuit
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.quantum_info import PauliList
from qiskit.transpiler import InstructionProperties, PassManager, Target
from qiskit.transpiler.passes import Optimize1qGatesDecomposition

from qsession_widgets.emulator.engine.device import Device
from qsession_widgets.emulator.engine.failure import INVALID_OBSERVABLE, JobFailure

_AXIS = {"I": "I", "X": "X", "Y": "Y", "Z": "Z"}
_AXIS.update({"0": "Z", "1": "Z", "+": "X", "-": "X", "r": "Y", "l": "Y"})

_WORTH = {"I": (1.0, 1.0), "0": (1.0, 0.0), "1": (0.0, 1.0)}
_WORTH.update({"+": (1.0, 0.0), "-": (0.0, 1.0), "r": (1.0, 0.0), "l": (0.0, 1.0)})
_WORTH.update({"X": (1.0, -1.0), "Y": (1.0, -1.0), "Z": (1.0, -1.0)})


def support(label: str) -> list[int]:
    """Return the qubits on which a term is not the identity."""
    return [qubit for qubit, letter in enumerate(reversed(label)) if letter != "I"]


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

    def evaluate(
        self, bits: NDArray[np.uint8], weights: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and variance of each term over outcomes, each of some weight."""
        bits = bits[:, self.first_bit :]
        weights = weights / weights.sum()
        means = np.empty(len(self.labels))
        squares = np.empty(len(self.labels))
        for at, factors in enumerate(self.worth):
            values = np.where(bits, factors[:, 1], factors[:, 0]).prod(axis=1)
            means[at] = weights @ values
            squares[at] = weights @ values**2
        return means, np.maximum(squares - means**2, 0.0)


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
