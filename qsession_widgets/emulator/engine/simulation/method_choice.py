"""Chooses how a circuit is simulated: exactly where that fits, else by what fits, else refused.

Everything here looks at the circuit alone. No noise is computed before it is known that the circuit
can be run, so that one that cannot is refused at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from qiskit.circuit import CircuitInstruction, Parameter, ParameterExpression, QuantumCircuit

from qsession_widgets.emulator.engine.devices.device import find
from qsession_widgets.emulator.engine.devices.noise_source import DeviceNoise, Noise
from qsession_widgets.emulator.engine.failure import INVALID_OPTION, JobFailure
from qsession_widgets.emulator.engine.simulation import matrix_product_state, stabilizer
from qsession_widgets.emulator.engine.simulation.job_run import JobRun
from qsession_widgets.emulator.engine.simulation.matrix_product_state import SamplingPlan
from qsession_widgets.emulator.engine.simulation.pauli_noise import PauliNoise
from qsession_widgets.emulator.engine.simulation.resource_limits import (
    available_memory,
    is_clifford,
    memory_needed,
    qubits_used,
    readable,
)
from qsession_widgets.emulator.engine.simulation.simulate import Sweep, measures_last
from qsession_widgets.emulator.engine.simulation.single_qubit import DELAY_UNITS
from qsession_widgets.emulator.engine.task import IDEAL

LONGEST_SECONDS = 10800.0
"""Seconds that a job may take on the service; a longer one does not fit."""

AUTO_SECONDS = 60.0
"""Seconds that an automatically chosen approximation may take."""

_AMPLITUDES_PER_SECOND = 3e8

_TYPICAL_SHOTS = 4096

_WIDEST_EXACT = 40
"""Qubits whose state no machine's memory holds."""

NO_CLIFFORD = "it has other gates than Clifford gates, which would run at any width"


@dataclass(frozen=True, eq=False)
class Route:
    """The simulation of one independent part of a circuit.

    Attributes
    ----------
    method : {"exact", "stabilizer", "matrix_product_state"}
        The method; ``"exact"`` is a state vector or a density matrix.
    twirled : bool
        Whether its noise is twirled to Pauli channels.
    plan : SamplingPlan or None
        Of a matrix product state.
    """

    method: Literal["exact", "stabilizer", "matrix_product_state"]
    twirled: bool = False
    plan: SamplingPlan | None = None


EXACT = Route("exact")


def wished(job: JobRun, noise: Noise, qubits: int) -> Noise:
    """Return the noise a job's circuits are simulated with, where it asks for another.

    Parameters
    ----------
    job : JobRun
        With its wish.
    noise : Noise
        Of the device, or the user's own.
    qubits : int
        How many qubits the circuits have.

    Raises
    ------
    JobFailure
        If the noise cannot be twirled.
    """
    if job.simulation.noise == "none" and not noise.ideal:
        job.note("simulated without noise, as asked for")
        return DeviceNoise(find(IDEAL), tuple(range(qubits)))
    if job.simulation.noise == "pauli" and not (noise.ideal or isinstance(noise, PauliNoise)):
        if not twirlable(noise):
            raise JobFailure(
                "This job's noise model cannot be twirled to Pauli channels, because it holds "
                "errors that do not belong to one gate or readout; simulate it with "
                "--local-noise device.",
                INVALID_OPTION,
            )
        return PauliNoise(noise)
    return noise


def twirlable(noise: Noise) -> bool:
    """True if a noise consists of errors of single gates and readouts."""
    return noise.by_qubit and not noise.joined


def is_exact(
    job: JobRun,
    circuit: QuantumCircuit,
    used: int,
    shots: int,
    noisy: bool,
    memory: int | None = None,
) -> bool:
    """True if an exact simulation fits into memory and into the longest time a job may take.

    Parameters
    ----------
    job : JobRun
        With its limits.
    circuit : QuantumCircuit
        What is simulated.
    used : int
        On how many qubits.
    shots : int
        For all parameter sets together.
    noisy : bool
        Whether there is noise.
    memory : int, optional
        Bytes that are there, if that is known.
    """
    if job.options.get("method", "automatic") != "automatic":
        # What the job itself asks of Aer is checked where it is run.
        return True
    precision = job.options.get("precision", "double")
    if memory is None:
        memory = available_memory(job.memory_limit)
    if memory_needed(used, "statevector", precision) > memory:
        return False
    return job.cluster is not None or _seconds(circuit, used, shots, noisy) <= LONGEST_SECONDS


def _seconds(circuit: QuantumCircuit, used: int, shots: int, noisy: bool) -> float:
    """Estimate the time of an exact simulation, at least."""
    states = shots if noisy or not measures_last(circuit) else 1
    return len(circuit.data) * 2.0**used * states / _AMPLITUDES_PER_SECOND


def choose(job: JobRun, sweep: Sweep, shots: int, noise: Noise, qubits: Sequence[int]) -> Route:
    """Choose how to simulate one island of a circuit.

    Parameters
    ----------
    job : JobRun
        With its wishes and limits.
    sweep : Sweep
        The island alone, with its parameter sets.
    shots : int
        For each parameter set.
    noise : Noise
        What it is simulated with.
    qubits : sequence of int
        The noise's number of each of the island's qubits.

    Raises
    ------
    JobFailure
        If nothing fits, saying what would.
    """
    wish = job.simulation.method
    noisy = not noise.ideal
    exact = is_exact(job, sweep.circuit, sweep.used, shots * len(sweep), noisy)
    if wish == "exact" or (exact and wish not in ("stabilizer", "matrix_product_state")):
        return EXACT
    hindrance = obstacle(job, sweep.circuit, noise, qubits)
    on_aer = hindrance is not None or not stabilizer.available()
    if not noisy and wish == "auto" and on_aer and is_clifford(sweep.circuit):
        return EXACT  # Aer finds its own stabilizer simulator
    reasons = [] if exact else [_exact_reason(job, sweep, shots, noisy)]
    if hindrance is not None:
        raise _refusal(job, sweep, [*reasons, hindrance])
    if wish in ("auto", "stabilizer", "pauli_propagation"):
        if _clifford(sweep):
            return _permitted(job, sweep, Route("stabilizer", noisy), reasons)
        reasons.append(NO_CLIFFORD)
    if wish != "stabilizer":
        limit = AUTO_SECONDS if wish == "auto" else LONGEST_SECONDS
        plan = matrix_product_state.plan(sweep.circuit, shots, len(sweep), noisy, limit)
        if plan.fits:
            route = Route("matrix_product_state", noisy, plan)
            return _permitted(job, sweep, route, reasons)
        reasons.append(bond_reason(plan.needed, plan.needed_seconds if plan.complete else None))
    raise _refusal(job, sweep, reasons)


def bond_reason(needed: int, seconds: float | None = None) -> str:
    """Return why a matrix product state does not fit, with its time where all of it is known."""
    if seconds is None:
        return f"a matrix product state would need a bond dimension of more than 2^{needed}"
    return (
        f"a matrix product state would need a bond dimension of 2^{needed} and take about "
        f"{duration(seconds)}"
    )


def _permitted(job: JobRun, sweep: Sweep, route: Route, reasons: Sequence[str]) -> Route:
    inexact = route.twirled or (route.plan is not None and not route.plan.exact)
    if job.simulation.strict and inexact:
        what = "twirled noise" if route.twirled else "a truncated state"
        raise _refusal(job, sweep, [*reasons, f"--strict refuses an approximation such as {what}"])
    return route


def obstacle(
    job: JobRun, circuit: QuantumCircuit, noise: Noise, qubits: Sequence[int]
) -> str | None:
    """Return why a circuit cannot be approximated, None if it can."""
    if not measures_last(circuit) or any(gate.name == "reset" for gate in circuit.data):
        return (
            "it measures in the middle, resets or feeds forward, and with that the decay towards "
            "the ground state matters, which approximations leave out"
        )
    if noise.ideal:
        return None
    if not twirlable(noise):
        return "its noise model holds errors that cannot be twirled to Pauli channels"
    if job.simulation.noise == "device":
        return "its noise may not be twirled to Pauli channels (--local-noise device)"
    index = {qubit: at for at, qubit in enumerate(circuit.qubits)}
    for instruction in circuit.data:
        if instruction.name == "delay" and _decays(
            instruction, qubits[index[instruction.qubits[0]]], noise
        ):
            return (
                "it has delays, and during them the decay towards the ground state matters, which "
                "twirled noise leaves out"
            )
    return None


def _decays(instruction: CircuitInstruction, qubit: int, noise: Noise) -> bool:
    """True if a qubit relaxes during a delay."""
    duration, unit = instruction.operation.duration, instruction.operation.unit
    if isinstance(duration, ParameterExpression) or unit not in DELAY_UNITS:
        return True
    return duration > 0 and noise.delay(qubit, float(duration), unit) is not None


def _clifford(sweep: Sweep) -> bool:
    """True if a circuit consists of Clifford gates at all of its parameter sets."""
    if not sweep.circuit.parameters:
        return stabilizer.can_run(sweep.circuit)
    quarters = sweep.values / (math.pi / 2)
    if np.abs(quarters - np.round(quarters)).max(initial=0.0) > stabilizer.TOLERANCE:
        return False
    if any(
        isinstance(angle, ParameterExpression) and not isinstance(angle, Parameter)
        for instruction in sweep.circuit.data
        for angle in instruction.params
    ):
        # Half of a quarter turn is none.
        return all(stabilizer.can_run(sweep.bound(at)) for at in range(len(sweep)))
    return all(stabilizer.may_be_clifford(instruction) for instruction in sweep.circuit.data)


def _exact_reason(job: JobRun, sweep: Sweep, shots: int, noisy: bool) -> str:
    needed = memory_needed(sweep.used, "statevector", job.options.get("precision", "double"))
    if needed > available_memory(job.memory_limit):
        return memory_reason(job, sweep.used)
    seconds = _seconds(sweep.circuit, sweep.used, shots * len(sweep), noisy)
    return f"an exact simulation takes about {duration(seconds)}"


def memory_reason(job: JobRun, used: int) -> str:
    """Return why an exact simulation of some qubits does not fit into memory."""
    needed = memory_needed(used, "statevector", job.options.get("precision", "double"))
    there = available_memory(job.memory_limit)
    return f"an exact simulation needs {readable(needed)} of memory and {readable(there)} are there"


def _refusal(job: JobRun, sweep: Sweep, reasons: Sequence[str]) -> JobFailure:
    return refusal(job, sweep.circuit, sweep.used, sweep.within, reasons)


def refusal(
    job: JobRun, circuit: QuantumCircuit, used: int, within: int | None, reasons: Sequence[str]
) -> JobFailure:
    """Return the refusal of a circuit, with what would fit.

    Parameters
    ----------
    job : JobRun
        With its limits.
    circuit : QuantumCircuit
        What does not fit.
    used : int
        How many connected qubits it has.
    within : int or None
        Of how many in all.
    reasons : sequence of str
        Why no method fits.
    """
    widest = min(used, _WIDEST_EXACT) - 1
    memory = available_memory(job.memory_limit)
    while widest > 1 and not is_exact(job, circuit, widest, _TYPICAL_SHOTS, True, memory):
        widest -= 1
    return JobFailure(
        f"{qubits_used(used, within)} and fits no way of simulation: {'; '.join(reasons)}. What "
        f"would fit: up to {widest} connected qubits exactly (4096 shots with noise in less "
        "than 3 hours), Clifford circuits of any width in seconds, wide circuits in which gates "
        "cross each bond between neighbours up to about six times in a minute, and expectation "
        "values of few qubits each with EstimatorV2.",
        INVALID_OPTION,
    )


def duration(seconds: float) -> str:
    """Return a time in words."""
    for unit, size in (("years", 31557600.0), ("days", 86400.0), ("hours", 3600.0)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.0f} seconds"


def insufficient(job: JobRun, fidelity: float, plan: SamplingPlan) -> JobFailure | None:
    """Return why a truncated state is refused, None if its fidelity is accepted."""
    wanted = 1 - job.simulation.precision_limit
    if fidelity >= wanted:
        return None
    return JobFailure(
        f"The circuit's matrix product state, truncated to a bond dimension of "
        f"{plan.bond_dimension}, has an estimated fidelity of {fidelity:.2g}, and {wanted:g} is "
        f"asked for (without truncation: bond dimension 2^{plan.needed}, about "
        f"{duration(plan.needed_seconds)}); accept less with --local-precision-limit, use "
        "fewer gates between qubits, or have expectation values of few qubits each estimated by "
        "EstimatorV2.",
        INVALID_OPTION,
    )
