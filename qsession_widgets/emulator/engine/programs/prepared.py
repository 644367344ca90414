"""Runs classic jobs the way the client's newer primitives do: prepared, executed, post-processed.

The circuits are cut to the qubits of the job first. What a twirled or decoupled qubit does that no
other is connected to and no observable asks for changes nothing, and preparing it takes time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from qiskit.circuit import QuantumCircuit, QuantumRegister
from qiskit.primitives.containers.bindings_array import BindingsArray

from qsession_widgets.emulator.engine.devices import timing
from qsession_widgets.emulator.engine.devices.device import Device
from qsession_widgets.emulator.engine.failure import INVALID_OPTION, JobFailure
from qsession_widgets.emulator.engine.programs import layers, mitigation, quantum_program
from qsession_widgets.emulator.engine.programs.mitigation import JobOptions
from qsession_widgets.emulator.engine.programs.pubs import CircuitFacts, Options
from qsession_widgets.emulator.engine.simulation.job_run import JobRun


@dataclass(frozen=True)
class Done:
    """The post-processed results of some PUBs that were run as one quantum program.

    Attributes
    ----------
    results : list of PubResult
        As the client's post-processing makes them.
    items : list of tuple
        The shapes of the program's items; the first axis is over randomizations.
    shots : int
        For each randomization.
    span : tuple of datetime
        When they were measured.
    """

    results: list[Any]
    items: list[tuple[int, ...]]
    shots: int
    span: tuple[Any, Any]


def registered(facts: CircuitFacts, kept: tuple[int, ...]) -> QuantumCircuit:
    """Return a circuit on the kept qubits only, in one register as the preparation expects it."""
    key = ("registered", kept)
    if key not in facts.extra:
        cut = facts.cut(kept)
        circuit = QuantumCircuit(
            QuantumRegister(cut.num_qubits, "q"),
            cut.clbits,
            *cut.cregs,
            name=cut.name,
            metadata=cut.metadata,
        )
        found = circuit.compose(cut, range(cut.num_qubits), cut.clbits, copy=False)
        facts.extra[key] = found
    circuit = facts.extra[key]
    return circuit


def by_shots(shots: Sequence[int]) -> dict[int, list[int]]:
    """Return positions by their number of shots; what the client prepares has one for all."""
    groups: dict[int, list[int]] = defaultdict(list)
    for index, each in enumerate(shots):
        groups[each].append(index)
    return dict(groups)


def run(
    job: JobRun,
    pubs: Sequence[Any],
    asked: JobOptions,
    options: Options,
    kept: tuple[int, ...],
    *,
    prepare: Callable[..., tuple[Any, Any]],
    decoder: Any,
    limited: bool,
    timed: bool = False,
) -> Done:
    """Prepare PUBs on the kept qubits, execute them, and post-process the outcomes.

    Parameters
    ----------
    job : JobRun
        Told about time, executions and settings.
    pubs : sequence of EstimatorPub or SamplerPub
        On the kept qubits.
    asked : JobOptions
        Options; their ``default_shots`` are those of the PUBs.
    options : Options
        Where noise and seed come from.
    kept : tuple of int
        The device's qubit behind each qubit of the PUBs.
    prepare, decoder
        The client's functions.
    limited : bool
        Whether the number of executions is limited.
    timed : bool
        Whether to tell when the gates of each circuit happen.

    Raises
    ------
    JobFailure
        If the client's preparation refuses the job, or it cannot be run.
    """
    backend = None
    if asked.final.dynamical_decoupling.enable:
        if options.noise_model is None:
            job.note(mitigation.DECOUPLING_NOTE)
        backend = timing.Timed(timing.target_of(job.device, kept))
    try:
        program, _ = prepare(pubs, asked.model, backend=backend)
    except JobFailure:
        raise
    except Exception as error:
        raise layers.refused(error) from error
    items = list(program.items)
    executions = quantum_program.executions(items, program.shots)
    if limited:
        job.allow(executions)
    else:
        job.on_planned(executions)
    circuits = [item.circuit for item in items]
    done = quantum_program.execute(
        job,
        items,
        circuits,
        shots=program.shots,
        seed=options.seed,
        noise=options.noise_for(job, circuits, kept),
    )
    times = [timing.timing(job.device, kept, circuit) for circuit in circuits] if timed else []
    return _processed(program, done, decoder, times)


def compilation(device: Device, circuit: QuantumCircuit) -> dict[str, Any]:
    """Return what a result says of when the gates of a circuit happen on a device."""
    found = timing.timing(device, range(device.num_qubits), circuit)
    return {
        "scheduler_timing": {"timing": found.text, "circuit_duration": found.duration},
    }


def _processed(
    program: Any,
    done: quantum_program.ExecutedProgram,
    decoder: Any,
    times: Sequence[timing.Timing],
) -> Done:
    from qiskit_ibm_runtime.results.quantum_program import (
        ItemMetadata,
        QuantumProgramItemResult,
        QuantumProgramResult,
        SchedulerTiming,
    )

    metadata = [ItemMetadata(SchedulerTiming(each.text, each.duration)) for each in times]
    raw = QuantumProgramResult(
        [
            QuantumProgramItemResult(data, metadata[at] if times else None)
            for at, data in enumerate(done.data)
        ],
        passthrough_data=program.passthrough_data,
    )
    try:
        found = decoder.decode(raw)
    except Exception as error:
        raise JobFailure(
            f"The client's post-processing does not take this job: {str(error)[:300]}.",
            INVALID_OPTION,
        ) from error
    return Done(list(found), done.shapes, program.shots, done.span)


def parameter_values(pub: Any) -> BindingsArray:
    """Return a PUB's parameter sets in the order of its circuit's parameters."""
    parameters = pub.circuit.parameters
    if not parameters:
        return BindingsArray(shape=pub.parameter_values.shape)
    values = np.asarray(pub.parameter_values.as_array(parameters), dtype=float)
    return BindingsArray({tuple(parameters): values})
