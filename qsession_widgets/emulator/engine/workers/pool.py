"""Pool of warm worker processes: one job each at a time, replaced when they end.

A job that is cancelled or crashes takes its worker process with it and nothing else.
One more worker than can be busy is kept waiting, so that the job after such an end need not wait
for the two seconds an import of Qiskit takes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import Counter, deque
from collections.abc import Callable

from qsession_widgets.emulator.engine.failure import INTERNAL_ERROR
from qsession_widgets.emulator.engine.task import Task, TaskOutcome
from qsession_widgets.emulator.engine.workers.worker_process import WorkerProcess
from qsession_widgets.platform_support import KILL_SIGNAL

_SPARE_DELAY = 3.0
"""Seconds to leave the processor to jobs before importing Qiskit once more, just in case."""

MOST_SHARED = 2
"""Times the number of workers: the most that run when several owners have jobs."""


class WorkerPool:
    """Worker processes that run jobs, each one at a time.

    They are started by `warm_up` or the first job. While one owner's jobs have all workers, the
    first job of another owner gets one more, so that nobody waits for somebody else's long jobs.

    Parameters
    ----------
    size : int
        Number of jobs that run at once, beside those first jobs of further owners.
    memory_limit : int, optional
        Bytes of writable memory each worker may use; by default what the machine has.
    time_limit : float, optional
        Real seconds a job may take; None for no limit.
    cluster : str, optional
        Address of a Dask scheduler that simulates in the workers' place.
    """

    def __init__(
        self,
        size: int = 1,
        *,
        memory_limit: int | None = None,
        time_limit: float | None = None,
        cluster: str | None = None,
    ) -> None:
        if size < 1:
            raise ValueError("A worker pool needs at least one worker.")
        self._size = size
        self._memory_limit = memory_limit
        self.time_limit = time_limit
        self._cluster = cluster
        self._running: Counter[str] = Counter()
        self._queue: list[tuple[str, asyncio.Future[None]]] = []
        self._waiting: deque[WorkerProcess] = deque()
        self._starting: asyncio.Task[None] | None = None
        self._spare: asyncio.Task[None] | None = None
        self._live: set[WorkerProcess] = set()
        self._ending: set[asyncio.Task[int]] = set()
        self._used = time.monotonic()
        self._closed = False

    async def start(self) -> None:
        """Start the workers; they import what they need in the background."""
        while len(self._live) < self._size and not self._closed:
            self._waiting.append(await self._spawn())

    def warm_up(self) -> None:
        """Start the workers because a job is likely to come; does nothing where they run."""
        self._used = time.monotonic()
        if not self._live and (self._starting is None or self._starting.done()):
            self._starting = asyncio.create_task(self.start())

    def idle_seconds(self) -> float:
        """Real seconds since the last job or `warm_up`; 0 while a job runs."""
        return 0.0 if self._running.total() else time.monotonic() - self._used

    def release(self) -> None:
        """End all workers while no job runs; the next job or `warm_up` starts them again."""
        if self._running.total() or self._queue:
            return
        for task in (self._starting, self._spare):
            if task is not None:
                task.cancel()
        for worker in list(self._live):
            self._end(worker)
        self._waiting.clear()

    async def _spawn(self) -> WorkerProcess:
        worker = await WorkerProcess.spawn(self._size)
        self._live.add(worker)
        with contextlib.suppress(ConnectionError):
            await worker.send({"parent": os.getpid(), "memory_limit": self._memory_limit})
        return worker

    def _end(self, worker: WorkerProcess) -> None:
        """Kill a worker, and see its process off in the background."""
        worker.kill()
        self._live.discard(worker)
        ending = asyncio.create_task(worker.ended())
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    @property
    def pids(self) -> list[int]:
        """The process ids of all workers that run, busy or not."""
        return sorted(worker.process.pid for worker in self._live if worker.alive)

    async def run(
        self,
        task: Task,
        on_start: Callable[[], None] = lambda: None,
        on_planned: Callable[[int], None] = lambda executions: None,
    ) -> TaskOutcome:
        """Run one job to its end.

        Whatever the job does, an outcome is returned. If the awaiting asyncio task is cancelled,
        the worker is killed at once and replaced.

        Parameters
        ----------
        task : Task
            The job.
        on_start : callable, optional
            Called when a worker that is ready has been sent the job: until then it waited for a
            worker, or for what a worker imports.
        on_planned : callable, optional
            Takes the executions that the job will have, as soon as the worker has read it.

        Returns
        -------
        TaskOutcome
            The result, or the reason there is none.
        """
        await self._turn(task.owner)
        try:
            worker = await self._take()
            try:
                await worker.ready()
                self._plan_spare()
                return await asyncio.wait_for(
                    self._exchange(worker, task, on_start, on_planned), self.time_limit
                )
            except (asyncio.IncompleteReadError, ConnectionError, ValueError):
                return await self._crash_outcome(worker)
            except asyncio.TimeoutError:
                worker.kill()
                return self._overtime_outcome()
            except BaseException:
                worker.kill()
                raise
            finally:
                self._give_back(worker)
        finally:
            self._end_turn(task.owner)

    async def _turn(self, owner: str) -> None:
        """Wait until a job of an owner may run, and count it as running."""
        if self._may_run(owner):
            self._running[owner] += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((owner, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if (owner, turn) in self._queue:
                self._queue.remove((owner, turn))
            else:
                self._end_turn(owner)
            raise

    def _may_run(self, owner: str) -> bool:
        total = self._running.total()
        return total < self._size or (not self._running[owner] and total < MOST_SHARED * self._size)

    def _next_turn(self) -> None:
        """Let waiting jobs run: of the owner with the fewest running first, then by age."""
        while self._queue:
            index = min(range(len(self._queue)), key=lambda i: self._running[self._queue[i][0]])
            owner, turn = self._queue[index]
            if not self._may_run(owner):
                return
            del self._queue[index]
            self._running[owner] += 1
            turn.set_result(None)

    def _end_turn(self, owner: str) -> None:
        self._running[owner] -= 1
        if not self._running[owner]:
            del self._running[owner]
        self._used = time.monotonic()
        self._next_turn()

    async def _take(self) -> WorkerProcess:
        for worker in [worker for worker in self._waiting if not worker.alive]:
            self._waiting.remove(worker)
            self._end(worker)
        if not self._waiting:
            return await self._spawn()
        # The one used last is warm: it has imported everything, and knows the device's noise.
        worker = next((one for one in reversed(self._waiting) if one.started), self._waiting[0])
        self._waiting.remove(worker)
        return worker

    def _give_back(self, worker: WorkerProcess) -> None:
        # while others wait, the next of them needs it: a new one takes seconds to import
        surplus = len(self._live) > self._size + 1 and not self._queue
        if worker.alive and not worker.replace and not surplus and not self._closed:
            self._waiting.append(worker)
        else:
            self._end(worker)
        self._plan_spare()

    def _plan_spare(self) -> None:
        missing = self._size + 1 - len(self._live)
        if missing > 0 and not self._closed and (self._spare is None or self._spare.done()):
            self._spare = asyncio.create_task(self._restock())

    async def _restock(self) -> None:
        if len(self._live) >= self._size:
            await asyncio.sleep(_SPARE_DELAY)
        while len(self._live) < self._size + 1 and not self._closed:
            self._waiting.append(await self._spawn())

    async def _exchange(
        self,
        worker: WorkerProcess,
        task: Task,
        on_start: Callable[[], None],
        on_planned: Callable[[int], None],
    ) -> TaskOutcome:
        head = {
            "job_id": task.job_id,
            "program_id": task.program_id,
            "backend": task.backend,
            "options": dict(task.options),
            "cluster": self._cluster,
            "clock": task.clock,
            "simulation": task.simulation,
        }
        await worker.send(head, task.params)
        on_start()
        while True:
            message, body = await worker.receive()
            if "planned" in message:
                on_planned(message["planned"])
            if "outcome" in message:
                worker.replace = message["replace"]
                outcome = dict(message["outcome"])
                for name in ("warnings", "no_effect", "methods", "approximations"):
                    outcome[name] = tuple(outcome[name])
                completed = outcome["status"] == "completed"
                return TaskOutcome(result=body if completed else None, **outcome)

    async def _crash_outcome(self, worker: WorkerProcess) -> TaskOutcome:
        status = await worker.ended_by_itself()
        if status is None:
            how = "gave an answer that cannot be read, and was ended"
        elif status < 0:
            how = f"was ended by signal {-status} before it had a result"
            if -status == KILL_SIGNAL:
                how += ", often for lack of memory"
        else:
            when = "before it had a result" if worker.started else "while it started"
            how = f"ended with status {status} {when}"
            if worker.errors:
                how += f", and last wrote: {worker.errors[-1].strip()}"
        return TaskOutcome(
            "failed",
            None,
            reason=(
                f"The worker process of this job {how.removesuffix('.')}. The next job gets a new "
                "one."
            ),
            reason_code=INTERNAL_ERROR,
            logs="\n".join(worker.errors),
        )

    def _overtime_outcome(self) -> TaskOutcome:
        return TaskOutcome(
            "failed",
            None,
            reason=(
                f"The job was ended after {self.time_limit:g} s of computing, the longest this "
                "emulator gives one job: use fewer qubits, shots or parameter sets, split it into "
                "several jobs, or ask who runs the emulator for a longer --job-limit."
            ),
            reason_code=INTERNAL_ERROR,
        )

    async def aclose(self) -> None:
        """End all workers, running or not."""
        self._closed = True
        for task in (self._starting, self._spare):
            if task is not None:
                task.cancel()
                # where no process could be started there is nothing to end either
                with contextlib.suppress(asyncio.CancelledError, OSError):
                    await task
        for worker in list(self._live):
            self._end(worker)
        self._waiting.clear()
        await asyncio.gather(*self._ending)
