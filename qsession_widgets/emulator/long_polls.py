"""Long polls of jobs: requests that are held until a job's record changes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable


class LongPolls:
    """The requests that wait."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}

    async def wait(self, job_id: str, seconds: float) -> None:
        """Wait until a job changes, at most some real seconds."""
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
        """Wake everybody who waits for one of these jobs."""
        for job_id in job_ids:
            for waiter in self._waiting.pop(job_id, ()):
                if not waiter.done():
                    waiter.set_result(None)

    def tell_all(self) -> None:
        """Wake everybody."""
        self.tell(list(self._waiting))
