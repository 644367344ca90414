"""Gets the outcomes of circuits: island by island, then put together again.

Islands of one qubit are sampled from their exact probabilities, the others run on the simulator.
Where a circuit is a single island, it goes to the simulator as it is.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit

from qsession_widgets.emulator.engine import islands, outcomes, simulate, singles
from qsession_widgets.emulator.engine.islands import Island
from qsession_widgets.emulator.engine.job import JobRun
from qsession_widgets.emulator.engine.simulate import Sweep
from qsession_widgets.emulator.engine.singles import Singles
from qsession_widgets.emulator.engine.sources import Noise

_REMEMBERED_PLANS = 128


class Sampled(NamedTuple):
    """What one circuit measured with one parameter set.

    Attributes
    ----------
    bits : ndarray
        Outcomes, shape ``(rows, classical bits)``.
    weights : ndarray
        How many shots each row stands for, shape ``(rows,)``; where outcomes are wanted shot by
        shot, a row is a shot.
    """

    bits: NDArray[np.uint8]
    weights: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Plan:
    """How a circuit of so many qubits is sampled: what needs no simulator, and what does."""

    circuit: QuantumCircuit
    alone: Singles | None
    simulated: list[Island]
    width: int


class _Plans:
    """Plans of circuits that come again, found by the circuit's identity."""

    def __init__(self) -> None:
        self._known: OrderedDict[Any, _Plan] = OrderedDict()

    def of(self, circuit: QuantumCircuit, noise: Noise) -> _Plan:
        key = (id(circuit), noise.key)
        # A plan holds its circuit, so no other circuit takes the identity of one that is known.
        plan = self._known.get(key)
        if plan is None:
            plan = _plan(circuit, noise)
            if noise.key is not None:
                self._known[key] = plan
            if len(self._known) > _REMEMBERED_PLANS:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(key)
        return plan


_plans = _Plans()


def _plan(circuit: QuantumCircuit, noise: Noise) -> _Plan:
    found = islands.split(circuit, noise.joined)
    width = sum(len(island.qubits) for island in found)
    alone, simulated = singles.part(circuit, (island for island in found if island.measured), noise)
    return _Plan(circuit, alone, simulated, width)


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
    plans = [_plans.of(sweep.circuit, noise) for sweep in sweeps]
    if any(plan.alone or len(plan.simulated) != 1 for plan in plans):
        # Outcomes of islands are put together shot by shot.
        keep = "memory"
    owners = [at for at, plan in enumerate(plans) for _ in plan.simulated]
    parts = [island for plan in plans for island in plan.simulated]

    # One numbering for all that is simulated, so that it fits into one call with one noise model.
    lanes = tuple(sorted({qubit for island in parts for qubit in island.qubits}))
    placed = [island.placed(lanes) for island in parts]
    simulated: list[list[Any]] = []
    if parts:
        simulated = simulate.run(
            job,
            [
                _cut(sweeps[at], circuit, plans[at].width)
                for at, circuit in zip(owners, placed, strict=True)
            ],
            shots=shots,
            seed=seed,
            noise=noise.model(lanes, placed),
            keep=keep,
        )
    answers: list[list[list[Any]]] = [[] for _ in sweeps]
    for owner, answer in zip(owners, simulated, strict=True):
        answers[owner].append(answer)
    started = time.perf_counter()
    rng = np.random.default_rng(None if seed is None else [seed, shots])
    results = []
    for sweep, plan, of_islands in zip(sweeps, plans, answers, strict=True):
        results.append(_assembled(sweep, plan, of_islands, shots, rng))
        job.executions += shots * len(sweep)
    if any(plan.alone for plan in plans):
        job.note("method density_matrix, qubit by qubit")
        job.seconds += time.perf_counter() - started
    return results


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
    if plan.alone is None and len(answers) == 1:
        return [_whole(answer, num_clbits) for answer in answers[0]]
    every = np.zeros((len(sweep), shots, num_clbits), dtype=np.uint8)
    for part, (island, answer) in enumerate(zip(plan.simulated, answers, strict=True)):
        clbits = np.array(island.clbits)
        for bits, measured in zip(every, answer, strict=True):
            found = outcomes.bits(measured, num_clbits)[:, clbits]
            # Which shot of one island goes with which of another must not follow from how the
            # simulator orders them.
            bits[:, clbits] = rng.permutation(found) if part else found
    if plan.alone is not None:
        for bits, likely in zip(every, plan.alone.probabilities(sweep.values), strict=True):
            bits[:, plan.alone.clbits] = rng.random((shots, len(likely))) < likely
    return [Sampled(bits, np.ones(shots)) for bits in every]


def _whole(answer: Any, num_clbits: int) -> Sampled:
    if isinstance(answer, dict):
        weights = np.fromiter(answer.values(), dtype=float)
        return Sampled(outcomes.bits(list(answer), num_clbits), weights)
    return Sampled(outcomes.bits(answer, num_clbits), np.ones(len(answer)))
