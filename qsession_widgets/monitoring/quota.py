"""The rest of the instance's quota, asked for now and then beside a session's polls."""

from __future__ import annotations

import contextlib
import time

from ..client.connected_service import quota_left
from ..client.rest import ServiceClient
from ..errors import ServiceError
from ..model import SessionSnapshot, counted_usage
from .response_checks import readable

QUOTA: dict[str, float] = {"local": 10.0, "joined": 60.0, "ibm": 120.0}
"""Seconds between two questions about what is left of the instance's quota."""


class QuotaWatch:
    """Asks what is left of an instance's quota, and no more where it has none.

    Parameters
    ----------
    pause : float
        Seconds between two questions.
    """

    def __init__(self, pause: float):
        self._pause = pause
        self._next: float | None = None
        self._found: tuple[float, float] | None = None

    def look(
        self, client: ServiceClient, snapshot: SessionSnapshot, now: float
    ) -> tuple[float, float] | None:
        """The snapshot's ``quota``, as far as is known.

        Parameters
        ----------
        client : ServiceClient
            Makes the requests.
        snapshot : SessionSnapshot
            The session, or the jobs of job mode.
        now : float
            Service clock.
        """
        if self._next is None:
            # a session that is just being opened must not wait for this
            self._next = time.monotonic()
        elif time.monotonic() >= self._next and snapshot.state != "closed":
            left = None
            # that this cannot be read is no trouble of the session's
            with contextlib.suppress(ServiceError), readable():
                left = quota_left(client)
            first = self._found is None
            self._next = time.monotonic() + (self._pause if left is not None or not first else 1e9)
            if left is not None:
                ends = left + counted_usage(snapshot, now)
                # usage that the service has not counted yet makes no quota
                ends = ends if self._found is None else min(ends, self._found[1])
                self._found = (round(left, 3), round(ends, 3))
        return self._found
