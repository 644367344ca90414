"""Pace at which a Jupyter server asks each kind of service."""

from __future__ import annotations

from dataclasses import dataclass

from ..monitoring.intervals import PollIntervals

AT_FULL_PACE = 5
"""Workloads up to which the pace holds; with more, each is polled less often."""


@dataclass(frozen=True)
class Pace:
    """Seconds between two questions of a kind.

    Attributes
    ----------
    workload : PollIntervals
        About one workload.
    hurried_look, look : float
        About what is open: at least, and while nobody hurries.
    filling : float
        About what is new or has ended, of which there may be many.
    look_back : float
        About what was closed, for some are open between two looks only.
    """

    workload: PollIntervals
    hurried_look: float
    look: float
    filling: float
    look_back: float


PACES: dict[str, Pace] = {
    "local": Pace(PollIntervals(0.5, 1.0, 2.0, 2.0), 1.0, 3.0, 0.05, 10.0),
    "joined": Pace(PollIntervals(2.0, 5.0, 15.0, 10.0), 3.0, 10.0, 0.5, 60.0),
    "ibm": Pace(PollIntervals(3.0, 10.0, 15.0, 15.0), 5.0, 20.0, 0.5, 60.0),
}
"""The pace by `ServiceInfo.where`."""
