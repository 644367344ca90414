"""Who waits for a job to change."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable


class Waiters:
    """Questions about jobs that are held until there is something new to answer."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}

    async def wait(self, job_id: str, seconds: float) -> None:
        """Wait until a job is told of, at most some real seconds."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiters = self._waiting.setdefault(job_id, [])
        waiters.append(waiter)
        try:
            await asyncio.wait({waiter}, timeout=seconds)
        finally:
            waiters.remove(waiter)
            if not waiters and self._waiting.get(job_id) is waiters:
                del self._waiting[job_id]

    def tell(self, job_ids: Iterable[str]) -> None:
        """Let everybody go on who waits for one of these jobs."""
        for job_id in job_ids:
            for waiter in self._waiting.pop(job_id, ()):
                if not waiter.done():
                    waiter.set_result(None)

    def tell_all(self) -> None:
        """Let everybody go on."""
        self.tell(list(self._waiting))
