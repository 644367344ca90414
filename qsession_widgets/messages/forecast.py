"""Forecasts as lines of text: ranges, and what they assume."""

from __future__ import annotations

from ..formatting import format_duration, format_fixed, format_money
from ..model.forecast import (
    CALIBRATED_BY,
    LEAST_SPREAD,
    SPREAD,
    Assumed,
    Checked,
    Forecast,
    Range,
    WayForecast,
)
from ..model.outlook import Outlook


def duration_range(found: Range) -> str:
    """A range of durations: ``12 s to 27 s``; one of them where both read the same."""
    return _range(format_duration(found.low), format_duration(found.high))


def money_range(found: Range) -> str:
    """A range of amounts: ``$9.60 to $21.60``."""
    return _range(format_money(found.low), format_money(found.high))


def _range(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"


def forecast_rows(found: Forecast, *, plan: str = "") -> list[tuple[str, str]]:
    """Lines of a forecast: a way to run the work each, then the assumptions.

    Parameters
    ----------
    found : Forecast
        The forecast.
    plan : str
        Code of the plan; on ``open`` there are no sessions.
    """
    ways = [("Session", found.session), ("Batch", found.batch), ("Job mode", found.job)]
    lines = [
        (name, "not on the Open Plan")
        if plan == "open" and name == "Session"
        else (name, way_words(one, found.jobs))
        for name, one in ways
    ]
    lines.append(("Assumed", assumed_words(found)))
    lines.append(("Checked", checked_words(found.assumed.ratios)))
    return lines


def way_words(found: WayForecast, jobs: int) -> str:
    """One way in words: ``takes 1 m 2 s to 2 m 20 s, uses 12 s to 27 s, $9.60 to $21.60``."""
    words = f"takes {duration_range(found.seconds)}, uses {duration_range(found.usage)}"
    if found.cost is not None:
        words += f", {money_range(found.cost)}"
    if found.late[1]:
        words += f"; {_late(*found.late)} of {jobs} jobs fail at the maximum time"
    return words


def assumed_words(found: Forecast) -> str:
    """The assumptions of a forecast, as a clause each."""
    assumed = found.assumed
    qpu = (
        "each job by IBM's estimate of 2 s and 0.35 ms per execution"
        if found.estimated
        else "each job's QPU time as it was"
    )
    parts = [
        f"{found.jobs} job{'' if found.jobs == 1 else 's'}",
        qpu,
        "your own time between them as it was",
        f"{format_duration(assumed.latency)} for requests over the network between jobs"
        if assumed.latency
        else "the network's share as it was",
        f"{format_duration(assumed.queue_wait)} in the queue"
        if assumed.queue_wait
        else "no wait in the queue",
        "closed at its last result",
        f"an interactive timeout of {format_duration(assumed.interactive_ttl)}",
    ]
    return "; ".join(parts) + "."


def checked_words(ratios: tuple[float, ...]) -> str:
    """Sessions on IBM that the forecast was checked against, as a clause."""
    if not ratios:
        return f"never against IBM: the ranges are ± a factor of {SPREAD:g}, an assumption."
    count = f"against {len(ratios)} session{'' if len(ratios) == 1 else 's'} on IBM"
    low, high = format_fixed(min(ratios), 2), format_fixed(max(ratios), 2)
    spread = f"usage was {low} to {high} of the forecast"
    if len(ratios) < CALIBRATED_BY:
        return f"{count} only ({spread}): the ranges are ± a factor of {SPREAD:g}."
    wider = format_fixed(1 + LEAST_SPREAD / len(ratios), 2)
    return f"{count}: {spread}; the ranges are wider by a factor of {wider}."


def ways_line(found: Forecast, *, plan: str = "") -> str:
    """The time and cost of the work so far in a session, a batch and job mode, in one line.

    The panel has the same words (``js/src/shared/messages/forecast.ts``).
    """
    session = "session closed at its last result"
    ways = [(session, found.session), ("batch", found.batch), ("job mode", found.job)]
    parts = []
    for name, one in ways:
        if plan == "open" and name == session:
            continue
        worth = f"uses {duration_range(one.usage)}" if one.cost is None else money_range(one.cost)
        fail = "job" if one.late[1] == 1 else "jobs"
        late = f" ({_late(*one.late)} {fail} would fail)" if one.late[1] else ""
        parts.append(f"{name} {duration_range(one.seconds)}, {worth}{late}")
    return " · ".join(parts)


def _late(low: int, high: int) -> str:
    if low == high:
        return f"about {high}"
    return f"{low} to {high}" if low else f"up to {high}"


def error_words(ratios: tuple[float, ...]) -> str:
    """The error of forecasts and of a device's time by IBM's estimate, as a clause."""
    if not ratios:
        return f"never checked against IBM, assumed right within a factor of {SPREAD:g}"
    count = f"{len(ratios)} session{'' if len(ratios) == 1 else 's'} on IBM"
    if len(ratios) < CALIBRATED_BY:
        return f"checked against {count} only, assumed right within a factor of {SPREAD:g}"
    low, high = (format_fixed(bound, 2) for bound in Assumed(ratios=ratios).factors)
    return f"by {count}, assumed right within {low} to {high} of it"


def outlook_words(found: Outlook) -> str:
    """Jobs still to come: ``38 jobs: 5 m 2 s to 9 m 10 s, $240 to $440``, and what has no room."""
    jobs = f"{found.jobs} job{'' if found.jobs == 1 else 's'}"
    words = f"{jobs}: {duration_range(found.seconds)}"
    if found.cost is not None:
        words += f", {money_range(found.cost)} more"
    else:
        words += f", {duration_range(found.usage)} of usage more"
    if found.past_maximum:
        words += f"; about {_jobs(found.past_maximum)} will fail at the maximum time"
    if found.past_budget:
        words += f"; the budget leaves no room for about {found.past_budget} of them"
    if found.past_quota:
        words += f"; the instance's quota leaves no room for about {found.past_quota} of them"
    if not found.past_maximum and not found.past_budget and not found.past_quota:
        words += "; it fits"
    return words


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count} jobs"


def actual_words(found: Checked) -> str:
    """Forecast and actual usage of a session on IBM, side by side."""
    forecast = found.forecast
    return (
        f"usage forecast {duration_range(forecast.usage)}, was {format_duration(found.usage)} "
        f"({format_fixed(found.ratio, 2)} of {format_duration(forecast.plain[1])})"
    )
