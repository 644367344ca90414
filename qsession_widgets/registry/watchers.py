"""Jupyter servers that watch this user's sessions: how many share the asking.

Each touches a file of its own while a page asks it, so that several labs together ask a service no
more often than one.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time

from ..files import private_folder
from .entries import file_name, folder

FRESH = 60.0
"""Seconds after which one that has not said that it watches does so no more."""


def share() -> int:
    """Say that this process watches, and count those that do; 1 where that cannot be written."""
    place = folder() / "watching"
    count = 0
    with contextlib.suppress(OSError):
        private_folder(place)
        (place / f"{file_name(socket.gethostname())}-{os.getpid()}").touch()
        for path in place.iterdir():
            with contextlib.suppress(OSError):
                if path.stat().st_mtime > time.time() - FRESH:
                    count += 1
                else:
                    path.unlink()
    return max(1, count)
