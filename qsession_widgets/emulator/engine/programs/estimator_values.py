"""The terms of an estimator's observables, measured group by group and summed.

Terms that can be measured together are one circuit. How much the sum of a group's terms varies from
shot to shot gives its error; groups are measured in different shots, so their variances add up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from qiskit.primitives import DataBin, PubResult

from qsession_widgets.emulator.engine.devices.noise_source import Noise
from qsession_widgets.emulator.engine.programs.estimator_pubs import Work
from qsession_widgets.emulator.engine.programs.pubs import CircuitFacts, Options, kept_qubits
from qsession_widgets.emulator.engine.programs.readout_mitigation import Corrected
from qsession_widgets.emulator.engine.simulation import expectation
from qsession_widgets.emulator.engine.simulation.approximation import Approximation, worst
from qsession_widgets.emulator.engine.simulation.expectation import Estimates
from qsession_widgets.emulator.engine.simulation.job_run import JobRun
from qsession_widgets.emulator.engine.simulation.measurement import Group, Sums, groups
from qsession_widgets.emulator.engine.simulation.simulate import Sweep


@dataclass(frozen=True)
class Evaluation:
    """One group of terms of one PUB, at all parameter sets that want it."""

    index: int
    group: Group
    places: list[tuple[int, ...]]
    sweep: Sweep


Point = tuple[tuple[int, ...], str]
"""A parameter set and a term."""


class Collector(Protocol):
    """Collects what was measured of one PUB."""

    def add(self, step: Evaluation, by_place: Sequence[Estimates]) -> None:
        """Add what a group contributes at each of its parameter sets."""


_C = TypeVar("_C", bound=Collector)


def estimate(
    job: JobRun, works: Sequence[Work], options: Options, corrected: Corrected | None = None
) -> list[PubResult]:
    """Return the values of all PUBs, as they are measured or with the readout corrected."""
    if corrected is None:
        return [totals.result() for totals in measure(job, works, options, None, _Totals)]
    totals = measure(
        job,
        [corrected.twirled(work) for work in corrected.works],
        options,
        corrected.noise,
        lambda work: _Totals(work, corrected.scales),
        corrected.calibration,
    )
    job.executions += corrected.calibration
    found = [each.result() for each in totals]
    corrected.describe(found)
    return found


def measure(
    job: JobRun,
    works: Sequence[Work],
    options: Options,
    noise: Noise | None,
    collector: Callable[[Work], _C],
    beside: int = 0,
) -> list[_C]:
    """Measure the terms of all PUBs.

    Parameters
    ----------
    job : JobRun
        Told about time, executions and settings.
    works : sequence of Work
        The PUBs.
    options : Options
        Where the seed comes from, and the noise where none is given.
    noise : Noise, optional
        Of the qubits that the job keeps.
    collector : callable
        Makes what collects the values of a PUB. It is called once they are known, so that what fits
        nothing is refused before any noise is computed.
    beside : int
        Executions that the job has besides.
    """
    kept = kept_qubits(work.qubits() for work in works)
    plans = [
        {labels: _groups(job, work.facts, kept, labels) for labels in set(work.wanted.values())}
        for work in works
    ]
    every = [group.circuit for plan in plans for found in plan.values() for group in found]
    device_noise = options.noise_for(job, every, kept)
    noise = device_noise if noise is None else noise
    executions = sum(
        work.shots * sum(len(plan[labels]) for labels in work.wanted.values())
        for work, plan in zip(works, plans, strict=True)
    )
    job.on_planned(executions + beside)
    narrow = [
        {
            labels: [part for group in found for part in expectation.narrowed(job, group, noise)]
            for labels, found in plan.items()
        }
        for plan in plans
    ]
    by_shots: dict[int, list[int]] = defaultdict(list)
    for index, work in enumerate(works):
        by_shots[work.shots].append(index)
    by_index: dict[int, _C] = {}
    for shots, members in by_shots.items():
        steps = [step for index in members for step in _steps(index, works[index], narrow[index])]
        estimated = expectation.run(
            job,
            [(step.group, step.sweep) for step in steps],
            shots=shots,
            seed=options.seed,
            noise=noise,
        )
        by_index.update({index: collector(works[index]) for index in members})
        for step, by_place in zip(steps, estimated, strict=True):
            by_index[step.index].add(step, by_place)
    # As many as on a device, however the circuits were divided here.
    job.executions = executions
    return [by_index[index] for index in range(len(works))]


def _steps(index: int, work: Work, plan: dict[frozenset[str], list[Group]]) -> Iterator[Evaluation]:
    parameters = work.pub.circuit.parameters
    values = work.pub.parameter_values.as_array(parameters)
    for labels, found in plan.items():
        places = [place for place, wanted in work.wanted.items() if wanted == labels]
        chosen = np.array([values[place] for place in places])
        for group in found:
            yield Evaluation(index, group, places, Sweep.of(group.circuit, parameters, chosen))


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


@dataclass(frozen=True)
class Draws:
    """Randomizations of a PUB into which noise is injected.

    Attributes
    ----------
    count, shots : int
        So many, of so many shots each.
    gamma : float
        Factor of their signs where the noise is inverted; 1 where it is amplified.
    """

    count: int
    shots: int
    gamma: float = 1.0

    def variances(self, value: float, unmitigated: float) -> tuple[float, float]:
        """Return the variance of a term's mean, of randomizations and of shots each by itself.

        A randomization's mean is taken for the unmitigated value with a sign, which it is where the
        circuit consists of Clifford gates.
        """
        square = min(unmitigated**2, 1.0)
        of_one = square + (1 - square) / self.shots
        apart = (self.gamma**2 * of_one - value**2) / self.count
        together = (self.gamma**2 - value**2) / (self.count * self.shots)
        return max(apart, together, 0.0), max(together, 0.0)


class Terms:
    """Mean and variance of each term of one PUB, at each of its parameter sets.

    Attributes
    ----------
    points : dict
        Mean and variance by parameter set and term.
    together : dict
        The variance that independent shots would have.
    approximations : list of Approximation or None
        What is not exact.
    """

    def __init__(self, work: Work) -> None:
        self._shots = work.shots
        self.points: dict[Point, tuple[float, float]] = {}
        self.together: dict[Point, float] = {}
        self.approximations: list[Approximation | None] = []

    def add(self, step: Evaluation, by_place: Sequence[Estimates]) -> None:
        """Add the terms of a group."""
        each = Sums.build([[(at, 1.0)] for at in range(len(step.group.labels))])
        for place, estimates in zip(step.places, by_place, strict=True):
            means, variances = estimates.of(each)
            self.approximations.append(estimates.approximation)
            for label, mean, variance in zip(step.group.labels, means, variances, strict=True):
                self.together[place, label] = float(variance) / self._shots
                self.points[place, label] = float(mean), float(variance) / self._shots

    def scatter(self, draws: Draws, without: Terms, rng: np.random.Generator) -> None:
        """Add what randomizations differ by, of which the means so far have the shots' alone.

        Parameters
        ----------
        draws : Draws
            The randomizations.
        without : Terms
            The same terms where nothing is injected.
        rng : Generator
            For what is drawn.
        """
        for point, (value, known) in self.points.items():
            apart, self.together[point] = draws.variances(value, without.points[point][0])
            missing = np.sqrt(max(apart - known, 0.0))
            self.points[point] = value + float(missing * rng.standard_normal()), apart


class _Totals:
    """Sums of one PUB, collected group by group of its terms."""

    def __init__(self, work: Work, scales: Mapping[str, float] | None = None) -> None:
        self._work = work
        scales = scales or {}
        self._means = np.zeros(work.at.shape)
        self._variances = np.zeros(work.at.shape)
        self._approximations: list[Approximation | None] = []
        # By parameter set and term: in which observables it is, and with which factor.
        self._uses: dict[tuple[Any, str], list[tuple[tuple[int, ...], float]]] = defaultdict(list)
        for index in np.ndindex(*work.at.shape):
            for label, factor in work.observables[index].items():
                scaled = factor * scales.get(label, 1.0)
                self._uses[work.at[index], label].append((index, scaled))

    def add(self, step: Evaluation, by_place: Sequence[Estimates]) -> None:
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
