"""Poller of everything that is open on one service, shared by all pages of this Jupyter server.

`ServiceWatcher.step` polls what is due and returns when the next poll is due; it is called again
and again, on one thread at a time. All requests go through one client, so that a rate limit or a
refusal by the service counts for all of them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from ..client.decode import read_id
from ..client.rest import ServiceClient
from ..discovery.workloads import workloads
from ..errors import ServiceError, Unreadable, UserError
from ..model import EndResult, ServiceInfo, SessionSnapshot
from ..monitoring import commands
from ..monitoring.current_snapshot import is_settled
from ..monitoring.poller import SessionPoller
from ..monitoring.quota import QUOTA
from ..monitoring.response_checks import readable
from ..monitoring.service_clock import ServiceClock
from .closed_lately import closed_before, closed_lately
from .health import Health
from .pace import AT_FULL_PACE, PACES, Pace
from .quota_watch import QuotaWatch
from .service_list import ServiceSource

T = TypeVar("T")

logger = logging.getLogger(__name__)

LEAVE_ALONE = 600.0
"""Seconds with nothing open after which it is no longer asked: an emulator, so that it may end, and
what a note named, until a note or a page comes anew."""

NOT_AT_ONCE = 15.0
"""Seconds for which the service is not asked again for what it does not know."""

UNREADABLE = "The service's answers cannot be read: it is asked again soon."
CANNOT_BE_ENDED = "What the service says of it cannot be read, so it cannot be ended from here."


class ServiceWatcher:
    """One service, and what is known of its workloads.

    Parameters
    ----------
    source : ServiceSource
        The service.
    changed : callable
        Called when something may be new to show; from any thread.
    slow_after : float
        Seconds without an answer after which the service is called slow.
    pause : float
        How much longer than usual to wait between two questions.

    Attributes
    ----------
    info : ServiceInfo
        How to speak of the service.
    place : tuple of (str, str)
        Its address and instance; empty strings before they are known.
    owner_key : str
        Whose sessions there are mine.
    clock : ServiceClock
        Its clock.
    health : Health
        How it answers.
    sharers : int
        Jupyter servers that watch IBM's, of which each asks so many times less often for what is
        open, closed or left of the quota, and about what has nothing pending.
    """

    def __init__(
        self,
        source: ServiceSource,
        changed: Callable[[], object],
        slow_after: float,
        pause: float = 1.0,
    ):
        self.source = source
        self.info: ServiceInfo = source.info
        self.place = source.place
        self.owner_key = source.owner_key
        self.clock = ServiceClock(source.info.speed)
        self.health = Health(self, slow_after)
        self.sharers = 1
        self._quota = QuotaWatch(self)
        self._changed = changed
        self._pause = pause
        self._lock = threading.RLock()
        self._client: ServiceClient | None = None
        self._connect_again = False
        self._pollers: dict[str, SessionPoller] = {}
        self._due: dict[str, float] = {}
        self._to_take: list[str] = []
        self._unknown: dict[str, float] = {}
        self._unread: set[str] = set()
        self._wanted_whole: set[str] = set()
        self._look_at = self._look_back_at = 0.0
        self._looked = float("-inf")
        self._used = time.monotonic()

    def snapshots(self) -> list[SessionSnapshot]:
        """The state of each workload: open ones, then those closed within the last day."""
        now = self.clock.now()
        found = [snapshot for snapshot in self._known() if not closed_before(snapshot, now)]
        return sorted(found, key=lambda s: (s.state == "closed", -(s.opened_at or 0.0)))

    @property
    def quota_left(self) -> float | None:
        """Seconds of usage that its instance has left; see `QuotaWatch.left`."""
        return self._quota.left

    def snapshot(self, session_id: str) -> SessionSnapshot | None:
        """The state of one workload; None when it is not watched."""
        poller = self._pollers.get(session_id)
        return None if poller is None else poller.snapshot

    @property
    def unread(self) -> list[str]:
        """Workloads that are there, and of which what the service says could never be read."""
        with self._lock:
            return sorted(self._unread)

    @property
    def anything_open(self) -> bool:
        """True if a workload is open, as far as is known."""
        return any(snapshot.state != "closed" for snapshot in self._known())

    @property
    def _pace(self) -> Pace:
        return PACES[self.info.where]

    def _shared(self, seconds: float) -> float:
        """The pause between two questions that all servers which watch would ask alike."""
        return seconds * self._pause * (self.sharers if self.info.kind == "ibm" else 1)

    def _known(self) -> list[SessionSnapshot]:
        with self._lock:
            return [poller.snapshot for poller in self._pollers.values()]

    # ---------------------------------------------------------------------------------------------
    # Asking

    def hurry(self, opened: Iterable[str] = ()) -> None:
        """Look again soon: somebody has come, or something was opened.

        Parameters
        ----------
        opened : iterable of str
            Workloads that are said to have been opened.
        """
        with self._lock:
            self._used = time.monotonic()
            self._look_at = min(self._look_at, self._looked + self._pause * self._pace.hurried_look)
            back = self._used + self._pause * self._pace.look_back
            self._look_back_at = min(self._look_back_at, back)
            self._to_take += opened

    def step(self) -> float:
        """Do what is due.

        Returns
        -------
        float
            Seconds until something is due again.
        """
        rest = self.health.rest()
        if rest > 0:
            return rest
        with self.health.asking():
            try:
                self._work(time.monotonic())
            except (ServiceError, UserError) as error:
                self.health.fail(error)
            except Exception:
                logger.exception("%s could not be asked", self.info.label)
                self.health.fail(UserError(UNREADABLE))
        if self.health.recovered:
            with self._lock:
                # what was asked about while it was away is old by now
                self._due = dict.fromkeys(self._due, 0.0)
        # whoever gave credentials that are refused may have better ones by now
        self._connect_again = self.health.refused
        self._changed()
        with self._lock:
            times = [self._look_at, self._look_back_at, *self._due.values()]
        pause = min(times) - time.monotonic()
        if self._to_take:
            pause = min(pause, self._pace.filling)
        return max(0.02, pause, self.health.rest())

    def _work(self, now: float) -> None:
        client = self._client
        if client is None or self._connect_again:
            client = self._connect()
        if now >= self._look_at:
            self._look(client)
        if now >= self._look_back_at:
            self._look_back(client)
        with self._lock:
            due = sorted((at, session_id) for session_id, at in self._due.items() if at <= now)
        for _, session_id in due:
            if self.health.failing:
                return
            poller = self._pollers.get(session_id)
            if poller is None:
                # a page's question found that the service knows of it no more
                continue
            poller.poll()
            self._plan(poller)
            self._changed()
        if self._to_take:
            self._try(client, self._to_take.pop(0))

    def _connect(self) -> ServiceClient:
        endpoint = self.source.reach()
        self.info, self.place, self.owner_key = endpoint.info, endpoint.key, endpoint.owner_key
        if not self._pollers:
            self.clock = ServiceClock(self.info.speed)
        if self._client is None:
            client = endpoint.connect()
            client.on_response = self.health.record
            self._client = client
        else:
            # the pollers hold on to it
            self._client.reconnect(endpoint.connect())
        return self._client

    def _look(self, client: ServiceClient) -> None:
        """See what is open."""
        listed = [str(item["id"]) for item in workloads(client, ["pending", "in_progress"])]
        with self._lock:
            self._unread.intersection_update(listed)
        for session_id in listed:
            self._try(client, session_id)
        self._quota.ask(self._shared(QUOTA[self.info.where]))
        now = time.monotonic()
        with self._lock:
            self._looked = now
            if self.anything_open:
                self._used = now
            self._look_at = now + self._shared(self._pace.look)
            optional = self.info.kind == "local" or self.source.noted is not None
            if optional and now - self._used > LEAVE_ALONE:
                self._look_at = self._look_back_at = float("inf")

    def _look_back(self, client: ServiceClient) -> None:
        """See what was closed within the last day, and forget what was closed before that."""
        now = self.clock.now()
        recent = closed_lately(client, now)
        with self._lock:
            known = {*self._pollers, *self._to_take}
            self._to_take += [one for one in recent if one not in known]
            for session_id, poller in list(self._pollers.items()):
                if closed_before(poller.snapshot, now):
                    self._drop(session_id)
        self._look_back_at = time.monotonic() + self._shared(self._pace.look_back)

    def _try(self, client: ServiceClient, session_id: str) -> None:
        """Begin to watch a workload, or leave it for later: the others are to be watched too."""
        try:
            self._take(client, session_id)
        except Unreadable as error:
            with self._lock:
                if session_id not in self._unread:
                    logger.warning("%r: %s", session_id, error.message, exc_info=error)
                self._unread.add(session_id)
            self._not_at_once(session_id)
            self._changed()
        except ServiceError as error:
            if error.status is None or error.status < 500:
                # it speaks of the service, or of who asks
                raise
            self._not_at_once(session_id)

    def _not_at_once(self, session_id: str) -> None:
        now = time.monotonic()
        still = {one: until for one, until in self._unknown.items() if until > now}
        self._unknown = {**still, session_id: now + NOT_AT_ONCE}

    def _take(self, client: ServiceClient, session_id: str) -> SessionPoller | None:
        """Begin to watch a workload; None when there is none of that id."""
        known = self._pollers.get(session_id)
        if known is not None or time.monotonic() < self._unknown.get(session_id, 0.0):
            return known
        with readable():
            read_id(session_id)
        try:
            poller = SessionPoller(
                client,
                session_id,
                self.info,
                intervals=self._pace.workload,
                clock=self.clock,
                beside=False,
            )
        except ServiceError as error:
            if error.status not in (400, 404):
                raise
            # it may have to get about first, within the service
            self._not_at_once(session_id)
            return None
        with self._lock:
            self._unread.discard(session_id)
            poller = self._pollers.setdefault(session_id, poller)
        self._plan(poller)
        self._changed()
        return poller

    def _plan(self, poller: SessionPoller) -> None:
        """Decide when to ask about a workload again, if at all."""
        snapshot, session_id = poller.snapshot, poller.session_id
        with self._lock:
            if is_settled(snapshot):
                if poller.gone:
                    # the service knows of no such session any more
                    self._drop(session_id)
                    return
                if not self._more_to_know(poller):
                    self._due.pop(session_id, None)
                    return
                wait = self._pace.filling
            else:
                wait = poller.delay() * max(1.0, len(self._due) / AT_FULL_PACE)
                wait = wait * self._pause if snapshot.pending() else self._shared(wait)
            self._due[session_id] = time.monotonic() + wait

    def _more_to_know(self, poller: SessionPoller) -> bool:
        """True if there is more to ask of a workload that has ended."""
        if poller.session_id in self._wanted_whole:
            return not poller.finished()
        return poller.incomplete

    def _drop(self, session_id: str) -> None:
        self._pollers.pop(session_id, None)
        self._due.pop(session_id, None)
        self._wanted_whole.discard(session_id)

    def close(self) -> None:
        """Give the connections back: nobody asks any more."""
        if self._client is not None:
            self._client.close()

    # ---------------------------------------------------------------------------------------------
    # What a page asks for

    def command(
        self, session_id: str, action: str, job_id: str | None = None
    ) -> tuple[EndResult, SessionSnapshot]:
        """Close or cancel a workload, or cancel one of its jobs; the result, and the workload then.

        Raises
        ------
        KeyError
            There is no such workload.
        UserError, ServiceError
            The service refused or does not answer.
        """
        poller = self._find(session_id)
        try:
            result = commands.run(poller, action, job_id, by="lab")
        finally:
            self._plan(poller)
            self._changed()
        return result, poller.snapshot

    def detail(self, session_id: str) -> SessionSnapshot:
        """A workload with all its jobs; see `command` for errors.

        Of one that has ended, exact times of its jobs are asked for from now on.
        """
        poller = self._find(session_id)
        if session_id not in self._wanted_whole:
            self._wanted_whole.add(session_id)
            self._plan(poller)
        return poller.snapshot

    def ask(self, question: Callable[[ServiceClient], T]) -> T:
        """Ask the service something else, on a connection of its own; see `command` for errors."""
        other = self._connected().clone()
        try:
            return question(other)
        finally:
            other.close()

    def _connected(self) -> ServiceClient:
        if self._client is None:
            why = self.health.problem or "The service has not answered yet: try again in a moment."
            raise UserError(why, code="unreachable")
        return self._client

    def _find(self, session_id: str) -> SessionPoller:
        client = self._connected()
        if session_id in self._unread:
            raise UserError(CANNOT_BE_ENDED)
        poller = self._pollers.get(session_id) or self._take(client, session_id)
        if poller is None:
            raise KeyError(session_id)
        return poller
