"""Worker process of a pool, and what of our environment it is given."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections import deque
from pathlib import Path
from typing import Any

from qsession_widgets.emulator.engine.devices import own_devices
from qsession_widgets.emulator.engine.workers import ipc
from qsession_widgets.platform_support import KILL_SIGNAL

_PACKAGE_ROOT = str(Path(__file__).resolve().parents[4])

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
    kept[own_devices.FOLDER_VARIABLE] = str(own_devices.folder())
    # Threads of several workers would fight for the same cores.
    kept.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // size)))
    return kept


_END_TIME = 2.0
"""Seconds for a worker to end after its pipe has closed."""


class WorkerProcess:
    """One worker process and what it last wrote to its error stream."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.errors: deque[str] = deque(maxlen=50)
        self.started = False
        self.replace = False
        self._killed = False
        self._listener = asyncio.create_task(self._listen())

    @classmethod
    async def spawn(cls, size: int) -> WorkerProcess:
        """Start one of a pool of some size."""
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
        return cls(process)

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
        """Write a message to it."""
        assert self.process.stdin is not None
        self.process.stdin.write(ipc.pack(head, body))
        await self.process.stdin.drain()

    async def receive(self) -> tuple[dict[str, Any], str]:
        """Read the next message from it."""
        assert self.process.stdout is not None
        return await ipc.receive(self.process.stdout)

    async def ready(self) -> None:
        """Wait until the worker has imported what it needs."""
        while not self.started:
            message, _ = await self.receive()
            self.started = bool(message.get("ready"))

    @property
    def alive(self) -> bool:
        """False once it has ended or was told to."""
        return self.process.returncode is None and not self._killed

    def kill(self) -> None:
        """End it at once."""
        # The process takes a moment to end, in which no job may be given to it.
        self._killed = True
        if self.process.returncode is None:
            # not asyncio's `kill`: where the process has just ended, that takes its exit status
            # away from asyncio, which on Python 3.10 then reports 255 instead of the signal
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, KILL_SIGNAL)

    async def ended_by_itself(self) -> int | None:
        """Wait for a process whose pipe has closed; None instead of a status if it goes on."""
        # The pipe closes before the process has ended: killed in between, it would lose its status.
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.process.wait(), _END_TIME)
        alive = self.process.returncode is None
        self.kill()
        status = await self.ended()
        return None if alive else status

    async def ended(self) -> int:
        """Wait for the process to end, and return its exit status."""
        status = await self.process.wait()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await asyncio.wait_for(self._listener, 1.0)
        return status
