"""Runs compacted circuits on Aer, as many in one call as is sensible.

A simulator call costs a few milliseconds of its own, so small circuits go together. Large ones go
in batches of about a second each, so that a long job can say how far it is; where a batch ends
depends on the circuits alone, never on the clock, because the seed of a batch must not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel

from qsession_widgets.emulator.engine import sizes
from qsession_widgets.emulator.engine.failure import INTERNAL_ERROR, INVALID_OPTION, JobFailure
from qsession_widgets.emulator.engine.job import JobRun

_BATCH_WORK = 3e8
"""Amplitudes touched in about a second."""

_SEED_STEP = 1_000_003


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
    """

    circuit: QuantumCircuit
    values: NDArray[np.float64]

    @classmethod
    def of(
        cls, circuit: QuantumCircuit, parameters: Iterable[Parameter], values: NDArray[np.float64]
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
        """
        column = {parameter: at for at, parameter in enumerate(parameters)}
        sets = math.prod(values.shape[:-1])
        flat = np.asarray(values, dtype=float).reshape(sets, values.shape[-1])
        return cls(circuit, flat[:, [column[parameter] for parameter in circuit.parameters]])

    def __len__(self) -> int:
        return len(self.values)

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
    done: Callable[[int], None] = lambda finished: None,
) -> list[list[Any]]:
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
    noise : NoiseModel or None
        For the circuits' own qubit numbers.
    keep : {"memory", "counts"}
        Outcomes shot by shot, or how often each occurred.
    done : callable, optional
        Called with the number of sweeps finished so far.

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
    for sweep in sweeps:
        sizes.check(sweep.circuit, _used(sweep.circuit), noise, job.options, job.memory_limit)
    outcomes: list[list[Any]] = [[] for _ in sweeps]
    for number, batch in enumerate(_batches(sweeps, shots, noise)):
        batch_seed = None if seed is None else (seed + number * _SEED_STEP) % (1 << 31)
        circuits: list[QuantumCircuit] = []
        binds: list[dict[Parameter, list[float]]] = []
        for at, start, stop in batch:
            for circuit, bind in _calls(sweeps[at], start, stop):
                circuits.append(circuit)
                binds.append(bind)
        result = _call(job, circuits, binds, shots, batch_seed, noise, keep == "memory")
        experiments = iter(result.results)
        for at, start, stop in batch:
            outcomes[at].extend(_outcome(next(experiments), keep) for _ in range(start, stop))
            job.executions += shots * (stop - start)
        last, _, stop = batch[-1]
        done(last + (stop == len(sweeps[last])))
    return outcomes


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


def _call(
    job: JobRun,
    circuits: list[QuantumCircuit],
    binds: list[dict[Parameter, list[float]]],
    shots: int,
    seed: int | None,
    noise: NoiseModel | None,
    memory: bool,
) -> Any:
    options: dict[str, Any] = {**job.options, "shots": shots, "memory": memory}
    if seed is not None:
        options["seed_simulator"] = seed
    if noise is not None:
        options["noise_model"] = noise
    if any(binds):
        options["parameter_binds"] = binds
    started = time.perf_counter()
    try:
        result = _simulator().run(circuits, **options).result()
    except MemoryError:
        raise JobFailure(
            "The simulation ran out of memory: use fewer qubits, or another method with "
            'options.experimental = {"aer": {"method": "matrix_product_state"}}.'
        ) from None
    except Exception as error:
        raise JobFailure(f"Aer cannot run this job: {str(error)[:400]}", INVALID_OPTION) from error
    finally:
        job.seconds += time.perf_counter() - started
    for experiment in result.results:
        if not experiment.success:
            raise JobFailure(
                f"Aer could not run a circuit of this job: {str(experiment.status)[:400]}",
                INTERNAL_ERROR,
            )
        method = (getattr(experiment, "metadata", None) or {}).get("method", "unknown")
        line = f"method {method}"
        if line not in job.log:
            job.log.append(line)
    return result


def _outcome(experiment: Any, keep: str) -> Any:
    if keep == "counts":
        counts = getattr(experiment.data, "counts", None)
        return counts or {"0x0": experiment.shots}
    memory = getattr(experiment.data, "memory", None)
    return memory or ["0x0"] * experiment.shots


def _used(circuit: QuantumCircuit) -> int:
    """Count the qubits of a compacted circuit that it uses itself; Aer leaves out the others."""
    used = set()
    for instruction in circuit.data:
        if instruction.name not in ("barrier", "delay"):
            used.update(instruction.qubits)
    return len(used)


def _work(circuit: QuantumCircuit, shots: int, noise: NoiseModel | None) -> float:
    """Estimate the amplitudes touched in running a circuit."""
    width, length = circuit.num_qubits, len(circuit.data)
    if noise is None:
        return float(length * 2.0 ** min(width, 40) + shots)
    return float(length * min(4.0**width, shots * 2.0 ** min(width, 40)) + shots)


def _batches(
    sweeps: Sequence[Sweep], shots: int, noise: NoiseModel | None
) -> Iterator[list[tuple[int, int, int]]]:
    """Yield batches; each is a list of sweeps by position, with a range of their parameter sets."""
    batch: list[tuple[int, int, int]] = []
    total = 0.0
    for at, sweep in enumerate(sweeps):
        work = _work(sweep.circuit, shots, noise)
        start = 0
        while start < len(sweep):
            fitting = max(int((_BATCH_WORK - total) / work), 0 if batch else 1)
            stop = min(len(sweep), start + fitting)
            if stop > start:
                batch.append((at, start, stop))
                total += work * (stop - start)
            if stop < len(sweep):
                yield batch
                batch, total = [], 0.0
            start = stop
    if batch:
        yield batch
