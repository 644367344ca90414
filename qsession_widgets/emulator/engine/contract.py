"""What the rest of the emulator and the engine say to each other: a task, and its outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


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
    """

    job_id: str
    program_id: str
    params: str
    backend: str
    options: Mapping[str, Any] = field(default_factory=dict)


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
