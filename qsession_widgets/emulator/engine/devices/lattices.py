"""Devices of any size: qubits on a lattice, each with the median calibration of a real device."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from qsession_widgets.emulator.engine.devices.descriptions import Description

Pair = tuple[int, int]
Place = tuple[int, int]

LARGEST = 5000
"""Qubits of the largest device that is built; the client takes a minute for one of these."""

_UNCALIBRATED = 1.0


def _line(qubits: int) -> set[tuple[Place, Place]]:
    return {((0, at), (0, at + 1)) for at in range(qubits - 1)}


def _grid(qubits: int) -> set[tuple[Place, Place]]:
    side = _side(qubits)
    rows = -(-qubits // side) + 1
    places = {(row, column) for row in range(rows) for column in range(side)}
    return {
        (place, other)
        for place in places
        for other in ((place[0] + 1, place[1]), (place[0], place[1] + 1))
        if other in places
    }


def _heavy_hex(qubits: int) -> set[tuple[Place, Place]]:
    """Rows of qubits, with a single qubit between two rows at every fourth place."""
    width = max(4, 4 * -(-_side(qubits) // 5))
    edges = set()
    for row in range(0, 2 * (qubits // width + 2), 2):
        edges |= {((row, at), (row, at + 1)) for at in range(width - 1)}
        for at in range(0 if row % 4 == 0 else 2, width, 4):
            edges |= {((row, at), (row + 1, at)), ((row + 1, at), (row + 2, at))}
    return edges


def _side(qubits: int) -> int:
    return max(1, math.isqrt(qubits))


LATTICES: Mapping[str, Callable[[int], set[tuple[Place, Place]]]] = {
    "heavy-hex": _heavy_hex,
    "grid": _grid,
    "line": _line,
}


def neighbours(lattice: str, qubits: int) -> tuple[list[Pair], list[Place]]:
    """Return which qubits of a lattice are neighbours, and where each qubit is.

    Parameters
    ----------
    lattice : str
        One of `LATTICES`.
    qubits : int
        How many; any number, and they are connected.

    Returns
    -------
    tuple
        Pairs of qubits, the smaller number first; row and column of each qubit.
    """
    around: dict[Place, list[Place]] = defaultdict(list)
    for one, other in sorted(LATTICES[lattice](qubits)):
        around[one].append(other)
        around[other].append(one)
    # from a corner outwards, so that what is left out of the lattice leaves no qubit alone
    found = {(0, 0)}
    waiting = deque(found)
    while waiting and len(found) < qubits:
        for place in around[waiting.popleft()]:
            if place not in found and len(found) < qubits:
                found.add(place)
                waiting.append(place)
    places = sorted(found)
    number = {place: at for at, place in enumerate(places)}
    pairs = {
        (min(number[one], number[other]), max(number[one], number[other]))
        for one in places
        for other in around[one]
        if other in number
    }
    return sorted(pairs), places


def build(lattice: str, qubits: int, base: Description) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return configuration and calibration of a device on a lattice.

    Every qubit, and every pair of neighbours, has the median of the base's calibrated ones.

    Parameters
    ----------
    lattice : str
        One of `LATTICES`.
    qubits : int
        From 1 to `LARGEST`.
    base : Description
        Whose gates and calibration.

    Raises
    ------
    ValueError
        There is no such lattice, or a device cannot have that many qubits.
    """
    if lattice not in LATTICES:
        raise ValueError(f"There is no lattice {lattice!r}: choose one of {', '.join(LATTICES)}.")
    if not 1 <= qubits <= LARGEST:
        raise ValueError(f"A device has from 1 to {LARGEST} qubits, not {qubits}.")
    pairs, places = neighbours(lattice, qubits)
    both = [list(pair) for one, other in pairs for pair in ((one, other), (other, one))]
    singles = [[qubit] for qubit in range(qubits)]
    raw = base.configuration
    on_pairs = {gate["name"] for gate in raw["gates"] if _width(gate) == 2}
    gates = [
        {**gate, "coupling_map": both if gate["name"] in on_pairs else singles}
        if _width(gate)
        else gate
        for gate in raw["gates"]
    ]
    configuration = {
        **raw,
        "n_qubits": qubits,
        "coupling_map": both,
        "gates": gates,
        "coords": [list(place) for place in places],
        "meas_map": [list(range(qubits))],
        "processor_type": {"family": "Lattice", "revision": lattice},
    }
    return configuration, _calibration(base.properties, qubits, both)


def _width(gate: Mapping[str, Any]) -> int:
    places = gate.get("coupling_map") or ()
    return len(places[0]) if places else 0


def _calibration(raw: Mapping[str, Any], qubits: int, both: Sequence[list[int]]) -> dict[str, Any]:
    by_gate: dict[tuple[str, int], list[Mapping[str, Any]]] = defaultdict(list)
    for gate in raw["gates"]:
        by_gate[gate["gate"], len(gate["qubits"])].append(gate)
    gates = []
    for (name, width), known in by_gate.items():
        parameters = _medians(gate["parameters"] for gate in known if not _faulty(gate))
        places = both if width == 2 else [[qubit] for qubit in range(qubits)]
        gates += [
            {
                "gate": name,
                "name": name + "_".join(map(str, place)),
                "qubits": place,
                "parameters": parameters,
            }
            for place in places
            if width <= 2 and parameters
        ]
    return {
        **raw,
        "qubits": [_medians(raw["qubits"])] * qubits,
        "gates": gates,
        "general": [],
        "general_qlists": [],
    }


def _faulty(gate: Mapping[str, Any]) -> bool:
    return any(
        entry["name"] == "gate_error" and entry["value"] >= _UNCALIBRATED
        for entry in gate["parameters"]
    )


def _medians(groups: Iterable[Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Return one entry for each name, with the median of its values."""
    values: dict[str, list[float]] = defaultdict(list)
    entries: dict[str, Mapping[str, Any]] = {}
    for group in groups:
        for entry in group:
            # an entry of another unit than the first is left out
            known = entries.setdefault(entry["name"], entry)
            if known["unit"] == entry["unit"]:
                values[entry["name"]].append(float(entry["value"]))
    return [{**entry, "value": statistics.median(values[name])} for name, entry in entries.items()]
