"""Sessions that are being opened: a file for each, written before the request is sent.

Once the outcome is known, it is removed; the id of the session that it opened is kept for a while,
so that no other kernel takes that session for its own. A kernel that dies in between leaves the
file, and the next one names the session that may have been opened. A session carries no tag, so the
file holds what tells it: its backend, mode and maximum time, the service's time, and the sessions
that were there before.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from ..client.opening_outcome import CLOCK_MARGIN
from ..files import private_folder, write_atomically
from .entries import LONGEST, file_name, folder
from .pending_requests import PendingRequest, read, sender

OTHERS_MAY_LOOK = 3600.0
"""Seconds for which a request of another process may be under way that was sent before."""


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
        When it was about to be sent, by the service's clock; 0 when unknown.
    before : list of str
        Ids of the sessions that were there.
    """

    key: str
    mode: str
    max_time: int | None
    begun: float
    before: list[str]

    @property
    def whose(self) -> str:
        """The request in words, as the end of a sentence."""
        if self.process == os.getpid() and self.host == socket.gethostname():
            return "an earlier request from here, which had to be sent again"
        return f"{self.sent_from}, where one like it is being opened"

    def may_have_opened(self, opened: float, session_id: str) -> bool:
        """Check that a session may be its, by when it was opened on the service's clock."""
        if session_id in self.before:
            return False
        if self.orphaned and self.at < time.time() - OTHERS_MAY_LOOK:
            return False
        return opened >= self.begun - CLOCK_MARGIN


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


def pending() -> list[PendingOpening]:
    """Requests of every process that are written down, oldest first."""
    return read(_folder(), PendingOpening)


def made(key: str, session_id: str) -> None:
    """Record the session that a request has opened, for those who look for one of their own."""
    # a name each: a look at one does not read what a loop of a thousand sessions has left
    with contextlib.suppress(OSError):
        private_folder(_made(session_id).parent)
        _forget_made_before(time.time() - OTHERS_MAY_LOOK)
        write_atomically(_made(session_id), key)
    settle(key)


def is_made(session_id: str, *, key: str = "") -> bool:
    """Check that a session is the answer to a request that was written down, other than ``key``."""
    try:
        return _made(session_id).read_text("utf-8") != key
    except (OSError, ValueError):
        return False


def rival(
    session_id: str,
    opened: float,
    *,
    key: str,
    backend: str,
    mode: str,
    max_time: int | None,
    url: str,
) -> PendingOpening | None:
    """Another request, of any process, that is under way and may have opened a session.

    Parameters
    ----------
    session_id : str
        The session.
    opened : float
        When it was opened, by the service's clock.
    key : str
        The request that is not another one.
    backend, mode, max_time, url
        What it asks for; see `PendingOpening`.
    """
    for one in pending():
        alike = (one.backend, one.mode, one.url) == (backend, mode, url)
        alike = alike and (None in (one.max_time, max_time) or one.max_time == max_time)
        if one.key != key and alike and one.may_have_opened(opened, session_id):
            return one
    return None


def orphaned() -> list[PendingOpening]:
    """Requests of processes that are gone, oldest first; those of two weeks ago are removed."""
    found = []
    for opening in pending():
        if opening.at < time.time() - LONGEST:
            settle(opening.key)
        elif not opening.orphaned:
            continue
        elif not opening.begun:
            # nothing tells its session from older ones
            settle(opening.key)
        else:
            found.append(opening)
    return found


def _forget_made_before(time_: float) -> None:
    with os.scandir(_folder() / "made") as found:
        for one in found:
            with contextlib.suppress(OSError):
                if one.stat().st_mtime < time_:
                    os.unlink(one.path)


def _folder() -> Path:
    return folder() / "openings"


def _file(key: str) -> Path:
    return _folder() / f"{key}.json"


def _made(session_id: str) -> Path:
    return _folder() / "made" / file_name(session_id)
