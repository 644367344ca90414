"""The objective as a lane of a still picture: values with their errors, and the best so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from ..messages.objective import lane_words
from ..model import READ_SERIES, SeriesPoint
from .theme import COLOURS

HEIGHT = 58
"""Height of the lane in pixels, with the words above it."""
TOP = 18
BOTTOM = 52
COLUMN = 4.0
"""Pixels in which two values are drawn at most, the lowest and the highest."""
MOST_ERRORS = 150
MOST_LETTERS = 60
BEST = "#8a5cd0"
TEXT = "#767676"


def shown_points(points: Sequence[SeriesPoint]) -> list[SeriesPoint]:
    """The values of the series that a panel shows at first: the first one that was logged."""
    names = dict.fromkeys(point.series for point in points)
    logged = [name for name in names if name != READ_SERIES]
    name = next(iter(logged or names), None)
    return [point for point in points if point.series == name]


def lane(points: Sequence[SeriesPoint], x: Callable[[float], float], left: float) -> list[str]:
    """The elements of the lane, from the picture's upper edge on; `points` are of one series.

    Parameters
    ----------
    points : sequence of SeriesPoint
        One at the least.
    x : callable
        Pixels from the left edge, of a time.
    left : float
        Where the plot begins, in pixels.
    """
    errors = [point.error or 0.0 for point in points] if len(points) <= MOST_ERRORS else []
    ends = [point.value for point in points]
    ends += [
        point.value + sign * error
        for point, error in zip(points, errors, strict=False)
        for sign in (1, -1)
    ]
    low, high = min(ends), max(ends)
    span = (high - low) or abs(high) / 20 or 1.0

    def y(value: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * ((value - low) / span if high > low else 0.5)

    bars = "".join(
        f"M{x(point.time):.1f} {y(point.value + error):.1f}V{y(point.value - error):.1f}"
        for point, error in zip(points, errors, strict=False)
        if error
    )
    marks = "".join(
        f"M{x(p.time) - 1.5:.1f} {y(p.value) - 1.5:.1f}h3v3h-3z" for p in _thinned(points, x)
    )
    best, step = points[0], ""
    for point in points:
        if not step:
            step = f"M{x(point.time):.1f} {y(point.value):.1f}"
        elif point.value < best.value:
            best = point
            step += f"H{x(point.time):.1f}V{y(point.value):.1f}"
    step += f"H{x(points[-1].time):.1f}"
    name = points[0].series
    name = name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 2]} …"
    words = lane_words(name, points[-1], best)
    line = 'fill="none" stroke-width="1.5" stroke='
    parts = [f'<path d="{bars}" {line}"{COLOURS["done"]}"/>'] if bars else []
    parts += [
        f'<path d="{step}" {line}"{BEST}"/>',
        f'<path d="{marks}" fill="{COLOURS["done"]}"/>',
        _text(words, left + 4, TOP - 6, "start"),
    ]
    ticks = {f"{value:.4g}": y(value) for value in (high, low)}
    return parts + [_text(tick, left - 6, at + 4, "end") for tick, at in ticks.items()]


def _thinned(points: Sequence[SeriesPoint], x: Callable[[float], float]) -> list[SeriesPoint]:
    """The lowest and the highest value of each few pixels."""
    columns: dict[int, tuple[SeriesPoint, SeriesPoint]] = {}
    for point in points:
        column = int(x(point.time) / COLUMN)
        low, high = columns.get(column, (point, point))
        columns[column] = (
            min(low, point, key=lambda each: each.value),
            max(high, point, key=lambda each: each.value),
        )
    return [each for pair in columns.values() for each in dict.fromkeys(pair)]


def _text(words: str, at: float, y: float, anchor: str) -> str:
    look = f'text-anchor="{anchor}" fill="{TEXT}"'
    return f'<text x="{at:.1f}" y="{y:.1f}" {look}>{escape(words)}</text>'
