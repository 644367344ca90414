"""Submits and openings whose answers are lost: sent once, looked up, and taken up when made again.

Each is sent through `qsession_widgets.client.unknown_outcome.settle`. If the service does not say
either what became of it, it is asked on a thread, and the same request that is made again meanwhile
is not sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qiskit_ibm_runtime.exceptions import IBMRuntimeError

from .. import fork_safety
from ..client.unknown_outcome import Change, SeveralSessions, keep_asking, settle
from ..client.untagged_jobs import AmbiguousJob
from ..deferred_output import NOTICES
from ..errors import OutcomeUnknown, ServiceError

HAND_BACK = 900.0
"""Seconds for which the same request that is made again gets what the first one left."""

Found = dict[str, Any]


class LostAnswer(OutcomeUnknown, IBMRuntimeError):  # type: ignore[misc]
    """It is not known whether a request through the client library took effect."""


def nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Request:
    """A request that makes something, a job or a session, and how to tell of it.

    Attributes
    ----------
    change : Change
        The request, and how to find out what became of it.
    same : callable
        Returns a text that is equal for two requests that ask for the same.
    more : str
        Sentences for an unknown outcome: how to find out, and what it costs.
    told : callable
        Makes a sentence of what was found, or of None.
    unknown : callable
        Is called when the outcome is not known; returns what is called once it is.
    """

    change: Change[Found]
    same: Callable[[], str]
    more: str
    told: Callable[[Found | None], str]
    unknown: Callable[[], Callable[[], object]] = lambda: nothing


@dataclass
class _Lost:
    """A request whose outcome was not known when its call ended.

    Attributes
    ----------
    request : Request
        The request.
    same : str
        Equal for two requests that ask for the same.
    at : float
        When the call ended, on the monotonic clock.
    known : callable
        Is called when the outcome is known.
    found : dict or None
        What it has left, once that is known.
    """

    request: Request
    same: str
    at: float
    known: Callable[[], object]
    found: Found | None = None

    @property
    def too_old(self) -> bool:
        return time.monotonic() - self.at > HAND_BACK


class LostRequests:
    """Sends requests, and remembers those whose outcome is not known."""

    def __init__(self) -> None:
        self._lost: list[_Lost] = []
        self._lock = fork_safety.lock()

    def send(self, request: Request) -> Found:
        """Send a request, unless the same was sent before and took effect.

        Raises
        ------
        OutcomeUnknown
            The answer was lost, and the service does not say what became of it.
        """
        earlier = self._earlier(request) if self._lost else None
        if earlier is not None:
            NOTICES.emit(request.told(earlier))
            return earlier
        try:
            return settle(request.change)
        except SeveralSessions:
            raise
        except AmbiguousJob:
            self._remember(request, nothing)
            raise
        except OutcomeUnknown:
            lost = self._remember(request, request.unknown())
            keep_asking(request.change, lambda found: self._settled(lost, found))
            raise LostAnswer(request.change.doing, request.more) from None

    def interrupted(self, request: Request) -> None:
        """Find out what became of a request during which the user interrupted the cell.

        If the service does not answer at once, it is asked on a thread. What was made is handed
        back when the same request is made again.
        """
        lost = self._remember(request, request.unknown())
        try:
            found = request.change.look()
        except (ServiceError, OutcomeUnknown):
            found = None
        if found is not None:
            self._settled(lost, found)
            return
        NOTICES.emit(
            f"The cell was interrupted during the request to {request.change.doing}, which may "
            f"have been accepted: the service is asked. {request.more}".rstrip()
        )
        keep_asking(request.change, lambda found: self._settled(lost, found))

    def _remember(self, request: Request, known: Callable[[], object]) -> _Lost:
        lost = _Lost(request, request.same(), time.monotonic(), known)
        with self._lock:
            self._lost = [one for one in self._lost if not one.too_old] + [lost]
        return lost

    def _earlier(self, request: Request) -> Found | None:
        """The result of an equal request whose outcome was not known before; None without one.

        Raises
        ------
        OutcomeUnknown
            It is not known yet.
        """
        wanted = request.same()
        for lost in list(self._lost):
            if lost.same != wanted or lost.too_old:
                continue
            change = lost.request.change
            try:
                found = lost.found or change.look()
            except ServiceError:
                raise LostAnswer(change.doing, "Nothing was sent again.") from None
            with self._lock:
                if lost not in self._lost:
                    # another thread has taken it
                    continue
                self._lost.remove(lost)
            lost.known()
            if found is not None:
                return found
        return None

    def _settled(self, lost: _Lost, found: Found | None) -> None:
        lost.known()
        with self._lock:
            if lost not in self._lost:
                return
            lost.found = found
            if found is None:
                self._lost.remove(lost)
        NOTICES.emit(lost.request.told(found))
