"""Says before running whether a circuit fits into memory, and which method would make it fit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from qiskit.circuit import ParameterExpression, QuantumCircuit
from qiskit_aer.noise import NoiseModel

from qsession_widgets.emulator.engine.failure import JobFailure
from qsession_widgets.emulator.engine.memory import available_memory

_AMPLITUDE = 16
"""Bytes of a complex number in double precision; half of it in single."""

_EXPONENTIAL = {"statevector": 1, "density_matrix": 2}
"""How many times the number of qubits stands in the exponent of a method's memory."""

_PAULI_AND_PHASE = frozenset({"id", "x", "y", "z", "h", "s", "sdg", "sx", "sxdg"})
_ENTANGLING = frozenset({"cx", "cy", "cz", "swap", "ecr", "iswap", "dcx"})
_CLIFFORD = _PAULI_AND_PHASE | _ENTANGLING | {"measure", "reset", "barrier", "delay"}
_CLIFFORD_ROTATIONS = frozenset({"rx", "ry", "rz", "p", "u1"})


def memory_needed(num_qubits: int, method: str, precision: str = "double") -> int:
    """Return the bytes one state takes under a method whose memory grows exponentially."""
    amplitude = _AMPLITUDE if precision == "double" else _AMPLITUDE // 2
    return amplitude << (num_qubits * _EXPONENTIAL[method])


def is_clifford(circuit: QuantumCircuit) -> bool:
    """Whether the stabilizer method can run a circuit, at fitting values of its parameters."""
    for instruction in circuit.data:
        if instruction.name in _CLIFFORD:
            continue
        if instruction.name not in _CLIFFORD_ROTATIONS:
            return False
        angle = instruction.params[0]
        if isinstance(angle, ParameterExpression):
            # Whether it is one depends on the values; Aer decides, and says so if it is not.
            continue
        turns = float(angle) / (math.pi / 2)
        if abs(turns - round(turns)) > 1e-8:
            return False
    return True


def check(
    circuit: QuantumCircuit,
    used: int,
    noise: NoiseModel | None,
    options: Mapping[str, Any],
    limit: int | None,
    within: int | None = None,
) -> None:
    """Refuse a circuit that does not fit.

    Parameters
    ----------
    circuit : QuantumCircuit
        Compacted and bound.
    used : int
        How many qubits it uses itself.
    noise : NoiseModel or None
        What it is run with.
    options : Mapping
        Aer options; ``method`` and ``precision`` matter.
    limit : int, optional
        Bytes the worker may use.
    within : int, optional
        How many qubits the whole circuit has, if this one is the largest island of it.

    Raises
    ------
    JobFailure
        If it needs more memory than there is, saying what would fit.
    """
    method = options.get("method", "automatic")
    if method not in (*_EXPONENTIAL, "automatic"):
        return
    measured_as = "statevector" if method == "automatic" else method
    needed = memory_needed(used, measured_as, options.get("precision", "double"))
    there = available_memory(limit)
    if needed <= there:
        return
    clifford = is_clifford(circuit)
    if method == "automatic" and clifford and noise is None:
        return
    fitting = []
    if method == "density_matrix" and memory_needed(used, "statevector") <= there:
        fitting.append("statevector")
    if clifford and noise is None:
        fitting.append("stabilizer")
    fitting.append("matrix_product_state (fast while there is little entanglement)")
    stabilizer = (
        "; the stabilizer method is not among them because this device's noise is not made of "
        "Clifford gates"
        if clifford and noise is not None
        else ""
    )
    which = (
        f"The circuit uses {used} qubits"
        if within is None or within == used
        else f"The circuit's largest island of connected qubits has {used} of its {within} qubits"
    )
    raise JobFailure(
        f"{which}, for which the {measured_as} method needs "
        f"{_readable(needed)} of memory and {_readable(there)} are there; methods that would fit: "
        f"{', '.join(fitting)}{stabilizer}. Choose one with "
        'options.experimental = {"aer": {"method": …}}.'
    )


def _readable(size: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB", "TiB", "PiB"):
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:.3g} EiB"
