"""Simulated other users of the backends, and a short memory of their jobs."""

from __future__ import annotations

from collections import OrderedDict
from itertools import chain, takewhile

from .records import EmulatedJob
from .simulated_load import LoadProfile, QueueLoad
from .state import ServiceState

KEPT = 1000
"""Simulated jobs that are remembered for each backend."""

Times = tuple[float, float | None, float | None]
"""When a job was created, started and finished."""


class BackgroundUsers:
    """The other users of all backends.

    Parameters
    ----------
    queue : str or None
        Their load, as `LoadProfile.parse` reads it; None for no other users.
    seed : int
        Seed of their arrivals.
    """

    def __init__(self, queue: str | None, seed: int = 0):
        self._profile = None if queue is None else LoadProfile.parse(queue, seed)
        self.loads: dict[str, QueueLoad] = {}
        self._noted: dict[str, OrderedDict[str, tuple[float, float, float]]] = {}

    def come(self, state: ServiceState, backend: str) -> QueueLoad | None:
        """The users that come to a backend with its first use; None when there are none.

        A simulator has no queue, and where they are already they do not come again.
        """
        device = state.devices.get(backend)
        if self._profile is None or device is None or not device.exclusive or backend in self.loads:
            return None
        self.loads[backend] = QueueLoad(device, self._profile)
        return self.loads[backend]

    def note(self, job: EmulatedJob) -> None:
        """Remember a simulated job; it is forgotten elsewhere as soon as it ends."""
        if job.started is None or job.load is None:
            return
        noted = self._noted.setdefault(job.backend, OrderedDict())
        noted[job.id] = (job.created, job.started, job.started + job.load)
        if len(noted) > KEPT:
            noted.popitem(last=False)

    def times(
        self, state: ServiceState, crn: str, backend: str, since: float, now: float
    ) -> list[Times]:
        """When the jobs on a backend that are not of an instance were created, started, finished.

        Those that were over before ``since`` are left out.
        """
        noted = self._noted.get(backend, OrderedDict())
        found: list[Times] = [
            (created, started, end if end <= now else None)
            for created, started, end in noted.values()
            if end >= since
        ]
        ended = takewhile(lambda job: (job.finished or 0.0) >= since, state.ended(backend))
        found += (
            (job.created, job.started, job.finished)
            for job in chain(state.queue(backend), state.running(backend), ended)
            if job.instance != crn and job.id not in noted
        )
        return sorted(found, key=lambda times: times[0])
