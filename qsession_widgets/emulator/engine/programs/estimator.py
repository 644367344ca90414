"""The estimator: expectation values of observables, estimated from sampled outcomes.

Values are estimated as a device would: the precision asked for becomes a number of shots, each
group of commuting terms is measured in a circuit of its own, and how much the sum of a group's
terms varies from shot to shot gives the error. Groups are measured in different shots, so their
variances add up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from qiskit.primitives import PubResult

from qsession_widgets.emulator.engine import job_decoder
from qsession_widgets.emulator.engine.programs import (
    estimator_cancellation,
    estimator_extrapolation,
    estimator_mitigation,
    estimator_pubs,
    estimator_values,
    layers,
    mitigation,
    prepared,
    readout_mitigation,
    results,
)
from qsession_widgets.emulator.engine.programs.estimator_pubs import DEFAULT_PRECISION, Work
from qsession_widgets.emulator.engine.programs.mitigation import JobOptions
from qsession_widgets.emulator.engine.programs.pubs import (
    Options,
    check_size,
    check_values,
    posted_pubs,
)
from qsession_widgets.emulator.engine.simulation.job_run import JobRun
from qsession_widgets.emulator.engine.simulation.propagated_estimates import Unpropagated


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
    for index, work in enumerate(works):
        if options.noise_model is None:
            check_size(job, index, work.pub, next(iter(work.wanted.values()), ()))
    found = None
    if asked is not None and asked.prepared:
        found = _averaged(job, works, options, asked)
        if found is None:
            readout_mitigation.check_width(works, asked)
            try:
                found = estimator_mitigation.run(job, works, options, asked, timed=timed)
                timed = False
            except layers.Unprepared as error:
                asked = mitigation.as_measured(job, asked, error)
    if found is None:
        found = estimator_values.estimate(job, works, options)
    if timed:
        for work, result in zip(works, found, strict=True):
            result.metadata["compilation"] = prepared.compilation(job.device, work.pub.circuit)
    return results.write(found, params, metadata=mitigation.described(job, asked))


def _averaged(
    job: JobRun, works: Sequence[Work], options: Options, asked: JobOptions
) -> list[PubResult] | None:
    """Return a job's results without drawing randomizations; None where they must be drawn."""
    corrected = readout_mitigation.prepare(job, works, options, asked)
    if corrected is None:
        return None
    resilience = asked.final.resilience
    try:
        if resilience.zne_mitigation:
            return estimator_extrapolation.run(job, corrected, options, asked)
        if resilience.pec_mitigation:
            return estimator_cancellation.run(job, corrected, options, asked)
    except Unpropagated:
        if not asked.by_layers or len(corrected.position) > readout_mitigation.WIDE:
            raise
        # Deep and narrow: its randomizations take their time, and can be drawn.
        job.executions = 0
        return None
    return estimator_values.estimate(job, works, options, corrected)
