"""A session's timeline as a still picture: SVG that needs neither a kernel nor JavaScript.

It stands on light and on dark pages, and where it is shown nobody tells it which: its colours are
such that they can be read on both. However many jobs there are, what touches on the same pixel is
drawn as one bar, so the picture stays small.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from html import escape

from ..model import JobRecord, SessionSnapshot, noun
from .svg_objective import HEIGHT, lane, shown_points
from .theme import COLOURS
from .time_axis import tick_label, tick_times

WIDTH = 900
LEFT = 84
# half a tick's label
RIGHT = 28
TOP = 20
BAR = 16
ROW = 30
WAITS = 14
"""Height of the lane of waiting jobs, above the runs: no bar covers one of the other kind."""
WAIT_BAR = 6

EMPTY = 3
"""Jobs that were taken up are shown where no more than so many times what is drawn is empty."""
HATCH = "qsession-reused"

# between light and dark, so that they stand out from white as well as from black
TEXT = "#767676"
IDLE = "#a96500"
ACTIVE = 'fill="#3b7cff" fill-opacity=".13"'
INACTIVE = 'fill="#808590" fill-opacity=".13"'
OTHERS = 'fill="#808590" fill-opacity='


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
        SVG; empty when it has no job to show.
    """
    jobs = _own(snapshot)
    if not jobs:
        return ""
    begin = picture_begin(snapshot, now)
    jobs = [job for job in jobs if (job.finished or now) >= begin]
    if not jobs and not snapshot.active_periods:
        # all of them are of a run long before
        return ""
    ends = [job.finished or now for job in jobs]
    ends += [now if end is None else end for _, end in snapshot.active_periods]
    end = max(begin + 1e-3, *ends)
    scale = (WIDTH - LEFT - RIGHT) / (end - begin)

    def x(time: float) -> float:
        return LEFT + (min(max(time, begin), end) - begin) * scale

    points = [point for point in shown_points(snapshot.points) if begin <= point.time <= end]
    above = TOP + (HEIGHT if points else 0)
    top = above + WAITS + (ROW - BAR) / 2
    others = _others(snapshot, begin, end, x, top + ROW)
    tall = WAITS + (2 if others else 1) * ROW
    height = above + tall + 22
    parts = lane(points, x, LEFT) if points else []
    parts += _bands(snapshot, x, above, tall + 4, now)
    parts += _idle(snapshot, x, top, now)
    parts += _bars(jobs, x, top, now)
    own = "your jobs" if snapshot.mode == "job" else f"this {noun(snapshot)}"
    parts.append(_label("waiting", 0, above + WAITS))
    parts.append(_label(own, 0, top + 12))
    parts += others
    for time in tick_times(begin, end):
        parts.append(_label(tick_label(time, end - begin), x(time), height - 6, anchor="middle"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(_alt(snapshot))}" '
        f'viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" height="{height:g}" '
        f'font-family="system-ui,sans-serif" font-size="11">' + "".join(parts) + "</svg>"
    )


def embed(snapshot: SessionSnapshot, now: float) -> str:
    """The timeline as an ``<img>`` element that holds its picture.

    Pages that show notebooks of strangers, GitHub's and JupyterLab's among them, take SVG out of
    HTML and leave its words standing there; an image they show.

    Parameters
    ----------
    snapshot : SessionSnapshot
        What to draw.
    now : float
        Where an unfinished job's bar ends (service clock, seconds since the epoch).

    Returns
    -------
    str
        HTML; empty when it has no job to show.
    """
    svg = draw(snapshot, now)
    if not svg:
        return ""
    data = b64encode(svg.encode()).decode()
    return (
        f'<img alt="{escape(_alt(snapshot))}" width="{WIDTH}" style="max-width:100%;height:auto" '
        f'src="data:image/svg+xml;base64,{data}"/>'
    )


def _own(snapshot: SessionSnapshot) -> list[JobRecord]:
    return [job for job in snapshot.jobs if not job.stray or job.reused]


def picture_begin(snapshot: SessionSnapshot, now: float) -> float:
    """The begin of a timeline: with the jobs that were taken up, unless they are far before it."""
    own = [job.created for job in snapshot.jobs if not job.stray]
    reused = [job for job in snapshot.jobs if job.stray and job.reused]
    begin = min([snapshot.opened_at or now, *own]) if reused or not own else min(own)
    runs = [(job.started, job.finished or begin) for job in reused if job.started is not None]
    if not runs:
        return begin
    first, last = min(begin, *(a for a, _ in runs)), max(b for _, b in runs)
    drawn = last - first + max(20.0, now - begin)
    return first if begin - last <= EMPTY * drawn else begin


def _alt(snapshot: SessionSnapshot) -> str:
    count = len(_own(snapshot))
    jobs = "1 job" if count == 1 else f"{count} jobs"
    where = "on" if snapshot.mode == "job" else f"in the {noun(snapshot)} on"
    return f"Timeline of {jobs} {where} {snapshot.backend}"


def _bars(
    jobs: Sequence[JobRecord], x: Callable[[float], float], top: float, now: float
) -> list[str]:
    waits = [
        (x(job.created), x(job.started or job.finished or now)) for job in jobs if not job.stray
    ]
    lane_top = top - (ROW - BAR) / 2 - WAIT_BAR
    parts = [_path(waits, lane_top, _fill("queued"), WAIT_BAR), *_hatched(jobs, x, top)]
    for status in ("done", "cancelled", "running", "failed"):
        runs = [
            (x(job.started), x(job.finished or now))
            for job in jobs
            if job.status == status and job.started is not None and not _is_hatched(job)
        ]
        # a job that ended without running is a mark where it ended
        runs += [
            (x(job.finished), x(job.finished))
            for job in jobs
            if job.status == status and job.started is None and job.finished is not None
        ]
        parts.append(_path(runs, top, _fill(status)))
    return parts


def _is_hatched(job: JobRecord) -> bool:
    """True if a job is drawn as one that an earlier run had paid for."""
    return job.reused and job.status == "done" and job.started is not None


def _hatched(jobs: Sequence[JobRecord], x: Callable[[float], float], top: float) -> list[str]:
    runs = [
        (x(job.started), x(job.finished or job.started))
        for job in jobs
        if _is_hatched(job) and job.started is not None
    ]
    if not runs:
        return []
    colour = COLOURS["done"]
    pattern = (
        f'<pattern id="{HATCH}" width="5" height="5" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><path d="M1 0v5" stroke="{colour}" stroke-width="2"/>'
        "</pattern>"
    )
    look = f'fill="url(#{HATCH})" stroke="{colour}"'
    return [f"<defs>{pattern}</defs>", _path(runs, top, look)]


def _fill(status: str) -> str:
    return f'fill="{COLOURS[status]}"'


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


def _others(
    snapshot: SessionSnapshot, begin: float, end: float, x: Callable[[float], float], top: float
) -> list[str]:
    """The row of other users' jobs: waiting lighter than running; none without one in sight."""
    waits, runs = [], []
    for created, started, finished in snapshot.others:
        ended = end if finished is None else finished
        ran = ended if started is None else started
        waits.append((created, ran))
        runs.append((ran, ended))
    parts = []
    for spans, opacity in ((waits, ".25"), (runs, ".5")):
        seen = [(x(a), x(b)) for a, b in spans if b > a and b > begin and a < end]
        parts.append(_path(seen, top, f'{OTHERS}"{opacity}"'))
    drawn = [part for part in parts if part]
    return [*drawn, _label("other users", 0, top + 12)] if drawn else []


def _bands(
    snapshot: SessionSnapshot, x: Callable[[float], float], top: float, tall: float, now: float
) -> list[str]:
    """When the session was active, and when deactivated; after the last job, too."""
    periods = [(begin, now if end is None else end) for begin, end in snapshot.active_periods]
    nexts: list[float | None] = [begin for begin, _ in periods[1:]]
    lasts = bool(snapshot.active_periods) and snapshot.active_periods[-1][1] is None
    over = snapshot.closed_at if snapshot.state == "closed" else snapshot.answered_at
    nexts.append(None if lasts else over)
    parts: list[str] = []
    for (begin, end), following in zip(periods, nexts, strict=False):
        parts += _band(x(begin), x(end), top, tall, ACTIVE, "active", 40)
        if following is not None and snapshot.mode == "dedicated":
            parts += _band(x(end), x(following), top, tall, INACTIVE, "deactivated", 70)
    return parts


def _band(
    begin: float, end: float, top: float, tall: float, look: str, words: str, room: float
) -> list[str]:
    width = end - begin
    if width < 1:
        return []
    box = f'x="{begin:.1f}" y="{top:g}" width="{width:.1f}" height="{tall:g}"'
    label = [_label(words, begin + 4, top - 6)] if width >= room else []
    return [f"<rect {box} {look}/>", *label]


def _merge(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Spans in pixels, with those that touch on one pixel drawn as one."""
    merged: list[tuple[float, float]] = []
    for begin, end in sorted((a, max(b, a + 1.0)) for a, b in spans):
        if merged and begin <= merged[-1][1] + 0.25:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return merged


def _path(spans: Iterable[tuple[float, float]], top: float, look: str, tall: int = BAR) -> str:
    """Bars of one look as one path: a few bytes a bar."""
    bars = "".join(f"M{a:.1f} {top:g}h{b - a:.1f}v{tall}H{a:.1f}z" for a, b in _merge(spans))
    return f'<path d="{bars}" {look}/>' if bars else ""


def _label(text: str, at: float, y: float, anchor: str = "start", colour: str = TEXT) -> str:
    return (
        f'<text x="{at:.1f}" y="{y:g}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
    )
