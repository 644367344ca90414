"""A lock that processes hold on a file, let go by the system when they end however they end."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import TracebackType

if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Busy(Exception):
    """Somebody else holds the lock."""


class FileLock:
    """Hold a lock while a ``with`` block runs.

    Parameters
    ----------
    path : Path
        The file, which is made if it is missing and stays.
    patience : float
        Seconds to wait for it.

    Raises
    ------
    Busy
        On entering, when somebody else holds it for longer than that.
    """

    def __init__(self, path: Path, patience: float = 0.0):
        self.path = path
        self.patience = patience
        self._descriptor: int | None = None

    def __enter__(self) -> FileLock:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + self.patience
        while True:
            try:
                _take(descriptor)
            except OSError:
                if time.monotonic() >= deadline:
                    os.close(descriptor)
                    raise Busy(str(self.path)) from None
                time.sleep(0.02)
            else:
                self._descriptor = descriptor
                return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
