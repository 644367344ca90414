"""Runs compacted circuits on Aer, as many in one call as is sensible.

A simulator call costs a few milliseconds of its own, so small circuits go together. Large
ones go in batches of about a second each, so that a long job can say how far it is; where a batch ends
depends on the circuits alone, never on the clock, because the seed of a batch must not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Literal

from qiskit.circuit import QuantumCircuit
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


def run(
    job: JobRun,
    circuits: Sequence[QuantumCircuit],
    *,
    shots: int,
    seed: int | None,
    noise: NoiseModel | None,
    keep: Literal["memory", "counts"],
    done: Callable[[int], None] = lambda finished: None,
) -> list[Any]:
    """Run bound circuits and return what each measured.

    Parameters
    ----------
    job : JobRun
        Told about time, executions and settings.
    circuits : sequence of QuantumCircuit
        Compacted, without unbound parameters.
    shots : int
        For each circuit.
    seed : int, optional
        Makes the outcomes repeatable.
    noise : NoiseModel or None
        For the circuits' own qubit numbers.
    keep : {"memory", "counts"}
        Outcomes shot by shot, or how often each occurred.
    done : callable, optional
        Called with the number of circuits finished so far.

    Returns
    -------
    list
        For each circuit a list of hexadecimal texts, or a dict from such texts to numbers.

    Raises
    ------
    JobFailure
        If a circuit does not fit into memory or Aer cannot run it.
    """
    works = [_work(circuit, shots, noise) for circuit in circuits]
    for circuit in {id(circuit): circuit for circuit in circuits}.values():
        sizes.check(circuit, _used(circuit), noise, job.options, job.memory_limit)
    outcomes: list[Any] = []
    for number, (start, stop) in enumerate(_batches(works)):
        batch_seed = None if seed is None else (seed + number * _SEED_STEP) % (1 << 31)
        result = _call(job, circuits[start:stop], shots, batch_seed, noise, keep == "memory")
        outcomes.extend(_outcome(experiment, keep) for experiment in result.results)
        job.executions += shots * (stop - start)
        done(stop)
    return outcomes


def _call(
    job: JobRun,
    circuits: Sequence[QuantumCircuit],
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
    started = time.perf_counter()
    try:
        result = _simulator().run(list(circuits), **options).result()
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
        return length * 2.0 ** min(width, 40) + shots
    return length * min(4.0**width, shots * 2.0 ** min(width, 40)) + shots


def _batches(works: Sequence[float]) -> Iterator[tuple[int, int]]:
    start, total = 0, 0.0
    for position, work in enumerate(works):
        if position > start and total + work > _BATCH_WORK:
            yield start, position
            start, total = position, 0.0
        total += work
    if start < len(works):
        yield start, len(works)
