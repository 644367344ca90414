"""What the rest of the emulator and the engine say to each other: a task, and its outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

IDEAL = "aer"
IDEAL_QUBITS = 32
"""The device without noise: its name, and how many qubits it says it has."""


class ClockReading(NamedTuple):
    """What the service's clock showed at a moment, so that a worker can tell the service's time.

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
    """

    job_id: str
    program_id: str
    params: str
    backend: str
    options: Mapping[str, Any] = field(default_factory=dict)
    clock: ClockReading = TIME_OF_DAY


@dataclass(frozen=True)
class Outcome:
    """What became of a task.

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
        Shots times circuits, parameter sets counted one by one.
    warnings : tuple of str
        Options that were sent and have no effect here, each named in a sentence.
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
    logs: str = ""
