"""Countdowns of a session: interactive timeout, maximum time, empty and idle timeouts.

They are functions of a snapshot and of *now*, so that a view can tick without asking anyone. The
browser computes the same numbers with the same formulas (``js/src/shared/metrics.ts``);
``tests/vectors/countdowns.json`` holds the cases both are tested with.

All times are seconds since the epoch on the *service's* clock; all durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from .snapshot import EMPTY_SESSION_TTL, SessionSnapshot


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
    """The time that a session without any job stays open.

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
    """The time until this kernel closes the session because nothing is pending (``--idle-close``).

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
