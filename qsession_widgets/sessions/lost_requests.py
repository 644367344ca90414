"""Submits and openings whose answers are lost: sent once, looked up, and taken up when made again.

Each is sent through `qsession_widgets.client.unknown_outcome.settle`. If the service does not say
either what became of it, it is asked on a thread, and the same request that is made again meanwhile
is not sent. One that has had no effect yet, and may still have one, is sent again when it is made
again; whatever comes of it later is looked for on a thread, too, and is its twin.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qiskit_ibm_runtime.exceptions import IBMRuntimeError

from .. import fork_safety
from ..client import unknown_outcome
from ..client.opening_outcome import ContestedSession, SeveralSessions
from ..client.unknown_outcome import Change, keep_asking, keep_looking, look_for, settle
from ..client.untagged_jobs import AmbiguousJob
from ..deferred_output import NOTICES
from ..errors import OutcomeUnknown, ServiceError
from ..explanations import is_unknown, never_sent
from ..messages.lost_answers import cell_interrupted, interrupted_just_now

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
    settled : callable
        Is called with what the request has left, or None, once nothing more can come of it.
    twins : callable
        Takes the id of what goes on, empty where that is another request's; returns what looks once
        for others that the request has left, and does about them what there is to do.
    """

    change: Change[Found]
    same: Callable[[], str]
    more: str
    told: Callable[[Found | None], str]
    settled: Callable[[Found | None], object]
    twins: Callable[[str], Callable[[], object]]
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
    interrupted : bool
        Whether the user has interrupted it, so that the service may be busy with it.
    failed : bool
        Whether it was told that it had no effect.
    replaced : bool
        Whether the same was sent once more.
    found : dict or None
        What it has left, once that is known.
    """

    request: Request
    same: str
    at: float
    known: Callable[[], object]
    interrupted: bool = False
    failed: bool = False
    replaced: bool = False
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
        KeyboardInterrupt
            The user has interrupted the cell. What was made is told, now or later, and handed back
            when the same request is made again.
        """
        earlier = self._earlier(request) if self._lost else None
        if earlier is not None:
            NOTICES.emit(request.told(earlier))
            request.settled(None)
            return earlier
        resent: list[bool] = []
        try:
            found = settle(request.change, lambda: resent.append(True))
        except KeyboardInterrupt:
            self._interrupted(request)
            raise
        except ContestedSession:
            self._ask_on(self._remember(request, nothing))
            raise
        except SeveralSessions:
            request.settled(None)
            raise
        except AmbiguousJob:
            # it names them
            request.settled(None)
            self._remember(request, nothing)
            raise
        except OutcomeUnknown:
            self._ask_on(self._remember(request, request.unknown()))
            raise LostAnswer(request.change.doing, request.more) from None
        except Exception as error:
            if resent or (is_unknown(error) and not never_sent(error)):
                # each time that it was sent, it may have an effect yet, whatever came of the last
                self._ask_on(self._remember(request, nothing, failed=True))
            else:
                request.settled(None)
            raise
        if resent:
            self._watch_twins(request, found)
        else:
            request.settled(found)
        return found

    def _interrupted(self, request: Request) -> None:
        lost = self._remember(request, request.unknown(), interrupted=True)
        try:
            found = request.change.look()
        except (ServiceError, OutcomeUnknown):
            found = None
        if found is not None:
            self._settled(lost, found)
            return
        NOTICES.emit(cell_interrupted(request.change.doing, request.more))
        self._ask_on(lost)

    def _remember(
        self,
        request: Request,
        known: Callable[[], object],
        *,
        interrupted: bool = False,
        failed: bool = False,
    ) -> _Lost:
        lost = _Lost(request, request.same(), time.monotonic(), known, interrupted, failed)
        with self._lock:
            self._lost = [one for one in self._lost if not one.too_old] + [lost]
        return lost

    def _ask_on(self, lost: _Lost) -> None:
        def unclear(error: OutcomeUnknown) -> None:
            NOTICES.emit(str(error))
            self._settled(lost, None, tell=False)

        keep_asking(lost.request.change, lambda found: self._settled(lost, found), unclear=unclear)

    def _watch_twins(self, request: Request, found: Found) -> None:
        keep_looking(request.twins(found["id"]), lambda: request.settled(found))

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
                if found is None and lost.interrupted:
                    found = self._wait_for(lost)
            except ServiceError:
                more = f"Nothing was sent again. {lost.request.more}".rstrip()
                raise LostAnswer(change.doing, more) from None
            with self._lock:
                if lost not in self._lost:
                    # another thread has taken it
                    continue
                found = found or lost.found
                self._lost.remove(lost)
                lost.replaced = found is None
            lost.known()
            if found is not None:
                lost.request.settled(found)
                return found
        return None

    def _wait_for(self, lost: _Lost) -> Found | None:
        """Wait for what the service may just be busy with, before it is asked for once more."""
        left = lost.at + unknown_outcome.GIVEN_UP - time.monotonic()
        if left <= 0:
            return None
        NOTICES.emit(interrupted_just_now(lost.request.change.doing, left))
        return look_for(lost.request.change, left)

    def _settled(self, lost: _Lost, found: Found | None, *, tell: bool = True) -> None:
        lost.known()
        request = lost.request
        with self._lock:
            there = lost in self._lost
            if there:
                lost.found = found
                if found is None:
                    self._lost.remove(lost)
        if lost.replaced and found is not None:
            keep_looking(request.twins(""), lambda: request.settled(None))
            return
        request.settled(found)
        if there and tell and not (found is None and lost.failed):
            NOTICES.emit(request.told(found))
