"""The sampler: outcomes of every circuit for every parameter set, register by register."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from qiskit.primitives import BitArray, DataBin, SamplerPubResult
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit_ibm_runtime.execution_span import DoubleSliceSpan, ExecutionSpan

from qsession_widgets.emulator.engine import job_decoder
from qsession_widgets.emulator.engine.failure import INVALID_BODY, INVALID_OPTION, JobFailure
from qsession_widgets.emulator.engine.programs import (
    mitigation,
    prepared,
    results,
    sampler_mitigation,
)
from qsession_widgets.emulator.engine.programs.circuit_checks import check_registers
from qsession_widgets.emulator.engine.programs.pubs import (
    Options,
    check_size,
    check_values,
    cut_together,
    posted_pubs,
    sweep_of,
)
from qsession_widgets.emulator.engine.simulation import outcomes, sampling
from qsession_widgets.emulator.engine.simulation.approximation import worst
from qsession_widgets.emulator.engine.simulation.job_run import JobRun
from qsession_widgets.emulator.engine.simulation.outcomes import Sampled

DEFAULT_SHOTS = 4096
"""As on the service; the client's local mode takes 1024."""


def run(job: JobRun, text: str) -> str:
    """Run a job of this program: one of ``PROGRAMS``, which says what goes in and out."""
    params = job_decoder.decode(text)
    posted = posted_pubs(params)
    options = Options.read(job, params)
    default = options.take("default_shots")
    shots = int(params.get("shots") or default or DEFAULT_SHOTS)
    measurement = options.take("execution", "meas_type")
    if measurement not in (None, "classified"):
        raise JobFailure(
            f"The option execution.meas_type = {measurement!r} needs the signals of real hardware; "
            "Aer has classified outcomes only.",
            INVALID_OPTION,
        )
    pubs = [_pub(value, shots, index) for index, value in enumerate(posted)]
    for index, pub in enumerate(pubs):
        check_registers(pub.circuit, index)
        check_values(job, index, pub)
    job.allow(sum(pub.size * pub.shots for pub in pubs))
    timed = options.take_timing()
    asked = mitigation.sampler(job, options)
    options.warn_about_rest(job)
    if options.noise_model is None:
        for index, pub in enumerate(pubs):
            check_size(job, index, pub)
    found: list[SamplerPubResult]
    spans: Sequence[ExecutionSpan]
    if asked is None or not asked.prepared:
        found, spans = _sample(job, pubs, options)
        if timed:
            for pub, result in zip(pubs, found, strict=True):
                result.metadata["compilation"] = prepared.compilation(job.device, pub.circuit)
    else:
        found, spans = sampler_mitigation.run(job, pubs, options, asked, timed=timed)
    metadata = mitigation.described(job, asked)
    if timed and len(found) == 1:
        metadata["compilation"] = found[0].metadata.get("compilation", {})
    return results.write(found, params, spans, metadata)


def _pub(value: Any, shots: int, index: int) -> SamplerPub:
    parts = list(value) if isinstance(value, (list, tuple)) else [value]
    circuit = job_decoder.as_circuit(parts[0]) if parts else None
    try:
        return SamplerPub.coerce((circuit, *parts[1:]), shots)
    except Exception as error:
        raise JobFailure(f"PUB {index} is not valid: {error}", INVALID_BODY) from error


def _sample(
    job: JobRun, pubs: Sequence[SamplerPub], options: Options
) -> tuple[list[SamplerPubResult], list[DoubleSliceSpan]]:
    """Return the PUBs' results, and when which of them was measured."""
    kept, cuts = cut_together(job.device, (pub.circuit for pub in pubs))
    noise = options.noise_for(job, cuts, kept)

    by_shots: dict[int, list[int]] = defaultdict(list)
    for index, pub in enumerate(pubs):
        by_shots[pub.shots].append(index)
    memories: dict[int, list[Sampled]] = {}
    spans = []
    for shots, group in by_shots.items():
        sweeps = [sweep_of(pubs[i], cuts[i]) for i in group]
        started = job.now()
        memory = sampling.run(
            job, sweeps, shots=shots, seed=options.seed, noise=noise, keep="memory"
        )
        slices = {
            i: ((*pubs[i].shape, shots), slice(0, pubs[i].size), slice(0, shots)) for i in group
        }
        spans.append(DoubleSliceSpan(started, job.now(), slices))
        memories.update(zip(group, memory, strict=True))
    return [_result(pub, memories[i]) for i, pub in enumerate(pubs)], spans


def _result(pub: SamplerPub, memories: Sequence[Sampled]) -> SamplerPubResult:
    circuit, shape = pub.circuit, pub.shape
    fields = {}
    for register in circuit.cregs:
        chosen = outcomes.columns(circuit, register)
        array = np.zeros((len(memories), pub.shots, (len(chosen) + 7) // 8), dtype=np.uint8)
        for at, memory in enumerate(memories):
            array[at] = outcomes.packed(memory.bits, chosen)
        fields[register.name] = BitArray(array.reshape(*shape, *array.shape[1:]), len(chosen))
    metadata = {"shots": pub.shots, "circuit_metadata": circuit.metadata}
    approximation = worst(memory.approximation for memory in memories)
    if approximation is not None:
        metadata["simulation"] = approximation.metadata()
    return SamplerPubResult(DataBin(**fields, shape=shape), metadata=metadata)
