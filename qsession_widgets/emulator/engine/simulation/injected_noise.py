"""Noise that mitigation injects into a circuit: amplified, or the inverse of what is there.

PEC and PEA draw Pauli operators for each randomization. What all randomizations average to is a map
whose Pauli-Lindblad rates are added to those of the noise; rates below zero undo it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from qiskit.circuit import Gate
from qiskit.quantum_info import PauliLindbladMap

NAME = "injected_noise"


class InjectedNoise(Gate):  # type: ignore[misc]
    """Pauli-Lindblad generators on one or two qubits, which only propagation can apply.

    Attributes
    ----------
    terms : tuple
        Pauli letters, the first qubit's first, each with its rate.
    """

    def __init__(self, terms: Sequence[tuple[str, float]]) -> None:
        super().__init__(NAME, len(terms[0][0]), [])
        self.terms = tuple(terms)


def injected(noise: PauliLindbladMap, scale: float) -> Iterator[tuple[InjectedNoise, list[int]]]:
    """Yield a map's generators as operations, each with the qubits of the map that it acts on.

    Parameters
    ----------
    noise : PauliLindbladMap
        Of a layer of gates.
    scale : float
        Factor of all rates.
    """
    by_place: dict[tuple[int, ...], list[tuple[str, float]]] = defaultdict(list)
    for letters, at, rate in noise.to_sparse_list():
        if at and rate * scale:
            by_place[tuple(at)].append((letters, rate * scale))
    for place, terms in by_place.items():
        yield InjectedNoise(terms), list(place)
