"""The user's own session that a session's queued jobs wait for, asked for while they wait.

A session has its backend for itself while it is active, so jobs of a second one on it wait until
the first is deactivated or ends.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from dataclasses import replace

from ..client.decode import read_session
from ..client.job_outcome import is_pending
from ..client.rest import ServiceClient
from ..errors import ServiceError
from ..model import Blocker, ServiceInfo, SessionSnapshot, interactive_timeout
from ..registry.entries import notes
from .response_checks import readable

SHARED = "aer"
"""The emulator's ideal simulator, which runs jobs of several sessions at once."""


class Waits:
    """Finds the session that another one waits for, and no more often than need be.

    Parameters
    ----------
    pause : float
        Seconds between two looks while jobs wait. A look is one request, and two more for each
        active session of the user's on that backend.
    """

    def __init__(self, pause: float):
        self._pause = pause
        self._next = 0.0
        self._found: Blocker | None = None

    def look(self, client: ServiceClient, snapshot: SessionSnapshot, now: float) -> Blocker | None:
        """The blocker of a session, as far as is known; None while it has no job that waits.

        Parameters
        ----------
        client : ServiceClient
            Makes the requests.
        snapshot : SessionSnapshot
            The session that may wait.
        now : float
            Service clock.
        """
        if not waits(snapshot):
            self._found, self._next = None, 0.0
        elif time.monotonic() >= self._next:
            self._next = time.monotonic() + self._pause
            # that this is not answered is no reason to call the session itself unreachable
            with contextlib.suppress(ServiceError), readable():
                of = (snapshot.session_id, snapshot.backend, snapshot.service)
                self._found = find_blocker(client, *of, now)
        return self._found


def waits(snapshot: SessionSnapshot) -> bool:
    """Check that a session has a job that another session of the user's may keep waiting."""
    jobs = [job.status for job in snapshot.jobs if not job.stray and not job.final]
    return snapshot.state in ("open", "inactive") and "queued" in jobs and in_turn(snapshot)


def in_turn(snapshot: SessionSnapshot) -> bool:
    """Check that a session has its backend for itself while it is active."""
    return snapshot.service.kind != "local" or snapshot.backend != SHARED


def blocker_among(
    snapshot: SessionSnapshot, others: Iterable[SessionSnapshot], now: float
) -> Blocker | None:
    """The blocker of a session among the user's others; None while it has no job that waits.

    Parameters
    ----------
    snapshot : SessionSnapshot
        The session that may wait.
    others : iterable of SessionSnapshot
        Sessions of the same user on the same service.
    now : float
        Service clock.
    """
    if not waits(snapshot):
        return None
    for other in others:
        elsewhere = other.session_id == snapshot.session_id or other.backend != snapshot.backend
        if not elsewhere and other.mode != "batch" and other.state == "active":
            return _as_blocker(other, len(other.pending()), now)
    return None


def find_blocker(
    client: ServiceClient, waiting: str, backend: str, info: ServiceInfo, now: float
) -> Blocker | None:
    """The user's own session that is active on a backend now; None where there is none.

    It takes one request, and two more for each session of the user's that is open there.

    Parameters
    ----------
    client : ServiceClient
        Makes the requests.
    waiting : str
        Id of the session that may have to wait, which is none of them.
    backend : str
        Name of the backend.
    info : ServiceInfo
        The service that both are on.
    now : float
        Service clock.

    Raises
    ------
    ServiceError
        The service refused or did not answer.
    """
    listed = client.workloads(mode="session", user="me", status=["in_progress"], limit=50)
    for item in listed.data["workloads"]:
        session_id = str(item.get("id") or "")
        if session_id in ("", waiting) or item.get("backend") != backend:
            continue
        data = client.session(session_id).data
        if data.get("state") != "active":
            continue
        pending = sum(is_pending(job) for job in client.jobs(session_id).data["jobs"])
        other = read_session(data, session_id, info, (), now)
        found = _as_blocker(other, pending, now)
        entry = notes().get(session_id)
        if entry is not None:
            found = replace(found, name=entry.name, notebook=entry.notebook)
        return found
    return None


def _as_blocker(other: SessionSnapshot, pending: int, now: float) -> Blocker:
    ends = None if pending else interactive_timeout(other, now)
    return Blocker(
        other.session_id, pending=pending, ends_at=None if ends is None else ends.ends_at
    )
