"""Waiting in tests: for a condition, never for an amount of time."""

from __future__ import annotations

import time
from collections.abc import Callable

TIMEOUT = 90.0
"""Seconds after which what was waited for will not come, on a busy machine either."""


def wait_for(condition: Callable[[], object], what: str = "it", seconds: float = TIMEOUT) -> None:
    """Wait until something holds; fail with what was waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {seconds:g} s")
        time.sleep(0.01)
