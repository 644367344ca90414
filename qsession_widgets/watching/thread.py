"""The thread that polls for a monitor."""

from __future__ import annotations

import logging
import threading
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .monitor import Monitor

logger = logging.getLogger(__name__)

AFTER_FAILURE = 5.0
"""Seconds until the next poll after one that failed by a mistake of ours."""


class Watcher(threading.Thread):
    """Polls for a monitor. It holds no reference while it waits: a forgotten monitor ends it."""

    def __init__(self, monitor: Monitor):
        name = f"qsession-monitor-{monitor.session_id[:8]}"
        super().__init__(name=name, daemon=True)
        self._monitor = weakref.ref(monitor)
        self.woken = threading.Event()

    def run(self) -> None:
        """Poll until the monitor lets go of this thread."""
        goes_on, said = True, ""
        while goes_on:
            try:
                goes_on, said = self._turn(), ""
                continue
            except Exception as error:
                # whatever it was, a session that nobody watches any more would go on billing
                if said != repr(error):
                    said = repr(error)
                    logger.exception("A poll failed")
            self.woken.wait(AFTER_FAILURE)

    def _turn(self) -> bool:
        monitor = self._monitor()
        if monitor is None or monitor.lets_go(self):
            return False
        delay = monitor.delay()
        del monitor
        self.woken.wait(delay)
        self.woken.clear()
        monitor = self._monitor()
        if monitor is None or monitor.lets_go(self):
            return False
        monitor.poll()
        return True
