"""Zero-noise extrapolation of wide jobs, whose randomizations cannot be drawn one by one.

The circuits are folded by qiskit-mitigation's own pass, or (PEA) have noise injected, and its fit
extrapolates each term. In between, terms are measured as `estimator_values` does it, with the noise
that the randomizations average to. `_process_extrapolated_expectation_values`, the fit of one
term, has no public name: the public function takes outcomes of all randomizations.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit
from qiskit.primitives import DataBin, PubResult
from qiskit.transpiler import PassManager

from qsession_widgets.emulator.engine.programs import estimator_values, layers
from qsession_widgets.emulator.engine.programs.estimator_pubs import Work
from qsession_widgets.emulator.engine.programs.estimator_values import Draws, Point, Terms
from qsession_widgets.emulator.engine.programs.mitigation import JobOptions
from qsession_widgets.emulator.engine.programs.pubs import Options
from qsession_widgets.emulator.engine.programs.readout_mitigation import Corrected, with_circuit
from qsession_widgets.emulator.engine.simulation.approximation import worst
from qsession_widgets.emulator.engine.simulation.job_run import JobRun

FOLDING = {
    "gate_folding": "random",
    "gate_folding_front": "front",
    "gate_folding_back": "back",
}
"""Amplifiers that fold gates, with the name of the pass's method for each."""


def run(job: JobRun, corrected: Corrected, options: Options, asked: JobOptions) -> list[PubResult]:
    """Return the values of all PUBs at each noise factor, and extrapolated to no noise.

    Raises
    ------
    JobFailure
        If there are too few noise factors for the fit, or a circuit cannot be simulated.
    """
    from qiskit_ibm_runtime.executor_estimator.utils import (
        resolve_noise_factors,
        validate_noise_factors,
    )

    zne = asked.final.resilience.zne
    factors, targets = resolve_noise_factors(zne)
    models = [zne.extrapolator] if isinstance(zne.extrapolator, str) else list(zne.extrapolator)
    try:
        validate_noise_factors(factors, models)
    except Exception as error:
        raise layers.refused(error) from error
    amplified = [
        _amplified(corrected, work, zne.amplifier, float(factor), options.seed)
        for work in corrected.works
        for factor in factors
    ]
    without = None
    if zne.amplifier == "pea":
        plain = [corrected.twirled(work) for work in corrected.works]
        without = estimator_values.measure(job, plain, options, corrected.noise, Terms)
    # Last, because it counts as what was executed.
    beside = corrected.calibration + corrected.learning
    measured = estimator_values.measure(job, amplified, options, corrected.noise, Terms, beside)
    if without is not None:
        rng = np.random.default_rng(None if options.seed is None else [options.seed, 3])
        for at, terms in enumerate(measured):
            pub = at // len(factors)
            count = corrected.randomizations[pub]
            draws = Draws(count, corrected.works[pub].shots // count)
            terms.scatter(draws, without[pub], rng)
    job.executions += beside
    found = [
        _extrapolated(
            work, measured[at * len(factors) :][: len(factors)], corrected, factors, targets, models
        )
        for at, work in enumerate(corrected.works)
    ]
    corrected.describe(found)
    return found


def _amplified(
    corrected: Corrected, work: Work, amplifier: str, factor: float, seed: int | None
) -> Work:
    if amplifier == "pea":
        return corrected.twirled(work, factor - 1)
    from qiskit_mitigation.zne.gate_folding import GateFoldingPass

    circuit: QuantumCircuit = PassManager([GateFoldingPass(factor, FOLDING[amplifier], seed)]).run(
        work.facts.straight
    )
    return corrected.twirled(with_circuit(work, circuit))


def _extrapolated(
    work: Work,
    measured: Sequence[Terms],
    corrected: Corrected,
    factors: NDArray[np.float64],
    targets: NDArray[np.float64],
    models: list[str],
) -> PubResult:
    """Return the result of one PUB; terms are taken for independent, as the client does."""
    from qiskit_mitigation.zne.extrapolation import _process_extrapolated_expectation_values

    fits: dict[Point, Any] = {}
    for point in measured[0].points:
        values, variances = zip(*(terms.points[point] for terms in measured), strict=True)
        fits[point] = _process_extrapolated_expectation_values(
            values, np.sqrt(variances), point[1], list(factors), models, targets
        )
    shape = work.at.shape
    values_at: dict[str, NDArray[np.float64]] = defaultdict(lambda: np.zeros(shape))
    at_factors = np.zeros((3, *shape, len(factors)))
    at_targets = np.zeros((2, *shape, len(models), len(targets)))
    chosen = np.empty(shape, dtype=object)
    for index in np.ndindex(*shape):
        names = []
        for label, coefficient in work.observables[index].items():
            point = work.at[index], label
            weight = coefficient * corrected.scales.get(label, 1.0)
            value, error, name, others, their_errors = fits[point]
            names.append(name)
            values_at["mean"][index] += weight * value
            values_at["variance"][index] += (weight * error) ** 2
            means, variances = np.transpose([terms.points[point] for terms in measured])
            at_factors[0][index] += weight * means
            at_factors[1][index] += weight**2 * variances
            at_factors[2][index] += weight**2 * np.array([t.together[point] for t in measured])
            at_targets[0][index] += weight * others
            at_targets[1][index] += (weight * their_errors) ** 2
        chosen[index] = names[0] if len(set(names)) == 1 else "multiple"
    metadata = {
        "target_precision": work.pub.precision,
        "shots": work.shots,
        "circuit_metadata": work.pub.circuit.metadata,
        "resilience": {"zne": {"extrapolators": np.asarray(chosen, dtype=str)}},
    }
    approximation = worst(each for terms in measured for each in terms.approximations)
    if approximation is not None:
        metadata["simulation"] = approximation.metadata()
    return PubResult(
        DataBin(
            evs=values_at["mean"],
            stds=np.asarray(np.sqrt(values_at["variance"])),
            evs_noise_factors=at_factors[0],
            stds_noise_factors=np.sqrt(at_factors[1]),
            ensemble_stds_noise_factors=np.sqrt(at_factors[2]),
            evs_extrapolated=at_targets[0],
            stds_extrapolated=np.sqrt(at_targets[1]),
            shape=shape,
        ),
        metadata=metadata,
    )
