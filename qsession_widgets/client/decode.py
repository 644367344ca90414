"""The service's fields for sessions and jobs, read into ours.

Here, and nowhere else, stand the names that the REST API uses. Fields that are missing or new are
borne: the service may say less than expected, or more.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from ..model.job import FINAL_STATUSES, JobRecord, JobStatus
from ..model.snapshot import ServiceInfo, SessionSnapshot

FINAL_GRACE = 30.0
"""Seconds after the close for which the service may still correct its figures."""

ROUNDING = 0.5e-3
"""Seconds by which a duration that the emulator told may be off."""

STATUSES: dict[str, JobStatus] = {
    "queued": "queued",
    "running": "running",
    "completed": "done",
    "done": "done",
    "cancelled": "cancelled",
    "cancelled - ran too long": "failed",
    "failed": "failed",
    "error": "failed",
}
"""The service's job statuses, lower case, in our words."""

STATES: dict[str, Any] = {
    "open": "open",
    "active": "active",
    "inactive": "inactive",
    "closed": "closed",
}
"""The service's session states; any other is one that is passing, of an active session."""


def read_session(
    data: dict[str, Any],
    session_id: str,
    info: ServiceInfo,
    jobs: tuple[JobRecord, ...],
    now: float,
) -> SessionSnapshot:
    """A session from its fields, as far as they tell.

    Parameters
    ----------
    data : dict
        The service's fields of the session.
    session_id : str
        Its id.
    info : ServiceInfo
        Which service said so.
    jobs : tuple of JobRecord
        What is known of its jobs.
    now : float
        Service clock.
    """
    state = str(data.get("state") or "open")
    accepting = data.get("accepting_jobs")
    closed_at = read_time(data.get("closed_at"))
    settled = closed_at is not None and now - closed_at > FINAL_GRACE
    closed = state == "closed" and all(job.final for job in jobs)
    batch, used = data.get("mode") == "batch", read_seconds(data.get("elapsed_time"))
    own = [job for job in jobs if not job.stray and job.status == "done"]
    # what nobody has told is no final figure
    told = used is not None or (batch and all(job.charged_seconds is not None for job in own))
    snapshot = SessionSnapshot(
        session_id=session_id,
        mode="batch" if batch else "dedicated",
        backend=str(data.get("backend_name") or ""),
        service=info,
        # "pending_inactive" and the like are on their way but still what they were
        state=STATES.get(state, "active"),
        state_reason=data.get("state_reason"),
        accepting_jobs=state != "closed" if accepting is None else bool(accepting),
        opened_at=read_opened(data),
        started_at=read_time(data.get("started_at")),
        activated_at=read_time(data.get("activated_at")),
        closed_at=closed_at,
        last_job_started=read_time(data.get("last_job_started")),
        last_job_completed=read_time(data.get("last_job_completed")),
        interactive_ttl=read_seconds(data.get("interactive_ttl")),
        max_ttl=read_seconds(data.get("max_ttl")),
        active_periods=read_active_periods(data),
        usage_seconds=used,
        usage_final=closed and ((settled and told) or info.kind == "local"),
        device_time=read_device_time(data),
        device_running=read_device_running(data),
        answered_at=now,
    )
    return with_jobs(snapshot, jobs)


def with_jobs(snapshot: SessionSnapshot, jobs: tuple[JobRecord, ...]) -> SessionSnapshot:
    """The snapshot with its jobs as they are known by now.

    Jobs are listed after the session is asked for. Where one of the emulator's has ended in
    between, its device time counts as well.
    """
    counted, listed = snapshot.device_time, device_time_of(jobs)
    if counted is None or listed[0] - counted[0] <= ROUNDING * (len(jobs) + 2):
        return replace(snapshot, jobs=jobs)
    return replace(
        snapshot,
        jobs=jobs,
        device_time=(listed[0], max(counted[1], listed[1])),
        last_job_completed=latest(jobs, "finished"),
    )


def read_job(
    row: dict[str, Any], known: JobRecord | None, session: dict[str, Any], now: float
) -> JobRecord:
    """A job from its row in a list of jobs.

    Parameters
    ----------
    row : dict
        The service's fields of the job.
    known : JobRecord or None
        What was known of it; times that were exact stay.
    session : dict
        The service's fields of its session, asked for just before: they bound when the job ran.
    now : float
        Service clock.
    """
    state = row.get("state") or {}
    word = str(state.get("status") or row.get("status") or "queued").lower()
    status = STATUSES.get(word, "failed" if word.startswith("cancelled -") else "queued")
    figures = row.get("usage") or {}
    charged, ran = (
        read_seconds(figures.get(name)) for name in ("qpu_charge_time_seconds", "quantum_seconds")
    )
    qpu = ran if charged is None else charged
    code = state.get("reason_code")
    # only the emulator has this field
    simulated = row.get("emulator") or {}
    method, approximation = simulated.get("method"), simulated.get("approximation")
    created = read_time(row.get("created")) or now
    seconds = qpu if status in ("done", "failed") else None
    exact = known.exact if known else False
    started = known.started if known else None
    finished = known.finished if known else None
    if not exact:
        started, finished = _run_times(status, created, started, finished, seconds, session, now)
    # what was submitted from here is known by its primitive's name, not its program's
    program = known.program if known else str((row.get("program") or {}).get("id", ""))
    return replace(
        known or JobRecord(str(row["id"]), program, status, created),
        status=status,
        created=created,
        started=started,
        finished=finished,
        exact=exact,
        qpu_seconds=seconds,
        device_seconds=read_seconds(simulated.get("device_seconds")),
        error=str(state["reason"]) if status == "failed" and state.get("reason") else None,
        error_code=int(str(code)) if status == "failed" and str(code).isdigit() else None,
        method="exact" if method and not approximation else method,
        approximation=approximation,
        no_effect=tuple(simulated.get("options_without_effect") or ()),
    )


def _run_times(
    status: JobStatus,
    created: float,
    started: float | None,
    finished: float | None,
    qpu: float | None,
    session: dict[str, Any],
    now: float,
) -> tuple[float | None, float | None]:
    """When a job began and ended, as far as polling tells.

    The session's times are those of its latest job: what lies before this job's creation belongs to
    an earlier one. Between the two lies at least the QPU time.
    """
    latest_start = read_time(session.get("last_job_started"))
    latest_end = read_time(session.get("last_job_completed"))
    if status == "running" and started is None:
        # it began since the session was asked, where the latest start is an earlier job's
        stale = latest_start is not None and latest_start < created
        started = max(created, now if stale else latest_start or created)
    if status in FINAL_STATUSES and finished is None:
        begin = max(created, started or created)
        finished = latest_end if latest_end is not None and latest_end > begin else max(begin, now)
        if started is None and status == "done":
            began = created if latest_start is None else max(created, latest_start)
            started = min(began, finished)
    if status in FINAL_STATUSES and finished is not None and started is not None and qpu:
        # whichever was seen late: it began no later than this, or ended no sooner
        started = max(created, min(started, finished - qpu))
        finished = max(finished, started + qpu)
    return started, finished


def read_id(value: Any) -> str:
    """The id of a session or batch, which may be typed behind a command or written into a cell.

    Raises
    ------
    ValueError
        It makes no sense as one.
    """
    text = str(value)
    if not _ID.fullmatch(text):
        raise ValueError(f"{text[:40]!r} makes no sense as an id")
    return text


_ID = re.compile(r"[\w-]{1,100}", re.ASCII)


def read_time(value: Any) -> float | None:
    """An ISO 8601 time in seconds since the epoch; in UTC, as the service's are, without a zone."""
    if not value:
        return None
    text = str(value).replace("Z", "+00:00")
    head, dot, fraction = text.partition(".")
    if dot:
        # Python 3.10 reads three or six digits of a second only
        digits = fraction[: len(fraction) - len(fraction.lstrip("0123456789"))]
        text = f"{head}.{digits[:6]:0<6}{fraction[len(digits) :]}"
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, OverflowError):
        return None


def read_seconds(value: Any) -> float | None:
    """A duration in seconds, None where the service says none, or a number that is no duration."""
    seconds = -1.0 if value is None else float(value)
    return seconds if 0 <= seconds < math.inf else None


def read_device_time(data: dict[str, Any]) -> tuple[float, float] | None:
    """A session's `SessionSnapshot.device_time`; only the emulator has the fields."""
    figures = data.get("emulator") or {}
    on_device, ran = (read_seconds(figures.get(f"{name}_seconds")) for name in ("device", "busy"))
    return None if on_device is None or ran is None else (on_device, ran)


def read_device_running(data: dict[str, Any]) -> float | None:
    """A session's `SessionSnapshot.device_running`; only the emulator has the field."""
    return read_seconds((data.get("emulator") or {}).get("running_device_seconds"))


def device_time_of(jobs: Iterable[JobRecord]) -> tuple[float, float]:
    """Seconds that jobs which are over would take on a device, and those they ran here."""
    over = [job for job in jobs if job.device_seconds is not None and not job.stray]
    ran = sum(job.finished - job.started for job in over if job.started and job.finished)
    return sum(job.device_seconds or 0.0 for job in over), ran


def latest(jobs: Iterable[JobRecord], name: str) -> float | None:
    """The latest of the jobs' times of that name; None where no job has one."""
    times = [getattr(job, name) for job in jobs if not job.stray]
    return max((time for time in times if time is not None), default=None)


def read_opened(data: dict[str, Any]) -> float | None:
    """When a session was opened."""
    for entry in _timestamps(data):
        if entry.get("status") == "open":
            return read_time(entry.get("timestamp"))
    return read_time(data.get("created_at") or data.get("created"))


def _timestamps(data: dict[str, Any]) -> list[dict[str, Any]]:
    """The list of a session's states, without entries that are none."""
    return [entry for entry in data.get("timestamps") or () if entry]


def read_active_periods(data: dict[str, Any]) -> tuple[tuple[float, float | None], ...]:
    """When the session was active, from the list of its states."""
    periods: list[tuple[float, float | None]] = []
    for entry in _timestamps(data):
        at = read_time(entry.get("timestamp"))
        if at is None:
            continue
        running = bool(periods) and periods[-1][1] is None
        if entry.get("status") == "active" and not running:
            periods.append((at, None))
        elif entry.get("status") != "active" and running:
            periods[-1] = (periods[-1][0], at)
    if not periods and (begin := read_time(data.get("activated_at"))) is not None:
        periods.append((begin, read_time(data.get("closed_at"))))
    return tuple(periods)
