"""Sample circuits: island by island, then join the outcomes.

Islands of one qubit are sampled from their exact probabilities, the others run on the simulator.
Where a circuit is a single island, it goes to the simulator as it is.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from qiskit.circuit import QuantumCircuit

from qsession_widgets.emulator.engine.devices.noise_source import Noise
from qsession_widgets.emulator.engine.simulation import (
    approximate,
    method_choice,
    outcomes,
    partition,
    simulate,
    single_qubit,
)
from qsession_widgets.emulator.engine.simulation.approximation import Approximation, worst
from qsession_widgets.emulator.engine.simulation.job_run import JobRun
from qsession_widgets.emulator.engine.simulation.outcomes import Sampled
from qsession_widgets.emulator.engine.simulation.partition import Island
from qsession_widgets.emulator.engine.simulation.pauli_noise import PauliNoise
from qsession_widgets.emulator.engine.simulation.simulate import Sweep
from qsession_widgets.emulator.engine.simulation.single_qubit import SingleQubits

_REMEMBERED_PLANS = 128


@dataclass(eq=False)
class _Plan:
    """Sampling of a circuit by independent parts, some of which need no simulator."""

    circuit: QuantumCircuit
    islands: list[Island]
    noise: Noise
    _parted: tuple[SingleQubits | None, list[Island]] | None = None

    @property
    def width(self) -> int:
        return sum(len(island.qubits) for island in self.islands)

    @property
    def measured(self) -> list[Island]:
        return [island for island in self.islands if island.measured]

    @property
    def parted(self) -> tuple[SingleQubits | None, list[Island]]:
        """Parts sampled from exact probabilities, and parts that are simulated."""
        if self._parted is None:
            self._parted = single_qubit.part(self.circuit, self.measured, self.noise)
        return self._parted


class _Plans:
    """Plans of circuits that come again, found by the circuit's identity."""

    def __init__(self) -> None:
        self._known: OrderedDict[Any, _Plan] = OrderedDict()

    def of(self, circuit: QuantumCircuit, noise: Noise) -> _Plan:
        key = (id(circuit), noise.key)
        # A plan holds its circuit, so no other circuit takes the identity of one that is known.
        plan = self._known.get(key)
        if plan is None:
            plan = _Plan(circuit, partition.split(circuit, noise.joined), noise)
            if noise.key is not None:
                self._known[key] = plan
            if len(self._known) > _REMEMBERED_PLANS:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(key)
        return plan


_plans = _Plans()


def largest(circuit: QuantumCircuit, noise: Noise) -> Island | None:
    """Return the largest island of a circuit that is measured, None if there is none."""
    return next(iter(_plans.of(circuit, noise).measured), None)


def run(
    job: JobRun,
    sweeps: Sequence[Sweep],
    *,
    shots: int,
    seed: int | None,
    noise: Noise,
    keep: Literal["memory", "counts"],
) -> list[list[Sampled]]:
    """Run circuits with all their parameter sets and return what each measured.

    Parameters
    ----------
    job : JobRun
        Told about time, executions and settings.
    sweeps : sequence of Sweep
        What to run.
    shots : int
        For each parameter set.
    seed : int, optional
        Makes the outcomes repeatable.
    noise : Noise
        For the circuits' own qubit numbers.
    keep : {"memory", "counts"}
        Whether rows must be shots, in order, or may stand for several.

    Returns
    -------
    list of list
        What was measured, for each sweep and parameter set.

    Raises
    ------
    JobFailure
        If an island does not fit into memory or Aer cannot run it.
    """
    noise = method_choice.wished(job, noise, max(sweep.circuit.num_qubits for sweep in sweeps))
    plans = [_plans.of(sweep.circuit, noise) for sweep in sweeps]
    # Before anything is computed of the noise, so that what cannot be run is refused at once.
    routes = {
        (at, island.qubits): _route(job, sweeps[at], island, plan.width, shots, noise)
        for at, plan in enumerate(plans)
        for island in plan.measured
        if len(island.qubits) > 1
    }
    if any(plan.parted[0] or len(plan.parted[1]) != 1 for plan in plans):
        # Outcomes of islands are put together shot by shot.
        keep = "memory"
    parts = [(at, island) for at, plan in enumerate(plans) for island in plan.parted[1]]
    rng = np.random.default_rng(None if seed is None else [seed, shots])
    answers: dict[tuple[int, tuple[int, ...]], list[Any]] = {}
    exact = []
    for at, island in parts:
        route = routes.get((at, island.qubits), method_choice.EXACT)
        if route.method == "exact":
            exact.append((at, island))
            continue
        sweep = _cut(sweeps[at], island.placed(island.qubits), plans[at].width)
        answers[at, island.qubits] = approximate.run(
            job, sweep, route, shots=shots, noise=noise, qubits=island.qubits, rng=rng
        )

    # One numbering for all that is simulated, so that it fits into one call with one noise model.
    lanes = tuple(sorted({qubit for _, island in exact for qubit in island.qubits}))
    placed = [island.placed(lanes) for _, island in exact]
    if exact:
        simulated = simulate.run(
            job,
            [
                _cut(sweeps[at], circuit, plans[at].width)
                for (at, _), circuit in zip(exact, placed, strict=True)
            ],
            shots=shots,
            seed=seed,
            noise=noise.model(lanes, placed),
            keep=keep,
        )
        for (at, island), answer in zip(exact, simulated, strict=True):
            answers[at, island.qubits] = answer
    started = time.perf_counter()
    results = []
    for at, (sweep, plan) in enumerate(zip(sweeps, plans, strict=True)):
        of_islands = [answers[at, island.qubits] for island in plan.parted[1]]
        results.append(_assembled(sweep, plan, of_islands, shots, rng))
        job.executions += shots * len(sweep)
    if any(plan.parted[0] for plan in plans):
        job.used("density_matrix", ", qubit by qubit")
        job.seconds += time.perf_counter() - started
    if isinstance(noise, PauliNoise):
        results = [[_with_twirled(sampled, job) for sampled in found] for found in results]
    return results


_SURELY_EXACT = 12
"""Qubits up to which an exact simulation fits everywhere."""


def _route(
    job: JobRun, sweep: Sweep, island: Island, width: int, shots: int, noise: Noise
) -> method_choice.Route:
    """Choose how to simulate an island."""
    if len(island.qubits) <= _SURELY_EXACT and job.simulation.method in ("auto", "exact"):
        return method_choice.EXACT
    alone = _cut(sweep, island.placed(island.qubits), width)
    return method_choice.choose(job, alone, shots, noise, island.qubits)


def _cut(sweep: Sweep, circuit: QuantumCircuit, width: int) -> Sweep:
    """Return the sweep of an island's circuit."""
    if circuit is sweep.circuit:
        return sweep
    return Sweep.of(circuit, sweep.circuit.parameters, sweep.values, width)


def _assembled(
    sweep: Sweep, plan: _Plan, answers: list[list[Any]], shots: int, rng: np.random.Generator
) -> list[Sampled]:
    """Return the outcomes of a circuit from those of its islands."""
    num_clbits = plan.circuit.num_clbits
    alone, simulated = plan.parted
    if alone is None and len(answers) == 1:
        return [_whole(answer, num_clbits) for answer in answers[0]]
    results = []
    likely = None if alone is None else alone.probabilities(sweep.values)
    for at in range(len(sweep)):
        bits = np.zeros((shots, num_clbits), dtype=np.uint8)
        realizations = None
        approximations = []
        for part, (island, answer) in enumerate(zip(simulated, answers, strict=True)):
            sampled = _whole(answer[at], num_clbits)
            clbits = np.array(island.clbits)
            found = sampled.bits[:, clbits]
            approximations.append(sampled.approximation)
            if sampled.realizations is not None:
                # Realizations of two islands are one of both, so these stay side by side.
                realizations = sampled.realizations
            elif part:
                # Which shot of one island goes with which of another must not follow from how the
                # simulator orders them.
                found = rng.permutation(found)
            bits[:, clbits] = found
        if alone is not None and likely is not None:
            bits[:, alone.clbits] = rng.random((shots, len(likely[at]))) < likely[at]
        approximation = worst(approximations)
        results.append(Sampled(bits, np.ones(shots), realizations, approximation))
    return results


def _whole(answer: Any, num_clbits: int) -> Sampled:
    if isinstance(answer, Sampled):
        return answer
    if isinstance(answer, dict):
        weights = np.fromiter(answer.values(), dtype=float)
        return Sampled(outcomes.bits(list(answer), num_clbits), weights)
    return Sampled(outcomes.bits(answer, num_clbits), np.ones(len(answer)))


def _with_twirled(sampled: Sampled, job: JobRun) -> Sampled:
    """Say of outcomes that are exact otherwise that their noise was twirled, as asked for."""
    if sampled.approximation is not None:
        return sampled
    how = Approximation(job.methods[-1] if job.methods else "exact", twirled=True)
    job.approximated(how)
    return sampled._replace(approximation=how)
