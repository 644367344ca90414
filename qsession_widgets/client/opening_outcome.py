"""Sessions that are being opened, and what became of requests for one whose answers are lost.

A session has no tag. One is taken for the requested one only where it was opened while the request
was under way, for this user, with this backend, mode and maximum time, holds no jobs, is known to
nobody else here, cannot be that of another request which is under way, and is the only one. Others
are named, never closed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any

from ..deferred_output import NOTICES
from ..errors import OutcomeUnknown, ServiceError
from ..messages.lost_answers import twin_session
from . import unknown_outcome
from .decode import read_time
from .rest import Answer, ServiceClient

CLOCK_MARGIN = 2.0
"""Seconds by which the whole seconds of two ``Date`` headers may mislead."""


class Opening:
    """A session that is being opened: what was there before, so that the new one can be told.

    Parameters
    ----------
    line : ServiceClient
        The service.
    backend, mode : str
        What is asked for; the mode as the service names it, ``dedicated`` or ``batch``.
    max_time : int or None
        Maximum time in seconds; None for the plan's.
    claimed : callable
        Whether a session of this id is known here: to this kernel, or by an entry of another's.
    rival : callable
        Takes a session's id and when it was opened, by the service's clock; names what else has a
        request under way that may have opened it, and is None where nothing has.
    earlier : tuple of (float, collection of str), optional
        `begun` and `before` of a request that was sent earlier; the service is asked without it.

    Attributes
    ----------
    begun : float or None
        When it was about to be sent, by the service's clock; None when unknown.
    before : collection of str
        Ids of the sessions that were there.
    """

    def __init__(
        self,
        line: ServiceClient,
        backend: str,
        mode: str,
        max_time: int | None,
        claimed: Callable[[str], bool],
        rival: Callable[[str, float], str | None] = lambda _id, _created: None,
        earlier: tuple[float, Collection[str]] | None = None,
    ):
        self._line = line
        self._backend = backend
        self._mode = mode
        self._max_time = max_time
        self._claimed = claimed
        self._rival = rival
        self.before: Collection[str] = ()
        self.begun: float | None = None
        self._made_at = time.monotonic()
        self._failed_at: float | None = None
        if earlier is not None:
            self.begun, self.before = earlier
            return
        try:
            known = self._listed()
        except ServiceError:
            # the request itself will tell what is wrong, or the looks after it
            return
        self.before = {str(item["id"]) for item in known.data["workloads"] if "id" in item}
        self.begun = known.date

    def look(self) -> dict[str, Any] | None:
        """The session that was opened, as the service answers the request.

        Raises
        ------
        ServiceError
            The service does not say.
        SeveralSessions
            There is more than one that it can be.
        ContestedSession
            Another request that is under way may have opened it.
        """
        if self._failed_at is None:
            self._failed_at = time.monotonic()
        listed = self._listed()
        if self.begun is None:
            if listed.date is None:
                # nothing is known of the time before the request: any session may be older
                raise ServiceError("The service did not answer before the request.")
            self.begun = listed.date - (time.monotonic() - self._made_at)
        ended = None
        # until then it may have been on its way
        past = time.monotonic() - self._failed_at - unknown_outcome.ON_ITS_WAY
        if listed.date is not None and past > 0:
            ended = listed.date - past
        found = self._among(listed, ended)
        if len(found) > 1:
            raise SeveralSessions(list(found))
        for session_id, created in found.items():
            if (other := self._rival(session_id, created)) is not None:
                raise ContestedSession(session_id, other)
            # between the list and this, the other request may have been answered
            if self._claimed(session_id):
                return None
        return {"id": next(iter(found))} if found else None

    def candidates(self, ended: float) -> list[str]:
        """Ids of the sessions that it may have opened, until a time of the service's clock."""
        return list(self._among(self._listed(), ended))

    def uncontested(self) -> list[str]:
        """Ids of the sessions that no other request may have opened."""
        found = self._among(self._listed(), None)
        # between the list and this, the other request may have been answered
        return [
            one
            for one, created in found.items()
            if self._rival(one, created) is None and not self._claimed(one)
        ]

    def _among(self, listed: Answer, ended: float | None) -> dict[str, float]:
        """Sessions that it can be, by id, with when each was opened."""
        return {
            str(item["id"]): read_time(item.get("created")) or 0.0
            for item in listed.data["workloads"]
            if "id" in item and self._may_be(item, ended) and self._fits(str(item["id"]))
        }

    def _listed(self) -> Answer:
        mode = "batch" if self._mode == "batch" else "session"
        return self._line.workloads(mode=mode, user="me", sort="-createdAt", limit=50)

    def _may_be(self, item: dict[str, Any], ended: float | None) -> bool:
        session_id, created = str(item["id"]), read_time(item.get("created"))
        if session_id in self.before or self._claimed(session_id):
            return False
        if item.get("backend") != self._backend or created is None:
            return False
        begun = self.begun or 0.0
        return begun - CLOCK_MARGIN <= created and (
            ended is None or created <= ended + CLOCK_MARGIN
        )

    def _fits(self, session_id: str) -> bool:
        """Check that a session is as it was asked for, and that it has no jobs yet."""
        data = self._line.session(session_id).data
        if data.get("state") != "open" or not data.get("accepting_jobs", True):
            return False
        if self._max_time is not None and data.get("max_ttl") not in (None, self._max_time):
            return False
        return not self._line.jobs(session_id, limit=1).data["jobs"]


class SessionTwins:
    """Further sessions that a request may have opened which was sent again: they are named.

    Parameters
    ----------
    opening : Opening
        The request.
    word : str
        What it opens, a session or a batch.
    kept : str
        Id of the session that goes on; empty where that is another request's.
    """

    def __init__(self, opening: Opening, word: str, kept: str = ""):
        self._opening = opening
        self._word = word
        self._kept = kept
        self._told = {kept}

    def look(self) -> None:
        """Look for them once.

        Raises
        ------
        ServiceError
            The service does not answer.
        """
        for session_id in self._opening.uncontested():
            if session_id not in self._told:
                self._told.add(session_id)
                NOTICES.emit(twin_session(self._word, session_id, self._kept))


class SeveralSessions(OutcomeUnknown):
    """More than one session was opened while a request was under way.

    Attributes
    ----------
    session_ids : list of str
        Which; one of them may be the requested one.
    """

    def __init__(self, session_ids: list[str]):
        super().__init__("open the session")
        self.session_ids = session_ids

    def __str__(self) -> str:
        which = ", ".join(self.session_ids)
        return (
            f"The answer to the request was lost, and several sessions were opened meanwhile: "
            f"{which}. One of them may be yours: none was taken up, and none closed. %session list "
            "shows them; %session attach ID goes on in one, %session close ID ends it."
        )


class ContestedSession(unknown_outcome.NotYetClear):
    """The one session that was opened while a request was under way may be another request's.

    Parameters
    ----------
    session_id : str
        Which.
    other : str
        What has the other request under way, as the end of a sentence.
    """

    def __init__(self, session_id: str, other: str):
        super().__init__("open the session")
        self.session_id = session_id
        self._other = other

    def __str__(self) -> str:
        which = self.session_id
        return (
            f"The answer to the request was lost, and session {which} was opened meanwhile, which "
            f"may be yours or that of {self._other}: it was "
            f"neither taken up nor closed. %session list shows it; %session attach {which} goes on "
            f"in it, %session close {which} ends it."
        )
