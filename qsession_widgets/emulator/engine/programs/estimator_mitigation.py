"""The estimator with twirling, mitigation or decoupling, by the client's own functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from qiskit.primitives import PubResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.observables_array import ObservablesArray

from qsession_widgets.emulator.engine.devices.noise_source import Noise
from qsession_widgets.emulator.engine.programs import layers, prepared
from qsession_widgets.emulator.engine.programs.estimator_pubs import Work, without_projectors
from qsession_widgets.emulator.engine.programs.mitigation import JobOptions
from qsession_widgets.emulator.engine.programs.pubs import Options, kept_qubits
from qsession_widgets.emulator.engine.simulation.job_run import JobRun


def run(
    job: JobRun,
    works: Sequence[Work],
    options: Options,
    asked: JobOptions,
    *,
    timed: bool = False,
) -> list[PubResult]:
    """Return the results of an estimator's PUBs, mitigated as was asked.

    Raises
    ------
    JobFailure
        If the client's preparation refuses the job, or it cannot be run.
    """
    from qiskit_ibm_runtime.decoders.executor_estimator.decoder import ClientSideEstimatorDecoder
    from qiskit_ibm_runtime.executor_estimator.prepare import prepare

    kept = kept_qubits(work.qubits() for work in works)
    pubs = [_cut(work, kept, asked) for work in works]
    if asked.by_layers:
        noise = options.noise_for(job, [], kept)
        asked.model.resilience.layer_noise_model = _noise(job, pubs, kept, noise, asked)
    by_index: dict[int, PubResult] = {}
    for shots, members in prepared.by_shots([work.shots for work in works]).items():
        asked.model.default_shots = shots
        done = prepared.run(
            job,
            [pubs[index] for index in members],
            asked,
            options,
            kept,
            prepare=prepare,
            decoder=ClientSideEstimatorDecoder,
            limited=False,
            timed=timed,
        )
        resilience = asked.final.resilience
        pea = resilience.zne_mitigation and resilience.zne.amplifier == "pea"
        randomizations = _randomizations(done, len(members), axis=1 if pea else 0)
        for index, result, count in zip(members, done.results, randomizations, strict=True):
            own = dict(result.metadata)
            result.metadata.clear()
            result.metadata.update(
                {
                    "shots": count * done.shots,
                    "target_precision": works[index].pub.precision,
                    "circuit_metadata": works[index].pub.circuit.metadata,
                    "resilience": {},
                    "num_randomizations": count,
                    **own,
                }
            )
            by_index[index] = result
    return [by_index[index] for index in range(len(works))]


def _randomizations(done: prepared.Done, pubs: int, axis: int) -> Iterator[int]:
    """Yield how many randomizations each PUB had; with several noise factors, for each of them."""
    each = len(done.items) // pubs
    for at in range(pubs):
        yield done.items[at * each][axis]


def _cut(work: Work, kept: tuple[int, ...], asked: JobOptions) -> EstimatorPub:
    """Return a PUB on the kept qubits; its shots are those of the options."""
    circuit = prepared.registered(work.facts, kept)
    own = kept[: circuit.num_qubits]
    shape = work.pub.observables.shape
    observables = np.empty(shape, dtype=object)
    for index in np.ndindex(*shape):
        terms = {
            "".join(label[len(label) - 1 - qubit] for qubit in reversed(own)): factor
            for label, factor in work.pub.observables[index].items()
        }
        if asked.final.resilience.measure_mitigation:
            terms = without_projectors(terms)
        observables[index] = terms
    return EstimatorPub(
        circuit, ObservablesArray(observables), prepared.parameter_values(work.pub), None
    )


def _noise(
    job: JobRun,
    pubs: Sequence[EstimatorPub],
    kept: tuple[int, ...],
    noise: Noise,
    asked: JobOptions,
) -> list[Any]:
    from qiskit_ibm_runtime.executor_estimator.utils import estimator_options_to_boxing_options

    boxing = estimator_options_to_boxing_options(
        asked.final.twirling,
        measure_mitigation=bool(asked.final.resilience.measure_mitigation),
        inject_noise=True,
    )
    found = layers.find([pub.circuit for pub in pubs], boxing)
    return layers.model(job, found, kept, noise, asked.layer_noise, asked.learning)
