"""Sessions in every state a panel can show, as snapshots at one moment.

The moment is five past two on a March afternoon; all sessions were opened around two o'clock.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from dataclasses import replace

from qsession_widgets.model import (
    READ_SERIES,
    JobRecord,
    JobStatus,
    SeriesPoint,
    ServiceInfo,
    SessionSnapshot,
)

NOW = 1_772_460_302.0
OPENED = NOW - 302.0
IBM = ServiceInfo("ibm", "IBM Quantum · us-east · Premium", "premium", 1.6)
LOCAL = ServiceInfo("local", "local emulator · simulated queue · no charge", "", 1.6, charged=False)
NOT_ISA = "The circuit is not in the backend's gate set: transpile it first."

_numbers = itertools.count()


def job(
    status: JobStatus,
    created: float,
    started: float | None = None,
    finished: float | None = None,
    **more: object,
) -> JobRecord:
    """A job with times in seconds since the session was opened."""

    def at(time: float | None) -> float | None:
        return None if time is None else OPENED + time

    number = next(_numbers)
    qpu = None if finished is None or started is None else round(0.75 * (finished - started), 2)
    fields = {
        "id": f"d3k{number * 7919 % 1_000_000:06d}mfe0s73b{number % 10}q{number % 7}",
        "program": "estimator",
        "exact": status == "done",
        "qpu_seconds": qpu if status == "done" else None,
        "pubs": 1,
        "cell": 5,
        "line": 14,
        **more,
    }
    if fields["program"] == "estimator":
        fields = {"precision": 0.02, **fields}
    return JobRecord(
        status=status,
        created=OPENED + created,
        started=at(started),
        finished=at(finished),
        **fields,  # type: ignore[arg-type]
    )


def iterations(first: float = 28.4) -> list[JobRecord]:
    """Ten quick jobs of a loop, the first of them after a wait in the queue."""
    jobs = [job("done", 1.0, first, first + 5.6)]
    at = first + 5.6
    for gap, ran in ((3.2, 8.4), (5.1, 6.2), (4.0, 9.1), (6.3, 6.0), (4.2, 10.3), (6.8, 5.9)):
        jobs.append(job("done", at + gap, at + gap + 0.7, at + gap + 0.7 + ran))
        at += gap + 0.7 + ran
    for gap, ran in ((4.4, 9.8), (5.5, 7.0), (3.9, 10.4)):
        jobs.append(job("done", at + gap, at + gap + 0.9, at + gap + 0.9 + ran))
        at += gap + 0.9 + ran
    return jobs


def session(jobs: list[JobRecord], **fields: object) -> SessionSnapshot:
    """A session of those jobs; what is not given follows from them."""
    started = [each.started for each in jobs if each.started is not None and not each.stray]
    ended = [each.finished for each in jobs if each.started is not None and each.finished]
    values = {
        "session_id": "7b695108-3f0e-4c55-9d2c-6a1f0b22f50a",
        "mode": "dedicated",
        "backend": "ibm_fez",
        "service": IBM,
        "state": "active",
        "answered_at": NOW,
        "opened_at": OPENED,
        "started_at": min(started, default=None),
        "activated_at": min(started, default=None),
        "last_job_started": max(started, default=None),
        "last_job_completed": max(ended, default=None),
        "interactive_ttl": 60.0,
        "max_ttl": 7200.0,
        "poll_interval": 1.0,
        "jobs": tuple(jobs),
        **fields,
    }
    return SessionSnapshot(**values)  # type: ignore[arg-type]


def since(*times: float | None) -> tuple[float | None, ...]:
    return tuple(None if time is None else OPENED + time for time in times)


def other_users() -> tuple[tuple[float, float | None, float | None], ...]:
    return tuple(
        (OPENED + created, OPENED + started, OPENED + finished)
        for created, started, finished in (
            (-4.0, 3.0, 14.0),
            (2.0, 14.2, 28.2),
            (216.0, 220.0, 239.0),
            (218.0, 241.0, 267.0),
        )
    )


def with_values(snapshot: SessionSnapshot, *logged: str) -> SessionSnapshot:
    """The same with the value of each job that is done, and series that were logged with it."""
    rng = random.Random(5)
    points = []
    done = [each for each in snapshot.jobs if each.status == "done" and each.finished]
    for number, each in enumerate(done):
        value = -4.4 + 3.8 * math.exp(-6 * number / len(done)) + rng.gauss(0, 0.02)
        time = (each.finished or 0) + 0.2
        points.append(SeriesPoint(READ_SERIES, value, time, 0.02, job_id=each.id))
        for name in logged:
            points.append(SeriesPoint(name, value**2, time + 0.1, None, number, each.id))
    return replace(snapshot, points=tuple(points))


def valued() -> SessionSnapshot:
    """The picture with its objective."""
    return with_values(active())


def queueing() -> SessionSnapshot:
    """Ten jobs at once: done ones, one that runs, and more that wait; two series."""
    jobs = [job("done", 1.0 + 0.1 * i, 28.4 + 24 * i, 50.0 + 24 * i) for i in range(10)]
    jobs[4] = replace(jobs[4], status="failed", error=NOT_ISA, error_code=1517)
    jobs += [job("running", 2.0, 290.0), *(job("queued", 3.0 + i) for i in range(6))]
    snapshot = session(
        jobs, active_periods=(since(28.4, None),), budget_seconds=320.0, max_ttl=330.0
    )
    return with_values(snapshot, "energy", "norm of the gradient")


def opened() -> SessionSnapshot:
    return session([], state="open", queue_length=7)


def waiting() -> SessionSnapshot:
    return session([job("queued", 210.0)], state="open", queue_length=7)


def active() -> SessionSnapshot:
    """The picture: deactivated once, active again, a job running."""
    done = iterations()
    end = (done[-1].finished or 0) - OPENED
    jobs = [
        *done,
        job("done", end + 60 + 21, end + 60 + 45, end + 60 + 55),
        job("done", end + 60 + 60, end + 60 + 61, end + 60 + 66.6),
    ]
    back = end + 60 + 45
    jobs.append(job("running", 302 - 6.5, 302 - 6.2))
    periods = (since(28.4, end + 60), since(back, None))
    return session(
        jobs, service=LOCAL, backend="fake_fez", active_periods=periods, others=other_users()
    )


def steady() -> SessionSnapshot:
    """A paying session at work, never deactivated, with a goal."""
    jobs = [*iterations(200.0), job("running", 298.0, 298.4, label="R=0.75"), job("queued", 299.0)]
    shift = 302 - 12 - ((jobs[9].finished or 0) - OPENED)
    jobs = [
        replace(
            each,
            created=each.created + shift,
            started=None if each.started is None else each.started + shift,
            finished=None if each.finished is None else each.finished + shift,
        )
        if each.final
        else each
        for each in jobs
    ]
    return session(
        jobs,
        active_periods=(((jobs[0].started or 0), None),),
        expected_jobs=30,
        name="H2 ground state",
    )


def resumed() -> SessionSnapshot:
    """A session after a crash: half of the loop was taken up of the run before."""
    earlier = [
        replace(each, stray=True, reused=True, created=each.created - 600.0)
        for each in (
            replace(
                each, started=(each.started or 0) - 600.0, finished=(each.finished or 0) - 600.0
            )
            for each in iterations()
        )
    ]
    own = steady()
    return replace(own, jobs=(*earlier, *own.jobs))


def not_opened() -> SessionSnapshot:
    """Everything so far was taken up of the run before: no session was opened."""
    return replace(
        job_mode(),
        service=steady().service,
        state_reason="deferred",
        opened_at=None,
        jobs=tuple(job for job in resumed().jobs if job.reused),
        expected_jobs=30,
    )


def idle() -> SessionSnapshot:
    jobs = iterations()
    late = NOW - 48.0 - (jobs[-1].finished or 0)
    jobs = [
        replace(
            each,
            created=each.created + late,
            started=(each.started or 0) + late,
            finished=(each.finished or 0) + late,
        )
        for each in jobs
    ]
    return session(jobs, active_periods=((jobs[0].started or 0, None),))


def deactivated() -> SessionSnapshot:
    jobs = iterations()
    end = jobs[-1].finished or 0
    return session(
        jobs,
        state="inactive",
        state_reason="session_inactivated_by_interactive_ttl",
        active_periods=(((jobs[0].started or 0), end + 60),),
    )


def requeued() -> SessionSnapshot:
    snapshot = deactivated()
    return replace(snapshot, jobs=(*snapshot.jobs, job("queued", 280.0)), queue_length=3)


def closing() -> SessionSnapshot:
    snapshot = steady()
    return replace(snapshot, accepting_jobs=False, state_reason="session_closed_early")


def closed() -> SessionSnapshot:
    snapshot = idle()
    return replace(
        snapshot,
        state="closed",
        state_reason="session_closed_early",
        end_reason="notebook",
        accepting_jobs=False,
        closed_at=NOW - 20,
        active_periods=((snapshot.started_at or 0, NOW - 20),),
        usage_seconds=NOW - 20 - (snapshot.started_at or 0),
        usage_final=True,
        poll_interval=0.0,
    )


def cancelled() -> SessionSnapshot:
    jobs = [
        *iterations(),
        job("done", 160.0, 161.0, 170.0),
        *(job("cancelled", 160.0 + i, None, 165.0) for i in range(3)),
    ]
    return session(
        jobs,
        state="closed",
        state_reason="session_cancelled",
        end_reason="budget",
        end_running=1,
        budget_seconds=125.0,
        budget_dollars=200.0,
        accepting_jobs=False,
        closed_at=OPENED + 170.0,
        active_periods=(since(28.4, 170.0),),
        poll_interval=1.0,
    )


def failed() -> SessionSnapshot:
    jobs = [
        *iterations(),
        job("failed", 170.0, 170.6, 172.0, error=NOT_ISA, error_code=1517),
        job("done", 190.0, 190.5, 199.0),
        job("running", 250.0, 250.4),
    ]
    return session(jobs, active_periods=(since(28.4, None),))


def stray() -> SessionSnapshot:
    jobs = [*iterations(), job("queued", 180.0, stray=True), job("running", 210.0, 210.4)]
    return session(jobs, active_periods=(since(28.4, None),))


def offline() -> SessionSnapshot:
    return replace(
        idle(),
        answered_at=NOW - 25,
        problem="No answer from quantum.cloud.ibm.com.",
        problem_since=NOW - 22,
    )


def batch() -> SessionSnapshot:
    few = {"program": "sampler", "pubs": 4, "shots": 8192, "label": "R=0.75"}
    wide = {"top_counts": (("0110100111010110", 214), ("1110100111010111", 96))}
    jobs = [
        job("done", 2.0, 20.0, 44.0, **few),
        job("done", 2.2, 22.0, 61.0, **few, **wide),
        # sent from elsewhere: nothing is known but its program
        job("done", 2.4, 46.0, 80.0, program="executor", pubs=None, cell=None, line=None),
        job("done", 2.6, 62.0, 101.0, **few, top_counts=(("00", 4117), ("11", 4075))),
        job("running", 2.8, 250.0, **few),
        job("running", 3.0, 262.0, program="sampler", pubs=12, shots=100_000),
        job("queued", 3.2, **few),
    ]
    periods = (since(20.0, None),)
    return session(jobs, mode="batch", interactive_ttl=1.0, active_periods=periods)


def guarded() -> SessionSnapshot:
    """Idle, with rules that will close it, and most of its budget spent."""
    return replace(
        idle(),
        idle_close=120.0,
        max_jobs=40,
        budget_seconds=200.0,
        budget_dollars=320.0,
        strict=True,
    )


def job_mode() -> SessionSnapshot:
    """The Open Plan: no session, jobs that each wait in the queue."""
    jobs = [
        job("done", 3.0, 41.0, 48.0, program="sampler"),
        job("done", 60.0, 112.0, 121.0, program="estimator", pubs=2),
        job("running", 150.0, 280.0, program="sampler", pubs=4),
        job("queued", 210.0, program="sampler"),
    ]
    plan = ServiceInfo("ibm", "IBM Quantum · us-east · Open", "open")
    return session(
        jobs,
        session_id="",
        mode="job",
        service=plan,
        state="open",
        state_reason="no_sessions_on_plan",
        interactive_ttl=None,
        max_ttl=None,
        started_at=None,
        activated_at=None,
    )


def many(count: int = 10_000) -> SessionSnapshot:
    """A long session of quick jobs: far more than there are pixels."""
    random.seed(11)
    at, jobs = 40.0, []
    for number in range(count):
        at += random.uniform(0.1, 0.5)
        ran = random.uniform(0.4, 1.5)
        status: JobStatus = "failed" if number in (1234, 7777) else "done"
        jobs.append(
            job(
                status,
                at,
                at + 0.1,
                at + 0.1 + ran,
                error="Ran too long." if status == "failed" else None,
            )
        )
        at += 0.1 + ran  # fmt: skip
    shift = NOW - OPENED - at - 3
    jobs = [
        replace(
            each,
            created=each.created + shift,
            started=(each.started or 0) + shift,
            finished=(each.finished or 0) + shift,
        )
        for each in jobs
    ]
    jobs.append(job("running", 300.0, 300.2))
    first = jobs[0].started or 0
    return with_values(
        session(jobs, opened_at=first - 50, active_periods=((first, None),), max_ttl=28800.0)
    )


STATES: dict[str, Callable[[], SessionSnapshot]] = {
    "open": opened,
    "waiting": waiting,
    "active": active,
    "valued": valued,
    "queueing": queueing,
    "steady": steady,
    "resumed": resumed,
    "idle": idle,
    "deactivated": deactivated,
    "requeued": requeued,
    "closing": closing,
    "closed": closed,
    "cancelled": cancelled,
    "failed": failed,
    "stray": stray,
    "offline": offline,
    "stale": steady,
    "silent": steady,
    "guarded": guarded,
    "batch": batch,
    "job-mode": job_mode,
    "not-opened": not_opened,
    "many": many,
}
