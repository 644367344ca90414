"""The service's clock: real time, sped up, or stopped until it is moved.

Everything the emulator does at a time, it does at a time on this clock. A factor of 60 lets an
hour of session time pass in a minute; a factor of 0 is for tests and rehearsals, which move the
clock themselves.

While this machine sleeps the service's time goes on: a session at IBM does not wait for a laptop to
wake up either. When its clock is put back the service's goes on from where it is, for otherwise
every timeout would wait until the old time comes again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

SLEEP_THRESHOLD = 5.0
"""Real seconds; what is missing between two looks at the clock and is more than this was sleep."""


class Clock:
    """Seconds since the epoch, as the service sees them.

    Parameters
    ----------
    speed : float
        How many seconds of service time pass in one second; 0 stops the clock until `advance`.
    real : callable
        The time of day of this machine, in seconds since the epoch.
    steady : callable
        Seconds of a clock that nobody can set.
    """

    def __init__(
        self,
        speed: float = 1.0,
        real: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ):
        if not (math.isfinite(speed) and speed >= 0):
            raise ValueError(f"The clock's speed must be 0 or more, not {speed}.")
        self.speed = speed
        self._real = real
        self._steady = steady
        self._real_origin = real()
        self._steady_before = steady()
        self._origin = self._real_origin
        self._latest = self._origin
        self._slept = 0.0

    def now(self) -> float:
        """The service's time; it neither goes back nor stops when this machine's is put back."""
        steady = self._steady()
        by_steps = self._latest + (steady - self._steady_before) * self.speed
        by_day = self._origin + (self._real() - self._real_origin) * self.speed
        if by_day - by_steps > SLEEP_THRESHOLD * self.speed:
            self._slept += by_day - by_steps
        self._latest = by_day if by_day >= self._latest else by_steps
        self._steady_before = steady
        return self._latest

    def take_sleep(self) -> float:
        """Seconds of service time for which this machine slept since the last call."""
        slept, self._slept = self._slept, 0.0
        return slept

    def advance(self, seconds: float) -> None:
        """Move the clock forward by some seconds of service time, at once."""
        if seconds < 0:
            raise ValueError(f"Time only moves forward, not by {seconds:g} seconds.")
        self._origin += seconds
        self._latest += seconds

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
