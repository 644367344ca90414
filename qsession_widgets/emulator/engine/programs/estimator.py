"""The estimator: expectation values of observables, estimated from sampled outcomes.

Values are estimated as a device would: the precision asked for becomes a number of shots, each
group of commuting terms is measured in a circuit of its own, and how much the sum of a group's
terms varies from shot to shot gives the error. Groups are measured in different shots, so their
variances add up.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from qiskit.primitives import DataBin, PubResult

from qsession_widgets.emulator.engine import job_decoder
from qsession_widgets.emulator.engine.programs import (
    estimator_mitigation,
    estimator_pubs,
    layers,
    mitigation,
    prepared,
    readout_mitigation,
    results,
)
from qsession_widgets.emulator.engine.programs.estimator_pubs import DEFAULT_PRECISION, Work
from qsession_widgets.emulator.engine.programs.pubs import (
    CircuitFacts,
    Options,
    check_values,
    kept_qubits,
    posted_pubs,
)
from qsession_widgets.emulator.engine.simulation import expectation
from qsession_widgets.emulator.engine.simulation.approximation import Approximation, worst
from qsession_widgets.emulator.engine.simulation.expectation import Estimates
from qsession_widgets.emulator.engine.simulation.job_run import JobRun
from qsession_widgets.emulator.engine.simulation.measurement import Group, Sums, groups
from qsession_widgets.emulator.engine.simulation.simulate import Sweep


def run(job: JobRun, text: str) -> str:
    """Run a job of this program: one of ``PROGRAMS``, which says what goes in and out."""
    params = job_decoder.decode(text)
    posted = posted_pubs(params)
    options = Options.read(job, params)
    precision = options.take("default_precision") or DEFAULT_PRECISION
    shots = options.take("default_shots")
    if shots:
        precision = 1 / math.sqrt(shots)
    precision = params.get("precision") or precision
    width = job.device.num_qubits
    works = [
        estimator_pubs.broadcast(estimator_pubs.read(value, precision, index, width))
        for index, value in enumerate(posted)
    ]
    timed = options.take_timing()
    asked = mitigation.estimator(job, options, params.get("resilience_level"))
    options.warn_about_rest(job)
    for index, work in enumerate(works):
        work.facts.check(job.device, index)
        check_values(job, index, work.pub)
    found = corrected = None
    if asked is not None and asked.prepared:
        corrected = readout_mitigation.prepare(job, works, options, asked)
        if corrected is None:
            try:
                found = estimator_mitigation.run(job, works, options, asked, timed=timed)
            except layers.Unprepared as error:
                asked = mitigation.as_measured(job, asked, error)
    if found is None:
        found = _estimate(job, works, options, corrected)
        if timed:
            for work, result in zip(works, found, strict=True):
                result.metadata["compilation"] = prepared.compilation(job.device, work.pub.circuit)
    return results.write(found, params, metadata=mitigation.described(job, asked))


def _estimate(
    job: JobRun,
    works: Sequence[Work],
    options: Options,
    corrected: readout_mitigation.Corrected | None = None,
) -> list[PubResult]:
    """Return the values of all PUBs, as they are measured or with the readout corrected."""
    if corrected is not None:
        works = corrected.works
    kept = kept_qubits(work.qubits() for work in works)
    plans = [
        {labels: _groups(job, work.facts, kept, labels) for labels in set(work.wanted.values())}
        for work in works
    ]
    every = [group.circuit for plan in plans for found in plan.values() for group in found]
    noise = options.noise_for(job, every, kept)
    if corrected is not None:
        noise = corrected.noise
    executions = sum(
        work.shots * sum(len(plan[labels]) for labels in work.wanted.values())
        for work, plan in zip(works, plans, strict=True)
    )
    plans = [
        {
            labels: [part for group in found for part in expectation.narrowed(job, group, noise)]
            for labels, found in plan.items()
        }
        for plan in plans
    ]

    by_shots: dict[int, list[int]] = defaultdict(list)
    for index, work in enumerate(works):
        by_shots[work.shots].append(index)
    by_index: dict[int, PubResult] = {}
    for shots, members in by_shots.items():
        steps = [step for index in members for step in _steps(index, works[index], plans[index])]
        estimated = expectation.run(
            job,
            [(step.group, step.sweep) for step in steps],
            shots=shots,
            seed=options.seed,
            noise=noise,
        )
        # The calibration comes last: what fits nothing is refused before any noise is computed.
        scales = {} if corrected is None else corrected.scales
        totals = {index: _Totals(works[index], scales) for index in members}
        for step, by_place in zip(steps, estimated, strict=True):
            totals[step.index].add(step, by_place)
        for index in members:
            by_index[index] = totals[index].result()
    # As many as on a device, however the circuits were divided here.
    job.executions = executions
    found = [by_index[index] for index in range(len(works))]
    if corrected is not None:
        job.executions += corrected.calibration
        corrected.describe(found)
    return found


@dataclass(frozen=True)
class _Step:
    """One group of terms of one PUB, at all parameter sets that want it."""

    index: int
    group: Group
    places: list[tuple[int, ...]]
    sweep: Sweep


def _steps(index: int, work: Work, plan: dict[frozenset[str], list[Group]]) -> Iterator[_Step]:
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
    """Sums of one PUB, collected group by group of its terms."""

    def __init__(self, work: Work, scales: Mapping[str, float]) -> None:
        self._work = work
        self._means = np.zeros(work.at.shape)
        self._variances = np.zeros(work.at.shape)
        self._approximations: list[Approximation | None] = []
        # By parameter set and term: in which observables it is, and with which factor.
        self._uses: dict[tuple[Any, str], list[tuple[tuple[int, ...], float]]] = defaultdict(list)
        for index in np.ndindex(*work.at.shape):
            for label, factor in work.observables[index].items():
                scaled = factor * scales.get(label, 1.0)
                self._uses[work.at[index], label].append((index, scaled))

    def add(self, step: _Step, by_place: Sequence[Estimates]) -> None:
        """Add what a group contributes to the observables at each of its parameter sets."""
        for place, estimates in zip(step.places, by_place, strict=True):
            summands: dict[tuple[int, ...], list[tuple[int, float]]] = defaultdict(list)
            for at, label in enumerate(step.group.labels):
                for index, factor in self._uses[place, label]:
                    summands[index].append((at, factor))
            sums = Sums.build(list(summands.values()))
            found = estimates.of(sums)
            self._approximations.append(estimates.approximation)
            for index, mean, variance in zip(summands, *found, strict=True):
                self._means[index] += mean
                self._variances[index] += variance

    def result(self) -> PubResult:
        """Return the PUB's result, once all groups have been added."""
        pub, shots = self._work.pub, self._work.shots
        # An array also where it has no axes, for which NumPy's own arithmetic returns a number.
        errors = np.asarray(np.sqrt(self._variances / shots))
        metadata = {
            "target_precision": pub.precision,
            "shots": shots,
            "circuit_metadata": pub.circuit.metadata,
        }
        approximation = worst(self._approximations)
        if approximation is not None:
            metadata["simulation"] = approximation.metadata()
        return PubResult(
            DataBin(
                evs=self._means,
                stds=errors,
                # On the service the two differ where gates are twirled, which nothing is here.
                ensemble_standard_error=errors,
                shape=self._means.shape,
            ),
            metadata=metadata,
        )
