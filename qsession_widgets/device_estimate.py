"""Estimate of the time that a job takes on a device, as IBM documents it."""

from __future__ import annotations

DEVICE_SECONDS = 2.0
DEVICE_SECONDS_PER_EXECUTION = 0.00035
"""Seconds a job takes on a device: a fixed part, and one for each execution. Source: IBM's guide to
estimating the time of a job, November 2026."""


def device_seconds(executions: int) -> float:
    """Return the seconds that a job takes on a device, by IBM's estimate.

    Parameters
    ----------
    executions : int
        Shots times circuits, parameter sets and randomizations, with what mitigation adds.
    """
    return DEVICE_SECONDS + DEVICE_SECONDS_PER_EXECUTION * executions
