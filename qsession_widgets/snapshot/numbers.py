"""Every number derived from what is known of a session: countdowns, usage, cost.

They are functions of a snapshot and of *now*, so that a view can tick without asking anyone. The
browser computes the same numbers with the same formulas (``js/src/shared/countdowns.ts``);
``tests/vectors/countdowns.json`` holds the cases both are tested with.

All times are seconds since the epoch on the *service's* clock; all durations are seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .known import EMPTY_SESSION_TTL, JobRecord, SessionSnapshot

# -------------------------------------------------------------------------------------------------
# Countdowns


@dataclass(frozen=True)
class Countdown:
    """One of the session's clocks.

    Attributes
    ----------
    total : float
        Its full length in seconds.
    remaining : float
        Seconds left, never negative; the full length while it does not run.
    running : bool
        Whether it counts down at this moment.
    ends_at : float or None
        When it reaches zero (service clock), None while it does not run.
    """

    total: float
    remaining: float
    running: bool
    ends_at: float | None


def _countdown(total: float, started: float | None, now: float) -> Countdown:
    if started is None:
        return Countdown(total, total, False, None)
    ends = started + total
    return Countdown(total, min(total, max(0.0, ends - now)), True, ends)


def interactive_timeout(snapshot: SessionSnapshot, now: float) -> Countdown | None:
    """The interactive timeout (ITTL): how long the session stays active with nothing to do.

    It runs from the last completion, only while the session is active with no job queued or
    running; otherwise it is full and paused.

    Parameters
    ----------
    snapshot : SessionSnapshot
        The session.
    now : float
        Service clock.

    Returns
    -------
    Countdown or None
        None when the service gave no interactive timeout.
    """
    if snapshot.interactive_ttl is None:
        return None
    idle = snapshot.state == "active" and not snapshot.pending()
    return _countdown(snapshot.interactive_ttl, snapshot.last_job_completed if idle else None, now)


def maximum_time(snapshot: SessionSnapshot, now: float) -> Countdown | None:
    """The maximum time: from the start of the first job, never pausing, until the session ends.

    Returns
    -------
    Countdown or None
        None when the service gave no maximum time. A closed session's clock stands where it was at
        the end.
    """
    if snapshot.max_ttl is None:
        return None
    if snapshot.state == "closed":
        if snapshot.started_at is None or snapshot.closed_at is None:
            return Countdown(snapshot.max_ttl, snapshot.max_ttl, False, None)
        left = max(0.0, snapshot.started_at + snapshot.max_ttl - snapshot.closed_at)
        return Countdown(snapshot.max_ttl, min(snapshot.max_ttl, left), False, None)
    return _countdown(snapshot.max_ttl, snapshot.started_at, now)


def empty_timeout(snapshot: SessionSnapshot, now: float) -> Countdown | None:
    """How long a session that never ran a job stays open.

    Returns
    -------
    Countdown or None
        None once a job was submitted, or when the session is closed.
    """
    if snapshot.state != "open" or snapshot.opened_at is None or snapshot.pending():
        return None
    return _countdown(EMPTY_SESSION_TTL, snapshot.opened_at, now)


def idle_since(snapshot: SessionSnapshot) -> float:
    """When a session without pending jobs had nothing to do for the last time (service clock)."""
    ends = [job.finished for job in snapshot.jobs if job.finished is not None and not job.stray]
    known = [snapshot.opened_at, snapshot.last_job_completed, *ends]
    return max((at for at in known if at is not None), default=snapshot.answered_at)


def idle_timeout(snapshot: SessionSnapshot, now: float) -> Countdown | None:
    """How long until this kernel closes the session because nothing is pending (``--idle-close``).

    Returns
    -------
    Countdown or None
        None without that rule, or once the session accepts no jobs; full and paused while a job is
        pending.
    """
    if snapshot.idle_close is None or not snapshot.accepting_jobs or snapshot.state == "closed":
        return None
    since = None if snapshot.pending() else idle_since(snapshot)
    return _countdown(snapshot.idle_close, since, now)


# -------------------------------------------------------------------------------------------------
# Usage and cost


@dataclass(frozen=True)
class Usage:
    """Where a session's billed time went.

    Attributes
    ----------
    total : float
        Usage in seconds: for a session the wall-clock time it was active, otherwise QPU time.
    qpu, classical, idle : float
        The total split into QPU time, other time with a job running, and time with none running.
    cost : float or None
        US dollars at the plan's price, None when there is no price.
    final : bool
        Whether the total is the service's final figure; an estimate otherwise.
    """

    total: float
    qpu: float
    classical: float
    idle: float
    cost: float | None
    final: bool


def usage(snapshot: SessionSnapshot, now: float) -> Usage:
    """Usage up to now, split by what it was spent on.

    Parameters
    ----------
    snapshot : SessionSnapshot
        The session or batch.
    now : float
        Service clock.

    Returns
    -------
    Usage
        Final when the service said so, otherwise an estimate from its timestamps.
    """
    qpu = sum(job.qpu_seconds or 0.0 for job in snapshot.jobs if not job.stray)
    price = snapshot.service.price_per_second
    if snapshot.mode != "dedicated":
        total = (
            snapshot.usage_seconds
            if snapshot.usage_final and snapshot.usage_seconds is not None
            else qpu
        )
        cost = None if price is None else total * price
        return Usage(total, total, 0.0, 0.0, cost, snapshot.usage_final)
    # the last poll may have seen the close without the end of the period that it ended
    last = snapshot.closed_at if snapshot.state == "closed" else None
    open_end = now if last is None else last
    periods = [(begin, open_end if end is None else end) for begin, end in snapshot.active_periods]
    total = sum(max(0.0, end - begin) for begin, end in periods)
    if snapshot.usage_final and snapshot.usage_seconds is not None:
        total = snapshot.usage_seconds
    busy = min(total, _overlap(_runs(snapshot.jobs, now), periods))
    qpu = min(qpu, busy)
    cost = None if price is None else total * price
    return Usage(total, qpu, busy - qpu, total - busy, cost, snapshot.usage_final)


def _runs(jobs: Iterable[JobRecord], now: float) -> list[tuple[float, float]]:
    """When at least one job ran, as disjoint spans in order.

    A job that is over without a known end counts for nothing rather than for ever.
    """
    spans = sorted(
        (job.started, now if job.finished is None else job.finished)
        for job in jobs
        if job.started is not None and not job.stray and not (job.final and job.finished is None)
    )
    merged: list[tuple[float, float]] = []
    for begin, end in spans:
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return merged


def _overlap(spans: Iterable[tuple[float, float]], periods: Iterable[tuple[float, float]]) -> float:
    """Length of the part of ``spans`` that lies within ``periods``."""
    known = list(periods)
    return sum(max(0.0, min(end, e) - max(begin, b)) for begin, end in spans for b, e in known)


def headline(snapshot: SessionSnapshot) -> str:
    """The session's state in a few words for people."""
    pending = snapshot.pending()
    if snapshot.mode == "job":
        return "Job mode, running" if pending else "Job mode"
    if snapshot.state == "closed":
        return "Cancelled" if snapshot.state_reason == "session_cancelled" else "Closed"
    if not snapshot.accepting_jobs:
        return "Closing"
    if snapshot.state == "active":
        return "Active" if pending else "Active, idle"
    if pending:
        return "Waiting in the queue"
    return "Deactivated" if snapshot.state == "inactive" else "Open, no job yet"


def noun(snapshot: SessionSnapshot) -> str:
    """What to call it: a session, a batch, or job mode."""
    return {"dedicated": "session", "batch": "batch", "job": "job mode"}[snapshot.mode]
