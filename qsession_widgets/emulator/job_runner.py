"""Run jobs on workers, and hold each outcome until the job's emulated end.

Simulations are quicker than devices. With ``--job-time device`` a job that is done stays running
until the device would have finished it.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..device_estimate import device_seconds
from .clock import Clock
from .engine import ClockReading, Simulation, Task, TaskOutcome, WorkerPool
from .options import EmulatorOptions
from .rules.records import EmulatedJob

log = logging.getLogger(__name__)


class JobRunner:
    """The jobs that are running.

    Parameters
    ----------
    pool : WorkerPool
        Where they run.
    options : Options
        Whose time they take.
    clock : Clock
        The service's time.
    params : callable
        Gives the parameters of a job by its id, None when they are gone.
    simulation : callable
        Gives the fields of `Simulation` that were asked for a job.
    device_key : callable
        Gives the engine's name of a backend.
    """

    def __init__(
        self,
        pool: WorkerPool,
        options: EmulatorOptions,
        clock: Clock,
        params: Callable[[str], str | None],
        simulation: Callable[[EmulatedJob], Mapping[str, Any]],
        device_key: Callable[[str], str],
    ):
        self.pool = pool
        self.options = options
        self.clock = clock
        self.on_begun: Callable[[str], None] = lambda job_id: None
        self.on_planned: Callable[[str, float], None] = lambda job_id, seconds: None
        self.on_outcome: Callable[[], None] = lambda: None
        self._params = params
        self._simulation = simulation
        self._device_key = device_key
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._outcomes: list[tuple[float, str, TaskOutcome]] = []

    def start(self, job: EmulatedJob) -> None:
        """Run a job.

        `on_begun` is called with its id when a worker has it, `on_planned` with the seconds that it
        would take on a device once they are known, and `on_outcome` when there is something to
        `take`.
        """
        self._tasks[job.id] = asyncio.get_running_loop().create_task(self._run(job))

    def stop(self, job_id: str) -> None:
        """End the worker of a job that is running."""
        task = self._tasks.pop(job_id, None)
        if task is not None:
            task.cancel()

    def next(self) -> float:
        """Service time at which the next outcome can be taken; infinite when there is none."""
        return self._outcomes[0][0] if self._outcomes else math.inf

    def take(self, now: float) -> Iterator[tuple[float, str, TaskOutcome]]:
        """Outcomes that are due: when each job ended, its id and what became of it."""
        while self._outcomes and self._outcomes[0][0] <= now:
            yield heapq.heappop(self._outcomes)

    def qpu_seconds(self, outcome: TaskOutcome) -> float:
        """Seconds that a job that ran to its end is charged."""
        if self.options.job_time == "device":
            return device_seconds(outcome.executions) if outcome.executions else 0.0
        # in service time, as the job's own timestamps are
        return outcome.execution_seconds * (self.clock.speed or 1.0)

    async def aclose(self) -> None:
        """End everything that runs."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.pool.aclose()

    async def _run(self, job: EmulatedJob) -> None:
        try:
            params = self._params(job.id)
            if params is None:
                raise LookupError("its input is gone")
            clock = ClockReading(self.clock.now(), time.time(), self.clock.speed)
            device = self._device_key(job.backend)
            task = Task(
                job.id,
                job.program_id,
                params,
                device,
                clock=clock,
                owner=job.instance,
                simulation=Simulation(**self._simulation(job)),
            )
            outcome = await self.pool.run(
                task,
                lambda: self.on_begun(job.id),
                lambda executions: self.on_planned(job.id, device_seconds(executions)),
            )
        except Exception as error:
            log.exception("Job %s could not be run.", job.id)
            outcome = TaskOutcome("failed", None, f"The emulator could not run this job: {error}.")
        self._tasks.pop(job.id, None)
        at = self.clock.now()
        if self.options.job_time == "device" and outcome.status == "completed":
            takes = device_seconds(outcome.executions)
            self.on_planned(job.id, takes)
            at = max(at, (job.started or at) + takes)
        heapq.heappush(self._outcomes, (at, job.id, outcome))
        self.on_outcome()
