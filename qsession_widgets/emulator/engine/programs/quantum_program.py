"""Runs the items of a quantum program: circuits, and circuits with a samplex of random angles.

A samplex draws, for every randomization, the angles of a template circuit and whatever is needed to
undo the randomness in the outcomes: bit flips of twirled measurements, signs of an inverted noise.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit

from qsession_widgets.emulator.engine.devices.noise_source import Noise
from qsession_widgets.emulator.engine.failure import INVALID_OPTION, JobFailure
from qsession_widgets.emulator.engine.simulation import (
    early_refusal,
    method_choice,
    outcomes,
    sampling,
)
from qsession_widgets.emulator.engine.simulation.job_run import JobRun
from qsession_widgets.emulator.engine.simulation.outcomes import Sampled
from qsession_widgets.emulator.engine.simulation.simulate import Sweep

_ANGLE_SECONDS = 1e-6
_GATE_SECONDS = 4e-6
"""Measured: what a random angle takes to be drawn, and a gate of a Clifford circuit to be run."""

_ANGLE_DECIMALS = 5
"""Decimals of quarter turns kept of an angle, so that Clifford circuits are seen as such."""


@dataclass(frozen=True)
class ExecutedProgram:
    """The outcomes of a quantum program.

    Attributes
    ----------
    data : list of dict
        For each item, arrays by name: outcomes of shape ``(*shape, shots, bits)`` for each
        register, bit 0 first, and what the samplex drew along.
    shapes : list of tuple
        The shape of each item: how often, and along which axes, its circuit was run.
    span : tuple of datetime
        When the first of them started and the last of them ended.
    """

    data: list[dict[str, NDArray[Any]]]
    shapes: list[tuple[int, ...]]
    span: tuple[datetime.datetime, datetime.datetime]


def shape(item: Any) -> tuple[int, ...]:
    """Return the shape of an item: how often, and along which axes, its circuit is run."""
    if hasattr(item, "samplex"):
        return tuple(item.shape)
    arguments = item.circuit_arguments
    return () if arguments is None else tuple(np.shape(arguments)[:-1])


def executions(items: Iterable[Any], shots: int) -> int:
    """Return how many circuits, times shots, a program runs."""
    return sum(math.prod(shape(item)) for item in items) * shots


def check_randomizations(job: JobRun, item: Any, shots: int) -> None:
    """Refuse a wide circuit with so many randomizations that drawing them takes too long.

    Parameters
    ----------
    job : JobRun
        With its limits.
    item : SamplexItem
        A circuit and what draws its angles.
    shots : int
        Of each randomization.

    Raises
    ------
    JobFailure
        If the job takes too long at this width.
    """
    drawn = math.prod(shape(item))
    circuit = item.circuit
    each = _ANGLE_SECONDS * circuit.num_parameters + _GATE_SECONDS * len(circuit.data)
    if drawn * each <= method_choice.AUTO_SECONDS:
        return
    used = early_refusal.largest_island(circuit)
    if method_choice.is_exact(job, circuit, used, drawn * shots, not job.device.ideal):
        return
    raise JobFailure(
        f"{drawn:,} randomizations of a circuit of {used} connected qubits would take about "
        f"{method_choice.duration(drawn * each)}, and {method_choice.AUTO_SECONDS:.0f} seconds "
        f"is the most here, which are {int(method_choice.AUTO_SECONDS / each):,} of them. For "
        "expectation values use EstimatorV2, whose PEC, PEA and twirling are simulated as what all "
        "randomizations average to, in seconds.",
        INVALID_OPTION,
    )


def execute(
    job: JobRun,
    items: Sequence[Any],
    circuits: Sequence[QuantumCircuit],
    *,
    shots: int,
    seed: int | None,
    noise: Noise,
) -> ExecutedProgram:
    """Run a program's items.

    Parameters
    ----------
    job : JobRun
        Told about time, executions and settings.
    items : sequence of CircuitItem or SamplexItem
        What to run.
    circuits : sequence of QuantumCircuit
        The items' circuits, cut to the qubits that ``noise`` speaks of.
    shots : int
        For each element of an item's shape.
    seed : int, optional
        Makes angles and outcomes repeatable.
    noise : Noise
        Of the circuits.

    Raises
    ------
    JobFailure
        If a circuit does not fit into memory or Aer cannot run it.
    """
    rng = np.random.default_rng(seed)
    samples = [_sample(item, rng) for item in items]
    sweeps = [
        Sweep.of(circuit, item.circuit.parameters, sample.values)
        for circuit, item, sample in zip(circuits, items, samples, strict=True)
    ]
    started = job.now()
    memories = sampling.run(job, sweeps, shots=shots, seed=seed, noise=noise, keep="memory")
    stopped = job.now()
    data = [
        {**sample.extra, **_registers(item.circuit, memory, sample.shape, shots)}
        for item, sample, memory in zip(items, samples, memories, strict=True)
    ]
    return ExecutedProgram(data, [sample.shape for sample in samples], (started, stopped))


@dataclass(frozen=True)
class _Sample:
    """Randomized parameter values of an item, and the data with which the client undoes them."""

    shape: tuple[int, ...]
    values: NDArray[np.float64]
    extra: Mapping[str, NDArray[Any]]


def _sample(item: Any, rng: np.random.Generator) -> _Sample:
    shaped = shape(item)
    if not hasattr(item, "samplex"):
        arguments = item.circuit_arguments
        values = np.zeros((0,)) if arguments is None else np.asarray(arguments, dtype=float)
        return _Sample(shaped, _rounded(values), {})
    drawn = _draw(item, shaped, rng)
    values = drawn.pop("parameter_values", np.zeros((*shaped, 0)))
    return _Sample(shaped, _rounded(values), drawn)


def _draw(item: Any, shape: tuple[int, ...], rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    """Draw randomizations for every element of an item's shape.

    An axis along which the item's arguments vary is a sweep over arguments; along all others there
    is one set of arguments and many randomizations of it.
    """
    arguments = item.samplex_arguments
    given = tuple(arguments.shape)
    padded = (1,) * (len(shape) - len(given)) + given
    swept = [axis for axis, length in enumerate(padded) if length > 1]
    randomized = [axis for axis, length in enumerate(padded) if length <= 1]
    inner = tuple(shape[axis] for axis in randomized)
    # A samplex that was read from JSON has not worked out the order of its steps yet.
    item.samplex.finalize()
    drawn: dict[str, NDArray[Any]] = {}
    for place in np.ndindex(*(shape[axis] for axis in swept)):
        at = dict(zip(swept, place, strict=True))
        offset = len(shape) - len(given)
        chosen = tuple(at.get(axis + offset, 0) for axis in range(len(given)))
        sample = item.samplex.sample(
            arguments[chosen], num_randomizations=math.prod(inner), rng=rng
        )
        target = tuple(at.get(axis, slice(None)) for axis in range(len(shape)))
        for name, value in dict(sample).items():
            if name not in drawn:
                drawn[name] = np.empty((*shape, *value.shape[1:]), dtype=value.dtype)
            drawn[name][target] = value.reshape(*inner, *value.shape[1:])
    return drawn


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    quarter = np.pi / 2
    return np.asarray(np.round(values / quarter, _ANGLE_DECIMALS) * quarter)


def _registers(
    circuit: QuantumCircuit, memories: list[Sampled], shape: tuple[int, ...], shots: int
) -> dict[str, NDArray[np.bool_]]:
    """Return each register's outcomes, shape ``(*shape, shots, bits)``, bit 0 first."""
    chosen = {register.name: outcomes.columns(circuit, register) for register in circuit.cregs}
    arrays = {
        name: np.empty((len(memories), shots, len(bits)), dtype=bool)
        for name, bits in chosen.items()
    }
    for at, memory in enumerate(memories):
        for name, bits in chosen.items():
            arrays[name][at] = memory.bits[:, bits]
    return {name: array.reshape(*shape, *array.shape[1:]) for name, array in arrays.items()}
