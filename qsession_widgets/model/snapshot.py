"""One session at one moment: the facts as the service gave them.

A snapshot is the only thing that flows from the monitor to the views: panel, receipt, timeline,
status line. It is immutable and holds the service's own timestamps; what is derived from them is in
`qsession_widgets.model`. The browser's types are made from this file.

All times are seconds since the epoch on the *service's* clock; all durations are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from .job import JobRecord, SeriesPoint, count_jobs, read_job
from .timestamps import unstamped

SCHEMA_VERSION = 1
"""Version of the JSON form; a view that knows another one asks for a reload instead of guessing."""

EMPTY_SESSION_TTL = 1800.0
"""Seconds after which the service closes a session that was opened and never ran a job (30
minutes)."""

PriceSource = Literal["", "list", "own", "environment", "config"]
EndReason = Literal[
    "budget",
    "budget_ahead",
    "idle_close",
    "max_jobs",
    "panel",
    "notebook",
    "once",
    "on_error",
    "exit",
    "crash",
    "terminal",
    "lab",
    "elsewhere",
    "max_time",
    "never_used",
    "request",
]
UnknownRequest = Literal["submit", "close", "cancel"]


@dataclass(frozen=True)
class ServiceInfo:
    """Which service runs the session, as shown to people.

    Attributes
    ----------
    kind : {"ibm", "local"}
        IBM Quantum Platform, or an emulator.
    label : str
        One short line, for example ``IBM Quantum · us-east · Premium`` or ``local emulator · no
        charge``.
    plan : str
        Name of the plan, lower case, empty when unknown.
    price_per_second : float or None
        US dollars for one second of usage, None when the plan does not say.
    price_source : {"", "list", "own", "environment", "config"}
        Where that price comes from: IBM's list, the user's own for the account or plan, the
        variable ``QSESSION_PRICE``, or ``SessionMagics.price`` in IPython's configuration; empty
        without a price, or when unknown.
    charged : bool
        False on the emulator: a cost is then what it *would be*.
    speed : float
        How many seconds of service time pass in one second; 1 except on a sped-up emulator.
    joined : str
        The user's name for an emulator of somebody else's that was joined; empty for others.
    """

    kind: Literal["ibm", "local"]
    label: str
    plan: str = ""
    price_per_second: float | None = None
    charged: bool = True
    speed: float = 1.0
    price_source: PriceSource = ""
    joined: str = ""

    @property
    def where(self) -> Literal["ibm", "local", "joined"]:
        """The kind, with emulators of other machines apart, which many users share."""
        return "joined" if self.joined else self.kind


@dataclass(frozen=True)
class Blocker:
    """Another session of the same user's, active on the backend, which a session's jobs wait for.

    Attributes
    ----------
    session_id : str
        The service's id.
    name : str
        The user's name for it, empty when unknown.
    notebook : str
        The notebook that opened it, empty when unknown.
    pending : int
        How many of its jobs are queued or running; 0 when it is idle.
    ends_at : float or None
        When its interactive timeout lets others run, if it gets no more jobs; None while it has
        some.
    price_per_second : float or None
        US dollars for one second of its usage, None when unknown. It may be in an instance of
        another plan than what waits for it.
    """

    session_id: str
    name: str = ""
    notebook: str = ""
    pending: int = 0
    ends_at: float | None = None
    price_per_second: float | None = None


@dataclass(frozen=True)
class SessionSnapshot:
    """Everything known of one session at one moment.

    Attributes
    ----------
    session_id : str
        The service's id.
    mode : {"dedicated", "batch", "job"}
        A session, a batch, or job mode: no session at all, only jobs.
    backend : str
        Name of the backend.
    service : ServiceInfo
        Which service answered.
    state : str
        ``open`` (no job ran yet), ``active``, ``inactive`` (deactivated by the interactive timeout)
        or ``closed``.
    state_reason : str or None
        The service's word for how it came to that state; of jobs without a session, why there is
        none: ``no_sessions_on_plan``, ``deferred`` or ``deferred_batch``, which open with the first
        new job.
    accepting_jobs : bool
        False once it was closed or cancelled, while its last jobs may still run.
    opened_at, started_at, activated_at, closed_at : float or None
        When it was opened, its first job started, it last became active, it closed.
    last_job_started, last_job_completed : float or None
        When its latest job started and completed.
    interactive_ttl, max_ttl : float or None
        The interactive timeout and the maximum time, in seconds, as the service granted them.
    active_periods : tuple of (float, float or None)
        Begin and end of each period in which it was active; the last end is None while it lasts.
    usage_seconds : float or None
        Usage as the service last said.
    usage_final : bool
        True when the service will not change that figure any more.
    device_time : (float, float) or None
        On the emulator, of the jobs that are over: how long they would take on the device, an
        estimate, and for how long they ran here, in seconds. None on a device.
    device_running : float or None
        On the emulator, how long the job that runs will take on the device, an estimate. None on a
        device, while none runs, and until the emulator knows.
    jobs : tuple of JobRecord
        Its jobs, oldest first.
    points : tuple of SeriesPoint
        Values that this kernel has read from its jobs or logged, in that order.
    others : tuple of (float, float or None, float or None)
        Created, started, finished of other users' jobs on the backend; only the emulator tells.
    queue_length : int or None
        Jobs waiting on the backend, of everybody.
    answered_at : float
        When the service answered last (service clock).
    queue_wait : float or None
        Seconds that jobs had to wait there lately, by their median, where the service tells.
    quota : (float, float) or None
        What is left of the instance's quota, in seconds as the service said last, and the usage of
        this session at which it is used up if nobody else uses any. None without one. On the
        emulator the service counts its own seconds, and usage is the device's.
    clock_offset : float
        Service clock minus this machine's clock, in seconds, at that answer.
    poll_interval : float
        The most seconds until the monitor asks again; 0 when it has stopped asking.
    problem : str or None
        What is wrong with reaching the service, in one sentence; None while it answers.
    problem_since : float or None
        Since when (service clock, estimated).
    expected_jobs : int or None
        How many jobs the user said there would be.
    name : str
        The user's name for the session.
    notebook : str
        The notebook that opened it, empty when unknown.
    idle_close : float or None
        Seconds with nothing pending after which this kernel closes it; None without that rule.
    budget_seconds : float or None
        Seconds of usage at which this kernel ends it; None without a budget.
    budget_dollars : float or None
        The budget in US dollars, when it was given in them.
    max_jobs : int or None
        Number of jobs after which this kernel sends no more and closes it; None without that rule.
    strict : bool
        Whether this kernel refuses jobs for its backend that would run outside of it.
    end_reason : str or None
        The policy or the request that ended it: ``budget``, which was spent, ``budget_ahead``,
        which one more job would have exceeded, ``idle_close``, ``max_jobs``; ``panel``,
        ``notebook``, ``once``, ``on_error`` or ``exit`` of its own notebook; ``crash``, when that
        had died; ``terminal``, ``lab`` (JupyterLab's server); ``elsewhere``, another notebook or
        process; ``request``, where only that is known; ``max_time`` or ``never_used`` by the
        service. None while it is open, and when unknown.
    end_running : int
        How many of its jobs were running at that moment.
    end_usage : float or None
        The usage by which a policy ended it, in seconds; None when it was none, or unknown.
    unknown : tuple of {"submit", "close", "cancel"}
        Requests of this kernel about it whose answers were lost, and which the service is still
        asked about: each may have taken effect.
    blocker : Blocker or None
        The user's own session that its jobs wait for; None when there is none, or when unknown.
    ended_by : str
        Path of the other notebook, or name of the script (its own or another one), that ended it;
        empty when it was none of these, or when that is unknown.
    """

    session_id: str
    mode: Literal["dedicated", "batch", "job"]
    backend: str
    service: ServiceInfo
    state: Literal["open", "active", "inactive", "closed"]
    answered_at: float
    state_reason: str | None = None
    accepting_jobs: bool = True
    opened_at: float | None = None
    started_at: float | None = None
    activated_at: float | None = None
    closed_at: float | None = None
    last_job_started: float | None = None
    last_job_completed: float | None = None
    interactive_ttl: float | None = None
    max_ttl: float | None = None
    active_periods: tuple[tuple[float, float | None], ...] = ()
    usage_seconds: float | None = None
    usage_final: bool = False
    device_time: tuple[float, float] | None = None
    device_running: float | None = None
    jobs: tuple[JobRecord, ...] = ()
    points: tuple[SeriesPoint, ...] = ()
    others: tuple[tuple[float, float | None, float | None], ...] = ()
    queue_length: int | None = None
    queue_wait: float | None = None
    quota: tuple[float, float] | None = None
    clock_offset: float = 0.0
    poll_interval: float = 0.0
    problem: str | None = None
    problem_since: float | None = None
    expected_jobs: int | None = None
    name: str = ""
    notebook: str = ""
    idle_close: float | None = None
    budget_seconds: float | None = None
    budget_dollars: float | None = None
    max_jobs: int | None = None
    strict: bool = False
    end_reason: EndReason | None = None
    end_running: int = 0
    end_usage: float | None = None
    unknown: tuple[UnknownRequest, ...] = ()
    blocker: Blocker | None = None
    ended_by: str = ""
    schema: int = field(default=SCHEMA_VERSION)

    def __repr__(self) -> str:
        what = self.session_id or self.mode
        jobs = f"{len(self.jobs)} job{'' if len(self.jobs) == 1 else 's'}"
        return f"<{type(self).__name__} of {what} on {self.backend}: {self.state}, {jobs}>"

    def pending(self) -> tuple[JobRecord, ...]:
        """The session's own jobs (no stray ones) that are queued or running, oldest first."""
        return tuple(job for job in self.jobs if not job.final and not job.stray)

    def facts(self) -> dict[str, Any]:
        """The snapshot without its lists of jobs and points, as plain JSON types.

        Returns
        -------
        dict
            Every field but ``jobs`` and ``points``, and ``counts``: how many jobs it has by
            status, without stray ones.
        """
        fields = {f: v for f, v in _shallow(self).items() if f not in ("jobs", "points")}
        fields["service"] = asdict(self.service)
        fields["active_periods"] = [list(period) for period in self.active_periods]
        fields["others"] = [list(other) for other in self.others]
        fields["device_time"] = None if self.device_time is None else list(self.device_time)
        fields["quota"] = None if self.quota is None else list(self.quota)
        fields["unknown"] = list(self.unknown)
        fields["blocker"] = None if self.blocker is None else asdict(self.blocker)
        fields["counts"] = count_jobs(job for job in self.jobs if not job.stray)
        return fields

    def to_json(self) -> dict[str, Any]:
        """The whole snapshot as plain JSON types; `from_json` reads it back."""
        return {
            **self.facts(),
            "jobs": [asdict(job) for job in self.jobs],
            "points": [asdict(point) for point in self.points],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SessionSnapshot:
        """Read what `to_json` wrote, or an export to JSON, which has more besides.

        Raises
        ------
        ValueError
            When it was written in a form this version does not know.
        """
        if data.get("schema") != SCHEMA_VERSION:
            raise ValueError(
                f"This snapshot has form {data.get('schema')!r}; "
                f"this version reads form {SCHEMA_VERSION}."
            )
        known = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        data = fields = unstamped(known)
        fields["service"] = ServiceInfo(**data["service"])
        fields["active_periods"] = tuple((p[0], p[1]) for p in data["active_periods"])
        fields["others"] = tuple((o[0], o[1], o[2]) for o in data["others"])
        if (device_time := data.get("device_time")) is not None:
            fields["device_time"] = (device_time[0], device_time[1])
        if (quota := data.get("quota")) is not None:
            fields["quota"] = (quota[0], quota[1])
        fields["jobs"] = tuple(read_job(job) for job in data["jobs"])
        fields["unknown"] = tuple(data.get("unknown", ()))
        blocker = data.get("blocker")
        fields["blocker"] = None if blocker is None else Blocker(**blocker)
        fields["points"] = tuple(SeriesPoint(**point) for point in data.get("points", ()))
        return cls(**fields)


def _shallow(snapshot: SessionSnapshot) -> dict[str, Any]:
    # dataclasses.asdict would copy ten thousand jobs only to have them thrown away
    return {name: getattr(snapshot, name) for name in snapshot.__dataclass_fields__}
