"""Probabilistic error cancellation of wide jobs, whose randomizations cannot be drawn one by one.

PEC draws the inverse of the noise of layers as Pauli operators with signs. Here the terms of the
observables are carried back through the circuits with what all draws average to, and the scatter of
the draws is added: a factor gamma enlarges it, and the shots of a randomization share its sign.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.primitives import DataBin, PubResult

from qsession_widgets.emulator.engine.failure import INVALID_OPTION, JobFailure
from qsession_widgets.emulator.engine.programs import estimator_values, gate_twirling
from qsession_widgets.emulator.engine.programs.estimator_pubs import Work
from qsession_widgets.emulator.engine.programs.estimator_values import Draws, Terms
from qsession_widgets.emulator.engine.programs.mitigation import JobOptions
from qsession_widgets.emulator.engine.programs.pubs import Options
from qsession_widgets.emulator.engine.programs.readout_mitigation import Corrected
from qsession_widgets.emulator.engine.simulation.approximation import worst
from qsession_widgets.emulator.engine.simulation.job_run import JobRun

_MOST_SHOTS = 1e9
"""Shots of one circuit: weeks on any device."""


def run(job: JobRun, corrected: Corrected, options: Options, asked: JobOptions) -> list[PubResult]:
    """Return the values of all PUBs with the noise of their layers cancelled.

    Raises
    ------
    JobFailure
        If a circuit cannot be simulated.
    """
    draws, cancelled = [], []
    for work, count in zip(corrected.works, corrected.randomizations, strict=True):
        gamma, gain, most = _overhead(job, corrected, work, count, asked)
        shots = work.shots // count
        randomizations = count * min(gamma * gamma, most)
        if randomizations * shots > _MOST_SHOTS:
            raise JobFailure(
                f"PEC of this job would take {gamma * gamma:.2g} times its shots: limit that with "
                "pec.max_overhead (100 by default), or leave more of the noise with pec.noise_gain "
                "between 0 and 1.",
                INVALID_OPTION,
            )
        draws.append(Draws(math.ceil(randomizations), shots, gamma))
        work = replace(work, executed=draws[-1].count * shots)
        cancelled.append(corrected.twirled(work, gain - 1))
    plain = [corrected.twirled(work) for work in corrected.works]
    without = estimator_values.measure(job, plain, options, corrected.noise, Terms)
    # Last, because it counts as what was executed.
    beside = corrected.calibration + corrected.learning
    measured = estimator_values.measure(job, cancelled, options, corrected.noise, Terms, beside)
    job.executions += beside
    rng = np.random.default_rng(None if options.seed is None else [options.seed, 3])
    for each, terms, unmitigated in zip(draws, measured, without, strict=True):
        terms.scatter(each, unmitigated, rng)
    found = [
        _result(work, terms, corrected.scales)
        for work, terms in zip(cancelled, measured, strict=True)
    ]
    replace(corrected, randomizations=[each.count for each in draws]).describe(found)
    return found


def _overhead(
    job: JobRun, corrected: Corrected, work: Work, count: int, asked: JobOptions
) -> tuple[float, float, float]:
    """Return the factor of a PUB's signs, how much of its noise is left, and the largest overhead.

    Source: `PEC.prepare` in qiskit-mitigation, which goes on to draw.
    """
    from qiskit_ibm_runtime.executor_estimator.pec import resolve_pec_max_overhead
    from qiskit_mitigation import PEC

    assert corrected.boxing is not None
    assert corrected.layer_noise is not None
    pec = asked.final.resilience.pec
    most = resolve_pec_max_overhead(pec.max_overhead, count, work.shots // count)
    boxed = gate_twirling.boxed_circuit(
        work.facts, tuple(corrected.position), corrected.boxing, inject=True
    )
    noise = dict(corrected.layer_noise)
    whole = float(PEC.calculate_gamma(boxed, noise, 1.0))
    if pec.noise_gain == "auto":
        gain = 1.0 if whole == 1 else 1 - math.log(most) / (2 * math.log(whole))
        gain = min(1.0, max(0.0, gain))
    else:
        gain = float(pec.noise_gain)
    gamma = float(PEC.calculate_gamma(boxed, noise, 1 - gain))
    job.note(f"PEC: noise gain {gain:.3g}, sampling overhead {gamma * gamma:.4g}")
    if pec.noise_gain != "auto" and gamma * gamma > most:
        job.warn(
            f"PEC with noise_gain = {gain:g} takes {gamma * gamma:.2g} times this job's shots, and "
            f"max_overhead = {most:g} allows no more: its errors are larger accordingly."
        )
    if gain > 0 and pec.noise_gain == "auto":
        job.warn(
            f"PEC undoes {1 - gain:.0%} of the noise of this job's gates, because max_overhead = "
            f"{most:g} allows no more; all of it would take {whole * whole:.2g} times the shots."
        )
    return gamma, gain, most


def _result(work: Work, measured: Terms, scales: Mapping[str, float]) -> PubResult:
    """Return the result of one PUB; terms are taken for independent, as the client does."""
    sums: dict[str, NDArray[np.float64]] = defaultdict(lambda: np.zeros(work.at.shape))
    for index in np.ndindex(*work.at.shape):
        for label, coefficient in work.observables[index].items():
            weight = coefficient * scales.get(label, 1.0)
            point = work.at[index], label
            value, apart = measured.points[point]
            sums["value"][index] += weight * value
            sums["apart"][index] += weight**2 * apart
            sums["together"][index] += weight**2 * measured.together[point]
    metadata: dict[str, Any] = {
        "target_precision": work.pub.precision,
        "shots": work.shots,
        "circuit_metadata": work.pub.circuit.metadata,
    }
    approximation = worst(measured.approximations)
    if approximation is not None:
        metadata["simulation"] = approximation.metadata()
    return PubResult(
        DataBin(
            evs=sums["value"],
            stds=np.asarray(np.sqrt(sums["apart"])),
            ensemble_standard_error=np.asarray(np.sqrt(sums["together"])),
            shape=work.at.shape,
        ),
        metadata=metadata,
    )
