"""Summaries of series: the latest and the best of the values that a kernel has read or logged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .snapshot import SeriesPoint


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
