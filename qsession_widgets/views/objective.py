"""Series of values as a table, and as lines of the receipt."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ..errors import UserError
from ..formatting import format_value
from ..model import READ_SERIES, SeriesSummary, SessionSnapshot, summaries
from ..model.objective import WINDOW, stalled

COLUMNS = ("time", "job_id", "series", "value", "error", "step")
MOST_SERIES = 20
"""Series that have a line in the receipt, at most."""


def metrics_table(snapshot: SessionSnapshot) -> Any:
    """The values of every series as a pandas table, in the order of recording.

    See `qsession_widgets.sessions.session.Session.metrics`.
    """
    try:
        import pandas as pd
    except ImportError:
        raise UserError("A table of the values needs pandas: pip install pandas.") from None
    table = pd.DataFrame([asdict(point) for point in snapshot.points], columns=list(COLUMNS))
    table = table.astype(dict.fromkeys(("time", "value", "error", "step"), float))
    table["time"] = pd.to_datetime((1000 * table["time"]).round(), unit="ms", utc=True)
    return table


def series_rows(snapshot: SessionSnapshot) -> list[tuple[str, str]]:
    """The receipt's lines about series: a name, its latest and best value, and if it has stopped.

    Only of series that the user logs it is said that they have nearly stopped.
    """
    found = summaries(snapshot.points)
    lines = [(one.series, _words(one)) for one in found[:MOST_SERIES]]
    for at, (name, words) in enumerate(lines):
        points = [point for point in snapshot.points if point.series == name]
        if name != READ_SERIES and (stall := stalled(points)) is not None:
            change = format_value(abs(stall.change), stall.noise)
            how = "nearly stopped" if stall.slow else "no change beyond its noise"
            stop = f"{how}: its last {WINDOW} steps changed it by {change}"
            lines[at] = name, f"{words} · {stop}"
    if (more := len(found) - MOST_SERIES) > 0:
        lines.append(("Series", f"{more} more, in session.metrics() and the exports"))
    return lines


def _words(one: SeriesSummary) -> str:
    noise = " (picked from noise: likely too low)" if one.noisy and one.count > 1 else ""
    return " · ".join(
        [
            f"latest {format_value(one.latest.value, one.latest.error)}",
            f"best (minimum) {format_value(one.best.value, one.best.error)}{noise}",
            "1 point" if one.count == 1 else f"{one.count} points",
        ]
    )
