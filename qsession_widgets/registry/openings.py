"""Sessions that are being opened: a file for each, written before the request is sent.

It is removed once the outcome is known. A kernel that dies in between leaves it, and the next one
names the session that may have been opened. A session carries no tag, so the file holds what tells
it: its backend, mode and maximum time, the service's time, and the sessions that were there before.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from ..files import private_folder, write_atomically
from .entries import LONGEST, folder
from .pending_requests import PendingRequest, read, sender


@dataclass(frozen=True, kw_only=True)
class PendingOpening(PendingRequest):
    """A request for a session whose outcome is not known.

    Attributes
    ----------
    key : str
        Names its file.
    mode : str
        As the service names it, ``dedicated`` or ``batch``.
    max_time : int or None
        Maximum time in seconds; None for the plan's.
    begun : float
        When it was about to be sent, by the service's clock.
    before : list of str
        Ids of the sessions that were there.
    """

    key: str
    mode: str
    max_time: int | None
    begun: float
    before: list[str]


def note(
    *,
    backend: str,
    mode: str,
    max_time: int | None,
    url: str,
    instance: str,
    begun: float,
    before: list[str],
) -> str:
    """Write a request down before it is sent, where the folder can be written; its key.

    Parameters
    ----------
    backend, mode, max_time, url, instance, begun, before
        See `PendingOpening`.
    """
    opening = PendingOpening(
        key=secrets.token_hex(8),
        backend=backend,
        mode=mode,
        max_time=max_time,
        url=url,
        instance=instance,
        begun=begun,
        before=before,
        **sender(),
    )
    with contextlib.suppress(OSError):
        private_folder(_folder())
        write_atomically(_file(opening.key), json.dumps(asdict(opening)))
    return opening.key


def settle(key: str) -> None:
    """Remove a request whose outcome is known."""
    with contextlib.suppress(OSError):
        _file(key).unlink()


def orphaned() -> list[PendingOpening]:
    """Requests of processes that are gone, oldest first; those of two weeks ago are removed."""
    found = []
    for opening in read(_folder(), PendingOpening):
        if opening.at < time.time() - LONGEST:
            settle(opening.key)
        elif opening.orphaned:
            found.append(opening)
    return found


def _folder() -> Path:
    return folder() / "openings"


def _file(key: str) -> Path:
    return _folder() / f"{key}.json"
