"""The sampler with twirling or decoupling, by the client's own functions."""

from __future__ import annotations

import math
from collections.abc import Sequence

from qiskit.primitives import SamplerPubResult
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit_ibm_runtime.execution_span import (
    DoubleSliceSpan,
    ExecutionSpan,
    TwirledSliceSpanV2,
)

from qsession_widgets.emulator.engine.programs import prepared
from qsession_widgets.emulator.engine.programs.mitigation import JobOptions
from qsession_widgets.emulator.engine.programs.pubs import CircuitFacts, Options, kept_qubits
from qsession_widgets.emulator.engine.simulation.job_run import JobRun


def run(
    job: JobRun,
    pubs: Sequence[SamplerPub],
    options: Options,
    asked: JobOptions,
    *,
    timed: bool = False,
) -> tuple[list[SamplerPubResult], list[ExecutionSpan]]:
    """Return the PUBs' results, and when which of them was measured.

    Raises
    ------
    JobFailure
        If the client's preparation refuses the job, or it cannot be run.
    """
    from qiskit_ibm_runtime.decoders.executor_sampler.decoder import ClientSideSamplerResultDecoder
    from qiskit_ibm_runtime.executor_sampler.prepare import prepare

    facts = [CircuitFacts.of(pub.circuit) for pub in pubs]
    for index, fact in enumerate(facts):
        fact.check(job.device, index)
    kept = kept_qubits(fact.active for fact in facts)
    twirled = bool(asked.final.twirling.enable_gates or asked.final.twirling.enable_measure)
    found: dict[int, SamplerPubResult] = {}
    spans: list[ExecutionSpan] = []
    for shots, members in prepared.by_shots([pub.shots for pub in pubs]).items():
        done = prepared.run(
            job,
            [
                SamplerPub(
                    prepared.registered(facts[at], kept),
                    prepared.parameter_values(pubs[at]),
                    shots,
                )
                for at in members
            ],
            asked,
            options,
            kept,
            prepare=prepare,
            decoder=ClientSideSamplerResultDecoder,
            limited=True,
            timed=timed,
        )
        for at, result, shape in zip(members, done.results, done.items, strict=True):
            total = shape[0] * done.shots if twirled else done.shots
            own = dict(result.metadata)
            result.metadata.clear()
            result.metadata.update({"shots": total, **own})
            result.metadata["circuit_metadata"] = pubs[at].circuit.metadata
            found[at] = result
        spans.append(_span(done, members, twirled))
    return [found[index] for index in range(len(pubs))], spans


def _span(done: prepared.Done, members: Sequence[int], twirled: bool) -> ExecutionSpan:
    whole = slice(0, done.shots)
    sizes = {at: (shape, math.prod(shape)) for at, shape in zip(members, done.items, strict=True)}
    if not twirled:
        return DoubleSliceSpan(
            *done.span,
            {
                at: ((*shape, done.shots), slice(0, size), whole)
                for at, (shape, size) in sizes.items()
            },
        )
    return TwirledSliceSpanV2(
        *done.span,
        {
            at: ((*shape, done.shots), True, slice(0, size), whole, shape[0] * done.shots)
            for at, (shape, size) in sizes.items()
        },
    )
