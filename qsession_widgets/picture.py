"""A session's timeline as a still picture: SVG that needs neither a kernel nor JavaScript.

However many jobs there are, what touches on the same pixel is drawn as one bar, so the picture
stays small.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape

from .snapshot import JobRecord, SessionSnapshot, noun
from .time_axis import tick_label, tick_times

WIDTH = 900
LEFT = 84
RIGHT = 12
IDLE = "#c77700"
BAR = 16
ROW = 30

COLOURS = {
    "queued": "#a9b1be",
    "running": "#0f62fe",
    "done": "#1a9a6b",
    "cancelled": "#6b7382",
    "failed": "#da1e28",
}


def draw(snapshot: SessionSnapshot, now: float) -> str:
    """The timeline as an ``<svg>`` element.

    Parameters
    ----------
    snapshot : SessionSnapshot
        What to draw.
    now : float
        Where an unfinished job's bar ends (service clock, seconds since the epoch).

    Returns
    -------
    str
        SVG; empty when no job was ever submitted.
    """
    jobs = [job for job in snapshot.jobs if not job.stray]
    if not jobs:
        return ""
    begin = min(job.created for job in jobs)
    ends = [job.finished or now for job in jobs]
    ends += [now if end is None else end for _, end in snapshot.active_periods]
    end = max(begin + 1e-3, *ends)
    scale = (WIDTH - LEFT - RIGHT) / (end - begin)

    def x(time: float) -> float:
        return LEFT + (min(max(time, begin), end) - begin) * scale

    rows = 2 if snapshot.others else 1
    height = 22 + rows * ROW + 22
    parts = [_band(x(b), x(now if e is None else e), rows) for b, e in snapshot.active_periods]
    parts += _inactive(snapshot, x, rows)
    top = 22 + (ROW - BAR) / 2
    parts += _idle(snapshot, x, top, now)
    parts += _bars(jobs, x, top, now)
    parts.append(
        _label("your jobs" if snapshot.mode == "job" else f"this {noun(snapshot)}", 8, top + 12)
    )
    if snapshot.others:
        spans = [
            (x(o[1] or o[0]), x(o[2] or now)) for o in snapshot.others if (o[2] or now) > begin
        ]
        parts.append(_path(spans, top + ROW, "#c9ced6"))
        parts.append(_label("other users", 8, top + ROW + 12))
    for time in tick_times(begin, end):
        parts.append(_label(tick_label(time, end - begin), x(time), height - 6, anchor="middle"))
    alt = escape(f"Timeline of {len(jobs)} jobs in the session on {snapshot.backend}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{alt}" '
        f'viewBox="0 0 {WIDTH} {height:g}" width="100%" '
        f'style="max-width:{WIDTH}px;font:11px system-ui,sans-serif">' + "".join(parts) + "</svg>"
    )


def _bars(
    jobs: Sequence[JobRecord], x: Callable[[float], float], top: float, now: float
) -> list[str]:
    waits = [(x(job.created), x(job.started or job.finished or now)) for job in jobs]
    parts = [_path(waits, top, COLOURS["queued"])]
    for status in ("done", "cancelled", "running", "failed"):
        runs = [
            (x(job.started), x(job.finished or now))
            for job in jobs
            if job.status == status and job.started is not None
        ]
        # a job that ended without running is a mark where it ended
        runs += [
            (x(job.finished), x(job.finished))
            for job in jobs
            if job.status == status and job.started is None and job.finished is not None
        ]
        parts.append(_path(runs, top, COLOURS[status]))
    return parts


def idle_spans(snapshot: SessionSnapshot, now: float) -> list[tuple[float, float]]:
    """When a session was active, and billed, with none of its jobs running; none for a batch.

    Parameters
    ----------
    snapshot : SessionSnapshot
        The session.
    now : float
        Where what has no end yet ends (service clock, seconds since the epoch).

    Returns
    -------
    list of (float, float)
        Begin and end of each, in order.
    """
    if snapshot.mode != "dedicated":
        return []
    runs = sorted(
        (job.started, job.finished or now)
        for job in snapshot.jobs
        # one that is over without a known end counts for nothing
        if job.started is not None and not job.stray and not (job.final and job.finished is None)
    )
    spans: list[tuple[float, float]] = []
    for begin, period_end in snapshot.active_periods:
        at, end = begin, now if period_end is None else period_end
        for started, finished in runs:
            if finished <= at or started >= end:
                continue
            if started > at:
                spans.append((at, started))
            at = max(at, finished)
        if at < end:
            spans.append((at, end))
    return spans


def _idle(
    snapshot: SessionSnapshot, x: Callable[[float], float], top: float, now: float
) -> list[str]:
    spans = [(x(begin), x(end)) for begin, end in idle_spans(snapshot, now)]
    lines = "".join(f"M{a:.1f} {top + BAR / 2:g}H{b:.1f}" for a, b in spans if b - a >= 20)
    if not lines:
        return []
    return [f'<path d="{lines}" stroke="{IDLE}" stroke-width="1.5" stroke-dasharray="3 3"/>'] + [
        _label("idle", a + 4, top + BAR / 2 - 4, colour=IDLE) for a, b in spans if b - a >= 40
    ]


def _inactive(snapshot: SessionSnapshot, x: Callable[[float], float], rows: int) -> list[str]:
    """Grey bands between active periods; after the last one, too, if it went on without a job."""
    if snapshot.mode != "dedicated":
        return []
    ends = [end for _, end in snapshot.active_periods]
    begins: list[float | None] = [begin for begin, _ in snapshot.active_periods[1:]]
    if ends:
        begins.append(snapshot.answered_at if snapshot.state != "closed" else snapshot.closed_at)
    spans = [
        (x(end), x(begin))
        for end, begin in zip(ends, begins, strict=True)
        if end is not None and begin is not None
    ]
    return [
        f'<rect x="{a:.1f}" y="20" width="{b - a:.1f}" height="{rows * ROW + 4}" fill="#f1f2f5"/>'
        + (_label("deactivated", a + 4, 14) if b - a >= 70 else "")
        for a, b in spans
        if b - a >= 1
    ]


def _merge(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Spans in pixels, with those that touch on one pixel drawn as one."""
    merged: list[tuple[float, float]] = []
    for begin, end in sorted((a, max(b, a + 1.0)) for a, b in spans):
        if merged and begin <= merged[-1][1] + 0.25:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return merged


def _path(spans: Iterable[tuple[float, float]], top: float, colour: str) -> str:
    """Bars of one colour as one path: a few bytes a bar."""
    bars = "".join(f"M{a:.1f} {top:g}h{b - a:.1f}v{BAR}H{a:.1f}z" for a, b in _merge(spans))
    return f'<path d="{bars}" fill="{colour}"/>' if bars else ""


def _band(begin: float, end: float, rows: int) -> str:
    return (
        f'<rect x="{begin:.1f}" y="20" width="{end - begin:.1f}" height="{rows * ROW + 4}" '
        f'fill="#e7f0ff"/><text x="{begin + 4:.1f}" y="14" fill="#5b6270">active</text>'
    )


def _label(text: str, at: float, y: float, anchor: str = "start", colour: str = "#5b6270") -> str:
    return (
        f'<text x="{at:.1f}" y="{y:g}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
    )
