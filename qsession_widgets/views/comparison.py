"""Sessions side by side: where their time went, and what a job cost."""

from __future__ import annotations

import itertools
import string
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..formatting import format_duration, format_money
from ..model import SessionSnapshot, noun, provisional, usage
from ..monitoring.waiting import say_settling
from ..text_table import text_table
from .theme import PARTS, axis_title, frame, small

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from .monitored import Monitored

NONE = "\u2013"


@dataclass(frozen=True)
class Numbers:
    """The totals of one session.

    Attributes
    ----------
    name : str
        The user's name for it, or its backend and when it was opened.
    jobs : int
        Its jobs that have ended well.
    usage, qpu, classical : float or None
        Seconds of usage, and what they were spent on; None where the service has told no QPU time.
    idle : float
        Seconds of usage without a job running.
    idle_share : float or None
        The part of the usage that was idle, 0 to 1; None before there is any.
    cost, cost_per_job : float or None
        US dollars; None without a price, or without a job.
    usage_per_job : float or None
        Seconds of usage for each job; None without a job.
    median_queued, median_ran : float or None
        Seconds that jobs waited and ran; None without a job that ran.
    provisional : int
        Jobs whose times are not the service's exact ones: the medians are estimates with them.
    final : bool
        Whether the usage is the service's final figure; an estimate otherwise.
    charged : bool
        False on the emulator: a cost is then what it would be.
    """

    name: str
    jobs: int
    usage: float | None
    qpu: float | None
    classical: float | None
    idle: float
    idle_share: float | None
    cost: float | None
    cost_per_job: float | None
    usage_per_job: float | None
    median_queued: float | None
    median_ran: float | None
    provisional: int
    final: bool
    charged: bool

    def rows(self) -> dict[str, str]:
        """The numbers as people read them."""
        about = "" if self.final and self.charged else "≈ " if self.charged else "would be ≈ "

        def dollars(amount: float | None) -> str:
            return NONE if amount is None else about + format_money(amount)

        def seconds(length: float | None) -> str:
            return NONE if length is None else format_duration(length)

        rough = f", {self.provisional} not exact" if self.provisional else ""
        return {
            "jobs done": str(self.jobs),
            "usage": seconds(self.usage) + ("" if self.final and self.charged else ", estimate"),
            "idle share": NONE if self.idle_share is None else f"{self.idle_share:.0%}",
            "cost": dollars(self.cost),
            "cost per job": dollars(self.cost_per_job),
            "usage per job": seconds(self.usage_per_job),
            "queued, median": seconds(self.median_queued) + rough,
            "ran, median": seconds(self.median_ran) + ("" if self.charged else ", here") + rough,
        }


@dataclass(frozen=True)
class Comparison:
    """Sessions side by side; shows itself as a figure with the numbers below.

    Attributes
    ----------
    each : tuple of Numbers
        What each came to.
    """

    each: tuple[Numbers, ...]

    @property
    def a(self) -> Numbers:
        """The totals of the first one."""
        return self.each[0]

    @property
    def b(self) -> Numbers:
        """The totals of the second one."""
        return self.each[1]

    @property
    def figure(self) -> Figure:
        """Usage by what it was spent on, and cost by the job (usage, where there is no price)."""
        from plotly.graph_objects import Bar
        from plotly.subplots import make_subplots

        # the first one is on top
        upwards = self.each[::-1]
        names = [each.name for each in upwards]
        priced = all(each.cost is not None for each in upwards)
        by_job = [each.cost_per_job if priced else each.usage_per_job for each in upwards]
        title = "cost per job (US dollars)" if priced else "usage per job (s)"
        if priced and not all(each.charged for each in upwards):
            title = "what a job would cost (US dollars)"
        figure = make_subplots(
            cols=2, shared_yaxes=True, horizontal_spacing=0.06, column_widths=[0.62, 0.38]
        )
        for part, colour in PARTS.items():
            spent = [getattr(each, part.lower()) or 0.0 for each in upwards]
            figure.add_bar(
                orientation="h",
                name=part,
                y=names,
                x=spent,
                marker={"color": colour},
                hovertext=[f"{part} {format_duration(length)}" for length in spent],
                hoverinfo="text",
                col=1,
                row=1,
            )
        figure.add_trace(
            Bar(
                orientation="h",
                name=title,
                y=names,
                x=[value or 0 for value in by_job],
                marker={"color": "#0f62fe"},
                text=[
                    NONE if v is None else (format_money(v) if priced else format_duration(v))
                    for v in by_job
                ],
                textposition="auto",
                hoverinfo="text",
                showlegend=False,
            ),
            row=1,
            col=2,
        )
        for each in upwards:
            if each.idle_share is not None:
                figure.add_annotation(
                    x=each.usage,
                    y=each.name,
                    text=f"idle {each.idle_share:.0%}",
                    xanchor="left",
                    xshift=4,
                    showarrow=False,
                    font=small(),
                )
        longest = max(each.usage or 0.0 for each in upwards) or 1.0
        usage_range = [0, 1.18 * longest]
        figure.update_xaxes(title=axis_title("usage (s)"), range=usage_range, row=1, col=1)
        figure.update_xaxes(title=axis_title(title), row=1, col=2)
        above = {"traceorder": "normal", "y": 1.02, "yanchor": "bottom"}
        margin = {"l": 16, "r": 16, "t": 36, "b": 44}
        height = 230 + 55 * (len(upwards) - 2)
        figure.update_layout(barmode="stack", bargap=0.45, **frame(height, margin, above))
        return figure

    def to_dataframe(self) -> Any:
        """The numbers as a pandas table, a column a session.

        Raises
        ------
        UserError
            pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise UserError("A table of the numbers needs pandas: pip install pandas.") from None
        return pd.DataFrame({each.name: vars(each) for each in self.each}).drop(["name"])

    def __repr__(self) -> str:
        columns = [each.rows() for each in self.each]
        table = [("", *(each.name for each in self.each))]
        table += [(name, *(column[name] for column in columns)) for name in columns[0]]
        return text_table(table, right=range(1, len(self.each) + 1))

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.figure)  # type: ignore[no-untyped-call]
        print(self)


def compare(
    a: Monitored | SessionSnapshot,
    b: Monitored | SessionSnapshot,
    *more: Monitored | SessionSnapshot,
    price_per_second: float | None = None,
) -> Comparison:
    """Put sessions side by side: idle share, cost per job, and what the time went into.

    Parameters
    ----------
    a, b, *more : Session, Batch or SessionSnapshot
        What to compare: sessions from `open_session` or ``%%session``, open or closed, or
        snapshots that were kept.
    price_per_second : float, optional
        US dollars for one second of usage, for all, in place of their plans' prices.

    Returns
    -------
    Comparison
        With ``figure``, a `plotly.graph_objects.Figure`, ``each``, the `Numbers` of each, the first
        two of them also as ``a`` and ``b``, and ``to_dataframe()``.

    Raises
    ------
    UserError
        One of them is neither.
    """
    found = [_numbers(session, price_per_second) for session in (a, b, *more)]
    names = Counter(numbers.name for numbers in found)
    letters = itertools.cycle(string.ascii_lowercase)
    return Comparison(
        tuple(
            _named(numbers, f"{numbers.name} ({letter})") if names[numbers.name] > 1 else numbers
            for numbers, letter in zip(found, letters, strict=False)
        )
    )


def _numbers(session: Any, price: float | None) -> Numbers:
    snapshot, now = _snapshot_of(session)
    if price is not None:
        snapshot = replace(snapshot, service=replace(snapshot.service, price_per_second=price))
    spent = usage(snapshot, now)
    cost = spent.cost
    done = [job for job in snapshot.jobs if job.status == "done" and not job.stray]
    ran = [(job.created, job.started, job.finished) for job in done]
    queued = [started - created for created, started, _ in ran if started is not None]
    runs = [end - begin for _, begin, end in ran if begin is not None and end is not None]
    count = len(done)
    return Numbers(
        name=snapshot.name or _title(snapshot),
        jobs=count,
        usage=spent.total if spent.known else None,
        qpu=spent.qpu if spent.told else None,
        classical=spent.classical if spent.told else None,
        idle=spent.idle,
        idle_share=spent.idle / spent.total if spent.total else None,
        cost=cost,
        cost_per_job=cost / count if count and cost is not None else None,
        usage_per_job=spent.total / count if count and spent.known else None,
        median_queued=median(queued) if queued else None,
        median_ran=median(runs) if runs else None,
        provisional=provisional(snapshot),
        final=spent.final,
        charged=snapshot.service.charged,
    )


def _snapshot_of(session: Any) -> tuple[SessionSnapshot, float]:
    """A session's snapshot, and until when its unfinished things go on (service clock)."""
    if isinstance(session, SessionSnapshot):
        return session, session.answered_at
    monitor = getattr(session, "_monitor", None)
    if monitor is None:
        raise UserError(
            f"compare takes sessions from open_session or %%session, or snapshots, not "
            f"{type(session).__name__}."
        )
    monitor.settle(waits=say_settling)
    return monitor.snapshot, monitor.now()


def _title(snapshot: SessionSnapshot) -> str:
    what = {"session": "Session", "batch": "Batch"}.get(noun(snapshot), "Jobs")
    return f"{what} {snapshot.session_id[:8]} on {snapshot.backend}"


def _named(numbers: Numbers, name: str) -> Numbers:
    fields: Mapping[str, Any] = {**vars(numbers), "name": name}
    return Numbers(**fields)
