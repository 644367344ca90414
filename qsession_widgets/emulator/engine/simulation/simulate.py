"""Runs compacted circuits on Aer, as many in one call as is sensible.

A simulator call costs a few milliseconds of its own, so small circuits go together. Large ones go
in batches of about a second each, which a cluster's workers share out among themselves, and of
which Aer holds the outcomes of one at a time; where a batch ends depends on the circuits alone,
never on the clock, because the seed of a batch must not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel

from qsession_widgets.emulator.engine.devices.noise import CompactNoise
from qsession_widgets.emulator.engine.failure import (
    INTERNAL_ERROR,
    INVALID_OPTION,
    JobFailure,
    out_of_memory,
)
from qsession_widgets.emulator.engine.simulation import resource_limits
from qsession_widgets.emulator.engine.simulation.compaction import IDLE_OPERATIONS, active_qubits
from qsession_widgets.emulator.engine.simulation.job_run import JobRun

_BATCH_WORK = 3e8
"""Amplitudes touched in about a second."""

_REMOTE_BATCH_WORK = 3e7
"""The same on a cluster: smaller, so that many workers have something to do until the end."""

_SEED_STEP = 1_000_003

_WIDEST_MATRIX = 13
"""Qubits; a density matrix of more takes gigabytes, and longer than many single states."""


_FUSED_FROM = 6
"""Qubits from which a density matrix gains by fused gates; Aer would begin with eight."""

_SMALL_STATE = 14
"""Qubits up to which Aer changes a state in one thread."""

Batch = list[tuple[int, int, int]]
"""Positions of sweeps, each with a range of its parameter sets."""


@lru_cache(maxsize=1)
def _simulator() -> AerSimulator:
    return AerSimulator()


@dataclass(frozen=True, eq=False)
class Sweep:
    """A compacted circuit and the parameter sets to run it with.

    Attributes
    ----------
    circuit : QuantumCircuit
        Its parameters unbound.
    values : ndarray
        Shape ``(sets, len(circuit.parameters))``, in the order of ``circuit.parameters``.
    within : int, optional
        How many qubits the circuit has of which this one is an island; None if it is a whole one.
    """

    circuit: QuantumCircuit
    values: NDArray[np.float64]
    within: int | None = None

    @classmethod
    def of(
        cls,
        circuit: QuantumCircuit,
        parameters: Iterable[Parameter],
        values: NDArray[np.float64],
        within: int | None = None,
    ) -> Sweep:
        """Return the sweep of a circuit that has some of the given parameters.

        Parameters
        ----------
        circuit : QuantumCircuit
            Cut from one with all the parameters.
        parameters : iterable of Parameter
            What the columns of ``values`` belong to.
        values : ndarray
            Shape ``(…, parameters)``; all leading axes become one.
        within : int, optional
            How many qubits the whole circuit has, if this one is an island of it.
        """
        column = {parameter: at for at, parameter in enumerate(parameters)}
        sets = math.prod(values.shape[:-1])
        flat = np.asarray(values, dtype=float).reshape(sets, values.shape[-1])
        chosen = [column[parameter] for parameter in circuit.parameters]
        return cls(circuit, flat[:, chosen], within)

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def used(self) -> int:
        """Number of qubits the circuit itself uses; Aer leaves out the others."""
        return len(active_qubits(self.circuit))

    def bound(self, at: int) -> QuantumCircuit:
        """Return the circuit with one parameter set."""
        return self.circuit.assign_parameters(self.values[at])


def run(
    job: JobRun,
    sweeps: Sequence[Sweep],
    *,
    shots: int,
    seed: int | None,
    noise: NoiseModel | None,
    keep: Literal["memory", "counts"],
    method: str | None = None,
) -> list[list[Any]]:
    """Run circuits with all their parameter sets and return what each measured.

    Parameters
    ----------
    job : JobRun
        Told about time and settings.
    sweeps : sequence of Sweep
        What to run.
    shots : int
        For each parameter set.
    seed : int, optional
        Makes the outcomes repeatable.
    noise : NoiseModel or None
        For the circuits' own qubit numbers.
    keep : {"memory", "counts"}
        Outcomes shot by shot, or how often each occurred.
    method : str, optional
        The simulator's method, if it has been chosen.

    Returns
    -------
    list of list
        For each sweep and parameter set a list of hexadecimal texts, or a dict from such texts to
        numbers.

    Raises
    ------
    JobFailure
        If a circuit does not fit into memory or Aer cannot run it.
    """
    methods = [method or _method(job, sweep, shots, noise) for sweep in sweeps]
    # A user's own noise leaves the choice of method to Aer, which must not make two in one call.
    alone = noise is not None and not isinstance(noise, CompactNoise)
    limit = _BATCH_WORK if job.cluster is None else _REMOTE_BATCH_WORK
    batches = list(_batches(sweeps, methods, shots, alone, limit))
    calls = [
        _prepare(job, sweeps, batch, method, shots, seed, number, noise, keep)
        for number, (method, batch) in enumerate(batches)
    ]
    # A sweep's pieces may arrive in any order; each is known by the parameter set it starts with.
    pieces: list[dict[int, list[Any]]] = [{} for _ in sweeps]
    for number, executed in _executed(job, calls):
        job.seconds += executed.seconds
        job.used(executed.method)
        answers = iter(executed.outcomes)
        for at, start, stop in batches[number][1]:
            pieces[at][start] = [next(answers) for _ in range(start, stop)]
    return [[answer for start in sorted(found) for answer in found[start]] for found in pieces]


@dataclass(frozen=True, eq=False)
class Call:
    """One simulator call: what to run, with which Aer options, and what to keep of it."""

    circuits: list[QuantumCircuit]
    options: dict[str, Any]
    keep: Literal["memory", "counts"]


@dataclass(frozen=True)
class ExecutedCall:
    """Outcomes of one simulator call, one per circuit and parameter set."""

    outcomes: list[Any]
    method: str
    seconds: float


def _executed(job: JobRun, calls: list[Call]) -> Iterator[tuple[int, ExecutedCall]]:
    """Execute calls here, or on the job's cluster in whatever order they finish."""
    if job.cluster is None:
        yield from ((number, execute(call)) for number, call in enumerate(calls))
    else:
        yield from job.cluster.map(execute, calls)


def _prepare(
    job: JobRun,
    sweeps: Sequence[Sweep],
    batch: Batch,
    method: str,
    shots: int,
    seed: int | None,
    number: int,
    noise: NoiseModel | None,
    keep: Literal["memory", "counts"],
) -> Call:
    circuits: list[QuantumCircuit] = []
    binds: list[dict[Parameter, list[float]]] = []
    for at, start, stop in batch:
        for circuit, bind in _calls(sweeps[at], start, stop):
            circuits.append(circuit)
            binds.append(bind)
    options: dict[str, Any] = {**job.options, "shots": shots, "memory": keep == "memory"}
    options["method"] = method
    if method == "density_matrix" and max(sweeps[at].used for at, _, _ in batch) >= _FUSED_FROM:
        options.setdefault("fusion_threshold", 1)
    # A cluster shares out its cores by running calls side by side.
    if job.cluster is not None or all(
        _needs_one_thread(sweeps[at], method, noise) for at, _, _ in batch
    ):
        options.setdefault("max_parallel_threads", 1)
    if seed is not None:
        options["seed_simulator"] = (seed + number * _SEED_STEP) % (1 << 31)
    if noise is not None:
        options["noise_model"] = noise
    if any(binds):
        options["parameter_binds"] = binds
    return Call(circuits, options, keep)


def _method(job: JobRun, sweep: Sweep, shots: int, noise: NoiseModel | None) -> str:
    """Return the method to run a sweep with, once it is known that it fits.

    Aer's own choice is taken where there is no device noise. With it there are two: one density
    matrix from which all shots are drawn, or a state per shot. The choice must be made here because
    Aer, left to choose both ways within one call, applies such noise wrongly.
    """
    used = sweep.used
    resource_limits.check(sweep.circuit, used, noise, job.options, job.memory_limit, sweep.within)
    chosen = job.options.get("method", "automatic")
    if chosen != "automatic" or not isinstance(noise, CompactNoise):
        return str(chosen)
    if shots > _crossing(used) and used <= _WIDEST_MATRIX and measures_last(sweep.circuit):
        return "density_matrix"
    return "statevector"


def _crossing(used: int) -> int:
    """Return for how many shots a density matrix takes as long as a state for each of them.

    A state per shot draws the noise of every gate in every shot, a density matrix has it in fused
    gates; so up to six qubits the matrix wins for a few dozen shots, whatever its size.
    """
    if used <= 6:
        return 32
    return min(1 << used, 400) if used <= 11 else 1 << used


def measures_last(circuit: QuantumCircuit) -> bool:
    """True if all outcomes can be drawn from the final state."""
    measured: set[Any] = set()
    for instruction in circuit.data:
        if instruction.name in IDLE_OPERATIONS:
            continue
        if instruction.is_control_flow() or instruction.name == "store":
            return False
        if not measured.isdisjoint((*instruction.qubits, *instruction.clbits)):
            return False
        if instruction.name == "measure":
            measured.update((*instruction.qubits, *instruction.clbits))
    return True


def _calls(
    sweep: Sweep, start: int, stop: int
) -> Iterator[tuple[QuantumCircuit, dict[Parameter, list[float]]]]:
    """Yield circuits and what Aer shall bind in them, for some parameter sets of a sweep."""
    parameters = list(sweep.circuit.parameters)
    if not parameters:
        for _ in range(start, stop):
            yield sweep.circuit, {}
    elif any(instruction.is_control_flow() for instruction in sweep.circuit.data):
        # Aer loses track of parameters when it unrolls control flow.
        for at in range(start, stop):
            yield sweep.bound(at), {}
    else:
        columns = sweep.values[start:stop].T.tolist()
        yield sweep.circuit, dict(zip(parameters, columns, strict=True))


def execute(call: Call) -> ExecutedCall:
    """Execute a call in this process.

    Raises
    ------
    JobFailure
        If Aer cannot run it.
    """
    started = time.perf_counter()
    try:
        result = _simulator().run(call.circuits, **call.options).result()
    except MemoryError:
        raise out_of_memory() from None
    except Exception as error:
        raise JobFailure(f"Aer cannot run this job: {str(error)[:400]}", INVALID_OPTION) from error
    for experiment in result.results:
        if not experiment.success:
            raise _failure(f"Aer could not run a circuit of this job: {experiment.status}")
    if len(result.results) == 0:
        # What is wrong with one circuit can end the whole call, of which then only this is left.
        raise _failure(f"Aer could not run this job: {result.status}")
    return ExecutedCall(
        [_outcome(experiment, call.keep) for experiment in result.results],
        str((result.results[0].metadata or {}).get("method", "unknown")),
        time.perf_counter() - started,
    )


def _failure(reason: str) -> JobFailure:
    return out_of_memory() if "bad_alloc" in reason else JobFailure(reason[:450], INTERNAL_ERROR)


def _outcome(experiment: Any, keep: str) -> Any:
    if keep == "counts":
        counts = getattr(experiment.data, "counts", None)
        return counts or {"0x0": experiment.shots}
    memory = getattr(experiment.data, "memory", None)
    return memory or ["0x0"] * experiment.shots


def _work(sweep: Sweep, method: str, shots: int) -> float:
    """Estimate the amplitudes touched in running a circuit once."""
    width, length = min(sweep.used, 40), len(sweep.circuit.data)
    if method == "density_matrix":
        return float(length * 4**width + shots)
    if method == "statevector":
        return float(length * 2**width * shots)
    return float(length * 2**width + shots)


def _needs_one_thread(sweep: Sweep, method: str, noise: NoiseModel | None) -> bool:
    """True if more threads would only wait for each other, which on a busy machine takes long."""
    if method == "density_matrix":
        return sweep.used <= _SMALL_STATE // 2
    return noise is None and sweep.used <= _SMALL_STATE and measures_last(sweep.circuit)


def _batches(
    sweeps: Sequence[Sweep], methods: Sequence[str], shots: int, alone: bool, limit: float
) -> Iterator[tuple[str, Batch]]:
    """Yield what to run in each call, and its method; each sweep alone if asked for."""
    for method in dict.fromkeys(methods):
        batch: Batch = []
        total = 0.0
        for at, sweep in enumerate(sweeps):
            if methods[at] != method:
                continue
            work = _work(sweep, method, shots)
            start = 0
            while start < len(sweep):
                fitting = max(int((limit - total) / work), 0 if batch else 1)
                stop = min(len(sweep), start + fitting)
                if stop > start:
                    batch.append((at, start, stop))
                    total += work * (stop - start)
                if stop < len(sweep) or alone:
                    yield method, batch
                    batch, total = [], 0.0
                start = stop
        if batch:
            yield method, batch
