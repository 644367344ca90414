"""Whether an instance has enough of its quota left for what is about to be opened."""

from __future__ import annotations

from ..durations import words
from ..errors import ServiceError
from .choosing import Chosen
from .client import ServiceClient

LONGEST = {"open": 600.0}
"""Seconds by plan that a session or batch may last when no maximum time is asked for."""

LONGEST_ELSEWHERE = 28800.0
"""The same for all other plans: 8 hours."""


def remaining(chosen: Chosen) -> float | None:
    """Seconds of usage the instance has left; None where it has no limit, or does not say."""
    line = ServiceClient(chosen.service)
    try:
        data = line.instance_usage().data or {}
    except ServiceError:
        # whoever cannot be asked for this will say so when it is asked for the session
        return None
    finally:
        line.shut()
    limit = data.get("usage_limit_seconds", data.get("usage_allocation_seconds"))
    if not isinstance(limit, (int, float)):
        return None
    return max(0.0, float(limit) - float(data.get("usage_consumed_seconds") or 0.0))


def quota_warning(left: float | None, max_time: int | None, word: str, plan: str = "") -> str:
    """What to say before opening, when the quota would not last.

    Parameters
    ----------
    left : float or None
        Seconds of usage that are left; None for no limit.
    max_time : int or None
        The maximum time that is asked for; None for the plan's longest.
    word : str
        What is opened: a session or a batch.
    plan : str
        The instance's plan, which says how long it may last.

    Returns
    -------
    str
        A sentence or two; empty when it lasts.
    """
    longest = LONGEST.get(plan, LONGEST_ELSEWHERE) if max_time is None else max_time
    if left is None or left >= longest:
        return ""
    if left <= 0:
        return (
            "This instance has used up its quota: jobs do not run until some of it is free again. "
            "Use another --instance, or rehearse with --service local."
        )
    asked = (
        f"this {word} asks for up to {words(max_time)}"
        if max_time is not None
        else f"a {word} without --max-time may use more"
    )
    within = max(1, int(left))
    return (
        f"This instance has {words(left)} left of its quota, and {asked}: jobs stop running when "
        f"it is used up. --max-time {within} or --budget {within} keeps it within that."
    )
