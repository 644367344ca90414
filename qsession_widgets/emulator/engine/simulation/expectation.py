"""Means and variances of observables: from outcomes that were sampled, or propagated.

Where a group of terms is measured after a circuit too wide to be simulated, the part of the circuit
that matters to a term is often narrow, and then simulated exactly. Other terms are carried back
through the circuit; the shot noise that the asked precision implies is added to what that gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit

from qsession_widgets.emulator.engine.devices.noise_source import Noise
from qsession_widgets.emulator.engine.failure import INVALID_OPTION
from qsession_widgets.emulator.engine.simulation import (
    injected_noise,
    light_cone,
    method_choice,
    pauli_propagation,
    sampling,
)
from qsession_widgets.emulator.engine.simulation.approximation import Approximation
from qsession_widgets.emulator.engine.simulation.job_run import JobRun
from qsession_widgets.emulator.engine.simulation.measurement import Group, Sums
from qsession_widgets.emulator.engine.simulation.outcomes import Sampled
from qsession_widgets.emulator.engine.simulation.pauli_noise import PauliNoise
from qsession_widgets.emulator.engine.simulation.propagated_estimates import (
    Propagated,
    Unpropagated,
)
from qsession_widgets.emulator.engine.simulation.simulate import Sweep

_NARROW = 10
"""Qubits of a light cone up to which it is simulated exactly."""


class Estimates(Protocol):
    """Values and bounds of a group's terms at one parameter set."""

    @property
    def approximation(self) -> Approximation | None:
        """In what way it is not exact."""

    def of(self, sums: Sums) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and variance, for a single shot, of weighted sums of the terms."""


@dataclass(frozen=True, eq=False)
class Counted:
    """A group's terms in sampled outcomes."""

    group: Group
    sampled: Sampled

    @property
    def approximation(self) -> Approximation | None:
        """In what way the outcomes are not exact."""
        return self.sampled.approximation

    def of(self, sums: Sums) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and variance, for a single shot, of weighted sums of the terms."""
        return self.group.evaluate(sums, *self.sampled[:3])


def narrowed(job: JobRun, group: Group, noise: Noise) -> list[Group]:
    """Divide a group that is too wide into groups with narrow light cones, and the rest.

    Parameters
    ----------
    job : JobRun
        With its wishes and limits.
    group : Group
        Terms measured together.
    noise : Noise
        Of its circuit.
    """
    if _is_injected(group) or not (
        _too_wide(job, group.circuit, noise) and _is_static(group.circuit)
    ):
        return [group]
    sharing: list[tuple[set[int], list[int]]] = []
    wide = []
    steps = light_cone.backwards(group.circuit)
    qubit_of = group.qubit_of_bit()
    for at in range(len(group.labels)):
        _, reached = light_cone.cut(steps, _measured(group, [at], qubit_of), _NARROW)
        if len(reached) > _NARROW:
            wide.append(at)
            continue
        for known, members in sharing:
            if len(known | reached) <= _NARROW:
                known |= reached
                members.append(at)
                break
        else:
            sharing.append((reached, [at]))
    found = [_part(group, wide)] if wide else []
    for _, members in sharing:
        part = _part(group, members)
        instructions, _ = light_cone.cut(steps, _measured(group, members, qubit_of))
        found.append(replace(part, circuit=light_cone.circuit_of(group.circuit, instructions)))
    if len(found) > len(wide and [0]):
        job.note("light cones: terms that depend on few qubits were simulated on those alone")
    return found


def _part(group: Group, members: Sequence[int]) -> Group:
    labels = tuple(group.labels[at] for at in members)
    return replace(group, labels=labels, worth=group.worth[list(members)])


def _measured(group: Group, members: Sequence[int], qubit_of: Mapping[int, int]) -> list[int]:
    """Return the qubits whose outcomes some terms depend on."""
    worth = group.worth[list(members)]
    bits = np.flatnonzero((worth[..., 0] != worth[..., 1]).any(axis=0))
    return [qubit_of[int(bit)] for bit in bits]


def _too_wide(job: JobRun, circuit: QuantumCircuit, noise: Noise) -> bool:
    """True if a circuit has to be approximated, by width alone."""
    wish = job.simulation.method
    if wish in ("exact", "stabilizer", "matrix_product_state"):
        return False
    island = sampling.largest(circuit, noise)
    if island is None or len(island.qubits) <= _NARROW:
        return False
    return not method_choice.is_exact(job, circuit, len(island.qubits), 1, not noise.ideal)


def _is_injected(group: Group) -> bool:
    """True if noise is injected into a group's circuit, which no simulator but propagation runs."""
    return injected_noise.NAME in group.circuit.count_ops()


def _is_static(circuit: QuantumCircuit) -> bool:
    return all(
        not instruction.is_control_flow() and instruction.name not in ("reset", "store")
        for instruction in circuit.data
    )


def run(
    job: JobRun,
    measured: Sequence[tuple[Group, Sweep]],
    *,
    shots: int,
    seed: int | None,
    noise: Noise,
    readout: bool = True,
) -> list[Sequence[Estimates]]:
    """Measure groups of terms at all their parameter sets.

    Parameters
    ----------
    job : JobRun
        Told about time, executions and settings.
    measured : sequence of tuple
        Groups, each with its circuit and the parameter sets.
    shots : int
        For each parameter set.
    seed : int, optional
        Makes the values repeatable.
    noise : Noise
        For the circuits' own qubit numbers.
    readout : bool
        Whether propagated terms are read out with errors.

    Returns
    -------
    list of list
        For each group and parameter set.

    Raises
    ------
    JobFailure
        If a circuit fits no way of simulation.
    """
    found: dict[int, Sequence[Estimates]] = {}
    rng = np.random.default_rng(None if seed is None else [seed, shots, 1])
    sampled = []
    for at, (group, sweep) in enumerate(measured):
        values = _propagated(job, group, sweep, shots, noise, rng, readout)
        if values is None:
            if _is_injected(group):
                raise Unpropagated(
                    "PEC and PEA of a job this wide need Pauli propagation, which runs circuits of "
                    "gates that are measured at their end, with noise that can be twirled, where "
                    "--local-method is auto or pauli_propagation.",
                    INVALID_OPTION,
                )
            sampled.append(at)
        else:
            found[at] = values
            job.executions += shots * len(sweep)
    if sampled:
        outcomes = sampling.run(
            job,
            [measured[at][1] for at in sampled],
            shots=shots,
            seed=seed,
            noise=noise,
            keep="counts",
        )
        for at, by_place in zip(sampled, outcomes, strict=True):
            found[at] = [Counted(measured[at][0], one) for one in by_place]
    return [found[at] for at in range(len(measured))]


def _propagated(
    job: JobRun,
    group: Group,
    sweep: Sweep,
    shots: int,
    noise: Noise,
    rng: np.random.Generator,
    readout: bool,
) -> Sequence[Estimates] | None:
    """Return a group's terms carried back through its circuit; None if it is to be sampled."""
    wish = job.simulation.method
    noise = method_choice.wished(job, noise, group.circuit.num_qubits)
    if wish not in ("auto", "pauli_propagation"):
        return None
    injected = _is_injected(group)
    if wish == "auto" and not (injected or _must_be_approximated(job, group, sweep, shots, noise)):
        return None
    if job.simulation.strict and not (noise.ideal or isinstance(noise, PauliNoise)):
        return None
    if method_choice.obstacle(job, group.circuit, noise, range(group.circuit.num_qubits)):
        return None
    if not all(
        pauli_propagation.can_run(instruction)
        or instruction.name in ("measure", "barrier", "delay")
        for instruction in group.circuit.data
    ):
        return None
    twirled = None
    if not noise.ideal:
        twirled = noise if isinstance(noise, PauliNoise) else PauliNoise(noise)
    values: list[Propagated] = []
    for at in range(len(sweep)):
        bound = replace(group, circuit=sweep.bound(at))
        found = Propagated(job, bound, shots, twirled, rng, readout)
        if not found.hopeful():
            if wish == "auto" and not injected:
                return None
            raise Unpropagated(
                "Pauli propagation cannot carry this job's observables back through the circuit: "
                "the terms multiply too fast. Use fewer gates that are no Clifford gates, or "
                "observables on fewer qubits.",
                INVALID_OPTION,
            )
        values.append(found)
    job.used("pauli_propagation")
    return values


def _must_be_approximated(
    job: JobRun, group: Group, sweep: Sweep, shots: int, noise: Noise
) -> bool:
    island = sampling.largest(group.circuit, noise)
    if island is None or len(island.qubits) <= _NARROW:
        return False
    times = shots * len(sweep)
    return not method_choice.is_exact(
        job, group.circuit, len(island.qubits), times, not noise.ideal
    )
