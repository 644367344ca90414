"""Keeps worker processes warm, gives each job to one, and replaces those that end.

A job that is cancelled or crashes takes its worker process with it and nothing else.
One more worker than can be busy is kept waiting, so that the job after such an end need not wait
for the two seconds an import of Qiskit takes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qsession_widgets.emulator.engine import frames
from qsession_widgets.emulator.engine.contract import Outcome, Task
from qsession_widgets.emulator.engine.failure import INTERNAL_ERROR

_SPARE_DELAY = 3.0
"""Seconds to leave the processor to jobs before importing Qiskit once more, just in case."""

_PACKAGE_ROOT = str(Path(__file__).resolve().parents[3])

_KEPT_VARIABLES = (
    "CUDA_VISIBLE_DEVICES",
    "DYLD_LIBRARY_PATH",
    "HOME",
    "LANG",
    "LD_LIBRARY_PATH",
    "OMP_NUM_THREADS",
    "PATH",
    "PYTHONHOME",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "TMPDIR",
    "TZ",
    "USERPROFILE",
    "VIRTUAL_ENV",
)


def _environment(size: int) -> dict[str, str]:
    """Return what a worker may know of our environment: no variable that could carry a token."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    kept.update({name: value for name, value in os.environ.items() if name.startswith("LC_")})
    inherited = os.environ.get("PYTHONPATH")
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, [_PACKAGE_ROOT, inherited]))
    kept["PYTHONSAFEPATH"] = "1"
    # Threads of several workers would fight for the same cores.
    kept.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // size)))
    return kept


class _Worker:
    """One worker process and what it last wrote to its error stream."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.errors: deque[str] = deque(maxlen=50)
        self.started = False
        self._condemned = False
        self._listener = asyncio.create_task(self._listen())

    @classmethod
    async def spawn(cls, size: int, memory_limit: int | None) -> _Worker:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "qsession_widgets.emulator.engine",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(size),
            # Before Python 3.11 the working directory comes first among the places to import from.
            cwd=_PACKAGE_ROOT,
            # An interrupt typed in the terminal is for the emulator to handle, not for its workers.
            start_new_session=True,
        )
        worker = cls(process)
        with contextlib.suppress(ConnectionError):
            await worker.send({"parent": os.getpid(), "memory_limit": memory_limit})
        return worker

    async def _listen(self) -> None:
        assert self.process.stderr is not None
        while True:
            try:
                line = await self.process.stderr.readline()
            except ValueError:  # A line longer than the stream's buffer.
                continue
            if not line:
                return
            self.errors.append(line.decode(errors="replace").rstrip())

    async def send(self, head: dict[str, Any], body: str = "") -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(frames.pack(head, body))
        await self.process.stdin.drain()

    async def receive(self) -> tuple[dict[str, Any], str]:
        assert self.process.stdout is not None
        return await frames.receive(self.process.stdout)

    async def ready(self) -> None:
        """Wait until the worker has imported what it needs."""
        while not self.started:
            message, _ = await self.receive()
            self.started = bool(message.get("ready"))

    @property
    def alive(self) -> bool:
        return self.process.returncode is None and not self._condemned

    def kill(self) -> None:
        # The process takes a moment to end, in which no job may be given to it.
        self._condemned = True
        if self.process.returncode is None:
            # not `process.kill`: where the process has just ended, that takes its exit status away
            # from asyncio, which on Python 3.10 then reports 255 instead of the signal
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGKILL)

    async def ended(self) -> int:
        """Wait for the process to end, and return its exit status."""
        status = await self.process.wait()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await asyncio.wait_for(self._listener, 1.0)
        return status


class WorkerPool:
    """Worker processes that run jobs, each one at a time.

    Parameters
    ----------
    size : int
        How many jobs may run at once.
    memory_limit : int, optional
        Bytes of writable memory each worker may use; by default what the machine has.
    cluster : str, optional
        Address of a Dask scheduler that simulates in the workers' place.
    """

    def __init__(
        self, size: int = 1, *, memory_limit: int | None = None, cluster: str | None = None
    ) -> None:
        if size < 1:
            raise ValueError("A worker pool needs at least one worker.")
        self._size = size
        self._memory_limit = memory_limit
        self._cluster = cluster
        self._slots = asyncio.Semaphore(size)
        self._waiting: deque[_Worker] = deque()
        self._spare: asyncio.Task[None] | None = None
        self._live: set[_Worker] = set()
        self._closed = False

    async def start(self) -> None:
        """Start the workers; they import what they need in the background."""
        while len(self._live) < self._size and not self._closed:
            self._waiting.append(await self._spawn())

    async def _spawn(self) -> _Worker:
        worker = await _Worker.spawn(self._size, self._memory_limit)
        self._live.add(worker)
        return worker

    @property
    def pids(self) -> list[int]:
        """The process ids of all workers that run, busy or not."""
        return sorted(worker.process.pid for worker in self._live if worker.alive)

    async def run(self, task: Task, on_start: Callable[[], None] = lambda: None) -> Outcome:
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

        Returns
        -------
        Outcome
            The result, or why there is none.
        """
        async with self._slots:
            worker = await self._take()
            try:
                await worker.ready()
                self._plan_spare()
                return await self._exchange(worker, task, on_start)
            except (asyncio.IncompleteReadError, ConnectionError, ValueError):
                return await self._obituary(worker)
            except BaseException:
                worker.kill()
                raise
            finally:
                self._give_back(worker)

    async def _take(self) -> _Worker:
        for worker in [worker for worker in self._waiting if not worker.alive]:
            self._waiting.remove(worker)
            self._live.discard(worker)
        if not self._waiting:
            return await self._spawn()
        # The one used last is warm: it has imported everything, and knows the device's noise.
        worker = next((one for one in reversed(self._waiting) if one.started), self._waiting[0])
        self._waiting.remove(worker)
        return worker

    def _give_back(self, worker: _Worker) -> None:
        if worker.alive and not self._closed:
            self._waiting.append(worker)
        else:
            worker.kill()
            self._live.discard(worker)
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

    async def _exchange(self, worker: _Worker, task: Task, on_start: Callable[[], None]) -> Outcome:
        head = {
            "job_id": task.job_id,
            "program_id": task.program_id,
            "backend": task.backend,
            "options": dict(task.options),
            "cluster": self._cluster,
            "clock": task.clock,
        }
        await worker.send(head, task.params)
        on_start()
        while True:
            message, body = await worker.receive()
            if "outcome" in message:
                outcome = dict(message["outcome"])
                outcome["warnings"] = tuple(outcome["warnings"])
                completed = outcome["status"] == "completed"
                return Outcome(result=body if completed else None, **outcome)

    async def _obituary(self, worker: _Worker) -> Outcome:
        worker.kill()
        status = await worker.ended()
        how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        return Outcome(
            "failed",
            None,
            reason=(
                f"The worker process that ran this job {how} before it had a result, often for "
                "lack of memory; the next job gets a new one."
            ),
            reason_code=INTERNAL_ERROR,
            logs="\n".join(worker.errors),
        )

    async def aclose(self) -> None:
        """End all workers, running or not."""
        self._closed = True
        if self._spare is not None:
            self._spare.cancel()
            # where no process could be started there is nothing to end either
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await self._spare
        workers = list(self._live)
        for worker in workers:
            worker.kill()
        for worker in workers:
            await worker.ended()
        self._live.clear()
        self._waiting.clear()
