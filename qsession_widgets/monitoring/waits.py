"""The user's own session that queued jobs wait for, asked for while they wait.

A session has its backend for itself while it is active, so jobs of a second one on it, and jobs in
no session, wait until the first is deactivated or ends. Those in no session wait for one in another
instance of the account, too, which a notebook on this machine has noted: the plan of job mode has
none of its own.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from ..client.decode import read_session
from ..client.job_outcome import is_pending
from ..client.private_api import account_instances, api_url
from ..client.rest import ServiceClient
from ..errors import ServiceError
from ..model import Blocker, ServiceInfo, SessionSnapshot, interactive_timeout
from ..registry.entries import notes
from ..registry.lookup import priced
from .response_checks import readable

if TYPE_CHECKING:
    from qiskit_ibm_runtime import QiskitRuntimeService

LOOK_SECONDS = 5.0
"""Seconds to wait for the service's word on other sessions."""
SHARED = "aer"
"""The emulator's ideal simulator, which runs jobs of several sessions at once."""


class Waits:
    """Finds the session that another one waits for, and no more often than need be.

    Parameters
    ----------
    pause : float
        Seconds between two looks while jobs wait. A look is one request, and two more for each
        active session of the user's on that backend.
    elsewhere : OtherInstances, optional
        Where else to look.
    """

    def __init__(self, pause: float, elsewhere: OtherInstances | None = None):
        self._pause = pause
        self._elsewhere = elsewhere
        self._next = 0.0
        self._found: Blocker | None = None

    def look(
        self, client: ServiceClient, snapshot: SessionSnapshot, now: Callable[[], float]
    ) -> Blocker | None:
        """The blocker of jobs, as far as is known; None while none of them waits.

        Parameters
        ----------
        client : ServiceClient
            Makes the requests.
        snapshot : SessionSnapshot
            The session that may wait, or job mode.
        now : callable
            Returns the service's time.
        """
        if not waits(snapshot):
            self._found, self._next = None, 0.0
        elif time.monotonic() >= self._next:
            self._next = time.monotonic() + self._pause
            # that this is not answered is no reason to call the session itself unreachable
            with contextlib.suppress(ServiceError), readable():
                self._found = self._look(client, snapshot, now)
        return self._found

    def _look(
        self, client: ServiceClient, snapshot: SessionSnapshot, now: Callable[[], float]
    ) -> Blocker | None:
        waiting, backend, info = snapshot.session_id, snapshot.backend, snapshot.service
        if found := find_blocker(client, waiting, backend, info, now):
            return found
        for line in () if self._elsewhere is None else self._elsewhere.lines():
            if found := find_blocker(line, waiting, backend, unpriced(info), now):
                return found
        return None


class OtherInstances:
    """Lines to the other instances of an account in which sessions on a backend are noted.

    Parameters
    ----------
    service : QiskitRuntimeService
        The account's service.
    instance : str or None
        The instance (CRN) that is not another one; None for the service's active one.
    backend : str
        The backend.
    """

    def __init__(self, service: QiskitRuntimeService, instance: str | None, backend: str):
        self._service = service
        self._instance = instance
        self._backend = backend
        self._lines: dict[str, ServiceClient] = {}

    def connect(self) -> None:
        """Make the lines that are missing; on the user's thread, as all that the client does."""
        url = api_url(self._service, self._instance)
        noted = {
            note.instance
            for note in notes().values()
            if note.backend == self._backend and note.url == url
        } - {self._instance or "", "", *self._lines}
        if noted:
            reached = {str(item["crn"]) for item in account_instances(self._service)}
            for crn in sorted(noted & reached):
                line = self._lines[crn] = ServiceClient(self._service, crn)
                line.timeout = LOOK_SECONDS

    def lines(self) -> list[ServiceClient]:
        """Those that were made."""
        return list(self._lines.values())

    def close(self) -> None:
        """Give the connections back."""
        for line in self.lines():
            line.close()


def unpriced(info: ServiceInfo) -> ServiceInfo:
    """The service without the price of an instance, for what is asked of another one."""
    return replace(info, plan="", price_per_second=None, price_source="")


def waits(snapshot: SessionSnapshot) -> bool:
    """Check that there is a job that another session of the user's may keep waiting."""
    jobs = [job.status for job in snapshot.jobs if not job.stray and not job.final]
    return (
        snapshot.state in ("open", "inactive")
        and "queued" in jobs
        and in_turn(snapshot.service, snapshot.backend)
    )


def in_turn(info: ServiceInfo, backend: str) -> bool:
    """Check that a session has its backend for itself while it is active."""
    return info.kind != "local" or backend != SHARED


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
            return blocker_of(other, len(other.pending()), now)
    return None


def find_blocker(
    client: ServiceClient,
    waiting: str,
    backend: str,
    info: ServiceInfo,
    now: Callable[[], float],
) -> Blocker | None:
    """The user's own session that is active on a backend now; None where there is none.

    It takes one request, and two more for each session of the user's that is open there.

    Parameters
    ----------
    client : ServiceClient
        Makes the requests.
    waiting : str
        Id of the session that may have to wait, which is none of them; empty for jobs in none.
    backend : str
        Name of the backend.
    info : ServiceInfo
        The service that both are on.
    now : callable
        Returns the service's time.

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
        entry = notes().get(session_id)
        at = now()
        other = read_session(data, session_id, priced(info, entry), (), at)
        found = blocker_of(other, pending, at)
        if entry is not None:
            found = replace(found, name=entry.name, notebook=entry.notebook)
        return found
    return None


def blocker_of(other: SessionSnapshot, pending: int, now: float) -> Blocker:
    """A session that others wait for, with so many jobs queued or running; without its name."""
    ends = None if pending else interactive_timeout(other, now)
    return Blocker(
        other.session_id,
        pending=pending,
        ends_at=None if ends is None else ends.ends_at,
        price_per_second=other.service.price_per_second,
    )
