"""Lets one `Watch` take its turns, beside the event loop, while somebody is interested."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from .concurrency import in_thread
from .service_watcher import ServiceWatcher

LONGEST_PAUSE = 60.0


class Poller:
    """Takes turns.

    Parameters
    ----------
    watch : Watch
        Whose turns.
    interested : callable
        Whether anybody is.

    Attributes
    ----------
    seen : float
        When its service was there last, on the monotonic clock.
    idle : bool
        Whether no turns are to be taken, although its service is there.
    """

    def __init__(self, watch: ServiceWatcher, interested: Callable[[], bool]):
        self.watch = watch
        self.seen = time.monotonic()
        self.idle = False
        self._interested = interested
        self._waker = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def go(self) -> None:
        """Take turns from now on, if that is not so already."""
        if self._wanted() and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._run())

    def wake(self) -> None:
        """Do not wait any longer for the next turn."""
        self._waker.set()

    def stop(self) -> None:
        """Take no more turns."""
        if self._task is not None:
            self._task.cancel()
        self.watch.close()

    def _wanted(self) -> bool:
        return self._interested() and not self.idle and self.watch.health.absent is None

    async def _run(self) -> None:
        while self._wanted():
            self._waker.clear()
            pause = await in_thread(self.watch.step)
            await either(self._waker, min(pause, LONGEST_PAUSE))


async def either(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, but only so long."""
    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
