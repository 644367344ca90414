"""Seconds between two polls of a session."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PollIntervals:
    """Seconds between two polls.

    Attributes
    ----------
    pending : float
        While a job is queued or running.
    idle : float
        While no job is.
    slowest : float
        The longest interval that idle polls slow down to.
    catching_up : float
        While exact times of finished jobs are still to be requested.
    """

    pending: float
    idle: float
    slowest: float
    catching_up: float


INTERVALS: dict[str, PollIntervals] = {
    "local": PollIntervals(0.2, 0.5, 2.0, 0.05),
    "joined": PollIntervals(1.0, 3.0, 10.0, 0.5),
    "ibm": PollIntervals(1.0, 5.0, 15.0, 1.0),
}
"""Intervals by `ServiceInfo.where`, for a kernel that polls its own session.

Kernel and Jupyter servers together ask about an idle session at most twice in 5 s on IBM.
"""
