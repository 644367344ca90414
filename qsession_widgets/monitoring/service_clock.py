"""The service's clock, as seen from a machine whose own clock may be wrong.

HTTP answers carry the service's time in whole seconds. Each answer therefore bounds the difference
between the two clocks; the bounds of several answers together are much narrower than a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable


class ServiceClock:
    """Estimates the service's time.

    Parameters
    ----------
    speed : float
        How many seconds of service time pass in one second. Other than 1 only on a sped-up
        emulator; there each answer counts by itself.
    clock : callable
        This machine's time in seconds since the epoch.
    """

    def __init__(self, speed: float = 1.0, clock: Callable[[], float] = time.time):
        self._speed = speed
        self._clock = clock
        self._bounds: tuple[float, float] | None = None
        self._anchor: tuple[float, float] | None = None

    @property
    def offset(self) -> float:
        """Service clock minus this machine's clock, in seconds; 0 before the first answer."""
        return self.now() - self._clock()

    def now(self) -> float:
        """The service's time in seconds since the epoch."""
        here = self._clock()
        if self._anchor is None:
            return here
        service, local = self._anchor
        return service + (here - local) * self._speed

    def observe(self, date: float, sent: float, received: float) -> None:
        """Take an answer into account.

        Parameters
        ----------
        date : float
            Its ``Date``: the service's time when it answered, cut to whole seconds.
        sent, received : float
            This machine's time when the request left and when the answer was there.
        """
        if self._speed != 1.0:
            self._anchor = (date + 0.5, (sent + received) / 2)
            return
        low, high = date - received, date + 1.0 - sent
        if self._bounds is not None:
            known_low, known_high = self._bounds
            if low < known_high and known_low < high:
                low, high = max(low, known_low), min(high, known_high)
            # otherwise one of the clocks was set: what was known before is void
        self._bounds = (low, high)
        self._anchor = (received + (low + high) / 2, received)
