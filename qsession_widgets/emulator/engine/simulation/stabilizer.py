"""Clifford circuits of any width, with Pauli noise, on the stabilizer simulator stim."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import CircuitInstruction, ParameterExpression, QuantumCircuit

from qsession_widgets.emulator.engine.simulation.pauli_noise import PauliNoise, probabilities

_GATES = {
    "id": (),
    "x": ("X",),
    "y": ("Y",),
    "z": ("Z",),
    "h": ("H",),
    "s": ("S",),
    "sdg": ("S_DAG",),
    "sx": ("SQRT_X",),
    "sxdg": ("SQRT_X_DAG",),
    "cx": ("CX",),
    "cy": ("CY",),
    "cz": ("CZ",),
    "swap": ("SWAP",),
    "iswap": ("ISWAP",),
    "barrier": (),
    "delay": (),
}

_TURNS = {
    "rx": ("SQRT_X", "X", "SQRT_X_DAG"),
    "ry": ("SQRT_Y", "Y", "SQRT_Y_DAG"),
    "rz": ("S", "Z", "S_DAG"),
    "p": ("S", "Z", "S_DAG"),
    "u1": ("S", "Z", "S_DAG"),
    "rxx": ("SQRT_XX", "XX", "SQRT_XX_DAG"),
    "ryy": ("SQRT_YY", "YY", "SQRT_YY_DAG"),
    "rzz": ("SQRT_ZZ", "ZZ", "SQRT_ZZ_DAG"),
}
"""Rotations by one, two and three quarter turns."""

_Place = tuple[str, tuple[int, ...], int | None]
"""A gate's name and qubits, and its angle in quarter turns."""

TOLERANCE = 1e-6
"""Quarter turns by which an angle may miss a whole number of them: the client draws the angles of
twirling in single precision."""


@lru_cache(maxsize=1)
def available() -> bool:
    """True if stim is installed; there is no wheel of it for every system."""
    return importlib.util.find_spec("stim") is not None


def quarter_turns(angle: Any) -> int | None:
    """Return an angle in quarter turns, 0 to 3, or None if it is no multiple of one."""
    if isinstance(angle, ParameterExpression) and angle.parameters:
        return None
    turns = float(angle) / (math.pi / 2)
    whole = round(turns)
    return whole % 4 if abs(turns - whole) < TOLERANCE else None


def can_run(circuit: QuantumCircuit) -> bool:
    """True if all of a circuit's instructions are Clifford gates, measurements and resets."""
    return all(
        may_be_clifford(instruction)
        and not (instruction.name in _TURNS and quarter_turns(instruction.params[0]) is None)
        for instruction in circuit.data
    )


def may_be_clifford(instruction: CircuitInstruction) -> bool:
    """True if an instruction is a Clifford gate, measurement or reset, at some parameter values."""
    name = instruction.name
    if name in _TURNS:
        angle = instruction.params[0]
        unknown = isinstance(angle, ParameterExpression) and angle.parameters
        return bool(unknown) or quarter_turns(angle) is not None
    return name in _GATES or name in ("measure", "reset", "ecr")


def sample(
    circuit: QuantumCircuit,
    *,
    shots: int,
    noise: PauliNoise | None,
    qubits: Sequence[int],
    rng: np.random.Generator,
    known: dict[_Place, str] | None = None,
) -> NDArray[np.uint8]:
    """Draw outcomes, each with a realization of the noise of its own.

    Parameters
    ----------
    circuit : QuantumCircuit
        One that `can_run` accepts, its parameters bound.
    shots : int
        How many outcomes.
    noise : PauliNoise or None
        By the numbers in ``qubits``.
    qubits : sequence of int
        The noise's number of each qubit of the circuit.
    rng : Generator
        For everything that is drawn.
    known : dict, optional
        What gates are in stim's words, remembered between circuits of the same qubits and noise.

    Returns
    -------
    ndarray
        Shape ``(shots, classical bits)``.
    """
    # An import of a tenth of a second, which only wide Clifford circuits need.
    import stim

    known = {} if known is None else known
    index = {qubit: at for at, qubit in enumerate(circuit.qubits)}
    clbit = {bit: at for at, bit in enumerate(circuit.clbits)}
    program: list[str] = []
    measured: list[tuple[int, int]] = []
    for instruction in circuit.data:
        name = instruction.name
        at = tuple([index[qubit] for qubit in instruction.qubits])
        if name == "measure":
            program.append(f"M {at[0]}")
            measured.append((at[0], clbit[instruction.clbits[0]]))
            continue
        turns = quarter_turns(instruction.params[0]) if name in _TURNS else 0
        key = name, at, turns
        if key not in known:
            known[key] = _words(instruction, at, qubits, noise)
        program.append(known[key])
    seed = int(rng.integers(1 << 62))
    record = stim.Circuit("\n".join(program)).compile_sampler(seed=seed).sample(shots)
    bits = np.zeros((shots, circuit.num_clbits), dtype=np.uint8)
    for column, (qubit, bit) in enumerate(measured):
        found = record[:, column].astype(np.uint8)
        bits[:, bit] = found if noise is None else noise.misread(found, qubits[qubit], rng)
    return bits


def _words(
    instruction: CircuitInstruction,
    at: tuple[int, ...],
    qubits: Sequence[int],
    noise: PauliNoise | None,
) -> str:
    """Return a gate and its noise as lines of stim's circuit format."""
    here = " ".join(map(str, at))
    lines = _lines(instruction, here)
    if noise is not None:
        factors = noise.twirled(instruction.name, tuple(qubits[local] for local in at))
        if factors is not None:
            lines.append(_channel(probabilities(factors), here))
    return "\n".join(lines)


def _lines(instruction: CircuitInstruction, here: str) -> list[str]:
    name = instruction.name
    if name in _GATES:
        return [f"{gate} {here}" for gate in _GATES[name]]
    if name == "reset":
        return [f"R {here}"]
    if name == "ecr":
        # an echoed cross-resonance gate is a quarter turn about ZX, and an X on its first qubit
        first, second = here.split()
        return [f"SPP Z{first}*X{second}", f"X {first}"]
    turns = quarter_turns(instruction.params[0])
    gate = _TURNS[name][turns - 1] if turns else ""
    if not gate:
        return []
    if gate in ("XX", "YY", "ZZ"):
        return [f"{gate[0]} {here}"]
    return [f"{gate} {here}"]


def _channel(likely: NDArray[np.float64], here: str) -> str:
    """Return a Pauli channel in stim's words; its two-qubit labels vary fastest at the second."""
    if len(likely) == 4:
        ordered = likely[1:]
        name = "PAULI_CHANNEL_1"
    else:
        ordered = likely.reshape(4, 4).T.reshape(-1)[1:]
        name = "PAULI_CHANNEL_2"
    return f"{name}({', '.join(map(repr, map(float, ordered)))}) {here}"
