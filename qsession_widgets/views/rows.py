"""Jobs, values of series and forecasts as rows of the panel's protocol: short arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model import JobRecord, SeriesPoint, SessionSnapshot
from ..model.forecast import assumed_of, forecast

Row = list[Any]

STATUS_LETTERS: Mapping[str, str] = {
    "queued": "q",
    "running": "r",
    "done": "d",
    "cancelled": "c",
    "failed": "f",
}

MAX_ERROR = 300
"""Characters of a job's error, and of what is not exact of its result, that a row carries."""

MAX_BITS = 12
"""Bits of a sampler's outcome that are sent; of more, six from the left and four from the right."""

FLAGS = 10
"""The column of a row that has its flags."""


def pack_job(job: JobRecord, epoch: float) -> Row:
    """A job as a row of nineteen columns.

    Id, program, status, created, PUBs, shots or precision, cell, line, started, finished, flags,
    QPU seconds, most frequent outcomes, label, error, error code, method, approximation, options
    without effect: what is known first comes first, for blanks at the end are not sent. A
    precision is written as a negative number.

    Times are whole milliseconds since ``epoch``; flags are 1 for exact times, 2 for a stray job,
    4 for one that was simulated exactly, whose method is left blank, and 8 for a reused one.
    """

    def since(time: float | None) -> int | None:
        return None if time is None else round((time - epoch) * 1000)

    return [
        job.id,
        job.program,
        STATUS_LETTERS[job.status],
        since(job.created),
        job.pubs,
        _asked(job),
        job.cell,
        job.line,
        since(job.started),
        since(job.finished),
        int(job.exact) + 2 * int(job.stray) + 4 * int(job.method == "exact") + 8 * int(job.reused),
        None if job.charged_seconds is None else round(job.charged_seconds, 3),
        ",".join(f"{_cut(bits)} {count}" for bits, count in job.top_counts) or None,
        job.label or None,
        None if job.error is None else job.error[:MAX_ERROR],
        job.error_code,
        None if job.method == "exact" else job.method,
        None if job.approximation is None else job.approximation[:MAX_ERROR],
        ", ".join(job.no_effect) or None,
    ]


def _asked(job: JobRecord) -> int | float | None:
    if job.precision is None:
        return job.shots
    return -float(f"{job.precision:.3g}")


def _cut(bits: str) -> str:
    """The beginning and the end of long outcomes."""
    return bits if len(bits) <= MAX_BITS else f"{bits[:6]}..{bits[-4:]}"


def pack_point(point: SeriesPoint, series: int, job: int | None, epoch: float) -> Row:
    """A value of a series as a row: number of the series, value, time, job, error, step.

    The time is in whole milliseconds since ``epoch``, the job its position among the rows of jobs.
    """

    def short(value: float | None) -> float | None:
        return None if value is None else float(f"{value:.9g}")

    row = [
        series,
        short(point.value),
        round((point.time - epoch) * 1000),
        job,
        short(point.error),
        short(point.step),
    ]
    while row[-1] is None:
        row.pop()
    return row


def pack_forecast(snapshot: SessionSnapshot, ratios: tuple[float, ...]) -> Row | None:
    """The forecast of the work so far on IBM as a row; None before a job has ended.

    Bounds of seconds, of usage and of late jobs, of a session, a batch and job mode; then the
    number of sessions that forecasts were checked against, and the bounds of what is forecast as 1.
    """
    assumed = assumed_of(snapshot, price=None, ratios=ratios)
    found = forecast(snapshot, assumed)
    if found is None:
        return None
    row: Row = []
    for way in (found.session, found.batch, found.job):
        row += [*(round(bound, 3) for bound in (*way.seconds, *way.usage)), *way.late]
    return [*row, len(ratios), *(round(bound, 4) for bound in assumed.factors)]


def trim(row: Row) -> Row:
    """The row without the blanks at its end."""
    length = len(row)
    while length and (row[length - 1] is None or (length == FLAGS + 1 and row[FLAGS] == 0)):
        length -= 1
    return row[:length]


def patch(position: int, old: Row, new: Row) -> Row:
    """The change of a row: its position, then column and value of each changed cell."""
    changed: Row = [position]
    for column, (before, after) in enumerate(zip(old, new, strict=True)):
        if before != after:
            changed += [column, after]
    return changed
