"""Ticks of a time axis and their labels, in the reader's time zone."""

from __future__ import annotations

import math

from ..local_time import local_time

STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
"""Distances between ticks that people read easily, in seconds."""


def tick_times(begin: float, end: float, at_most: int = 8) -> list[float]:
    """Round times between two times, in seconds since the epoch."""
    step = next((s for s in STEPS if (end - begin) / s <= at_most), 86400 * 7)
    first = math.ceil(begin / step) * step
    return [first + i * step for i in range(int((end - first) // step) + 1)]


def tick_label(time: float, span: float) -> str:
    """A time of day, with seconds where the axis spans only minutes."""
    return local_time(time).strftime("%H:%M" if span > 600 else "%H:%M:%S")
