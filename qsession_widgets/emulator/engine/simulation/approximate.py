"""Draws outcomes of circuits too wide for an exact simulation, by the method chosen for them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit

from qsession_widgets.emulator.engine.devices.noise_source import Noise
from qsession_widgets.emulator.engine.simulation import (
    matrix_product_state,
    method_choice,
    outcomes,
    simulate,
    stabilizer,
)
from qsession_widgets.emulator.engine.simulation.approximation import Approximation
from qsession_widgets.emulator.engine.simulation.job_run import JobRun
from qsession_widgets.emulator.engine.simulation.method_choice import Route
from qsession_widgets.emulator.engine.simulation.outcomes import Sampled
from qsession_widgets.emulator.engine.simulation.pauli_noise import PauliNoise
from qsession_widgets.emulator.engine.simulation.simulate import Sweep


def run(
    job: JobRun,
    sweep: Sweep,
    route: Route,
    *,
    shots: int,
    noise: Noise,
    qubits: Sequence[int],
    rng: np.random.Generator,
) -> list[Sampled]:
    """Draw outcomes of one circuit for all its parameter sets.

    Parameters
    ----------
    job : JobRun
        Told about time, settings and what was approximated.
    sweep : Sweep
        What to run.
    route : Route
        By which method.
    shots : int
        For each parameter set.
    noise : Noise
        By the numbers in ``qubits``.
    qubits : sequence of int
        The noise's number of each qubit of the circuit.
    rng : Generator
        For everything that is drawn.

    Raises
    ------
    JobFailure
        If the truncated state of a circuit is not good enough.
    """
    twirled = None
    if not noise.ideal:
        twirled = noise if isinstance(noise, PauliNoise) else PauliNoise(noise)
    started = time.perf_counter()
    found = []
    circuits = (sweep.bound(at) for at in range(len(sweep)))
    if route.plan is not None:
        # All of them before the first is sampled, so that a job is refused early.
        every = list(circuits)
        fidelities = _fidelities(job, every, route)
        for circuit, fidelity in zip(every, fidelities, strict=True):
            found.append(
                _from_states(job, circuit, route, len(sweep), fidelity, shots, twirled, qubits, rng)
            )
    elif stabilizer.available():
        known: dict[Any, str] = {}
        for circuit in circuits:
            bits = stabilizer.sample(
                circuit, shots=shots, noise=twirled, qubits=qubits, rng=rng, known=known
            )
            how = Approximation("stabilizer", twirled=True) if twirled is not None else None
            found.append(Sampled(bits, np.ones(shots), None, how))
    else:
        found = _on_aer(job, sweep, shots, twirled, qubits, rng)
    job.used(route.method)
    job.seconds += time.perf_counter() - started
    for sampled in found:
        if sampled.approximation is not None:
            job.approximated(sampled.approximation)
    return found


def _fidelities(job: JobRun, circuits: Sequence[QuantumCircuit], route: Route) -> list[float]:
    assert route.plan is not None
    found: list[float] = []
    for circuit in circuits:
        fidelity = matrix_product_state.fidelity(circuit, route.plan)
        refusal = method_choice.insufficient(job, fidelity, route.plan)
        if refusal is not None:
            raise refusal
        found.append(fidelity)
    return found


def _from_states(
    job: JobRun,
    circuit: QuantumCircuit,
    route: Route,
    sets: int,
    fidelity: float,
    shots: int,
    noise: PauliNoise | None,
    qubits: Sequence[int],
    rng: np.random.Generator,
) -> Sampled:
    assert route.plan is not None
    realizations = route.plan.realizations(shots, sets, noise is not None)
    options: dict[str, Any] = {
        name: value for name, value in job.options.items() if name != "method"
    }
    bits = matrix_product_state.sample(
        circuit,
        route.plan,
        shots=shots,
        realizations=realizations,
        noise=noise,
        qubits=qubits,
        options=options,
        rng=rng,
    )
    if noise is None and fidelity == 1:
        return Sampled(bits, np.ones(shots))
    groups = None
    effective: float | None = None
    if noise is not None:
        groups = matrix_product_state.realization_of(shots, realizations)
        effective = effective_shots(bits, groups)
        # Whoever looks at the first shots only must find as many realizations as there can be.
        order = rng.permutation(shots)
        bits, groups = bits[order], groups[order]
    how = Approximation(
        "matrix_product_state",
        twirled=noise is not None,
        realizations=realizations if noise is not None else None,
        effective_shots=effective,
        bond_dimension=route.plan.bond_dimension,
        fidelity=fidelity,
    )
    return Sampled(bits, np.ones(shots), groups, how)


def effective_shots(bits: NDArray[np.uint8], realizations: NDArray[np.intp]) -> float:
    """Return how many independent shots tell as much about single bits as these do.

    The variance of a bit's mean is estimated from how its means differ between realizations, and
    compared to what it would be between independent shots; over all bits together.

    Parameters
    ----------
    bits : ndarray
        Outcomes, shape ``(shots, bits)``.
    realizations : ndarray
        Which realization each shot has, ascending, shape ``(shots,)``.
    """
    shots = len(bits)
    starts = np.flatnonzero(np.diff(realizations, prepend=-1))
    if len(starts) < 2 or len(starts) == shots:
        return float(shots)
    sizes = np.diff([*starts, shots])[:, None]
    means = np.add.reduceat(bits.astype(float), starts, axis=0) / sizes
    whole = bits.mean(axis=0)
    between = (((means - whole) * sizes) ** 2).sum(axis=0) / shots**2
    between *= len(starts) / (len(starts) - 1)
    independent = whole * (1 - whole) / shots
    return float(shots / max(1.0, between.sum() / max(independent.sum(), 1e-300)))


def _on_aer(
    job: JobRun,
    sweep: Sweep,
    shots: int,
    noise: PauliNoise | None,
    qubits: Sequence[int],
    rng: np.random.Generator,
) -> list[Sampled]:
    """Draw outcomes of a Clifford circuit where stim is not installed, which takes longer."""
    model = None if noise is None else noise.model(qubits, [sweep.circuit])
    (answers,) = simulate.run(
        job,
        [sweep],
        shots=shots,
        seed=int(rng.integers(1 << 31)),
        noise=model,
        keep="memory",
        method="stabilizer",
    )
    how = Approximation("stabilizer", twirled=True) if noise is not None else None
    width = sweep.circuit.num_clbits
    return [Sampled(outcomes.bits(one, width), np.ones(shots), None, how) for one in answers]
