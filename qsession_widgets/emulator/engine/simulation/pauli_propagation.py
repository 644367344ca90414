"""Expectation values of wide circuits: observables are carried back through the circuit.

All Clifford gates of a circuit are moved to its end, which turns the observable into another Pauli
operator, and the generators of the rotations and of the noise likewise. The package pauli-prop then
propagates the operator through the rotations and the noise, and bounds what it leaves out.
"""

from __future__ import annotations

import math
import warnings
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import CircuitInstruction
from qiskit.quantum_info import PauliList, SparsePauliOp

from qsession_widgets.emulator.engine.simulation import injected_noise
from qsession_widgets.emulator.engine.simulation.injected_noise import InjectedNoise
from qsession_widgets.emulator.engine.simulation.pauli_noise import letters, rates
from qsession_widgets.emulator.engine.simulation.stabilizer import quarter_turns

_QUARTER = math.pi / 2

TRIAL = (2_000, 1e-3)
"""Limits of a first attempt: terms kept at most, and the smallest coefficient kept."""
_HOPELESS_BOUND = 3.0
"""Bound of an attempt without noise beyond which no further attempt is made."""
_FIRST_TRIAL = 400
"""Instructions."""

_TURNS: dict[str, tuple[tuple[str, float], ...]] = {
    "id": (),
    "x": (("X", math.pi),),
    "y": (("Y", math.pi),),
    "z": (("Z", math.pi),),
    "h": (("Z", _QUARTER), ("X", _QUARTER), ("Z", _QUARTER)),
    "s": (("Z", _QUARTER),),
    "sdg": (("Z", -_QUARTER),),
    "t": (("Z", _QUARTER / 2),),
    "tdg": (("Z", -_QUARTER / 2),),
    "sx": (("X", _QUARTER),),
    "sxdg": (("X", -_QUARTER),),
    "cx": (("IX", _QUARTER), ("ZI", _QUARTER), ("ZX", -_QUARTER)),
    "cy": (("IY", _QUARTER), ("ZI", _QUARTER), ("ZY", -_QUARTER)),
    "cz": (("IZ", _QUARTER), ("ZI", _QUARTER), ("ZZ", -_QUARTER)),
    "ecr": (("ZX", _QUARTER), ("XI", math.pi)),
    "swap": (("XX", _QUARTER), ("YY", _QUARTER), ("ZZ", _QUARTER)),
    "iswap": (("XX", -_QUARTER), ("YY", -_QUARTER)),
}
"""Gates as turns about Pauli operators, one after the other, up to a phase; the first letter is
that of the first qubit."""

_AXES = {
    "rx": "X",
    "ry": "Y",
    "rz": "Z",
    "p": "Z",
    "u1": "Z",
    "rxx": "XX",
    "ryy": "YY",
    "rzz": "ZZ",
    "rzx": "ZX",
}


def can_run(instruction: CircuitInstruction) -> bool:
    """True if an instruction is a product of turns about Pauli operators that is known here."""
    return knows(instruction.name)


def knows(name: str) -> bool:
    """True if gates of a name are products of turns about Pauli operators that are known here."""
    return name in _TURNS or name in _AXES or name in ("u", "u2", "u3", injected_noise.NAME)


def _turns(instruction: CircuitInstruction) -> Sequence[tuple[str, float]]:
    name = instruction.name
    if name == injected_noise.NAME:
        return ()
    if name in _TURNS:
        return _TURNS[name]
    angles = [float(angle) for angle in instruction.params]
    if name in ("u", "u3"):
        return (("Z", angles[2]), ("Y", angles[0]), ("Z", angles[1]))
    if name == "u2":
        return (("Z", angles[1]), ("Y", _QUARTER), ("Z", angles[0]))
    return ((_AXES[name], angles[0]),)


class _Pauli(NamedTuple):
    """The operator i**phase X**x Z**z, with a bit for each qubit in x and z."""

    x: int
    z: int
    phase: int

    def __matmul__(self, other: _Pauli) -> _Pauli:
        swapped = 2 * (self.z & other.x).bit_count()
        return _Pauli(self.x ^ other.x, self.z ^ other.z, (self.phase + other.phase + swapped) & 3)

    def times(self, quarters: int) -> _Pauli:
        return self._replace(phase=(self.phase + quarters) & 3)

    @property
    def sign(self) -> int:
        """The sign of a hermitian operator in front of its label."""
        return 1 - ((self.phase - (self.x & self.z).bit_count()) & 3)


_IDENTITY = _Pauli(0, 0, 0)


class _Frame:
    """Pauli operators after all Clifford gates before them were moved behind them."""

    def __init__(self, qubits: int) -> None:
        self._x = [_Pauli(1 << qubit, 0, 0) for qubit in range(qubits)]
        self._z = [_Pauli(0, 1 << qubit, 0) for qubit in range(qubits)]

    def of(self, label: str, qubits: Sequence[int]) -> _Pauli:
        found = _IDENTITY
        for letter, qubit in zip(label, qubits, strict=True):
            if letter == "X":
                found = found @ self._x[qubit]
            elif letter == "Z":
                found = found @ self._z[qubit]
            elif letter == "Y":
                found = found @ (self._x[qubit] @ self._z[qubit]).times(1)
        return found

    def turn(self, label: str, qubits: Sequence[int], quarters: int) -> None:
        """Take in a Clifford gate: so many quarter turns about a Pauli operator.

        An operator Q that anticommutes with P becomes i P Q, -Q or -i P Q.
        """
        axis = self.of(label, qubits)
        for letter, qubit in zip(label, qubits, strict=True):
            for rows, own in ((self._x, "X"), (self._z, "Z")):
                if letter in ("I", own):
                    continue
                if quarters == 2:
                    rows[qubit] = rows[qubit].times(2)
                else:
                    rows[qubit] = (axis @ rows[qubit]).times(quarters)


@dataclass(frozen=True, eq=False)
class Propagation:
    """A circuit, ready for observables to be carried back through it.

    Parameters are those of pauli-prop's own class for rotations and noise; ``growth`` is how much
    rates below zero can enlarge what was left out.
    """

    frame: _Frame
    qubits: int
    gates: Any
    rotations: int = 0
    position: Mapping[int, int] = field(default_factory=dict)
    growth: float = 1.0

    def value(self, product: Sequence[int], max_terms: int, atol: float) -> tuple[float, float]:
        """Return the average of a product of Z, and by how much it can be off.

        Parameters
        ----------
        product : sequence of int
            The qubits.
        max_terms : int
            How many Pauli operators are kept on the way.
        atol : float
            Coefficients below are dropped.
        """
        from pauli_prop.propagation import propagate_through_rotation_gates

        moved = self.frame.of("Z" * len(product), [self.position[qubit] for qubit in product])
        (row,) = _rows([moved], self.qubits)
        terms = SparsePauliOp(
            PauliList.from_symplectic(row[None, self.qubits :], row[None, : self.qubits]),
            [moved.sign],
        )
        with warnings.catch_warnings():
            # that complex coefficients are taken as the real numbers they are
            warnings.simplefilter("ignore")
            carried, bound = propagate_through_rotation_gates(
                terms, self.gates, max_terms, atol, "h"
            )
        # in the ground state every operator with an X or a Y in it averages to zero
        diagonal = ~carried.paulis.x.any(axis=1)
        return float(carried.coeffs[diagonal].real.sum()), float(bound) * self.growth


def prepare(
    instructions: Sequence[CircuitInstruction],
    index: Mapping[Any, int],
    channel: Callable[[str, tuple[int, ...]], NDArray[np.float64] | None] | None,
) -> Propagation:
    """Return a circuit in the form in which observables are carried back through it.

    Parameters
    ----------
    instructions : sequence of CircuitInstruction
        Gates that `can_run` accepts, bound; measurements and delays are passed over.
    index : Mapping
        The number of each qubit.
    channel : callable or None
        Gives the twirled noise of a gate by its name and qubits.
    """
    # An import of some tenths of a second, which only wide estimator jobs need.
    from pauli_prop.propagation import NoisyRotationGates

    used = sorted({index[qubit] for gate in instructions for qubit in gate.qubits})
    position = {qubit: at for at, qubit in enumerate(used)}
    frame = _Frame(len(used))
    rotations: list[_Pauli] = []
    angles: list[float] = []
    noise: list[dict[tuple[int, int], float]] = []
    kinds: list[bool] = []
    remembered: dict[tuple[str, tuple[int, ...]], list[tuple[str, float]]] = {}
    for instruction in instructions:
        name = instruction.name
        if name in ("measure", "delay"):
            continue
        qubits = tuple(index[qubit] for qubit in instruction.qubits)
        local = [position[qubit] for qubit in qubits]
        for label, angle in _turns(instruction):
            quarters = quarter_turns(angle)
            if quarters is None:
                moved = frame.of(label, local)
                rotations.append(moved)
                angles.append(angle * moved.sign)
                kinds.append(False)
            elif quarters:
                frame.turn(label, local, quarters)
        if isinstance(instruction.operation, InjectedNoise):
            generators = list(instruction.operation.terms)
        elif channel is None:
            continue
        else:
            if (name, qubits) not in remembered:
                remembered[name, qubits] = _generators(channel(name, qubits), len(qubits))
            generators = remembered[name, qubits]
        if not generators:
            continue
        # Channels with no rotation in between commute: the rates of equal generators add up.
        if not (kinds and kinds[-1]):
            noise.append(defaultdict(float))
            kinds.append(True)
        for label, rate in generators:
            moved = frame.of(label, local)
            noise[-1][moved.x, moved.z] += rate
    negative = sum(min(rate, 0.0) for rates_of in noise for rate in rates_of.values())
    gates = NoisyRotationGates([], [], [], [], [], [])
    width = len(used)
    turning = iter(_rows(rotations, width))
    erring = iter(_rows([_Pauli(*bits, 0) for rates_of in noise for bits in rates_of], width))
    angle_of, noise_of = iter(angles), iter(noise)
    for noisy in kinds:
        gates.gate_types.append(noisy)
        if noisy:
            strengths = list(next(noise_of).values())
            rows = [next(erring) for _ in strengths]
            gates.generators.append(rows)
            gates.rates.append(strengths)
            gates.qargs.append([_support(row, width) for row in rows])
        else:
            row = next(turning)
            gates.gates.append(row)
            gates.thetas.append(next(angle_of))
            gates.qargs.append([_support(row, width)])
    return Propagation(frame, width, gates, len(rotations), position, math.exp(-2 * negative))


def outgrows(
    instructions: Sequence[CircuitInstruction], index: Mapping[Any, int], product: Sequence[int]
) -> bool:
    """True if a first attempt, without noise, shows that a product of Z becomes too many terms.

    Its last gates come first, and show most of what is hopeless.

    Parameters
    ----------
    instructions : sequence of CircuitInstruction
        Of the product's light cone; see `prepare`.
    index : Mapping
        The number of each qubit.
    product : sequence of int
        The qubits.
    """
    instructions = [each for each in instructions if each.name != injected_noise.NAME]
    length = _FIRST_TRIAL
    while True:
        tail = instructions[-length:]
        used = {index[qubit] for gate in tail for qubit in gate.qubits}
        acted_on = [qubit for qubit in product if qubit in used]
        if prepare(tail, index, None).value(acted_on, *TRIAL)[1] > _HOPELESS_BOUND:
            return True
        if length >= len(instructions):
            return False
        length *= 4


def _generators(factors: NDArray[np.float64] | None, qubits: int) -> list[tuple[str, float]]:
    if factors is None:
        return []
    strengths = rates(factors)
    return [
        (label, float(rate))
        for label, rate in zip(letters(qubits), strengths, strict=True)
        if abs(rate) > 1e-15
    ]


def _rows(paulis: Sequence[_Pauli], qubits: int) -> NDArray[np.bool_]:
    """Return operators as rows of bits, first those of x, then those of z."""
    size = (qubits + 7) // 8
    halves = []
    for part in (0, 1):
        packed = b"".join(pauli[part].to_bytes(size, "little") for pauli in paulis)
        array = np.frombuffer(packed, dtype=np.uint8).reshape(len(paulis), size)
        halves.append(np.unpackbits(array, axis=1, bitorder="little")[:, :qubits])
    return np.hstack(halves).astype(bool)


def _support(row: NDArray[np.bool_], qubits: int) -> tuple[int, ...]:
    return tuple(np.flatnonzero(row[:qubits] | row[qubits:]).tolist())
