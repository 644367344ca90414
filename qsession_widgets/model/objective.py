"""Summaries of series of values that a kernel has read or logged: latest, best, nearly stopped.

``js/src/shared/objective.ts`` has the same functions, and ``tests/vectors/series.json`` the cases
that both are tested with.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .job import SeriesPoint

WINDOW = 8
"""Steps, the last ones, in which a series must change for not having nearly stopped."""

LEAST = 12
"""Steps of a series before that is judged."""

SLOW = 0.1
"""Share of a series' average pace below which it has nearly stopped."""


@dataclass(frozen=True)
class SeriesSummary:
    """A series in a few numbers.

    Attributes
    ----------
    series : str
        Its name.
    latest, best : SeriesPoint
        Its last point, and the first of those with the lowest value.
    count : int
        The number of its points.
    noisy : bool
        True if any of its values has an error: the lowest of noisy values is expected to lie below
        the lowest of the true ones.
    """

    series: str
    latest: SeriesPoint
    best: SeriesPoint
    count: int
    noisy: bool


def summaries(points: Iterable[SeriesPoint]) -> list[SeriesSummary]:
    """A summary of each series, in the order in which the series began."""
    series: dict[str, list[SeriesPoint]] = {}
    for point in points:
        series.setdefault(point.series, []).append(point)
    return [
        SeriesSummary(
            name,
            latest=those[-1],
            best=min(those, key=lambda point: point.value),
            count=len(those),
            noisy=any(point.error for point in those),
        )
        for name, those in series.items()
    ]


@dataclass(frozen=True)
class Stall:
    """A series that has nearly stopped, by its last `WINDOW` steps.

    Attributes
    ----------
    values : int
        The number of values in these steps.
    change : float
        Mean of the later half of the steps minus that of the earlier half.
    noise : float
        Standard error of that change, by the values' errors or their scatter, whichever is larger.
    slow : bool
        Whether the change is small beside the series' pace. If not, it may go on changing, and only
        its noise hides that.
    """

    values: int
    change: float
    noise: float
    slow: bool


def stalled(points: Sequence[SeriesPoint]) -> Stall | None:
    """Tell whether a series has nearly stopped; None where not, or where it is too early to say.

    Values with one step number are one step, and so are two values in a row that have none, such as
    a pair of evaluations for a gradient: a step is their mean. The series has nearly stopped when
    the later half of the last `WINDOW` steps differs from the earlier half by no more than the
    noise of that difference, or by less than `SLOW` times what the series' average pace makes.
    Whether it is minimised or maximised does not matter: one that gets worse has not stopped.

    Parameters
    ----------
    points : sequence of SeriesPoint
        One series, in the order of recording.
    """
    steps = _steps(points)
    if len(steps) < LEAST:
        return None
    half = WINDOW // 2
    values = [sum(point.value for point in step) / len(step) for step in steps]
    early, late = values[-WINDOW:-half], values[-half:]
    before, after = sum(early) / half, sum(late) / half
    change = after - before
    scatter = sum((value - before) ** 2 for value in early)
    scatter += sum((value - after) ** 2 for value in late)
    known = sum(_variance(step) for step in steps[-WINDOW:])
    noise = math.sqrt(max(scatter / (half - 1) / half, known / half**2))
    pace = abs(after - values[0]) / (len(steps) - 1) * half
    if abs(change) > max(noise, SLOW * pace):
        return None
    return Stall(sum(map(len, steps[-WINDOW:])), change, noise, abs(change) <= SLOW * pace)


def _steps(points: Sequence[SeriesPoint]) -> list[list[SeriesPoint]]:
    steps: list[list[SeriesPoint]] = []
    for point in points:
        last = steps[-1] if steps else None
        same = last is not None and last[0].step == point.step
        if last is not None and same and (point.step is not None or len(last) < 2):
            last.append(point)
        else:
            steps.append([point])
    if steps and steps[-1][0].step is None and len(steps[-1]) < 2:
        # the other one of the pair is still to come
        steps.pop()
    return steps


def _variance(step: list[SeriesPoint]) -> float:
    """Of the mean of a step's values; 0 where an error is not known."""
    return sum((point.error or 0.0) ** 2 for point in step) / len(step) ** 2
