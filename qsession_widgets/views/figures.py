"""Figures of sessions and jobs for programs: times with their zone, and derived ones of a job."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ..formatting import dollars_of
from ..model import JobRecord, SessionSnapshot
from ..model.timestamps import stamped

JOB_TIMES = ("created", "started", "finished")
"""Fields of a job that are times."""

JOB_FIGURES = ("queued", "ran", "cost")
"""Names of the figures derived of a job."""


def written(snapshot: SessionSnapshot) -> dict[str, Any]:
    """A snapshot as plain JSON types, with times as timestamps and the figures of each job."""
    jobs = [written_job(job, snapshot) for job in snapshot.jobs]
    points = [asdict(point) for point in snapshot.points]
    return {**stamped({**snapshot.facts(), "points": points}), "jobs": jobs}


def written_job(job: JobRecord, snapshot: SessionSnapshot) -> dict[str, Any]:
    """A job as plain JSON types, with its times as timestamps and its figures."""
    return {**stamped(asdict(job)), **job_figures(job, snapshot)}


def job_figures(job: JobRecord, snapshot: SessionSnapshot) -> dict[str, Any]:
    """Figures derived of a job: ``queued`` and ``ran`` in seconds, ``cost`` in US dollars.

    They are rounded to milliseconds and hundredths of a cent, so that the jobs' costs add up to
    their sum's, and None where unknown. The cost is that of its QPU time, and nothing for a reused
    job; in a session the time between the jobs costs as well.
    """
    price = snapshot.service.price_per_second
    # what is over does not tick
    cost = dollars_of(job.charged_seconds, price, final=job.final)
    return {
        "queued": _between(job.created, job.started),
        "ran": _between(job.started, job.finished),
        "cost": 0.0 if job.reused else None if cost is None else round(cost, 4),
    }


def _between(begin: float | None, end: float | None) -> float | None:
    return None if begin is None or end is None else round(max(0.0, end - begin), 3)
