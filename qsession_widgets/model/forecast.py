"""Forecast of what a session's work would take and use on IBM.

The work is read from a snapshot: each job's QPU time and the user's own time before it. It is
played through three times, as a session, as a batch and in job mode, with a queue and a network
that are assumed. On the emulator a job's QPU time is IBM's estimate for it.

Pure: no words, no I/O. All times and durations are seconds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal, NamedTuple

from ..device_estimate import device_seconds
from ..formatting import dollars_of
from .job import JobRecord
from .metrics import fails_at_maximum, merge_spans, usage
from .snapshot import SessionSnapshot

SPREAD = 1.5
"""Factor by which a forecast may be off in both directions while nothing on IBM speaks for it: an
assumption, never checked against IBM."""

CALIBRATED_BY = 3
"""Sessions on IBM after which the range follows from how far their forecasts were off."""

LEAST_SPREAD = 0.3
"""By what part a calibrated range is wider than the ratios of its sessions, over their number: an
assumption."""

LATENCY = 1.0
"""Seconds of requests to IBM between a result and the next job's arrival: an assumption."""

Way = Literal["session", "batch", "job"]


class Range(NamedTuple):
    """Lower and upper bound of a forecast."""

    low: float
    high: float

    def times(self, factor: float) -> Range:
        """Both bounds times a factor."""
        return Range(self.low * factor, self.high * factor)

    def at(self, price: float | None) -> Range | None:
        """US dollars of both bounds as they are shown; None without a price."""
        low, high = dollars_of(self.low, price), dollars_of(self.high, price)
        return None if low is None or high is None else Range(low, high)


@dataclass(frozen=True)
class WorkStep:
    """One job of the work.

    Attributes
    ----------
    qpu : float
        Its QPU time on the device.
    before : float
        The user's own time before it, since the results that it waited for.
    waits : bool
        Whether it was sent only when every job before it was over.
    """

    qpu: float
    before: float
    waits: bool


@dataclass(frozen=True)
class Assumed:
    """Assumptions of a forecast.

    Attributes
    ----------
    queue_wait : float
        Wait in the normal queue.
    latency : float
        Requests over the network between a result and the next job's arrival.
    interactive_ttl, max_ttl : float
        Timeouts of the session or batch.
    price : float or None
        US dollars for a second of usage.
    ratios : tuple of float
        Usage over its forecast, of earlier sessions on IBM with this plan and device.
    """

    queue_wait: float = 0.0
    latency: float = LATENCY
    interactive_ttl: float = 60.0
    max_ttl: float = 28800.0
    price: float | None = None
    ratios: tuple[float, ...] = ()

    @property
    def factors(self) -> Range:
        """Bounds of what is forecast as 1.

        They are the ratios' own, wider the fewer they are, or `SPREAD` while they are too few.
        """
        if len(self.ratios) >= CALIBRATED_BY:
            wider = 1 + LEAST_SPREAD / len(self.ratios)
            return Range(min(self.ratios) / wider, max(self.ratios) * wider)
        middle = median(self.ratios) if self.ratios else 1.0
        return Range(middle / SPREAD, middle * SPREAD)

    def range_of(self, value: float, waited: float = 0.0) -> Range:
        """The range around a value; the part of it that was waited in the queue is a bound."""
        own, (low, high) = value - waited, self.factors
        return Range(waited + own * low, waited + own * high)


@dataclass(frozen=True)
class WayForecast:
    """Forecast of one way to run the work.

    Attributes
    ----------
    seconds : Range
        From the first submission to the last result, waiting included.
    usage : Range
        Seconds that are charged.
    cost : Range or None
        US dollars; None without a price.
    late : (int, int)
        Jobs that would not have started at the maximum time, and fail: at the lower bound and at
        the upper one.
    plain : (float, float)
        Seconds and usage without their ranges.
    """

    seconds: Range
    usage: Range
    cost: Range | None
    late: tuple[int, int]
    plain: tuple[float, float]


@dataclass(frozen=True)
class Forecast:
    """Forecast of the same work in a session, in a batch and in job mode.

    Attributes
    ----------
    jobs : int
        How many jobs the work has.
    session, batch, job : WayForecast
        The three ways to run it.
    assumed : Assumed
        What was assumed.
    estimated : bool
        Whether QPU times are IBM's estimates and not the service's figures.
    """

    jobs: int
    session: WayForecast
    batch: WayForecast
    job: WayForecast
    assumed: Assumed
    estimated: bool


def work_of(snapshot: SessionSnapshot, *, estimated: bool = False) -> tuple[WorkStep, ...]:
    """The work of a session so far: its jobs that ran to their end, in the order they were sent.

    A QPU time that the service has not told is IBM's estimate; there is no work where a job's is
    neither told nor can be estimated.

    What others took that failed or were cancelled is neither work nor the user's own time.

    Parameters
    ----------
    snapshot : SessionSnapshot
        The session.
    estimated : bool
        Whether a job's QPU time is to be IBM's estimate by its executions, and not the service's
        figure, where the executions are known.
    """
    steps: list[WorkStep] = []
    lost = lost_spans(snapshot)
    ended = sent = None
    for job in ran_jobs(snapshot):
        assert job.finished is not None
        waits = ended is not None and job.created >= ended
        before = 0.0
        if ended is not None and sent is not None:
            before = own_time(ended, job.created, lost) if waits else 0.0
        qpu = job.charged_seconds
        unknown = qpu is None or (estimated and job.device_seconds is None)
        if unknown and job.executions is not None:
            qpu = device_seconds(job.executions)
        if qpu is None:
            return ()
        steps.append(WorkStep(qpu, before, waits))
        sent = job.created
        ended = job.finished if ended is None else max(ended, job.finished)
    return tuple(steps)


def forecast(snapshot: SessionSnapshot, assumed: Assumed) -> Forecast | None:
    """Forecast the work of a session so far, run on IBM in each of the three ways.

    Returns
    -------
    Forecast or None
        None before a job has ended, and where the QPU time of one is not known.
    """
    work = work_of(snapshot)
    if not work:
        return None
    estimated = snapshot.service.kind == "local"
    estimated |= any(job.charged_seconds is None for job in ran_jobs(snapshot))
    return Forecast(
        jobs=len(work),
        session=way(work, assumed, "session"),
        batch=way(work, assumed, "batch"),
        job=way(work, assumed, "job"),
        assumed=assumed,
        estimated=estimated,
    )


def way(work: Sequence[WorkStep], assumed: Assumed, how: Way) -> WayForecast:
    """Play the work through in one way.

    In a session the time between jobs is charged, up to the interactive timeout; after it, the next
    job waits in the queue again, in a batch too, where no idle time is charged. In job mode every
    job waits in the queue, those that are sent together at the same time. A wait in the queue is
    given or was measured: what is uncertain is the rest. Nothing is charged after the maximum time
    but the job that runs then.
    """
    low, high = (_play(work, assumed, how, factor) for factor in assumed.factors)
    plain = _play(work, assumed, how, 1.0)
    seconds, used = assumed.range_of(plain.seconds, plain.waited), assumed.range_of(plain.used)
    if how != "job" and high.late:
        longest = max(step.qpu for step in work) * assumed.factors.high
        most = assumed.max_ttl + longest
        seconds = Range(seconds.low, min(seconds.high, assumed.queue_wait + most))
        used = Range(used.low, min(used.high, most))
    return WayForecast(
        seconds,
        used,
        used.at(assumed.price),
        (low.late, high.late),
        (plain.seconds, plain.used),
    )


class _Played(NamedTuple):
    seconds: float
    used: float
    waited: float
    late: int


def _play(work: Sequence[WorkStep], assumed: Assumed, how: Way, factor: float) -> _Played:
    """Play the work through, with a factor on its jobs and the time between them."""
    arrived = free = first = None
    used, waited, late = 0.0, 0.0, 0
    for step in work:
        idle = 0.0
        if free is None or arrived is None:
            arrived, ready, start = 0.0, 0.0, assumed.queue_wait
        else:
            gap = (step.before + assumed.latency) * factor
            arrived = free + gap if step.waits else arrived
            ready = start = max(arrived, free)
            if how == "job":
                start = max(free, arrived + assumed.queue_wait)
            elif step.waits and gap >= assumed.interactive_ttl:
                start += assumed.queue_wait
            if how == "session" and step.waits:
                idle = min(gap, assumed.interactive_ttl)
        first = start if first is None else first
        if how != "job" and (late or fails_at_maximum(start - first, assumed.max_ttl)):
            if not late and free is not None:
                # the session is charged until the maximum time has ended it, and no job follows
                used += min(idle, max(0.0, first + assumed.max_ttl - free))
            late += 1
            continue
        waited += start - ready
        free = start + step.qpu * factor
        used += idle + step.qpu * factor
    return _Played(free or 0.0, used, waited, late)


@dataclass(frozen=True)
class Checked:
    """Forecast of a session that has run on IBM, beside what it then was.

    Attributes
    ----------
    forecast : WayForecast
        By its jobs' executions and the time between them.
    usage : float
        Usage that the service has charged.
    """

    forecast: WayForecast
    usage: float

    @property
    def ratio(self) -> float:
        """Usage over its forecast without a range."""
        return self.usage / self.forecast.plain[1]


def check(snapshot: SessionSnapshot, ratios: tuple[float, ...] = ()) -> Checked | None:
    """Forecast a session on IBM that is over by what was known of its jobs when they were sent.

    Returns
    -------
    Checked or None
        None on the emulator, before the usage is final, where a job's executions are unknown, and
        where one failed or was cancelled.
    """
    ran = ran_jobs(snapshot)
    # what jobs took that did not end well was never to be foreseen
    known = ran and not lost_spans(snapshot) and all(job.executions is not None for job in ran)
    if snapshot.service.kind != "ibm" or not snapshot.usage_final or not known:
        return None
    assumed = Assumed(
        queue_wait=_first_wait(snapshot),
        # what was waited for the network lies in the time between the jobs
        latency=0.0,
        interactive_ttl=snapshot.interactive_ttl or 60.0,
        max_ttl=snapshot.max_ttl or 28800.0,
        price=snapshot.service.price_per_second,
        ratios=ratios,
    )
    how: Way = "session" if snapshot.mode == "dedicated" else "batch"
    found = way(work_of(snapshot, estimated=True), assumed, how)
    return Checked(found, usage(snapshot, snapshot.answered_at).total)


def assumed_of(
    snapshot: SessionSnapshot,
    *,
    price: float | None,
    queue_wait: float | None = None,
    ratios: tuple[float, ...] = (),
) -> Assumed:
    """Assumptions for a session: its own timeouts, and its own wait in the queue if none is given.

    On IBM the time between its jobs has the network's share in it, on the emulator it has none.
    """
    return Assumed(
        queue_wait=_first_wait(snapshot) if queue_wait is None else queue_wait,
        latency=LATENCY if snapshot.service.kind == "local" else 0.0,
        interactive_ttl=snapshot.interactive_ttl or 60.0,
        max_ttl=snapshot.max_ttl or 28800.0,
        price=price,
        ratios=ratios,
    )


def _first_wait(snapshot: SessionSnapshot) -> float:
    first = next(iter(ran_jobs(snapshot)), None)
    return 0.0 if first is None else max(0.0, (first.started or 0.0) - first.created)


def ran_jobs(snapshot: SessionSnapshot) -> list[JobRecord]:
    """Its jobs that ran to their end, in the order in which they were sent."""
    return [
        job
        for job in snapshot.jobs
        if job.status == "done" and not job.stray
        if job.started is not None and job.finished is not None
    ]


def lost_spans(snapshot: SessionSnapshot) -> list[tuple[float, float]]:
    """When its jobs were queued or ran that failed or were cancelled, as disjoint spans."""
    return merge_spans(
        (job.created, job.finished)
        for job in snapshot.jobs
        if job.status in ("failed", "cancelled") and not job.stray
        if job.finished is not None and job.finished > job.created
    )


def own_time(begin: float, end: float, lost: Sequence[tuple[float, float]]) -> float:
    """Seconds from a beginning to an end outside of `lost_spans`."""
    seconds = max(0.0, end - begin)
    at = max(0, bisect_left(lost, (begin, begin)) - 1)
    while at < len(lost) and lost[at][0] < end:
        seconds -= max(0.0, min(end, lost[at][1]) - max(begin, lost[at][0]))
        at += 1
    return seconds
