"""Islands of one qubit, many at a time and exactly, without the simulator.

A qubit that no gate connects to another is a point in the Bloch ball. A gate turns it, its noise
moves it, a reset starts it anew, and how high it lies at the end is the probability of reading one.
The vector (1, x, y, z) is carried through all of that for every parameter set at once, and for all
qubits whose circuits turn about the same axes in the same order. Each shot is then one draw.

The channels are those the simulator is given for the same gates; only the arithmetic is another.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import CircuitInstruction, Parameter, ParameterExpression, QuantumCircuit
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.quantum_info import PTM, Operator

from qsession_widgets.emulator.engine.devices.noise_source import Matrix, Noise
from qsession_widgets.emulator.engine.simulation.partition import Island

_FIXED = frozenset({"id", "x", "y", "z", "h", "s", "sdg", "sx", "sxdg", "t", "tdg"})

_RESET = np.array([[1.0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]])

_PLANE = {"x": (2, 3), "y": (3, 1), "z": (1, 2)}
"""Which two components of (1, x, y, z) a turn about an axis mixes."""

DELAY_UNITS = frozenset({"dt", "s", "ms", "us", "ns", "ps"})

_WRITES_NO_BIT = frozenset({"reset", "delay"})
"""Instructions, beside standard gates, that leave an earlier measurement's bit as it is."""

Angle = Any
"""A number, a parameter, or an expression of parameters."""


class _TooMuchError(Exception):
    """An island holds something that only the simulator can do."""


@dataclass(frozen=True, eq=False)
class _Path:
    """The operations on one qubit: fixed maps, with a turn between each two of them.

    The last of the maps is the row that gives the probability of reading one.
    """

    clbit: int
    maps: tuple[Matrix, ...]
    turns: tuple[tuple[str, Angle], ...]

    @property
    def axes(self) -> str:
        return "".join(axis for axis, _ in self.turns)


def _path(island: Island, noise: Noise) -> _Path:
    """Return what happens to an island's qubit, up to its measurement."""
    if len(island.qubits) != 1 or len(island.clbits) != 1 or not noise.by_qubit:
        raise _TooMuchError
    (qubit,) = island.qubits
    maps: list[Matrix] = [np.eye(4)]
    turns: list[tuple[str, Angle]] = []

    def apply(channel: Matrix | None) -> None:
        if channel is not None:
            maps[-1] = channel @ maps[-1]

    read: Matrix | None = None
    for instruction in island.instructions:
        name = instruction.name
        if read is not None:
            # Whatever could write the bit once more is for the simulator: another measurement,
            # also one inside of a branch or a loop, and a value that is stored.
            if not (instruction.is_standard_gate() or name in _WRITES_NO_BIT):
                raise _TooMuchError
            continue
        if name == "measure":
            apply(noise.channel(name, qubit))
            read = _reading(noise.readout(qubit))
            apply(read)
        elif name == "reset":
            apply(_RESET)
            apply(noise.channel(name, qubit))
        elif name == "delay":
            apply(noise.channel(name, qubit))
            apply(noise.delay(qubit, *_duration(instruction)))
        else:
            for step in _steps(instruction):
                if isinstance(step, tuple):
                    turns.append(step)
                    maps.append(np.eye(4))
                else:
                    apply(step)
            apply(noise.channel(name, qubit))
    if read is None:
        raise _TooMuchError
    return _Path(island.clbits[0], tuple(maps), tuple(turns))


def _reading(readout: Matrix | None) -> Matrix:
    """Return the row that takes (1, x, y, z) to the probability of reading one."""
    of_zero, of_one = (0.0, 1.0) if readout is None else (readout[0, 1], readout[1, 1])
    return np.array([[(of_zero + of_one) / 2, 0.0, 0.0, (of_zero - of_one) / 2]])


def _duration(instruction: CircuitInstruction) -> tuple[float, str]:
    delay = instruction.operation
    if delay.unit not in DELAY_UNITS or isinstance(delay.duration, ParameterExpression):
        raise _TooMuchError
    return float(delay.duration), delay.unit


def _steps(instruction: CircuitInstruction) -> Sequence[Matrix | tuple[str, Angle]]:
    """Return a gate as fixed maps and turns, in the order in which they happen."""
    name, params = instruction.name, instruction.params
    if not instruction.is_standard_gate() or instruction.label is not None:
        raise _TooMuchError
    if name in _FIXED:
        return (_fixed(name),)
    if name in ("rx", "ry", "rz"):
        return ((name[1], params[0]),)
    if name in ("p", "u1"):
        return (("z", params[0]),)
    if name in ("u", "u3"):
        return (("z", params[2]), ("y", params[0]), ("z", params[1]))
    if name == "u2":
        return (("z", params[1]), ("y", math.pi / 2), ("z", params[0]))
    raise _TooMuchError


@lru_cache(maxsize=32)
def _fixed(name: str) -> Matrix:
    gate = get_standard_gate_name_mapping()[name]
    return np.asarray(PTM(Operator(gate)).data.real, dtype=float)


class _Angles:
    """One turn of many qubits: each one's angle for every parameter set."""

    def __init__(self, angles: Sequence[Angle], column: dict[Parameter, int]) -> None:
        self._numbers = np.zeros(len(angles))
        self._from, self._to = [], []
        self._expressions: list[tuple[int, ParameterExpression]] = []
        self._column = column
        for at, angle in enumerate(angles):
            if isinstance(angle, Parameter):
                self._from.append(column[angle])
                self._to.append(at)
            elif isinstance(angle, ParameterExpression) and angle.parameters:
                self._expressions.append((at, angle))
            else:
                self._numbers[at] = float(angle)

    def values(self, sets: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the angles for parameter sets, shape ``(qubits, sets)``."""
        found = np.repeat(self._numbers[:, None], len(sets), axis=1)
        found[self._to] = sets[:, self._from].T
        for at, expression in self._expressions:
            columns = [(parameter, self._column[parameter]) for parameter in expression.parameters]
            found[at] = [
                float(expression.bind({parameter: row[place] for parameter, place in columns}))
                for row in sets
            ]
        return found


class _Bundle:
    """Qubits whose paths turn about the same axes in the same order."""

    def __init__(self, paths: Sequence[_Path], column: dict[Parameter, int]) -> None:
        self.clbits = [path.clbit for path in paths]
        self._axes = paths[0].axes
        self._maps = [np.stack(maps) for maps in zip(*(path.maps for path in paths), strict=True)]
        self._angles = [
            _Angles([path.turns[at][1] for path in paths], column) for at in range(len(self._axes))
        ]

    def probabilities(self, sets: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of reading one, shape ``(qubits, sets)``."""
        start = np.array([[1.0, 0.0, 0.0, 1.0]])
        state = start @ self._maps[0].swapaxes(1, 2)
        for axis, angles, then in zip(self._axes, self._angles, self._maps[1:], strict=True):
            values = angles.values(sets)
            state = _turned(np.broadcast_to(state, (*values.shape, 4)), axis, values)
            state = state @ then.swapaxes(1, 2)
        return np.broadcast_to(state[..., 0], (len(self.clbits), len(sets)))


def _turned(
    state: NDArray[np.float64], axis: str, angles: NDArray[np.float64]
) -> NDArray[np.float64]:
    first, second = _PLANE[axis]
    cosine, sine = np.cos(angles), np.sin(angles)
    turned = state.copy()
    turned[..., first] = cosine * state[..., first] - sine * state[..., second]
    turned[..., second] = sine * state[..., first] + cosine * state[..., second]
    return turned


class SingleQubits:
    """Some one-qubit islands of a circuit, ready for any parameter values.

    Attributes
    ----------
    clbits : ndarray
        The classical bit each one's qubit is measured into.
    """

    def __init__(self, paths: Iterable[_Path], parameters: Iterable[Parameter]) -> None:
        column = {parameter: at for at, parameter in enumerate(parameters)}
        by_axes: dict[str, list[_Path]] = {}
        for path in paths:
            by_axes.setdefault(path.axes, []).append(path)
        self._bundles = [_Bundle(bundle, column) for bundle in by_axes.values()]
        self.clbits = np.array([clbit for bundle in self._bundles for clbit in bundle.clbits])

    def probabilities(self, sets: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of reading one, shape ``(sets, islands)``, as in ``clbits``.

        Parameters
        ----------
        sets : ndarray
            Shape ``(sets, parameters of the circuit)``.
        """
        found = np.concatenate([bundle.probabilities(sets) for bundle in self._bundles])
        return found.T.clip(0.0, 1.0)


def part(
    circuit: QuantumCircuit, islands: Iterable[Island], noise: Noise
) -> tuple[SingleQubits | None, list[Island]]:
    """Part a circuit's islands into those that need no simulator and those that do.

    Parameters
    ----------
    circuit : QuantumCircuit
        With unbound parameters.
    islands : iterable of Island
        Some or all of its islands.
    noise : Noise
        For the circuit's qubit numbers.

    Returns
    -------
    tuple
        The first, None if there are none, and the others.
    """
    paths, others = [], []
    for island in islands:
        try:
            paths.append(_path(island, noise))
        except _TooMuchError:
            others.append(island)
    return (SingleQubits(paths, circuit.parameters) if paths else None), others
