"""Numbers derived from what is known of a session: usage, cost, phase; see also `.countdowns`.

They are functions of a snapshot and of *now*, so that a view can tick without asking anyone. The
browser computes the same numbers with the same formulas (``js/src/shared/metrics.ts``);
``tests/vectors/countdowns.json`` holds the cases both are tested with.

All times are seconds since the epoch on the *service's* clock; all durations are seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ..device_estimate import DEVICE_SECONDS
from ..formatting import cut_seconds, dollars_of, share_cents
from .job import JobRecord
from .snapshot import SessionSnapshot

OVERDUE = 2.0
"""Seconds that an answer of the service may take before it counts as silent."""


@dataclass(frozen=True)
class Usage:
    """A session's billed time by its causes.

    Attributes
    ----------
    total : float
        Usage in seconds: for a session the wall-clock time it was active, otherwise QPU time.
    qpu, classical, idle : float
        The total split into QPU time, other time with a job running, and time with none running.
    shown : tuple of (float, float, float)
        These three at the moment when the total was what `format_duration` shows of it. What is
        cut off the total so is no part of any, and none of them falls while the total grows.
    cost : float or None
        US dollars at the plan's price, None when there is none. Until it is final, of the seconds
        that `format_duration` shows.
    final : bool
        Whether the total is the service's final figure; an estimate otherwise.
    at_most : bool
        Whether the total is a bound: the service is silent, and by what it said last the session
        may have ended before.
    estimated : bool
        Whether this is the time of a device for what the emulator ran, by IBM's estimate of each
        job and the time between them as it was.
    told : bool
        Whether the QPU time of any job that is over is known. Where not, ``qpu`` is 0 for want of
        it, and so is the total of a batch and of job mode.
    """

    total: float
    qpu: float
    classical: float
    idle: float
    shown: tuple[float, float, float]
    cost: float | None
    final: bool
    at_most: bool = False
    estimated: bool = False
    told: bool = True

    @property
    def known(self) -> bool:
        """True if the total is known."""
        return self.told or self.total > 0

    def by_cause(self) -> dict[str, float | None]:
        """Seconds by cause; None for those that no QPU time is known for."""
        qpu, classical = (self.qpu, self.classical) if self.told else (None, None)
        found = {"qpu": qpu, "classical": classical, "idle": self.idle}
        return {name: None if each is None else round(each, 3) for name, each in found.items()}

    def cost_by_cause(self) -> dict[str, float] | None:
        """US dollars by cause in whole cents, which add up to the cost.

        None without a price, and where no QPU time is known.
        """
        if self.cost is None or not self.told:
            return None
        parts = (self.qpu, self.classical, self.idle) if self.final else self.shown
        cents = share_cents(parts, self.cost)
        names = ("qpu", "classical", "idle")
        return {name: count / 100 for name, count in zip(names, cents, strict=True)}


def qpu_told(snapshot: SessionSnapshot) -> bool:
    """False if jobs have ended well, and the QPU time of none is known."""
    own = [job for job in snapshot.jobs if not job.stray]
    known = snapshot.device_time is not None or any(job.charged_seconds is not None for job in own)
    return known or all(job.status != "done" for job in own)


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
        Final when the service said so, otherwise an estimate from its timestamps. On the emulator
        it is what the same work would use on the device.
    """
    qpu = sum(job.charged_seconds or 0.0 for job in snapshot.jobs if not job.stray)
    estimated = snapshot.device_time is not None
    if snapshot.mode != "dedicated":
        total = qpu
        if snapshot.device_time is not None:
            total = snapshot.device_time[0]
        elif snapshot.usage_final and snapshot.usage_seconds is not None:
            total = snapshot.usage_seconds
        final, told = snapshot.usage_final, total > 0 or qpu_told(snapshot)
        cost, shown = amount(snapshot, total) if told else None, (cut_seconds(total), 0.0, 0.0)
        return Usage(total, total, 0.0, 0.0, shown, cost, final, estimated=estimated, told=told)
    open_end, cut = active_until(snapshot, now)
    # what is over is known, however long the service is silent
    at_most = cut and any(end is None for _, end in snapshot.active_periods)
    periods = [(begin, open_end if end is None else end) for begin, end in snapshot.active_periods]
    total = sum(max(0.0, end - begin) for begin, end in periods)
    if snapshot.usage_final and snapshot.usage_seconds is not None:
        total, at_most = snapshot.usage_seconds, False
    if snapshot.device_time is not None:
        qpu, ran = snapshot.device_time
        running = _running(snapshot, open_end)
        idle = max(0.0, total - ran - running)
        qpu += on_device(snapshot, running)
        total = qpu + idle
        cost, shown = amount(snapshot, total), _device_shown(snapshot, qpu, idle, periods)
        return Usage(total, qpu, 0.0, idle, shown, cost, snapshot.usage_final, at_most, True)
    spans = run_spans(snapshot.jobs, now)
    busy = min(total, _overlap(spans, periods))
    whole = cut_seconds(total)
    used = min(whole, _overlap(spans, _shortened(periods, total - whole)))
    charged = min(qpu, used)
    shown, qpu = (charged, used - charged, whole - used), min(qpu, busy)
    cost = amount(snapshot, total)
    final, told, idle = snapshot.usage_final, qpu_told(snapshot), total - busy
    return Usage(total, qpu, busy - qpu, idle, shown, cost, final, at_most, told=told)


def _device_shown(
    snapshot: SessionSnapshot, qpu: float, idle: float, periods: Sequence[tuple[float, float]]
) -> tuple[float, float, float]:
    """`Usage.shown` of a device: what is cut is of what has grown last, and less than one job."""
    rest = qpu + idle - cut_seconds(qpu + idle)
    running = _running(snapshot, periods[-1][1] if periods else 0.0)
    ended = snapshot.last_job_completed or 0.0
    before = sum(max(0.0, end - max(begin, ended)) for begin, end in periods) - running
    gap = max(0.0, min(rest - min(rest, on_device(snapshot, running)), before, idle))
    return qpu - (rest - gap), 0.0, idle - gap


def _shortened(
    periods: Iterable[tuple[float, float]], seconds: float
) -> Iterable[tuple[float, float]]:
    """The periods without some seconds at their end."""
    for begin, end in reversed(list(periods)):
        cut = min(seconds, max(0.0, end - begin))
        seconds -= cut
        yield begin, end - cut


def amount(snapshot: SessionSnapshot, seconds: float | None) -> float | None:
    """US dollars of some of a session's seconds; None where either is unknown."""
    return dollars_of(seconds, snapshot.service.price_per_second, snapshot.usage_final)


def _running(snapshot: SessionSnapshot, until: float) -> float:
    """For how long a job has been running that is not in the snapshot's ``device_time`` yet."""
    started, ended = snapshot.last_job_started, snapshot.last_job_completed or 0.0
    if snapshot.state == "closed" or started is None or started < ended:
        return 0.0
    # one that waited starts at the moment at which the one before it ends
    if started == ended and all(job.status != "running" for job in snapshot.pending()):
        return 0.0
    return max(0.0, until - started)


def on_device(snapshot: SessionSnapshot, running: float) -> float:
    """Seconds of a device that the emulator's job counts as that has been running for so long.

    It counts as no more than it will take on the device; while that is unknown, as no more than the
    least that any job takes.
    """
    takes = snapshot.device_running
    return min(running, DEVICE_SECONDS if takes is None else takes)


def counted_of_pending(snapshot: SessionSnapshot, now: float) -> float:
    """Seconds of an emulated session's usage that are of jobs that its list has as pending.

    The running one counts while it runs, and one that has ended may be listed as pending still.
    """
    if snapshot.device_time is None:
        return 0.0
    listed = sum(job.device_seconds or 0.0 for job in snapshot.jobs if not job.stray)
    running = 0.0
    if snapshot.mode == "dedicated":
        running = on_device(snapshot, _running(snapshot, active_until(snapshot, now)[0]))
    return max(0.0, snapshot.device_time[0] - listed) + running


def device_elapsed(snapshot: SessionSnapshot, now: float) -> float | None:
    """Seconds of the maximum time that the work of an emulated session would use on the device.

    Returns
    -------
    float or None
        None on a device, and before the first job started.
    """
    if snapshot.device_time is None or snapshot.started_at is None:
        return None
    until = now if snapshot.closed_at is None else snapshot.closed_at
    over, ran = snapshot.device_time
    running = _running(snapshot, until)
    between = max(0.0, until - snapshot.started_at - ran - running)
    return between + over + on_device(snapshot, running)


def fails_at_maximum(start: float, max_ttl: float) -> bool:
    """True if a job fails at the maximum time that starts so many seconds after the first one.

    One that runs at the maximum time ends all the same.
    """
    return start >= max_ttl


def past_maximum(snapshot: SessionSnapshot) -> int:
    """The number of jobs that would have failed on the device at the maximum time.

    They are those that the device would not have started by then. The emulator is quicker, and has
    run them.
    """
    if snapshot.started_at is None or snapshot.max_ttl is None or snapshot.device_time is None:
        return 0
    late, added, ended = 0, 0.0, snapshot.started_at
    ran = [job for job in snapshot.jobs if job.started is not None and not job.stray]
    for job in sorted(ran, key=lambda job: job.started or 0.0):
        assert job.started is not None
        late += fails_at_maximum(job.started - snapshot.started_at + added, snapshot.max_ttl)
        if job.device_seconds is not None and job.finished is not None:
            added += job.device_seconds - (job.finished - max(job.started, ended))
            ended = max(ended, job.finished)
    return late


@dataclass(frozen=True)
class Reused:
    """Jobs that were taken up of an earlier run, and what they would have cost once more.

    Attributes
    ----------
    jobs, of : int
        How many were taken up, of how many jobs that were asked for.
    seconds : float
        Seconds that are billed for such jobs: how long they ran, or else their QPU time.
    dollars : float or None
        What that costs; None without a price.
    """

    jobs: int
    of: int
    seconds: float
    dollars: float | None


def reused(snapshot: SessionSnapshot) -> Reused | None:
    """The jobs that were taken up of an earlier run; None where there are none."""
    taken = [job for job in snapshot.jobs if job.reused]
    if not taken:
        return None
    # a session bills the time that a job ran, a batch and job mode its QPU time
    dedicated = noun(snapshot) == "session"
    seconds = sum(_ran(job) if dedicated else job.charged_seconds or 0.0 for job in taken)
    of = sum(job.reused or not job.stray for job in snapshot.jobs)
    return Reused(len(taken), of, seconds, amount(snapshot, seconds))


def _ran(job: JobRecord) -> float:
    """Seconds that a job ran, or else its QPU time."""
    if job.device_seconds is not None:
        # what the simulation took says nothing of the device
        return job.device_seconds
    if not job.exact or job.started is None or job.finished is None:
        return job.qpu_seconds or 0.0
    return max(job.finished - job.started, job.qpu_seconds or 0.0)


def active_until(snapshot: SessionSnapshot, now: float) -> tuple[float, bool]:
    """Until when a session is known to be active that was active when the service answered last.

    In silence it is not taken to be active beyond its timeouts: the interactive timeout from its
    last completion, if nothing was pending, and the maximum time.

    Returns
    -------
    tuple of (float, bool)
        The time, at most ``now``, and whether a timeout has cut it.
    """
    if snapshot.state == "closed":
        # the last poll may have seen the close without the end of the period that it ended
        return (now if snapshot.closed_at is None else snapshot.closed_at), False
    limits = [now]
    started, ended = snapshot.last_job_started, snapshot.last_job_completed
    runs = bool(snapshot.pending()) or (started is not None and started > (ended or 0.0))
    if ended is not None and snapshot.interactive_ttl is not None and not runs:
        # a period that began later was begun by a job
        begins = (begin for begin, end in snapshot.active_periods if end is None)
        limits.append(max(ended, *begins, 0.0) + snapshot.interactive_ttl)
    if snapshot.started_at is not None and snapshot.max_ttl is not None:
        limits.append(snapshot.started_at + snapshot.max_ttl)
    until = min(limits)
    if snapshot.answered_at > until:
        # it said so itself after that timeout: it is active until its next answer is overdue
        wait = (snapshot.poll_interval + OVERDUE) * snapshot.service.speed
        until = min(now, snapshot.answered_at + wait)
    return until, until < now


def run_spans(jobs: Iterable[JobRecord], now: float) -> list[tuple[float, float]]:
    """When at least one job ran, as disjoint spans in order.

    A job that is over without a known end counts for nothing rather than for ever.
    """
    return merge_spans(
        (job.started, now if job.finished is None else job.finished)
        for job in jobs
        if job.started is not None and not job.stray and not (job.final and job.finished is None)
    )


def merge_spans(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Spans of time as disjoint ones in order."""
    merged: list[tuple[float, float]] = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return merged


def _overlap(spans: Iterable[tuple[float, float]], periods: Iterable[tuple[float, float]]) -> float:
    """Length of the part of ``spans`` that lies within ``periods``."""
    known = list(periods)
    return sum(max(0.0, min(end, e) - max(begin, b)) for begin, end in spans for b, e in known)


def counted_usage(snapshot: SessionSnapshot, now: float) -> float:
    """Seconds of usage as the service itself counts them: on the emulator, those of its own."""
    if snapshot.service.kind == "ibm":
        return usage(snapshot, now).total
    jobs = tuple(replace(job, device_seconds=None) for job in snapshot.jobs)
    return usage(replace(snapshot, device_time=None, jobs=jobs), now).total


def quota_left(snapshot: SessionSnapshot, now: float) -> float | None:
    """Seconds left of the instance's quota, by the same meter as the usage; None without one."""
    if snapshot.quota is None:
        return None
    return max(0.0, snapshot.quota[1] - usage(snapshot, now).total)


def provisional(snapshot: SessionSnapshot) -> int:
    """Number of jobs that ran and whose times are only as polling saw them."""
    ran = (job for job in snapshot.jobs if job.final and job.started is not None)
    return sum(not job.exact for job in ran)


Phase = Literal[
    "open",
    "queued",
    "active",
    "idle",
    "deactivated",
    "closing",
    "closed",
    "cancelled",
    "job_mode",
    "job_mode_running",
    "not_opened",
]


def phase(snapshot: SessionSnapshot) -> Phase:
    """The phase of a session, as a code from which labels, colours and order follow.

    Returns
    -------
    str
        ``open``: no job yet; ``queued``: jobs wait for the session to become active; ``active``
        with jobs, ``idle`` without; ``deactivated`` by the interactive timeout; ``closing``: it
        accepts no more jobs; ``closed`` or ``cancelled``. Jobs without a session are in
        ``job_mode``, or ``job_mode_running`` while any is pending; those of a deferred session,
        which opens with its first new job, in ``not_opened``.
    """
    pending = snapshot.pending()
    if deferred(snapshot):
        return "not_opened"
    if snapshot.mode == "job":
        return "job_mode_running" if pending else "job_mode"
    if snapshot.state == "closed":
        return "cancelled" if snapshot.state_reason == "session_cancelled" else "closed"
    if not snapshot.accepting_jobs:
        return "closing"
    if snapshot.state == "active":
        return "active" if pending else "idle"
    if pending:
        return "queued"
    return "deactivated" if snapshot.state == "inactive" else "open"


def deferred(snapshot: SessionSnapshot) -> bool:
    """True for a session or batch that was not opened: it has only jobs of an earlier run."""
    return snapshot.state_reason in ("deferred", "deferred_batch")


def noun(snapshot: SessionSnapshot) -> str:
    """The noun for it: session, batch, or job mode."""
    if deferred(snapshot):
        return "batch" if snapshot.state_reason == "deferred_batch" else "session"
    return {"dedicated": "session", "batch": "batch", "job": "job mode"}[snapshot.mode]
