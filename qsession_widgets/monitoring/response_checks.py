"""Tell an answer that cannot be read from a fault of this program."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import Unreadable

logger = logging.getLogger(__name__)


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
