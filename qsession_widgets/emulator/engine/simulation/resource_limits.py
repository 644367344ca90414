"""Memory limits: check before running that a circuit fits, or name a method that would."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qiskit.circuit import ParameterExpression, QuantumCircuit
from qiskit_aer.noise import NoiseModel

from qsession_widgets.emulator.engine.failure import JobFailure

_AMPLITUDE = 16
"""Bytes of a complex number in double precision; half of it in single."""

_EXPONENTIAL = {"statevector": 1, "density_matrix": 2}
"""Factor of the number of qubits in the exponent of a method's memory."""

_PAULI_AND_PHASE = frozenset({"id", "x", "y", "z", "h", "s", "sdg", "sx", "sxdg"})
_ENTANGLING = frozenset({"cx", "cy", "cz", "swap", "ecr", "iswap", "dcx"})
_CLIFFORD = _PAULI_AND_PHASE | _ENTANGLING | {"measure", "reset", "barrier", "delay"}
_CLIFFORD_ROTATIONS = frozenset({"rx", "ry", "rz", "p", "u1"})


def memory_needed(num_qubits: int, method: str, precision: str = "double") -> int:
    """Return the bytes one state takes under a method whose memory grows exponentially."""
    amplitude = _AMPLITUDE if precision == "double" else _AMPLITUDE // 2
    return amplitude << (num_qubits * _EXPONENTIAL[method])


def is_clifford(circuit: QuantumCircuit) -> bool:
    """True if the stabilizer method can run a circuit, at fitting values of its parameters."""
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


_FITS_ANYWHERE = 1 << 20
"""Bytes for which nobody needs to ask how much is free, which takes longer than such a circuit."""


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
    if needed <= min(_FITS_ANYWHERE, _FITS_ANYWHERE if limit is None else limit):
        return
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
    raise JobFailure(
        f"{qubits_used(used, within)}, for which the {measured_as} method needs "
        f"{readable(needed)} of memory and {readable(there)} are there; methods that would fit: "
        f"{', '.join(fitting)}. Choose one with "
        'options.experimental = {"aer": {"method": …}}.'
    )


def qubits_used(used: int, within: int | None) -> str:
    """Return the number of connected qubits, of those of the whole circuit, as a clause."""
    if within is None or within == used:
        return f"The circuit uses {used} qubits"
    return f"The circuit's largest island of connected qubits has {used} of its {within} qubits"


def readable(size: float) -> str:
    """Return a number of bytes in words."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB", "PiB"):
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:.3g} EiB"


# --------------------------------------------------------------------------------------------------
# Memory of the worker, the machine and its control groups

_UNLIMITED = 1 << 60
"""Bytes; version 1 of control groups gives a value far above this in place of no limit."""


def available_memory(limit: int | None, root: Path = Path("/")) -> int:
    """The memory a simulation may use.

    Parameters
    ----------
    limit : int or None
        What the worker was told it may use, in bytes.
    root : Path, optional
        Where ``proc`` and ``sys`` are mounted.

    Returns
    -------
    int
        Bytes: the least of that limit, of what the machine has free, and of what is left to the
        control groups this process is in, which is where a container's limit stands.
    """
    known = [_machine(root), *_control_groups(root)]
    if limit is not None:
        known.append(limit)
    return max(0, min(known))


def _machine(root: Path) -> int:
    try:
        for line in (root / "proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 4 << 30


def _control_groups(root: Path) -> list[int]:
    """Memory left to each control group from this process's up to the topmost, in bytes."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    left = []
    mounted = root / "sys/fs/cgroup"
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            names = ("memory.max", "memory.current", "inactive_file")
            top = mounted
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            top = mounted / "memory"
        else:
            continue
        group = top / path.lstrip("/")
        # inside a container the path may be the host's, of which only the top is mounted
        for folder in (group, *group.parents) if group.is_dir() else (top,):
            found = _left(folder, *names)
            if found is not None:
                left.append(found)
            if folder == top:
                break
    return left


def _left(folder: Path, limit: str, used: str, cache: str) -> int | None:
    """Memory left to one control group; None when it has no limit or cannot be read."""
    try:
        text = (folder / limit).read_text(encoding="ascii").strip()
        if text == "max" or int(text) >= _UNLIMITED:
            return None
        taken = int((folder / used).read_text(encoding="ascii"))
        stat = dict(
            line.split() for line in (folder / "memory.stat").read_text("ascii").splitlines()
        )
    except (OSError, ValueError):
        return None
    # files that are cached count as used, and are given up when memory is asked for
    return int(text) - taken + int(stat.get(cache, 0))
