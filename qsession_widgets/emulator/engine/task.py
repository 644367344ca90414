"""Interface of the engine: a task goes in, its outcome comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

IDEAL = "aer"
IDEAL_QUBITS = 32
"""The device without noise: its name, and how many qubits it says it has."""


class ClockReading(NamedTuple):
    """A reading of the service's clock, from which a worker derives the service's time.

    Attributes
    ----------
    service, real : float
        The service's time and this machine's time of day at that moment, in seconds since the
        epoch.
    speed : float
        How many seconds of service time pass in one second.
    """

    service: float
    real: float
    speed: float

    def at(self, real: float) -> float:
        """Return the service's time at a time of day of this machine."""
        return self.service + max(0.0, real - self.real) * self.speed


TIME_OF_DAY = ClockReading(0.0, 0.0, 1.0)
"""A service whose time is this machine's."""


class Simulation(NamedTuple):
    """Settings of the simulation where there is a choice.

    Attributes
    ----------
    method : str
        ``"auto"``, or one of ``METHODS``: exact where it fits, else whichever fits.
    noise : str
        ``"auto"``, the device's where the simulation is exact and twirled to Pauli channels where
        it cannot be; ``"device"``, never twirled; ``"pauli"``, always twirled; or ``"none"``.
    precision_limit : float
        Which error is accepted of an approximation: how much the fidelity of a truncated state may
        miss of one, and how far truncation may move an expectation value, as a part of the largest
        value the observable could have.
    strict : bool
        Whether approximations are refused, and options that have no effect.
    """

    method: str = "auto"
    noise: str = "auto"
    precision_limit: float = 0.01
    strict: bool = False


METHODS = ("exact", "stabilizer", "matrix_product_state", "pauli_propagation")
"""Ways of simulation that can be asked for."""

NOISES = ("device", "pauli", "none")
"""Kinds of noise that can be asked for."""

BY_ITSELF = Simulation()
"""Default: a method that fits is chosen automatically."""


@dataclass(frozen=True)
class Task:
    """One job, as the client posted it.

    Attributes
    ----------
    job_id : str
        Used in logs only.
    program_id : str
        ``"sampler"``, ``"estimator"`` or ``"executor"``; any other fails with a message naming it.
    params : str
        JSON text of the posted ``params``, with the client's type tags inside.
    backend : str
        A fake device's name such as ``"fake_fez"``, or ``"aer"`` for the ideal simulator.
    options : Mapping
        Aer options passed through, such as ``method`` or ``device``.
    clock : ClockReading
        By which the times in the result are told.
    simulation : Simulation
        How its circuits are to be simulated.
    owner : str
        The user it belongs to; users share the workers fairly.
    """

    job_id: str
    program_id: str
    params: str
    backend: str
    options: Mapping[str, Any] = field(default_factory=dict)
    clock: ClockReading = TIME_OF_DAY
    simulation: Simulation = BY_ITSELF
    owner: str = ""


@dataclass(frozen=True)
class TaskOutcome:
    """Outcome of a task: its result, or the reason there is none.

    Attributes
    ----------
    status : {"completed", "failed"}
        Whether there is a result.
    result : str or None
        JSON text as the client's decoder expects it, to be served unchanged.
    reason : str or None
        One sentence, when failed.
    reason_code : int or None
        The service's error code that fits best, when failed.
    execution_seconds : float
        Measured simulator time, in seconds.
    executions : int
        Shots times circuits, parameter sets and randomizations counted one by one, with what the
        calibration and noise learning of mitigation run. The service's usage follows from it.
    warnings : tuple of str
        What the user should know of the result, each in a sentence.
    no_effect : tuple of str
        Names of options that were sent and have no effect here; ``warnings`` has a sentence of
        each.
    methods : tuple of str
        How the circuits were simulated, such as ``"density_matrix"`` or ``"stabilizer"``.
    approximations : tuple of str
        What of the result is not exact, in sentences; none if all of it is.
    logs : str
        Text for the job's log.
    """

    status: Literal["completed", "failed"]
    result: str | None
    reason: str | None = None
    reason_code: int | None = None
    execution_seconds: float = 0.0
    executions: int = 0
    warnings: tuple[str, ...] = ()
    no_effect: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    approximations: tuple[str, ...] = ()
    logs: str = ""
