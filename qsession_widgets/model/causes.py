"""Causes of a session's usage: the gaps between its jobs, and the queue before them.

Pure. All times are seconds since the epoch on the *service's* clock; all durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import inf
from statistics import median

from .job import JobRecord
from .metrics import active_until, run_spans
from .snapshot import SessionSnapshot


@dataclass(frozen=True)
class Gap:
    """Time between two jobs, or after the last one, in which nothing was queued or running.

    Attributes
    ----------
    seconds : float
        Its length.
    billed : float
        How much of it the session was active, and charged.
    job_id : str
        The job after it; where there is none, the last one.
    cell : int or None
        The cell that sent that job, None when unknown.
    last : bool
        Whether it came after the last job, until the session was no longer active.
    """

    seconds: float
    billed: float
    job_id: str
    cell: int | None
    last: bool = False


@dataclass(frozen=True)
class Gaps:
    """The gaps between a session's jobs, and the one after them.

    Attributes
    ----------
    count : int
        How many there are.
    median : float
        Their median length.
    worst : Gap
        The one that was billed for longest.
    """

    count: int
    median: float
    worst: Gap


def gaps(snapshot: SessionSnapshot, now: float) -> Gaps | None:
    """Find a session's gaps: from the end of a run to the next submission.

    The one after the last run ends when the session is no longer active; until then it goes on.

    Returns
    -------
    Gaps or None
        None where there is no gap, as in a batch, in which the time between jobs is free.
    """
    if snapshot.mode != "dedicated":
        return None
    until, _ = active_until(snapshot, now)
    periods = [(begin, until if end is None else end) for begin, end in snapshot.active_periods]
    own = sorted((job for job in snapshot.jobs if not job.stray), key=lambda job: job.created)
    spans = run_spans(snapshot.jobs, now)
    found: list[Gap] = []
    at = 0
    for (_, begin), (started, _) in pairwise(spans):
        while at < len(own) and own[at].created < begin:
            at += 1
        # a job that was sent before the last one ended leaves no gap
        if at < len(own) and begin < own[at].created <= started:
            found.append(_gap(begin, own[at], periods))
    if spans and (last := _last_gap(spans[-1][1], own, periods)) is not None:
        found.append(last)
    if not found:
        return None
    worst = max(found, key=lambda gap: gap.billed)
    return Gaps(len(found), median(gap.seconds for gap in found), worst)


def _gap(begin: float, job: JobRecord, periods: list[tuple[float, float]]) -> Gap:
    end = job.created
    billed = sum(max(0.0, min(end, to) - max(begin, since)) for since, to in periods)
    return Gap(end - begin, billed, job.id, job.cell)


def _last_gap(begin: float, own: list[JobRecord], periods: list[tuple[float, float]]) -> Gap | None:
    """The gap after the last run, which ended then; None where a job was waiting at that time."""
    if any(job.created < begin and (job.finished or inf) > begin for job in own):
        return None
    following = next((job for job in own if job.created > begin), None)
    if following is not None:
        return _gap(begin, following, periods)
    end = max((to for since, to in periods if since <= begin), default=begin)
    if end <= begin:
        return None
    before = max(own, key=lambda job: job.finished or 0.0)
    return Gap(end - begin, end - begin, before.id, before.cell, last=True)


@dataclass(frozen=True)
class QueueAhead:
    """Jobs before a session's first one in the normal queue.

    Attributes
    ----------
    jobs : int
        How many there are.
    seconds : float or None
        About how long they take, None where the service does not tell of them.
    """

    jobs: int
    seconds: float | None


def queue_ahead(snapshot: SessionSnapshot, now: float) -> QueueAhead | None:
    """Estimate the wait of a session whose first job stands in the normal queue.

    The emulator tells of other users' jobs, of which each is expected to take as long as those that
    are over did, by their median. IBM tells how many jobs wait on the device, and how long jobs had
    to wait there lately.

    Returns
    -------
    QueueAhead or None
        None while the session is active, without a queued job, and where nothing is told.
    """
    pending = snapshot.pending()
    if snapshot.state not in ("open", "inactive") or not pending:
        return None
    first = pending[0]
    if first.status != "queued":
        return None
    if not snapshot.others:
        waiting = sum(job.status == "queued" for job in pending)
        length = snapshot.queue_length
        if length is None:
            return None
        left = None if snapshot.queue_wait is None else first.created + snapshot.queue_wait - now
        # whoever has waited for longer than is usual is told no time
        return QueueAhead(max(0, length - waiting), left if left is not None and left > 0 else None)
    took = [
        end - begin for _, begin, end in snapshot.others if begin is not None and end is not None
    ]
    ahead = [
        begin
        for created, begin, end in snapshot.others
        if end is None and (begin is not None or created < first.created)
    ]
    if not took:
        return QueueAhead(len(ahead), None)
    one = median(took)
    ran = [0.0 if begin is None else now - begin for begin in ahead]
    return QueueAhead(len(ahead), sum(max(0.0, one - each) for each in ran))
