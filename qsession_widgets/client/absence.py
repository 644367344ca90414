"""Answers that there is no such session or job: how many of them are believed."""

from __future__ import annotations

import time

from ..errors import ServiceError

GONE_ANSWERS = 3
GONE_SECONDS = 10.0
"""Number of consecutive 404s that are needed, and the seconds that they must span at
least, to be believed."""


class Absence:
    """True if the service is to be believed that it knows of no such session, or job.

    One answer tells nothing: an id has to get about first within the service, and a part of it that
    was just started again knows of less for a while.
    """

    def __init__(self) -> None:
        self._answers = 0
        self._since = 0.0

    def told(self, error: ServiceError | None = None) -> bool:
        """Take in one more answer, an error or not; whether it is to be believed gone by now."""
        if error is None or error.status != 404:
            self._answers = 0
            return False
        now = time.monotonic()
        if not self._answers:
            self._since = now
        self._answers += 1
        return self._answers >= GONE_ANSWERS and now - self._since >= GONE_SECONDS
