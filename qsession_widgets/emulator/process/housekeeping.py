"""Tasks of a running emulator: end when idle, stay findable, release workers, prune records."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Callable

from ...files import write_atomically
from ..core import Emulator
from ..engine import WorkerPool
from .connection_file import (
    Connection,
    connection_file,
    read,
)

log = logging.getLogger(__name__)

FIRST = 30.0
"""Real seconds that whoever started the emulator has to ask it something, on a busy machine too."""

FORGOTTEN = 1 / 15
"""Part of the usual wait after which an unused emulator ends that nobody can find any more."""

LOOK = 1.0
"""Real seconds between two looks at whether the connection file is there."""

IDLE_WORKERS = 600.0
"""Real seconds without a job or an open session after which the workers end."""

GLANCE = 10.0
"""Real seconds between two looks at whether there is too much on the disk."""


async def end_when_idle(emulator: Emulator, name: str, stop: Callable[[], None]) -> None:
    """Stop an emulator that nothing has used for as long as its options say."""
    if not emulator.options.idle_exit:
        return
    while True:
        limit = emulator.options.idle_exit
        if not emulator.requests:
            limit = max(limit, FIRST)
        if not _can_be_found(name):
            # nobody new comes: only those who know its address already are waited for
            limit *= FORGOTTEN
        idle = emulator.idle_seconds()
        if idle >= limit:
            break
        await asyncio.sleep(min(limit / 10, 5.0, max(0.05, limit - idle)))
    log.warning("Nothing used the emulator for %g seconds; it ends.", limit)
    stop()


def _can_be_found(name: str) -> bool:
    connection = read(name)
    return connection is not None and connection.pid == os.getpid()


async def keep_findable(connection: Connection) -> None:
    """Write the connection file again when it was lost or damaged; not beside another emulator's.

    Where its folder is gone there is nobody left to look into it.
    """
    path = connection_file(connection.name)
    while True:
        await asyncio.sleep(LOOK)
        if read(connection.name) is None and path.parent.is_dir():
            try:
                write_atomically(path, json.dumps(connection.to_json(), indent=1), durable=True)
            except OSError as error:
                log.warning("The connection file %s cannot be written again: %s.", path, error)
            else:
                log.warning("The connection file %s was lost, and is written again.", path)


async def release_workers(emulator: Emulator, pool: WorkerPool) -> None:
    """End the workers when there was nothing to do for them."""
    while True:
        await asyncio.sleep(GLANCE)
        if pool.idle_seconds() > IDLE_WORKERS and not emulator.in_use():
            pool.release()


async def prune(emulator: Emulator) -> None:
    """Drop records while there are too many."""
    while True:
        # between two slices whoever asked meanwhile is answered
        await asyncio.sleep(0 if emulator.prune() else GLANCE)
