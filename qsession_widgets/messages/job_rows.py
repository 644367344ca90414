"""Words of the table of jobs in a receipt: its heads, and the cells of a job."""

from __future__ import annotations

from ..formatting import format_duration, format_money, format_value
from ..model import JobRecord, SeriesPoint, SessionSnapshot, amount
from .labels import program_word

HEADS = ("Job", "Primitive", "Status", "Result", "Queued", "Ran", "QPU", "Cost", "Cell")


def job_cells(
    job: JobRecord, value: SeriesPoint | None, snapshot: SessionSnapshot, now: float
) -> list[str]:
    """The cells of a job, one for each of `HEADS`.

    Parameters
    ----------
    job : JobRecord
        The job.
    value : SeriesPoint or None
        The value that was read of its result, if there was one.
    snapshot : SessionSnapshot
        Its session, whose price counts.
    now : float
        Service clock.
    """
    queued = (job.started or job.finished or now) - job.created
    ran = None if job.started is None else (job.finished or now) - job.started
    where = "" if job.cell is None else f"[{job.cell}]" + (f":{job.line}" if job.line else "")
    return [
        job.id,
        " · ".join(filter(None, [job.label, program_word(job.program), _asked(job)])),
        f"{job.status}, reused" if job.reused else job.status,
        _result(job, value),
        "" if job.reused else format_duration(queued),
        "" if ran is None or job.reused else format_duration(ran),
        "" if job.charged_seconds is None else format_duration(job.charged_seconds),
        _cost(job, snapshot),
        where,
    ]


def jobs_word(shown: int, count: int) -> str:
    """The line above the table: how many jobs it has, and of how many."""
    if shown < count:
        return f"The newest {shown} of {count:,} jobs"
    return "1 job" if count == 1 else f"{count:,} jobs"


def _asked(job: JobRecord) -> str:
    each = ""
    if job.shots is not None:
        each = f"{job.shots:,} shots"
    elif job.precision is not None:
        each = f"\N{GREEK SMALL LETTER SIGMA} {format_value(job.precision)}"
    if job.pubs is None:
        return each
    pubs = "1 pub" if job.pubs == 1 else f"{job.pubs:,} pubs"
    return " · ".join(filter(None, [pubs, each]))


def _result(job: JobRecord, value: SeriesPoint | None) -> str:
    if job.error:
        return job.error
    if value is not None:
        return format_value(value.value, value.error)
    return " · ".join(f"{bits} {count:,}" for bits, count in job.top_counts)


def _cost(job: JobRecord, snapshot: SessionSnapshot) -> str:
    cost = 0.0 if job.reused else amount(snapshot, job.charged_seconds)
    if cost is None:
        return ""
    about = "" if job.reused or snapshot.usage_final else "≈ "
    would = "" if snapshot.service.charged else "would be "
    return f"{would}{about}{format_money(cost)}"
