"""The estimator: expectation values of observables, estimated from sampled outcomes.

Values are estimated as a device would: the precision asked for becomes a number of shots, each
group of commuting terms is measured in a circuit of its own, and how much the sum of a group's
terms varies from shot to shot gives the error. Groups are measured in different shots, so their
variances add up.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from qiskit.primitives import DataBin, PubResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from qsession_widgets.emulator.engine import decode, sampling
from qsession_widgets.emulator.engine.failure import INVALID_BODY, INVALID_OBSERVABLE, JobFailure
from qsession_widgets.emulator.engine.job import JobRun
from qsession_widgets.emulator.engine.measurement import Group, Sums, groups, support
from qsession_widgets.emulator.engine.programs import results
from qsession_widgets.emulator.engine.programs.pubs import (
    CircuitFacts,
    Options,
    kept_qubits,
    posted_pubs,
)
from qsession_widgets.emulator.engine.sampling import Sampled
from qsession_widgets.emulator.engine.simulate import Sweep

DEFAULT_PRECISION = 0.015625
"""One over the square root of 4096 shots."""


@dataclass(frozen=True)
class _Work:
    """A PUB broadcast: which terms are wanted at which parameter set."""

    pub: EstimatorPub
    facts: CircuitFacts
    at: Any
    observables: Any
    wanted: dict[tuple[int, ...], frozenset[str]]

    @property
    def shots(self) -> int:
        # so many shots have a precision that is rounded, and must not become one more on the way
        return math.ceil((1 - 1e-12) / float(self.pub.precision) ** 2)

    def qubits(self) -> set[int]:
        """Return the qubits of the circuit and of its observables; idle ones are measured, too."""
        used = set(self.facts.active)
        for label in set().union(*self.wanted.values()):
            used.update(support(label))
        return used


def run(job: JobRun, text: str) -> str:
    """Run a job of this program: one of ``PROGRAMS``, which says what goes in and out."""
    params = decode.decode(text)
    posted = posted_pubs(params)
    options = Options.read(job, params)
    precision = options.take("default_precision") or DEFAULT_PRECISION
    shots = options.take("default_shots")
    if shots:
        precision = 1 / math.sqrt(shots)
    precision = params.get("precision") or precision
    width = job.device.num_qubits
    works = [_work(_pub(value, precision, index, width)) for index, value in enumerate(posted)]
    options.warn_about_rest(job)
    for index, work in enumerate(works):
        work.facts.check(job.device, index)
    if not job.device.ideal and params.get("resilience_level") is None:
        job.note(
            "values are as measured: the service would correct readout errors, because its "
            "resilience_level is 1 where none is asked for"
        )
    return results.write(_estimate(job, works, options), params)


def _pub(value: Any, precision: float, index: int, width: int) -> EstimatorPub:
    if not isinstance(value, (list, tuple)) or len(value) < 2:
        raise JobFailure(
            f"PUB {index} is not valid: an estimator's starts with a circuit and observables.",
            INVALID_BODY,
        )
    circuit = decode.as_circuit(value[0], width)
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


def _work(pub: EstimatorPub) -> _Work:
    shape = pub.parameter_values.shape
    indices = np.fromiter(np.ndindex(shape), dtype=object).reshape(shape)
    at, observables = np.broadcast_arrays(indices, pub.observables)
    wanted: dict[Any, set[str]] = defaultdict(set)
    for index in np.ndindex(*at.shape):
        wanted[at[index]].update(observables[index])
    frozen = {place: frozenset(labels) for place, labels in wanted.items()}
    return _Work(pub, CircuitFacts.of(pub.circuit), at, observables, frozen)


def _estimate(job: JobRun, works: Sequence[_Work], options: Options) -> list[PubResult]:
    kept = kept_qubits(work.qubits() for work in works)
    plans = [
        {labels: _groups(job, work.facts, kept, labels) for labels in set(work.wanted.values())}
        for work in works
    ]
    every = [group.circuit for plan in plans for found in plan.values() for group in found]
    noise = options.noise_for(job, every, kept)

    by_shots: dict[int, list[int]] = defaultdict(list)
    for index, work in enumerate(works):
        by_shots[work.shots].append(index)
    by_index: dict[int, PubResult] = {}
    for shots, members in by_shots.items():
        steps = [step for index in members for step in _steps(index, works[index], plans[index])]
        counted = sampling.run(
            job,
            [step.sweep for step in steps],
            shots=shots,
            seed=options.seed,
            noise=noise,
            keep="counts",
        )
        totals = {index: _Totals(works[index]) for index in members}
        for step, by_place in zip(steps, counted, strict=True):
            totals[step.index].add(step, by_place)
        for index in members:
            by_index[index] = totals[index].result()
    return [by_index[index] for index in range(len(works))]


@dataclass(frozen=True)
class _Step:
    """One group of terms of one PUB, at all parameter sets that want it."""

    index: int
    group: Group
    places: list[tuple[int, ...]]
    sweep: Sweep


def _steps(index: int, work: _Work, plan: dict[frozenset[str], list[Group]]) -> Iterator[_Step]:
    parameters = work.pub.circuit.parameters
    values = work.pub.parameter_values.as_array(parameters)
    for labels, found in plan.items():
        places = [place for place, wanted in work.wanted.items() if wanted == labels]
        chosen = np.array([values[place] for place in places])
        for group in found:
            yield _Step(index, group, places, Sweep.of(group.circuit, parameters, chosen))


def _groups(
    job: JobRun, facts: CircuitFacts, kept: tuple[int, ...], labels: frozenset[str]
) -> list[Group]:
    key = (job.device.name, kept, labels)
    if key not in facts.extra:
        if len(facts.extra) > 16:
            facts.extra.clear()
        facts.extra[key] = groups(facts.cut(kept), kept, labels, job.device)
    found: list[Group] = facts.extra[key]
    return found


class _Totals:
    """What comes together for one PUB, group by group of its terms."""

    def __init__(self, work: _Work) -> None:
        self._work = work
        self._means = np.zeros(work.at.shape)
        self._variances = np.zeros(work.at.shape)
        # By parameter set and term: in which observables it is, and with which factor.
        self._uses: dict[tuple[Any, str], list[tuple[tuple[int, ...], float]]] = defaultdict(list)
        for index in np.ndindex(*work.at.shape):
            for label, factor in work.observables[index].items():
                self._uses[work.at[index], label].append((index, factor))

    def add(self, step: _Step, by_place: Sequence[Sampled]) -> None:
        """Add what a group contributes to the observables at each of its parameter sets."""
        for place, sampled in zip(step.places, by_place, strict=True):
            summands: dict[tuple[int, ...], list[tuple[int, float]]] = defaultdict(list)
            for at, label in enumerate(step.group.labels):
                for index, factor in self._uses[place, label]:
                    summands[index].append((at, factor))
            sums = Sums.build(list(summands.values()))
            found = step.group.evaluate(sums, sampled.bits, sampled.weights)
            for index, mean, variance in zip(summands, *found, strict=True):
                self._means[index] += mean
                self._variances[index] += variance

    def result(self) -> PubResult:
        """Return the PUB's result, once all groups have been added."""
        pub, shots = self._work.pub, self._work.shots
        # An array also where it has no axes, for which NumPy's own arithmetic returns a number.
        errors = np.asarray(np.sqrt(self._variances / shots))
        return PubResult(
            DataBin(
                evs=self._means,
                stds=errors,
                # On the service the two differ where gates are twirled, which nothing is here.
                ensemble_standard_error=errors,
                shape=self._means.shape,
            ),
            metadata={
                "target_precision": pub.precision,
                "shots": shots,
                "circuit_metadata": pub.circuit.metadata,
            },
        )
