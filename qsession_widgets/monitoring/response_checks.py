"""Validate service responses: malformed bodies and 404s."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import ServiceError, Unreadable

logger = logging.getLogger(__name__)

GONE_ANSWERS = 3
GONE_SECONDS = 10.0
"""Number of consecutive 404s that are needed, and the seconds that they must span at
least, to be believed."""


@contextmanager
def readable() -> Iterator[None]:
    """Around what asks and reads: an answer that cannot be read is an error of the service's.

    Raises
    ------
    Unreadable
        One could not; its cause says where.
    """
    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        # who asks again and again would fill a log with it
        logger.debug("An answer cannot be read", exc_info=True)
        what = f"{type(error).__name__}: {error}"[:200]
        text = f"The service's answer cannot be read ({what}): it is asked again."
        # there was an answer, so the service can be reached
        raise Unreadable(text, status=200) from error


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
