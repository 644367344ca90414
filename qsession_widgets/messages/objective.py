"""Words of the objective in a still picture."""

from __future__ import annotations

from ..formatting import format_value
from ..model import SeriesPoint


def lane_words(name: str, latest: SeriesPoint, best: SeriesPoint) -> str:
    """The latest and the best value of a series: ``energy -1.13 ± 0.02 · best -1.15 ± 0.02``."""
    now, least = (format_value(point.value, point.error) for point in (latest, best))
    return f"{name} {now} · best (minimum) {least}"
