"""Forecast of the jobs still to come of a session for which ``--expect`` says how many there are.

Pure: no words, no I/O. All times and durations are seconds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import copysign, inf, sqrt
from statistics import fmean, median

from .forecast import Range, lost_spans, own_time, ran_jobs
from .job import JobRecord
from .metrics import device_elapsed, fails_at_maximum, qpu_told, quota_left, usage
from .snapshot import SessionSnapshot

Spans = Sequence[tuple[float, float]]

JUDGED_FROM = 3
"""Finished jobs from which on something is said of those to come."""
LATEST = 9
"""Jobs by which a change of late is judged."""
LOOKED_BACK = 100
"""Finished jobs by which those to come are judged at most, so that thousands cost the same."""


@dataclass(frozen=True)
class Outlook:
    """Jobs still to come of a session with an expected number of jobs.

    On the emulator, seconds are the device's.

    Attributes
    ----------
    jobs : int
        Jobs still to come, the running one included.
    seconds : Range
        How long they take, the user's own time between them included.
    usage : Range
        Seconds of usage that they add, without those past the maximum time.
    cost : Range or None
        US dollars that they add; None without a price.
    past_maximum : int
        About how many of them would start only after the maximum time, and fail.
    past_budget, past_quota : int
        About how many of them the budget or the instance's quota does not leave room for.
    """

    jobs: int
    seconds: Range
    usage: Range
    cost: Range | None
    past_maximum: int
    past_budget: int
    past_quota: int


def outlook(snapshot: SessionSnapshot, now: float) -> Outlook | None:
    """Forecast the jobs still to come of a session for which ``--expect`` says how many there are.

    Returns
    -------
    Outlook or None
        None without that number, for a session that takes no more jobs, and before `JUDGED_FROM`
        jobs have ended. None for a batch of which no QPU time is known.
    """
    # those that were taken up of another session are among them, and cost nothing
    taken = sum(job.reused and job.stray for job in snapshot.jobs)
    expected = (snapshot.expected_jobs or 0) - taken
    ran = ran_jobs(snapshot)
    if expected <= 0 or not snapshot.accepting_jobs or len(ran) < JUDGED_FROM:
        return None
    if snapshot.mode != "dedicated" and not qpu_told(snapshot):
        return None
    left = expected - len(ran)
    if left <= 0:
        return None
    lost = lost_spans(snapshot)
    lengths = _cycles(ran, lost)
    busy = [_length(job) for job in ran]
    idle, running = _begun(snapshot, ran, lost, now)
    begun = _part(busy, lengths, idle, running)
    ttl = snapshot.interactive_ttl
    charged, counted = lengths, begun
    if snapshot.mode != "dedicated":
        # a job counts once it has ended
        charged, counted = [job.charged_seconds or 0.0 for job in ran], 0.0
    elif ttl is not None:
        charged = [own + min(whole - own, ttl) for own, whole in zip(busy, lengths, strict=True)]
        counted = _part(busy, charged, idle, running)
    seconds = _to_come(lengths, expected, begun)
    ahead = expected - max(0, len(ran) - LOOKED_BACK)
    one, whole, own = (
        _typical(values[-LOOKED_BACK:], ahead).middle for values in (charged, lengths, busy)
    )
    late = _past_maximum(snapshot, now, left, begun, own, whole)
    # those that fail cost nothing
    used = _to_come(charged, expected - late, counted)
    return Outlook(
        jobs=left,
        seconds=seconds,
        usage=used,
        cost=used.at(snapshot.service.price_per_second),
        past_maximum=late,
        past_budget=_past(_until(snapshot.budget_seconds, snapshot, now), counted, one, left),
        past_quota=_past(quota_left(snapshot, now), counted, one, left),
    )


def _to_come(values: Sequence[float], expected: int, since: float) -> Range:
    """Range of the sum of the values still to come.

    Each job that ends narrows the range of the whole to what fits the range before it as well, but
    never to less than what the jobs' own scatter and their latest change leave open.
    """
    first = max(JUDGED_FROM, len(values) - LOOKED_BACK)
    total = sum(values[: first - 1])
    whole = Range(0.0, inf)
    for count in range(first, len(values) + 1):
        total += values[count - 1]
        left = max(0, expected - count)
        seen = values[max(0, count - LOOKED_BACK) : count]
        typical = _typical(seen, expected - count + len(seen))
        spread = 2 * typical.scatter * sqrt(left + left * left / len(seen))
        # as little as is known of a kind of job that was seen a few times
        unknown = 0.5 / sqrt(count)
        low = max(left * typical.low - spread, left * typical.least)
        high = left * typical.high + spread
        whole = Range(
            total + min(max(whole.low - total, low - unknown * left * typical.low), low),
            total + max(min(whole.high - total, high + unknown * left * typical.high), high),
        )
    return Range(max(0.0, whole.low - total - since), max(0.0, whole.high - total - since))


@dataclass(frozen=True)
class _Typical:
    """Bounds of a value to come on the average, the scatter of one, and the least of the latest."""

    low: float
    high: float
    scatter: float
    least: float

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2


def _typical(values: Sequence[float], expected: int) -> _Typical:
    """Averages of the values so far, and of the rest of them if they go on changing as of late.

    One that is far longer counts as two and a half of the usual ones.
    """
    every, latest = _capped(values), _capped(values[-LATEST:])
    mean = fmean(every)
    change = fmean(latest) - mean
    # what the latest differ by can be by chance
    change = copysign(max(0.0, abs(change) - 2 * _scatter(latest) / sqrt(len(latest))), change)
    # on a line through the middle of all and that of the latest, at the middle of those to come
    onward = min(3.0, expected / max(1, len(values) - LATEST))
    ahead = max(mean / 2, mean + onward * change)
    return _Typical(min(mean, ahead), max(mean, ahead), _scatter(every), min(*every, *latest))


def _scatter(values: Sequence[float]) -> float:
    mean = fmean(values)
    return sqrt(fmean([(value - mean) ** 2 for value in values]))


def _capped(values: Sequence[float]) -> list[float]:
    most = 2.5 * median(values)
    return [min(value, most) for value in values]


def _begun(
    snapshot: SessionSnapshot, ran: Iterable[JobRecord], lost: Spans, now: float
) -> tuple[float, float]:
    """Seconds since the last of these jobs ended: those before the next one ran, and since then."""
    ended = max(job.finished or 0.0 for job in ran)
    started = [job.started for job in snapshot.pending() if job.started is not None]
    until = max(ended, min([*started, now]))
    return own_time(ended, until, lost), max(0.0, now - until) if started else 0.0


def _part(busy: Sequence[float], whole: Sequence[float], idle: float, running: float) -> float:
    """The parts of a usual job, and of the usual time before it, that are over already."""
    before = median(total - own for own, total in zip(busy, whole, strict=True))
    return min(idle, before) + min(running, median(busy))


def _past_maximum(
    snapshot: SessionSnapshot,
    now: float,
    left: int,
    begun: float,
    own: float,
    one: float,
) -> int:
    """Number of the jobs that are left that start too late, the first of them begun already.

    A job takes `own` seconds, and `one` with the time before it.
    """
    max_ttl = snapshot.max_ttl
    if max_ttl is None or snapshot.started_at is None:
        return 0
    elapsed = device_elapsed(snapshot, now)
    if elapsed is None:
        elapsed = now - snapshot.started_at
    running = sum(job.status == "running" for job in snapshot.pending())
    # of usual jobs that come one after the other
    first = elapsed - begun + one - own
    numbers = range(min(running, left), left)
    in_time = bisect_left(
        numbers,
        True,
        key=lambda number: fails_at_maximum(first + number * one + 1e-9, max_ttl),
    )
    return len(numbers) - in_time


def _past(room: float | None, begun: float, one: float, left: int) -> int:
    """Number of the jobs that are left that have no room, the first of them begun already.

    A budget or a quota has to last until a job's end.
    """
    if room is None or one <= 0:
        return 0
    return max(0, left - int((max(0.0, room) + begun) / one + 1e-9))


def _until(limit: float | None, snapshot: SessionSnapshot, now: float) -> float | None:
    return None if limit is None else limit - usage(snapshot, now).total


def _length(job: JobRecord) -> float:
    """Seconds that a job that is over ran, on the emulator those of a device."""
    if job.device_seconds is not None:
        return job.device_seconds
    return (job.finished or 0.0) - (job.started or 0.0)


def _cycles(ran: Iterable[JobRecord], lost: Spans) -> list[float]:
    """Seconds for each job: the time that nothing ran before it, and its own length.

    Jobs that failed are not among them, nor is the time that they took. Nothing ran before the
    first one; the usual time stands for it.
    """
    gaps: list[float] = []
    lengths: list[float] = []
    ended = None
    for job in ran:
        assert job.started is not None
        if ended is not None:
            gaps.append(own_time(ended, job.started, lost))
        lengths.append(_length(job))
        ended = max(ended or 0.0, job.finished or 0.0)
    return [gap + own for gap, own in zip([median(gaps), *gaps], lengths, strict=True)]
