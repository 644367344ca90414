"""Facts of a job that its submit tells, and those that its result tells when it is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .callsite import place
from .executions import DEFAULT_SHOTS, count_executions

DEFAULT_PRECISION = 1 / 64
"""IBM's default of an estimator."""

TOP = 3
"""Outcomes of a sampler that are kept, at most."""

MOST_BYTES = 2**22
"""Bytes of a result in which outcomes are counted, at most: some tenths of a second."""


def primitive_of(program_id: str, inputs: Mapping[str, Any]) -> str:
    """The primitive that a program's inputs come from.

    The client-side primitives send a program ``executor`` that says which of them made it.
    """
    program = inputs.get("quantum_program")
    role = program.get("semantic_role") if isinstance(program, dict) else None
    return re.sub(r"[-_]v\d+$", "", str(role)) if role and "pubs" not in inputs else program_id


def submitted(program_id: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of `JobRecord` that are known of a job when it is sent, and where it is sent from."""
    cell, line = place()
    executions = count_executions(program_id, inputs)
    return {**_asked(program_id, inputs), "executions": executions, "cell": cell, "line": line}


def asks_for_the_same(row: Mapping[str, Any], given: Mapping[str, Any]) -> bool | None:
    """True if a job asks for what a submit does; None where that cannot be told.

    Parameters
    ----------
    row : mapping
        The job as the service gives it, with its parameters.
    given : mapping
        Arguments of the client library's submit.
    """
    from ..resume.fingerprint import Fingerprints
    from ..resume.hasher import Unfingerprintable

    program = str(given.get("program_id"))
    if row.get("backend") not in (None, given.get("backend_name")):
        return False
    if (row.get("program") or {}).get("id") not in (None, program):
        return False
    if not row.get("params"):
        # of a private job the service tells none
        return None
    prints = Fingerprints()
    try:
        of_both = [prints.of(program, one["params"]).value for one in (row, given)]
    except Unfingerprintable:
        return None
    return of_both[0] == of_both[1]


def _asked(program_id: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Number of PUBs, and the shots or the precision where all of them have the same."""
    program = inputs.get("quantum_program")
    if "pubs" in inputs:
        pubs = inputs["pubs"]
        asked = _of_pubs(program_id, pubs, inputs.get("options") or {})
        return {"pubs": len(pubs), **asked}
    if not isinstance(program, dict):
        return {"pubs": None}
    notes = program.get("passthrough_data")
    note = notes.get("post_processor") if isinstance(notes, dict) else None
    note = note if isinstance(note, dict) else {}
    # an estimator makes several items of one PUB; its note says how many PUBs there were
    metadata = note.get("circuits_metadata")
    counted = metadata if isinstance(metadata, list) else program.get("items")
    found: dict[str, Any] = {"pubs": len(counted) if isinstance(counted, list) else None}
    if "precision" in note:
        options = note.get("options") or {}
        return found | _estimator(note["precision"], options)
    shots = note.get("shots")
    return found | {"shots": shots if isinstance(shots, int) else None}


def _of_pubs(program_id: str, pubs: Iterable[Any], options: Mapping[str, Any]) -> dict[str, Any]:
    if program_id == "sampler":
        default = options.get("default_shots") or DEFAULT_SHOTS
        return {"shots": _same(int(getattr(pub, "shots", None) or default) for pub in pubs)}
    if program_id == "estimator":
        asked = [_estimator(getattr(pub, "precision", None), options) for pub in pubs]
        names = ("shots", "precision")
        return {name: _same(each.get(name) for each in asked) for name in names}
    return {}


def _estimator(precision: float | None, options: Mapping[str, Any]) -> dict[str, Any]:
    if not precision and (shots := options.get("default_shots")):
        return {"shots": int(shots)}
    return {"precision": float(precision or options.get("default_precision") or DEFAULT_PRECISION)}


def _same(values: Iterable[Any]) -> Any:
    found = set(values)
    return found.pop() if len(found) == 1 else None


def told_by(result: object) -> dict[str, Any]:
    """Fields of `JobRecord` that a result tells; it says some of them of jobs sent from elsewhere.

    Returns
    -------
    dict
        Of a sampler's first PUB the most frequent outcomes, with all of its registers.
    """
    from qiskit.primitives import BitArray, PrimitiveResult

    if not isinstance(result, PrimitiveResult) or not len(result):
        return {}
    found: dict[str, Any] = {"pubs": len(result)}
    data = result[0].data
    if "evs" in data:
        return found | {"program": "estimator", "precision": _precision(result)}
    registers = [register for register in data.values() if isinstance(register, BitArray)]
    if not registers:
        return found
    shots = _same(
        register.num_shots
        for pub in result
        for register in pub.data.values()
        if isinstance(register, BitArray)
    )
    top = top_counts(registers)
    return found | {"program": "sampler", "shots": shots, "top_counts": top}


def _precision(result: Any) -> float | None:
    asked = [
        (pub.metadata or {}).get("target_precision") or result.metadata.get("target_precision")
        for pub in result
    ]
    found = _same(asked)
    return found if isinstance(found, float) else None


def top_counts(registers: list[Any]) -> tuple[tuple[str, int], ...]:
    """The most frequent outcomes of a circuit's registers, the first register rightmost.

    Parameters
    ----------
    registers : list of BitArray
        Of one PUB, in the order of its circuit.

    Returns
    -------
    tuple of (str, int)
        Bits, with a blank between registers, and how often they were measured; those of several
        sets of parameters together. Empty where there is too much to count.
    """
    widths = [register.array.shape[-1] for register in registers]
    rows = np.concatenate(
        [
            register.array.reshape(-1, width)
            for register, width in zip(registers, widths, strict=True)
        ],
        axis=1,
    )
    if not 0 < rows.nbytes <= MOST_BYTES:
        return ()
    keys = np.ascontiguousarray(rows).view(np.dtype((np.void, rows.shape[1]))).ravel()
    _, first, counts = np.unique(keys, return_index=True, return_counts=True)
    order = np.lexsort((first, -counts))[:TOP]
    return tuple((_bits(rows[first[at]], registers, widths), int(counts[at])) for at in order)


def _bits(row: Any, registers: list[Any], widths: list[int]) -> str:
    ends = np.cumsum(widths)
    texts = [
        "".join(f"{byte:08b}" for byte in row[end - width : end])[-register.num_bits :]
        for register, width, end in zip(registers, widths, ends, strict=True)
    ]
    return " ".join(reversed(texts))
