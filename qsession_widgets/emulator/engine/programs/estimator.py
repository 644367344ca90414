"""The estimator: expectation values of observables, estimated from sampled outcomes.

Values are estimated as a device would: the precision asked for becomes a number of shots, each
group of commuting terms is measured in a circuit of its own, and how much the sum of a group's
terms varies from shot to shot gives the error. Groups are measured in different shots, so their
variances add up.
"""

from __future__ import annotations

import math

from qsession_widgets.emulator.engine import job_decoder
from qsession_widgets.emulator.engine.failure import JobFailure
from qsession_widgets.emulator.engine.programs import (
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
from qsession_widgets.emulator.engine.programs.estimator_pubs import DEFAULT_PRECISION
from qsession_widgets.emulator.engine.programs.pubs import (
    Options,
    check_size,
    check_values,
    posted_pubs,
)
from qsession_widgets.emulator.engine.simulation.job_run import JobRun


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
    try:
        for index, work in enumerate(works):
            if options.noise_model is None:
                check_size(job, index, work.pub, next(iter(work.wanted.values()), ()))
    except JobFailure as failure:
        if asked is not None and asked.by_layers:
            failure = readout_mitigation.advised(failure, works)
        raise failure from None
    found = corrected = None
    if asked is not None and asked.prepared:
        corrected = readout_mitigation.prepare(job, works, options, asked)
        if corrected is None:
            try:
                found = estimator_mitigation.run(job, works, options, asked, timed=timed)
            except layers.Unprepared as error:
                asked = mitigation.as_measured(job, asked, error)
            except JobFailure as failure:
                if asked.by_layers:
                    failure = readout_mitigation.advised(failure, works)
                raise failure from None
    if found is None:
        if asked is not None and corrected is not None and asked.final.resilience.zne_mitigation:
            found = estimator_extrapolation.run(job, corrected, options, asked)
        else:
            found = estimator_values.estimate(job, works, options, corrected)
        if timed:
            for work, result in zip(works, found, strict=True):
                result.metadata["compilation"] = prepared.compilation(job.device, work.pub.circuit)
    return results.write(found, params, metadata=mitigation.described(job, asked))
