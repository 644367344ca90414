"""The PUBs of an estimator's job: read, checked and broadcast."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.quantum_info import SparseObservable

from qsession_widgets.emulator.engine import job_decoder
from qsession_widgets.emulator.engine.failure import INVALID_BODY, INVALID_OBSERVABLE, JobFailure
from qsession_widgets.emulator.engine.programs.pubs import CircuitFacts
from qsession_widgets.emulator.engine.simulation.measurement import support

DEFAULT_PRECISION = 0.015625
"""One over the square root of 4096 shots."""


MOST_TERMS = 1 << 12
"""Pauli terms that the projectors of one observable may become."""


@dataclass(frozen=True)
class Work:
    """A PUB broadcast: which terms are wanted at which parameter set."""

    pub: EstimatorPub
    facts: CircuitFacts
    at: Any
    observables: Any
    wanted: dict[tuple[int, ...], frozenset[str]]
    executed: int | None = None

    @property
    def shots(self) -> int:
        """Shots of each of its circuits: those that are set, or as many as its precision needs."""
        if self.executed is not None:
            return self.executed
        # so many shots have a precision that is rounded, and must not become one more on the way
        return math.ceil((1 - 1e-12) / float(self.pub.precision) ** 2)

    def qubits(self) -> set[int]:
        """Return the qubits of the circuit and of its observables; idle ones are measured, too."""
        used = set(self.facts.active)
        for label in set().union(*self.wanted.values()):
            used.update(support(label))
        return used


def read(value: Any, precision: float, index: int, width: int) -> EstimatorPub:
    """Return a PUB as it was posted.

    Raises
    ------
    JobFailure
        If it is none, or asks for a precision that is not above zero.
    """
    if not isinstance(value, (list, tuple)) or len(value) < 2:
        raise JobFailure(
            f"PUB {index} is not valid: an estimator's starts with a circuit and observables.",
            INVALID_BODY,
        )
    circuit = job_decoder.as_circuit(value[0], width)
    try:
        pub = EstimatorPub.coerce((circuit, *value[1:]), precision)
    except Exception as error:
        raise JobFailure(f"PUB {index} is not valid: {error}", INVALID_OBSERVABLE) from error
    if not pub.precision > 0:
        raise JobFailure(
            f"PUB {index} asks for a precision of {pub.precision}; it must be above zero.",
            INVALID_BODY,
        )
    return pub


def without_projectors(terms: dict[str, float]) -> dict[str, float]:
    """Return an observable without projectors, which measurement mitigation cannot correct.

    Raises
    ------
    JobFailure
        If that has too many terms.
    """
    if set().union(*terms) <= set("IXYZ"):
        return terms
    if sum(2 ** sum(letter not in "IXYZ" for letter in label) for label in terms) > MOST_TERMS:
        raise JobFailure(
            "An observable's projectors stand for more than "
            f"{MOST_TERMS:,} Pauli terms, each of which measurement mitigation corrects by itself: "
            "use fewer projectors in a term, or resilience_level 0.",
            INVALID_OBSERVABLE,
        )
    observable = SparseObservable.from_list(list(terms.items())).as_paulis().simplify()
    width = observable.num_qubits
    found: dict[str, float] = {}
    for letters, at, factor in observable.to_sparse_list():
        label = ["I"] * width
        for letter, qubit in zip(letters, at, strict=True):
            label[width - 1 - qubit] = letter
        found["".join(label)] = float(factor.real)
    return found or {"I" * width: 0.0}


def broadcast(pub: EstimatorPub) -> Work:
    """Return which terms of a PUB are wanted at which of its parameter sets."""
    shape = pub.parameter_values.shape
    indices = np.fromiter(np.ndindex(shape), dtype=object).reshape(shape)
    at, observables = np.broadcast_arrays(indices, pub.observables)
    wanted: dict[Any, set[str]] = defaultdict(set)
    for index in np.ndindex(*at.shape):
        wanted[at[index]].update(observables[index])
    frozen = {place: frozenset(labels) for place, labels in wanted.items()}
    return Work(pub, CircuitFacts.of(pub.circuit), at, observables, frozen)
