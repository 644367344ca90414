"""Means and variances of observables that are carried back through a circuit.

The mean of a product of Z is propagated with the noise; the shot noise that the asked precision
implies is added to what that gives, from variances that are propagated as well.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import CircuitInstruction

from qsession_widgets.emulator.engine.failure import INVALID_OPTION, JobFailure
from qsession_widgets.emulator.engine.simulation import light_cone, pauli_propagation
from qsession_widgets.emulator.engine.simulation.approximation import Approximation
from qsession_widgets.emulator.engine.simulation.job_run import JobRun
from qsession_widgets.emulator.engine.simulation.measurement import Group, Sums
from qsession_widgets.emulator.engine.simulation.pauli_noise import PauliNoise
from qsession_widgets.emulator.engine.simulation.pauli_propagation import Propagation

_ATTEMPTS = ((20_000, 1e-5), (1_000_000, 1e-7))
"""Limits that are tried in turn: terms kept at most, and the smallest coefficient kept."""

_MOST_COVARIANCES = 200
"""Pairs of terms whose covariance is computed; of others it is taken as the most it can be."""

Product = tuple[int, ...]
"""Qubits whose Z are multiplied."""


class Unpropagated(JobFailure):
    """Observables that cannot be carried back through a circuit."""


@dataclass(eq=False)
class Propagated:
    """A group's terms, carried back through its circuit when their sums are asked for.

    Attributes
    ----------
    job : JobRun
        Told about time and what was approximated.
    group : Group
        With a circuit whose parameters are bound.
    shots : int
        Whose noise is added.
    noise : PauliNoise or None
        By the numbers of the circuit's qubits.
    rng : Generator
        For the shot noise.
    readout : bool
        Whether there are errors of the readout.
    """

    job: JobRun
    group: Group
    shots: int
    noise: PauliNoise | None
    rng: np.random.Generator
    readout: bool = True
    approximation: Approximation | None = None
    _carried: dict[tuple[Product, bool], tuple[float, float]] = field(default_factory=dict)
    _cones: dict[Product, tuple[list[CircuitInstruction], set[int]]] = field(default_factory=dict)
    _prepared: dict[tuple[Product, bool], Propagation] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._index = {qubit: at for at, qubit in enumerate(self.group.circuit.qubits)}
        self._qubit_of = self.group.qubit_of_bit()
        self._steps = light_cone.backwards(self.group.circuit)

    @cached_property
    def _expanded(self) -> list[dict[Product, float]]:
        """The terms as they are read out."""
        return [self._expand(worth) for worth in self.group.worth]

    def hopeful(self) -> bool:
        """True if a first attempt, without noise, shows that the terms can be carried back."""
        products = {
            product for worth in self.group.worth for product in self._expand(worth, errors=False)
        }
        return not any(
            pauli_propagation.outgrows(self._cone(product)[0], self._index, product)
            for product in products
            if product
        )

    def of(self, sums: Sums) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and variance, for a single shot, of weighted sums of the terms."""
        started = time.perf_counter()
        means, variances = [], []
        bounds = []
        stops = [*sums.starts[1:], len(sums.terms)]
        for start, stop in zip(sums.starts, stops, strict=True):
            weights: dict[int, float] = defaultdict(float)
            for term, factor in zip(
                sums.terms[start:stop], sums.coefficients[start:stop], strict=True
            ):
                weights[int(term)] += float(factor)
            mean, bound = self._mean(weights)
            variance = self._variance(weights)
            spread = np.sqrt(variance / self.shots)
            means.append(mean + spread * self.rng.standard_normal())
            variances.append(variance)
            bounds.append(bound)
        self.approximation = Approximation(
            "pauli_propagation", twirled=self.noise is not None, bound=max(bounds)
        )
        self.job.approximated(self.approximation)
        self.job.seconds += time.perf_counter() - started
        return np.array(means), np.array(variances)

    def _mean(self, weights: Mapping[int, float]) -> tuple[float, float]:
        operator: dict[Product, float] = defaultdict(float)
        for term, weight in weights.items():
            for product, coefficient in self._expanded[term].items():
                operator[product] += weight * coefficient
        accepted = self.job.simulation.precision_limit
        mean = bound = 0.0
        for product, coefficient in operator.items():
            value, off = self._value(product, accepted)
            mean += coefficient * value
            bound += abs(coefficient) * off
        return mean, bound

    def _value(self, product: Product, accepted: float) -> tuple[float, float]:
        """Return the average of a product of Z, and by how much it can be off."""
        if not product:
            return 1.0, 0.0
        key = product, self.noise is not None
        if key not in self._carried or self._carried[key][1] > accepted:
            for attempt in _ATTEMPTS:
                self._carried[key] = self._propagate(product, self.noise is not None, *attempt)
                if self._carried[key][1] <= accepted:
                    break
            else:
                raise Unpropagated(
                    "An observable could be carried back through the circuit to within "
                    f"{self._carried[key][1]:.2g} of the largest value it could have, and "
                    f"{accepted:g} is asked for; accept more with --local-precision-limit, or use "
                    "fewer gates that are no Clifford gates.",
                    INVALID_OPTION,
                )
        return self._carried[key]

    def _variance(self, weights: Mapping[int, float]) -> float:
        """Return how much a sum of terms varies between shots.

        The covariance of two terms whose light cones have no qubit in common is zero. Of others the
        average of their product is found to within what a standard error needs.
        """
        spreads = {}
        for term in weights:
            square = self._average(self._expand(self.group.worth[term] ** 2))
            spreads[term] = max(square - self._average(self._expanded[term]) ** 2, 0.0)
        total = sum(weight**2 * spreads[term] for term, weight in weights.items())
        overlapping = 0
        for first, second in combinations(weights, 2):
            if self._reach(first).isdisjoint(self._reach(second)):
                continue
            overlapping += 1
            if overlapping > _MOST_COVARIANCES:
                # the most it can be
                covariance = math.sqrt(spreads[first] * spreads[second])
                total += 2 * abs(weights[first] * weights[second]) * covariance
                continue
            worth = self.group.worth[first] * self.group.worth[second]
            together = self._average(self._expand(worth))
            apart = self._average(self._expanded[first]) * self._average(self._expanded[second])
            total += 2 * weights[first] * weights[second] * (together - apart)
        return max(total, 0.0)

    def _average(self, operator: Mapping[Product, float]) -> float:
        total = 0.0
        for product, coefficient in operator.items():
            if not product:
                total += coefficient
                continue
            key = product, self.noise is not None
            if key not in self._carried:
                self._carried[key] = self._propagate(
                    product, self.noise is not None, *pauli_propagation.TRIAL
                )
            total += coefficient * self._carried[key][0]
        return total

    def _reach(self, term: int) -> set[int]:
        measured = tuple(sorted({qubit for product in self._expanded[term] for qubit in product}))
        return self._cone(measured)[1]

    def _expand(self, worth: NDArray[np.float64], *, errors: bool = True) -> dict[Product, float]:
        """Return a term as a sum of products of Z on measured qubits.

        Parameters
        ----------
        worth : ndarray
            What each bit contributes as factor, shape ``(measured qubits, 2)``.
        errors : bool
            Whether they are measured with errors.
        """
        products: dict[Product, float] = {(): 1.0}
        for bit in np.flatnonzero((worth != 1.0).any(axis=1)):
            qubit = self._qubit_of[int(bit)]
            zero, one = worth[bit]
            constant, linear = (zero + one) / 2, (zero - one) / 2
            linear *= self._visibility(qubit) if errors else 1.0
            grown: dict[Product, float] = {}
            for product, coefficient in products.items():
                if constant:
                    grown[product] = coefficient * constant
                if linear:
                    grown[(*product, qubit)] = coefficient * linear
            products = grown
        return products

    def _visibility(self, qubit: int) -> float:
        """Return by which factor errors of the measurement shrink an average of Z.

        The two errors of a readout are averaged, as they are where measurements are twirled, which
        is what the service does unless told otherwise.
        """
        if self.noise is None:
            return 1.0
        factors = self.noise.twirled("measure", (qubit,))
        shrunk = 1.0 if factors is None else float(factors[3])
        read = self.noise.readout(qubit) if self.readout else None
        return shrunk if read is None else shrunk * float(1 - read[0, 1] - read[1, 0])

    def _cone(self, measured: Product) -> tuple[list[CircuitInstruction], set[int]]:
        if measured not in self._cones:
            self._cones[measured] = light_cone.cut(self._steps, measured)
        return self._cones[measured]

    def _propagate(
        self, product: Product, noisy: bool, max_terms: int, atol: float
    ) -> tuple[float, float]:
        if not product:
            return 1.0, 0.0
        key = product, noisy
        if key not in self._prepared:
            noise = self.noise.twirled if noisy and self.noise is not None else None
            self._prepared[key] = pauli_propagation.prepare(
                self._cone(product)[0], self._index, noise
            )
        return self._prepared[key].value(product, max_terms, atol)
