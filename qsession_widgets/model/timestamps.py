"""Times of what programs read, as timestamps: ISO 8601 in UTC, to the millisecond.

A snapshot has times in seconds since the epoch. What is written for others has them as people and
other programs read them, and durations without the noise of floating-point differences.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

TIMES = frozenset(
    {
        "created",
        "started",
        "finished",
        "time",
        "ends_at",
        "opened_at",
        "started_at",
        "activated_at",
        "closed_at",
        "last_job_started",
        "last_job_completed",
        "answered_at",
        "problem_since",
        "active_periods",
        "others",
        "now",
    }
)
"""Names of fields that are times, or lists of them."""

SECONDS = frozenset(
    {
        "qpu_seconds",
        "device_seconds",
        "device_time",
        "device_running",
        "usage_seconds",
        "age_seconds",
        "idle_seconds",
        "budget_seconds",
        "queue_wait",
        "quota",
        "quota_left",
        "end_usage",
        "clock_offset",
        "poll_interval",
    }
)
"""Names of fields that are durations, or lists of them."""


def timestamp(time: float) -> str:
    """A time in seconds since the epoch as text: ``2026-11-30T21:00:00.250+00:00``."""
    return datetime.fromtimestamp(round(time, 3), timezone.utc).isoformat(timespec="milliseconds")


def stamped(value: Any, name: str = "") -> Any:
    """Plain JSON types with their times as timestamps and their durations to the millisecond.

    Parameters
    ----------
    value : Any
        What is written.
    name : str
        Name of the field that it is the value of.
    """
    if isinstance(value, dict):
        return {key: stamped(each, key) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [stamped(each, name) for each in value]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    if name in TIMES:
        return timestamp(value)
    return round(value, 3) if name in SECONDS else value


def unstamped(value: Any, name: str = "") -> Any:
    """Plain JSON types as before `stamped`: timestamps are seconds since the epoch again."""
    if isinstance(value, dict):
        return {key: unstamped(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [unstamped(each, name) for each in value]
    if isinstance(value, str) and name in TIMES:
        return datetime.fromisoformat(value).timestamp()
    return value
