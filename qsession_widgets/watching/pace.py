"""How often a service is asked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """How often to ask, in seconds.

    Attributes
    ----------
    pending : float
        While a job is queued or running.
    idle : float
        While nothing is.
    slowest : float
        The most that idle polls slow down to.
    catching_up : float
        While exact times of finished jobs are still to be asked for.
    """

    pending: float
    idle: float
    slowest: float
    catching_up: float


PACES: dict[str, Pace] = {
    "local": Pace(0.2, 0.5, 2.0, 0.05),
    "ibm": Pace(1.0, 3.0, 15.0, 1.0),
}
