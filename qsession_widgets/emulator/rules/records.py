"""Immutable records of backends, instances, plans, sessions and jobs.

`lifecycle` replaces them as events arrive, `store` writes them down, `api` shows them. Times are
seconds since the epoch on the service's clock, durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

SessionState = Literal["open", "active", "inactive", "closed"]
Mode = Literal["dedicated", "batch"]
JobStatus = Literal[
    "Queued", "Running", "Completed", "Cancelled", "Cancelled - Ran too long", "Failed"
]

FINAL: frozenset[str] = frozenset({"Completed", "Cancelled", "Cancelled - Ran too long", "Failed"})
"""Job statuses after which nothing more happens to a job."""


DRY_RUN = "mock"
"""Beginning of the names of backends on which the client tries jobs, with ``dry_run=True``."""


@dataclass(frozen=True)
class Backend:
    """Scheduling properties of a backend.

    Attributes
    ----------
    name : str
        The backend's name.
    lanes : int
        How many jobs run at once.
    exclusive : bool
        Whether an active session keeps everybody else out, as on hardware. A simulator has no queue
        to keep anybody out of.
    """

    name: str
    lanes: int = 1
    exclusive: bool = True


@dataclass(frozen=True)
class Instance:
    """A service instance, identified by its CRN.

    Attributes
    ----------
    name : str
        Its name for people.
    crn : str
        Its Cloud Resource Name.
    plan : str
        The name of its plan.
    key : str
        The key that reaches this instance only.
    """

    name: str
    crn: str
    plan: str
    key: str


@dataclass(frozen=True)
class Plan:
    """Limits of a plan.

    Attributes
    ----------
    name : str
        ``premium``, ``payg``, ``open``, …
    sessions : bool
        Whether sessions (mode ``dedicated``) may be opened; batches always may.
    interactive_ttl, batch_interactive_ttl : float
        The interactive timeout of sessions and of batches.
    max_ttl, batch_max_ttl : float
        The longest, and the default, maximum time of sessions and of batches.
    caps : bool
        Whether a maximum time beyond that is shortened to it; it is refused otherwise.
    max_execution_time : float
        The longest a job may run.
    quota : float or None
        Seconds of usage in 28 days; None when there is no limit.
    """

    name: str = "premium"
    sessions: bool = True
    interactive_ttl: float = 60.0
    batch_interactive_ttl: float = 60.0
    max_ttl: float = 28800.0
    batch_max_ttl: float = 28800.0
    caps: bool = False
    max_execution_time: float = 10800.0
    quota: float | None = None


PLANS: dict[str, Plan] = {
    "premium": Plan("premium"),
    "payg": Plan("payg"),
    "flex": Plan("flex"),
    "open": Plan(
        "open",
        sessions=False,
        batch_max_ttl=600.0,
        max_ttl=600.0,
        quota=600.0,
    ),
}
"""The plans the emulator can play. Figures: IBM's guide to the maximum execution time, November
2026."""


@dataclass(frozen=True)
class EmulatedSession:
    """A session or a batch.

    Attributes
    ----------
    id, backend, mode, instance
        Its id, the backend it was opened on, ``dedicated`` or ``batch``, and the instance that owns
        it.
    interactive_ttl, max_ttl : float
        The timeouts granted when it was opened.
    created : float
        When it was opened.
    state, state_reason, accepting_jobs
        ``open`` until its first job starts; then ``active`` or ``inactive``; ``closed`` at the end.
        Between a close or cancel and that end it is still active (or waiting) and accepts nothing.
    started_at, activated_at, closed_at, last_job_started, last_job_completed : float or None
        When the maximum time began, when it last became active, when it closed, its latest job's
        start and end.
    timestamps : tuple of (str, float)
        Every state it entered, with the time.
    elapsed : float
        Usage. Of a session, up to the last deactivation, and `usage` adds the running period; of a
        batch, all of it.
    user : str
        Who opened it.
    tags : tuple of str
        The user's labels.
    load : bool
        Whether it is a simulated session of another user.
    simulation : dict
        How its circuits are to be simulated, as far as it was asked for.
    device_seconds, busy_seconds : float
        How long its jobs that are over would take on a device, and for how long one or more of
        them ran here.
    busy_since : float or None
        Since when one or more of its jobs run; None while none does.
    """

    id: str
    backend: str
    mode: Mode
    instance: str
    interactive_ttl: float
    max_ttl: float
    created: float
    state: SessionState = "open"
    state_reason: str = "session_created"
    accepting_jobs: bool = True
    started_at: float | None = None
    activated_at: float | None = None
    closed_at: float | None = None
    last_job_started: float | None = None
    last_job_completed: float | None = None
    timestamps: tuple[tuple[str, float], ...] = ()
    elapsed: float = 0.0
    user: str = ""
    tags: tuple[str, ...] = ()
    load: bool = False
    simulation: dict[str, Any] = field(default_factory=dict)
    device_seconds: float = 0.0
    busy_seconds: float = 0.0
    busy_since: float | None = None

    def usage(self, now: float) -> float:
        """Usage up to a time, in seconds (rule 12)."""
        if self.mode == "dedicated" and self.state == "active" and self.activated_at is not None:
            return self.elapsed + max(0.0, now - self.activated_at)
        return self.elapsed


@dataclass(frozen=True)
class EmulatedJob:
    """A job, in a session or on its own.

    Attributes
    ----------
    id, program_id, backend, instance, session_id
        Its id, what it runs, where, whose, and in which session (None: job mode).
    created : float
        When it was accepted.
    status, reason, reason_code
        Where it stands, and why it ended if it did not complete.
    started, finished : float or None
        When it began to run and when it reached a final status.
    max_execution_time : float
        How long it may run before it is stopped with code 1305. It counts from when a worker has
        it, which is after `started`: IBM counts the use of the device, and no preparation.
    qpu_seconds : float
        QPU time charged for it.
    device_seconds : float or None
        How long it would take on a device, None while it is not over or when it never ran.
    attempts : int
        How often it was started; more than once only when the emulator itself died meanwhile.
    load : float or None
        Set for a simulated job of another user: how long it runs. Such a job has no body and no
        result.
    methods, approximations, no_effect : tuple of str
        How its circuits were simulated, what of the result is not exact, and which of its options
        have no effect here; as in `qsession_widgets.emulator.engine.TaskOutcome`.
    """

    id: str
    program_id: str
    backend: str
    instance: str
    created: float
    session_id: str | None = None
    status: JobStatus = "Queued"
    reason: str | None = None
    reason_code: int | None = None
    started: float | None = None
    finished: float | None = None
    max_execution_time: float = 10800.0
    qpu_seconds: float = 0.0
    device_seconds: float | None = None
    attempts: int = 0
    load: float | None = None
    user: str = ""
    tags: tuple[str, ...] = ()
    private: bool = False
    calibration_id: str | None = None
    cost: int | None = None
    methods: tuple[str, ...] = ()
    approximations: tuple[str, ...] = ()
    no_effect: tuple[str, ...] = ()

    @property
    def final(self) -> bool:
        """True once nothing more happens to it."""
        return self.status in FINAL

    @property
    def dry_run(self) -> bool:
        """True for one that was sent to try it, which is not charged."""
        return self.backend.startswith(DRY_RUN)
