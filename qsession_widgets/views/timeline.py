"""A session as a plotly figure, and its jobs as a table, for analysis.

The same picture as the panel's, as an object of the user's own: to zoom, restyle, save. While there
are few jobs each has a row of its own, so that one can see who waited for whom.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..formatting import format_duration
from ..local_time import local_time, zone_name
from ..messages.labels import program_word, ran_words
from ..model import JobRecord, SessionSnapshot
from .figures import JOB_FIGURES, JOB_TIMES, job_figures
from .receipt import to_json
from .svg_timeline import draw, idle_spans, picture_begin
from .theme import COLOURS, IDLE, MUTED, axis_title, frame, hatch, small

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

OTHERS_WAITING = "#e3e6eb"
OTHERS_RUNNING = "#8d96a5"
ACTIVE_BAND = "#e7f0ff"
INACTIVE_BAND = "#f1f2f5"

MOST_ROWS = 20
"""Up to so many jobs get a row each; more share one."""
ROW = 22
MARGIN = {"l": 96, "r": 16, "t": 58, "b": 76}
DAY = 86400.0


def timeline(snapshot: SessionSnapshot, *, now: float | None = None) -> Figure:
    """The session's jobs on a timeline.

    Parameters
    ----------
    snapshot : SessionSnapshot
        The session.
    now : float, optional
        Where unfinished jobs end (service clock, seconds since the epoch); the last answer when not
        given.

    Returns
    -------
    plotly.graph_objects.Figure
        A bar a wait and a bar a run; behind them the periods in which the session was active or
        deactivated; dashed, where it was active with nothing to do. On the emulator a row below
        shows other users' jobs. The axis counts from the opening of the session, in minutes and
        seconds; one of more than a day shows times of day instead. Hovering tells a job's details.
        A notebook keeps a still picture beside it, which is shown where no script runs.
    """
    # plotly is imported with it
    from .timeline_figure import TimelineFigure

    now = snapshot.answered_at if now is None else now
    picture = _Picture(snapshot, now)
    figure = TimelineFigure(still=draw(snapshot, now))
    picture.bands(figure)
    picture.others(figure)
    picture.jobs(figure)
    picture.idle(figure)
    picture.end(figure)
    picture.frame(figure)
    return figure


class _Picture:
    """One figure in the making: where each time and each job is in it."""

    def __init__(self, snapshot: SessionSnapshot, now: float):
        self.snapshot = snapshot
        self.now = now
        begin = picture_begin(snapshot, now)
        jobs = [job for job in snapshot.jobs if not job.stray or job.reused]
        jobs = self.own = [job for job in jobs if (job.finished or now) >= begin]
        firsts = [job.created for job in jobs if not job.stray][:1]
        self.begin = min([begin, snapshot.opened_at or begin, *firsts])
        if snapshot.state == "closed":
            ends = [job.finished or self.begin for job in jobs]
            now = max([snapshot.closed_at or self.begin, *ends])
        # nothing is narrower than a second, also before anything happened
        self.until = max(now, self.begin + 1.0)
        self.each = len(jobs) <= MOST_ROWS
        self.below = 1 if snapshot.others else 0
        self.rows = self.below + (max(1, len(jobs)) if self.each else 1)
        self._rows = {job.id: self.rows - 1 - i for i, job in enumerate(jobs)} if self.each else {}

    def x(self, time: float) -> datetime:
        """A time on the axis: the clock of the reader's zone."""
        return local_time(time).replace(tzinfo=None)

    def row(self, job: JobRecord) -> int:
        return self._rows.get(job.id, self.rows - 1)

    def wide(self, begin: float, end: float, share: float) -> bool:
        """True if a span is wide enough to be written on."""
        return end - begin >= share * (self.until - self.begin)

    # ----------------------------------------------------------------------------------------------

    def bands(self, figure: Any) -> None:
        periods = [(b, self.until if e is None else e) for b, e in self.snapshot.active_periods]
        nexts = [begin for begin, _ in periods[1:]]
        ended = self.snapshot.closed_at if self.snapshot.state == "closed" else None
        nexts.append(self.until if ended is None else ended)
        for (begin, end), following in zip(periods, nexts, strict=False):
            self._band(figure, begin, end, ACTIVE_BAND, "active")
            if self.snapshot.mode == "dedicated" and following - end > 0.5:
                self._band(figure, end, following, INACTIVE_BAND, "deactivated")

    def _band(self, figure: Any, begin: float, end: float, colour: str, text: str) -> None:
        figure.add_vrect(
            x0=self.x(begin),
            x1=self.x(end),
            fillcolor=colour,
            line_width=0,
            layer="below",
        )
        if self.wide(begin, end, 0.009 * len(text)):
            self._note(figure, begin, text, MUTED)

    def _note(self, figure: Any, at: float, text: str, colour: str, **more: Any) -> None:
        place = {"y": 1, "yref": "paper", "yanchor": "bottom", "xanchor": "left", **more}
        figure.add_annotation(x=self.x(at), text=text, showarrow=False, font=small(colour), **place)

    def others(self, figure: Any) -> None:
        waits, runs = [], []
        for created, started, finished in self.snapshot.others:
            begin, end = max(created, self.begin), finished or self.until
            if end <= self.begin:
                continue
            waits.append((begin, min(started or end, self.until)))
            if started is not None:
                runs.append((max(started, self.begin), min(end, self.until)))
        for name, colour, spans in (
            ("others waiting", OTHERS_WAITING, waits),
            ("others running", OTHERS_RUNNING, runs),
        ):
            spans = [(begin, end) for begin, end in spans if end > begin]
            texts = [f"{name} {format_duration(end - begin)}" for begin, end in spans]
            self._bars(figure, name, colour, spans, lambda _: 0, texts)

    def jobs(self, figure: Any) -> None:
        waits = [
            (job, job.created, job.started or job.finished or self.until)
            for job in self.own
            if (job.started or job.finished or self.until) > job.created and not job.stray
        ]
        self._jobs(figure, "waiting", COLOURS["queued"], waits)
        for look in ("reused", "done", "running", "cancelled", "failed"):
            status, taken = ("done", True) if look == "reused" else (look, False)
            runs = [
                (job, job.started, job.finished or self.until)
                for job in self.own
                if job.status == status and job.started is not None
                if (job.reused and job.status == "done") == taken
            ]
            self._jobs(figure, look, COLOURS[status], runs)
            if taken:
                continue
            unrun = [job for job in self.own if job.status == status and job.started is None]
            self._marks(figure, status, [job for job in unrun if job.finished is not None])

    def _jobs(
        self, figure: Any, name: str, colour: str, bars: list[tuple[JobRecord, float, float]]
    ) -> None:
        spans = [(begin, end) for _, begin, end in bars]
        texts = [_hover(job, self.now) for job, _, _ in bars]
        self._bars(figure, name, colour, spans, lambda i: self.row(bars[i][0]), texts)

    def _bars(
        self,
        figure: Any,
        name: str,
        colour: str,
        spans: list[tuple[float, float]],
        row: Callable[[int], int],
        texts: list[str],
    ) -> None:
        if not spans:
            return
        figure.add_bar(
            orientation="h",
            name=name,
            y=[row(i) for i in range(len(spans))],
            base=[self.x(begin) for begin, _ in spans],
            # plotly measures the length of a bar on a date axis in milliseconds
            x=[(end - begin) * 1000 for begin, end in spans],
            marker={"color": colour, "line": {"width": 0}} if name != "reused" else hatch(colour),
            width=0.62,
            hovertext=texts,
            hovertemplate="%{hovertext}<extra></extra>",
        )

    def _marks(self, figure: Any, status: str, jobs: list[JobRecord]) -> None:
        """A cross where a job ended that never ran."""
        if not jobs:
            return
        figure.add_scatter(
            x=[self.x(job.finished or self.until) for job in jobs],
            y=[self.row(job) for job in jobs],
            name=f"{status} without running",
            mode="markers",
            marker={"symbol": "x", "size": 9, "color": COLOURS[status]},
            hovertext=[_hover(job, self.now) for job in jobs],
            hovertemplate="%{hovertext}<extra></extra>",
        )

    def idle(self, figure: Any) -> None:
        spans = [s for s in idle_spans(self.snapshot, self.until) if self.wide(*s, 0.02)]
        if not spans:
            return
        xs: list[datetime | None] = []
        ys: list[int | None] = []
        for begin, end in spans:
            # it follows the job that ended last
            before = [job for job in self.own if (job.finished or self.until) <= begin + 1e-3]
            last = max(before, key=lambda job: job.finished or 0.0, default=None)
            row = self.rows - 1 if last is None else self.row(last)
            xs += [self.x(begin), self.x(end), None]
            ys += [row, row, None]
            if self.wide(begin, end, 0.09):
                self._note(
                    figure,
                    begin,
                    f"idle {format_duration(end - begin)}",
                    IDLE,
                    y=row,
                    yref="y",
                    xshift=3,
                )
        figure.add_scatter(
            x=xs,
            y=ys,
            name="idle",
            mode="lines",
            line={"color": IDLE, "width": 1.5, "dash": "3px,3px"},
            hoverinfo="skip",
        )

    def end(self, figure: Any) -> None:
        """A line where the maximum time was or will be over, if that is in sight."""
        snapshot = self.snapshot
        if snapshot.started_at is None or snapshot.max_ttl is None:
            return
        at = snapshot.started_at + snapshot.max_ttl
        if at > self.until + 0.001:
            return
        figure.add_vline(x=self.x(at), line={"color": COLOURS["failed"], "width": 1.5})
        self._note(figure, at, "maximum time", COLOURS["failed"], xanchor="right", yshift=14)

    def frame(self, figure: Any) -> None:
        snapshot = self.snapshot
        word = "Batch" if snapshot.mode == "batch" else "Session"
        opened = local_time(self.begin)
        labels = {} if not self.below else {0: "other users"}
        if self.each and self.own:
            labels.update({self.row(job): f"job {i}" for i, job in enumerate(self.own, 1)})
        else:
            labels[self.rows - 1] = f"this {word.lower()}"
        span = self.until - self.begin
        margin = timedelta(seconds=0.012 * span)
        axis: dict[str, Any] = {"title": axis_title(f"time ({zone_name(self.begin)})")}
        if span < DAY:
            axis["tickformat"] = "%H:%M:%S"
        plot = max(2, self.rows) * ROW
        height = MARGIN["t"] + plot + MARGIN["b"]
        figure.update_layout(
            barmode="overlay",
            showlegend=True,
            # the legend keeps its distance from the axis however high the figure is
            **frame(height, MARGIN, {"y": -50 / plot, "yanchor": "top"}),
            title={
                "text": f"{word} on {snapshot.backend}, opened {opened:%Y-%m-%d %H:%M:%S} "
                f"{zone_name(self.begin)}",
                "font": {"size": 14},
                "x": 0,
                "xanchor": "left",
                "xref": "paper",
                "y": 1 - 8 / height,
                "yanchor": "top",
            },
            xaxis={
                "type": "date",
                "range": [self.x(self.begin) - margin, self.x(self.until) + margin],
                "showgrid": False,
                "nticks": 12,
                **axis,
            },
            yaxis={
                "tickvals": list(labels),
                "ticktext": list(labels.values()),
                "range": [-0.6, self.rows - 0.4],
                "fixedrange": True,
                "showgrid": False,
                "zeroline": False,
            },
        )


ATTRIBUTES = (
    "session_id",
    "usage",
    "cost",
    "cost_by_cause",
    "price",
    "charged",
    "gaps",
    "forecast",
    "labels",
    "reason",
    "end_reason",
    "end_usage",
    "end_words",
    "budget_seconds",
    "budget_dollars",
)
"""Figures of the session that a table of its jobs carries."""


def to_dataframe(snapshot: SessionSnapshot) -> Any:
    """The jobs as a pandas table, one row a job.

    Returns
    -------
    pandas.DataFrame
        The fields of `JobRecord`; ``created``, ``started`` and ``finished`` as UTC times to the
        millisecond, and besides ``queued`` and ``ran`` in seconds, and the ``cost`` of its QPU time
        in US dollars, 0 for a reused one. ``attrs`` has the session's figures as `receipt.to_json`
        gives them: usage, cost, price, causes, forecast, reason.

    Raises
    ------
    UserError
        pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError:
        raise UserError("A table of the jobs needs pandas: pip install pandas.") from None
    table = pd.DataFrame(
        [asdict(job) for job in snapshot.jobs], columns=list(JobRecord.__dataclass_fields__)
    )
    figures = [job_figures(job, snapshot) for job in snapshot.jobs]
    for column in JOB_FIGURES:
        table[column] = pd.Series([row[column] for row in figures], dtype=float)
    for column in JOB_TIMES:
        whole = (1000 * table[column].astype(float)).round()
        table[column] = pd.to_datetime(whole, unit="ms", utc=True)
    known = to_json(snapshot)
    table.attrs = {name: known[name] for name in ATTRIBUTES}
    return table


def _hover(job: JobRecord, now: float) -> str:
    queued = format_duration((job.started or job.finished or now) - job.created)
    status = f"{job.status}, reused" if job.reused else job.status
    label = f"{_plain(job.label)}<br>" if job.label else ""
    parts = [
        f"{job.id}<br>{label}{_plain(program_word(job.program))}<br>{status}",
        f"queued {queued}",
    ]
    if job.started is not None:
        parts.append(ran_words(job, (job.finished or now) - job.started))
    text = " · ".join(parts)
    if job.error:
        # a line that long would be wider than the figure
        lines = textwrap.wrap(job.error, 70, max_lines=4, placeholder=" …")
        text = "<br>".join([text, *map(_plain, lines)])
    return text


def _plain(text: str) -> str:
    """A text of the service's: plotly reads a few HTML tags."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
