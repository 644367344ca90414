"""Retention: drop what ended long ago, and the oldest of what is too much."""

from __future__ import annotations

import contextlib
import logging
import math
import time
from pathlib import Path

from filelock import Timeout

from ...files import file_lock
from ..rules.instance_index import InstanceIndex
from ..rules.lifecycle import Lifecycle
from .database import StoreError
from .store import Pruned, Store

log = logging.getLogger(__name__)

RETENTION = 30 * 86400.0
"""Seconds for which to keep what has ended; longer than the 28 days of which usage is counted."""

PERIOD = 3600.0
"""Real seconds after which to look again at what has outlived that."""

GROWTH = 32 * 2**20
"""Bytes that were written since, after which to look earlier."""

DATABASE = "emulator.sqlite"
"""The file of an emulator's records in its data directory."""


class Retention:
    """Drop records from disk and memory in slices, because no request is answered meanwhile.

    Parameters
    ----------
    store : Store
        Where they are on disk.
    """

    def __init__(self, store: Store):
        self._store = store
        self._looked = -math.inf
        self._written = 0

    @property
    def due(self) -> bool:
        """True when it is time to look."""
        return (
            time.monotonic() >= self._looked + PERIOD
            or self._store.written >= self._written + GROWTH
        )

    def from_disk(self, before: float) -> Pruned:
        """Drop a slice of what ended before a moment; of nothing, it is done until it is due."""
        written = self._store.written
        try:
            pruned = self._store.prune(before)
        except StoreError as error:
            log.error("%s", error)
            pruned = Pruned([], [])
        if not pruned.jobs and not pruned.sessions:
            self._looked, self._written = time.monotonic(), written
        return pruned

    def from_everywhere(self, before: float, lifecycle: Lifecycle, owners: InstanceIndex) -> bool:
        """Drop a slice from disk and memory; returns whether there was anything."""
        pruned = self.from_disk(before)
        for session_id in pruned.sessions:
            owners.forget_session(lifecycle.sessions[session_id])
            lifecycle.forget_session(session_id)
        for job_id in pruned.jobs:
            if job_id in lifecycle.jobs:
                owners.forget_job(lifecycle.jobs[job_id])
                lifecycle.delete_job(lifecycle.now, job_id)
        return bool(pruned.sessions or pruned.jobs)


def clear_abandoned(folder: Path, own: Path) -> None:
    """Drop the records of emulators that were not started within the retention time.

    Every rehearsal with options of its own has a data directory of its own. Keys stay, so that who
    was given one can go on with it.

    Parameters
    ----------
    folder : Path
        Holds the data directories.
    own : Path
        The one that is in use here.
    """
    for database in folder.glob(f"*/{DATABASE}"):
        if database.parent == own or not _old(database):
            continue
        with contextlib.suppress(OSError, Timeout), file_lock(database.parent / "lock"):
            for path in (database, *database.parent.glob(f"{DATABASE}-*")):
                path.unlink()


def _old(database: Path) -> bool:
    try:
        newest = max(path.stat().st_mtime for path in database.parent.glob(f"{DATABASE}*"))
    except (OSError, ValueError):
        return False
    return time.time() - newest > RETENTION
