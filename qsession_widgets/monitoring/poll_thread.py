"""A daemon thread that calls a step function again and again."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable

from .. import fork_safety

logger = logging.getLogger(__name__)

AFTER_FAILURE = 5.0
"""Seconds until the next step after one that raised."""


class PollThread(threading.Thread):
    """Calls ``step(self)`` until it returns None.

    Parameters
    ----------
    step : bound method
        Takes this thread; returns the seconds until the next call, or None to end the thread. It is
        held by a weak reference: the thread ends when its object is garbage collected.
    name : str
        The thread's name.

    Attributes
    ----------
    waited : bool
        Whether the thread has waited before this step; False in the first one.
    """

    def __init__(self, step: Callable[[PollThread], float | None], name: str):
        super().__init__(name=name, daemon=True)
        self.waited = False
        self._step = weakref.WeakMethod(step)
        self._woken = fork_safety.event()

    def wake(self) -> None:
        """Make the next step now."""
        self._woken.set()

    def run(self) -> None:
        """Step and wait in turn. A step that raises is logged and made again."""
        logged = ""
        while True:
            try:
                delay = self._call()
                logged = ""
            except Exception as error:
                # whatever it was, a session that is not polled any more would go on billing
                delay = AFTER_FAILURE
                if logged != repr(error):
                    logged = repr(error)
                    logger.exception("A poll failed")
            if delay is None:
                return
            self._woken.wait(delay)
            self._woken.clear()
            self.waited = True

    def _call(self) -> float | None:
        # the strong reference ends with this call, so that none is held during the wait
        step = self._step()
        return None if step is None else step(self)
