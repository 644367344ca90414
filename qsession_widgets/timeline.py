"""A session as a plotly figure, and its jobs as a table, for analysis.

The same picture as the panel's, as an object of the user's own: to zoom, restyle, save.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from .durations import words
from .errors import UserError
from .picture import COLOURS
from .snapshot import JobRecord, SessionSnapshot

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

WAITING = "#c9ced6"
ACTIVE_BAND = "#e7f0ff"


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
        A bar a wait and a bar a run, active periods behind them; hovering tells a job's details.
    """
    import plotly.graph_objects as go

    now = snapshot.answered_at if now is None else now
    figure = go.Figure()
    _add_bars(
        figure,
        "queued",
        WAITING,
        [(j, j.created, j.started or j.finished or now) for j in snapshot.jobs],
        now,
    )
    for status in ("done", "running", "cancelled", "failed"):
        runs = [
            (job, job.started, job.finished or now)
            for job in snapshot.jobs
            if job.status == status and job.started is not None
        ]
        _add_bars(figure, status, COLOURS[status], runs, now)
    for begin, end in snapshot.active_periods:
        figure.add_vrect(
            x0=_date(begin),
            x1=_date(now if end is None else end),
            fillcolor=ACTIVE_BAND,
            line_width=0,
            layer="below",
            annotation_text="active",
            annotation_position="top left",
        )
    figure.update_layout(
        barmode="overlay",
        template="plotly_white",
        height=220,
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "y": -0.25},
        title={"text": f"Session on {snapshot.backend}", "font": {"size": 14}},
    )
    return figure


def _add_bars(
    figure: Any, name: str, colour: str, bars: list[tuple[JobRecord, float, float]], now: float
) -> None:
    if not bars:
        return
    figure.add_bar(
        orientation="h",
        name=name,
        y=["session"] * len(bars),
        base=[_date(begin) for _, begin, _ in bars],
        # plotly measures the length of a bar on a date axis in milliseconds
        x=[(end - begin) * 1000 for _, begin, end in bars],
        marker={"color": colour},
        width=0.5,
        customdata=[[job.id, job.program, _hover(job, now)] for job, _, _ in bars],
        hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>%{customdata[2]}<extra></extra>",
    )


def to_dataframe(snapshot: SessionSnapshot) -> Any:
    """The jobs as a pandas table, one row a job.

    Returns
    -------
    pandas.DataFrame
        The fields of `JobRecord`; ``created``, ``started`` and ``finished`` as UTC times, and
        ``queued_seconds`` and ``run_seconds`` besides.

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
    table["queued_seconds"] = table["started"] - table["created"]
    table["run_seconds"] = table["finished"] - table["started"]
    for column in ("created", "started", "finished"):
        table[column] = pd.to_datetime(table[column], unit="s", utc=True)
    return table


def _hover(job: JobRecord, now: float) -> str:
    parts = [job.status, f"queued {words((job.started or job.finished or now) - job.created)}"]
    if job.started is not None:
        parts.append(f"ran {words((job.finished or now) - job.started)}")
    if job.error:
        parts.append(job.error)
    return " · ".join(parts)


def _date(time: float) -> datetime:
    return datetime.fromtimestamp(time, tz=timezone.utc)
