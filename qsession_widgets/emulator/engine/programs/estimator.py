"""The estimator: expectation values of observables, estimated from sampled outcomes.

Values are estimated as a device would: the precision asked for becomes a number of shots, each
group of commuting terms is measured in a circuit of its own, and the spread of the terms gives the
error.
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
from qsession_widgets.emulator.engine.measurement import Group, groups, support
from qsession_widgets.emulator.engine.programs import results
from qsession_widgets.emulator.engine.programs.pubs import (
    CircuitFacts,
    Options,
    kept_qubits,
    posted_pubs,
)
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
        owners = [step.index for step in steps]

        def tell(done: set[int], owners: list[int] = owners, before: int = len(by_index)) -> None:
            pending = {owner for at, owner in enumerate(owners) if at not in done}
            job.progress(before + len(set(owners) - pending), len(works))

        counted = sampling.run(
            job,
            [step.sweep for step in steps],
            shots=shots,
            seed=options.seed,
            noise=noise,
            keep="counts",
            done=tell,
        )
        values: dict[int, dict[Any, tuple[float, float]]] = defaultdict(dict)
        for step, by_place in zip(steps, counted, strict=True):
            for place, sampled in zip(step.places, by_place, strict=True):
                means, variances = step.group.evaluate(sampled.bits, sampled.weights)
                for label, mean, variance in zip(step.group.labels, means, variances, strict=True):
                    values[step.index][place, label] = (mean, variance)
        for index in members:
            by_index[index] = _result(works[index], values[index])
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


def _result(work: _Work, values: dict[Any, tuple[float, float]]) -> PubResult:
    shape = work.at.shape
    evs, stds = np.zeros(shape), np.zeros(shape)
    for index in np.ndindex(*shape):
        for label, coefficient in work.observables[index].items():
            mean, variance = values[work.at[index], label]
            evs[index] += mean * coefficient
            stds[index] += abs(coefficient) * math.sqrt(variance)
    return PubResult(
        DataBin(evs=evs, stds=stds / math.sqrt(work.shots), shape=shape),
        metadata={
            "target_precision": work.pub.precision,
            "shots": work.shots,
            "circuit_metadata": work.pub.circuit.metadata,
        },
    )
