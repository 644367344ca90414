"""The service's clock: real, sped up, or standing still until it is moved.

Everything the emulator does at a time, it does at a time on this clock. A factor of 60 lets an
hour of session time pass in a minute; a factor of 0 is for tests and rehearsals, which move the
clock themselves.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable


class Clock:
    """Seconds since the epoch, as the service sees them.

    Parameters
    ----------
    speed : float
        How many seconds of service time pass in one second; 0 stops the clock until `advance`.
    start : float, optional
        The service time to begin with; this machine's by default.
    real : callable
        Where real time comes from.
    """

    def __init__(
        self,
        speed: float = 1.0,
        start: float | None = None,
        real: Callable[[], float] = time.time,
    ):
        if not (math.isfinite(speed) and speed >= 0):
            raise ValueError(f"The clock's speed must be 0 or more, not {speed}.")
        self.speed = speed
        self._real = real
        self._real_origin = real()
        self._origin = self._real_origin if start is None else start
        self._latest = self._origin

    def now(self) -> float:
        """The service's time; never backwards, even when this machine's clock is put back."""
        elapsed = (self._real() - self._real_origin) * self.speed
        self._latest = max(self._latest, self._origin + elapsed)
        return self._latest

    def advance(self, seconds: float) -> None:
        """Move the clock forward by some seconds of service time, at once."""
        if seconds < 0:
            raise ValueError(f"Time only moves forward, not by {seconds:g} seconds.")
        self._origin += seconds

    def start_no_earlier_than(self, moment: float) -> None:
        """Move the clock to a moment if it is not there yet.

        A sped-up emulator leaves records dated ahead of real time; the one that goes on with them
        begins where it ended.
        """
        self.advance(max(0.0, moment - self.now()))

    def wait_for(self, moment: float) -> float:
        """Real seconds until a moment of service time; infinite while the clock stands still."""
        remaining = moment - self.now()
        if remaining <= 0:
            return 0.0
        return remaining / self.speed if self.speed else math.inf
