"""Watches one session and hands out a snapshot whenever a fact changed.

A thread asks the service at most two things a poll, whatever the number of jobs: the session, and
either a page of its jobs or the exact times of one finished job. It asks often while something is
pending, seldom while nothing is, at once after a submit or a command, and not at all once the
session is closed and everything about it is final.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..errors import ServiceError, advice_for
from ..service.client import Answer, ServiceClient
from ..snapshot import JobRecord, ServiceInfo, SessionSnapshot, interactive_timeout
from ..snapshot.fields import read_session
from .answers import Absence, readable
from .commands import PATIENCE, accepted, outcome, send
from .jobbook import JobBook
from .pace import PACES, Pace
from .service_clock import ServiceClock
from .thread import Watcher

logger = logging.getLogger(__name__)


class Monitor:
    """Knows one session as well as the service lets it.

    Parameters
    ----------
    client : ServiceClient
        The line to the service; this monitor's own.
    session_id : str
        The session or batch to watch.
    info : ServiceInfo
        Which service it is.
    name, notebook, expected_jobs
        Passed on into the snapshots.
    pace : Pace, optional
        How often to ask; what suits the service when not given.
    clock : ServiceClock, optional
        The service's clock, when others watch it as well.
    others : bool
        Whether to ask the emulator what other users run.
    patience : float
        Seconds for which the first poll is made again where the service knows of no such session:
        the id of one that was just opened may have to get about there first.

    Attributes
    ----------
    gone : bool
        Whether the service is believed that it knows of no such session any more.

    Raises
    ------
    ServiceError
        The first poll, made at once, failed: there is no such session, or no answer.
    """

    def __init__(
        self,
        client: ServiceClient,
        session_id: str,
        info: ServiceInfo,
        *,
        name: str = "",
        notebook: str = "",
        expected_jobs: int | None = None,
        pace: Pace | None = None,
        clock: ServiceClock | None = None,
        others: bool = True,
        patience: float = 0.0,
    ):
        self.gone = False
        self.session_id = session_id
        self._client = client
        self._info = info
        self._fixed: dict[str, Any] = {
            "name": name,
            "notebook": notebook,
            "expected_jobs": expected_jobs,
        }
        self._pace = pace or PACES[info.kind]
        self._clock = clock or ServiceClock(info.speed)
        self._lock = threading.Lock()
        self._polling = threading.Lock()
        # held from reading what was known until the last listener is told: nobody is told something
        # older after something newer
        self._telling = threading.RLock()
        self._listeners: dict[int, Callable[[SessionSnapshot], object]] = {}
        self._next_listener = 0
        self._book = JobBook(session_id, emulated=others and info.kind == "local")
        self._absence = Absence()
        self._failure: ServiceError | None = None
        self._idle_polls = 0
        # on the monotonic clock: when to poll again at the earliest, when the last poll that was
        # answered began, and when an end was acknowledged
        self._not_before = self._answered = self._ended = 0.0
        self._snapshot: SessionSnapshot | None = None
        self._watcher: Watcher | None = None
        self._first_poll(time.monotonic() + patience)

    def _first_poll(self, until: float) -> None:
        while True:
            try:
                return self.poll()
            except ServiceError as error:
                if error.status != 404 or time.monotonic() >= until:
                    raise
            time.sleep(self._pace.pending)

    @property
    def snapshot(self) -> SessionSnapshot:
        """What is known now. Cheap, never asks the service."""
        assert self._snapshot is not None, "the first poll happens on construction"
        return self._snapshot

    def now(self) -> float:
        """The service's clock, estimated."""
        return self._clock.now()

    def start(self) -> None:
        """Begin to watch, on a daemon thread. Does nothing when it watches already."""
        with self._lock:
            watcher = self._watcher
            if watcher is None or not watcher.is_alive():
                self._watcher = watcher = Watcher(self)
                watcher.start()

    def stop(self) -> None:
        """Stop watching. The last snapshot stays."""
        # without the lock: what ends the process may have interrupted who holds it
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.woken.set()

    def wake(self) -> None:
        """Ask the service now rather than at the next turn."""
        self._idle_polls = 0
        self.start()
        watcher = self._watcher
        if watcher is not None:
            watcher.woken.set()

    def lets_go(self, watcher: threading.Thread) -> bool:
        """Whether a thread of this monitor's has nothing to do any more, and ends."""
        # in one piece, for `start` relies on a thread that it finds
        with self._lock:
            if self._watcher is watcher and self.finished():
                self._watcher = None
            return self._watcher is not watcher

    def subscribe(self, callback: Callable[[SessionSnapshot], object]) -> Callable[[], None]:
        """Have a function called with every new snapshot, one after the other, on any thread.

        It must neither ask the service nor wait for another thread that may.

        Returns
        -------
        callable
            Ends the subscription.
        """
        with self._lock:
            key = self._next_listener
            self._next_listener += 1
            self._listeners[key] = callback

        def unsubscribe() -> None:
            self._listeners.pop(key, None)

        return unsubscribe

    def submitted(self, job_id: str, program: str, pubs: int | None) -> None:
        """A job was just submitted from this kernel."""
        self._add(JobRecord(job_id, program, "queued", created=self.now(), pubs=pubs))

    def mark_stray(self, job_id: str, program: str, pubs: int | None) -> None:
        """A job went to the session's backend but outside the session."""
        self._add(JobRecord(job_id, program, "queued", created=self.now(), pubs=pubs, stray=True))

    def keep_to(
        self,
        *,
        idle_close: float | None = None,
        budget_seconds: float | None = None,
        budget_dollars: float | None = None,
        strict: bool = False,
        expected_jobs: int | None = None,
    ) -> None:
        """Let snapshots tell what this kernel keeps the session to, and expects of it."""
        rules: dict[str, Any] = {
            "idle_close": idle_close,
            "budget_seconds": budget_seconds,
            "budget_dollars": budget_dollars,
            "strict": strict,
            "expected_jobs": expected_jobs,
        }
        with self._telling:
            self._fixed.update(rules)
            self._publish()

    def _add(self, job: JobRecord) -> None:
        self._book.add(job)
        self._publish()
        self.wake()

    def command(self, action: str, job_id: str | None = None) -> str:
        """Do what a button or magic asks, and say what came of it.

        It goes to the service on a line of its own: a poll that is not answered does not hold it
        up.

        Parameters
        ----------
        action : {"close", "cancel", "cancel_job"}
            What to do.
        job_id : str, optional
            Which job, for ``cancel_job``.

        Returns
        -------
        str
            One sentence.

        Raises
        ------
        UserError
            The service refused or did not answer.
        """
        before = self.snapshot
        own = self._client.twin()
        try:
            send(own, action, self.session_id, job_id, self._info.kind)
            acknowledged = time.monotonic()
            if action != "cancel_job":
                self._ended = acknowledged
        finally:
            name = f"qsession-look-{self.session_id[:8]}"
            look = threading.Thread(target=self._look, args=(own,), name=name, daemon=True)
            look.start()
            look.join(PATIENCE)
            self.wake()
        if action == "cancel_job":
            return f"Job {job_id} is cancelled."
        if self._answered < acknowledged:
            self._publish(accepting_jobs=False)
            return accepted(action)
        return outcome(action, before, self.snapshot)

    def _look(self, line: ServiceClient) -> None:
        """Poll on a line that is not needed any more then."""
        try:
            self._poll(line, at_once=True)
        except Exception:
            logger.exception("A poll of session %s failed", self.session_id)
        finally:
            line.shut()

    # ---------------------------------------------------------------------------------------------
    # Polling

    def poll(self) -> None:
        """Ask the service once and publish what changed.

        Raises
        ------
        ServiceError
            Only on the very first poll; later a failure becomes the snapshot's ``problem``.
        """
        self._poll(self._client)

    def _poll(self, line: ServiceClient, *, at_once: bool = False) -> None:
        with self._polling:
            begun = time.monotonic()
            try:
                with readable():
                    snapshot = self._ask(line, at_once=at_once)
            except ServiceError as error:
                self._failure = error
                if self._snapshot is None:
                    raise
                self._publish(**self._trouble(error))
                return
            self._failure = None
            self._not_before = 0.0
            # a question that was on its way when the session was ended knows nothing of that
            late = {"accepting_jobs": False} if begun < self._ended else {}
            self._publish(snapshot, **late)
            self._answered = begun

    def _ask(self, line: ServiceClient, *, at_once: bool) -> SessionSnapshot:
        try:
            answer = line.session(self.session_id)
        except ServiceError as error:
            self.gone = self._absence.told(error) or self.gone
            raise
        self.gone = self._absence.told()
        self._take_clock(answer)
        book = self._book
        look_again = self._idle_polls % 5 == 4
        book.ask(line, answer.data, self.now(), look_again=look_again, at_once=at_once)
        session = read_session(answer.data, self.session_id, self._info, book.jobs, self.now())
        return replace(
            session,
            others=book.others,
            queue_length=book.queue_length,
            clock_offset=self._clock.offset,
        )

    def complete(self, at_most: int = 500) -> None:
        """Poll until every finished job's exact times are known; for a look back.

        Parameters
        ----------
        at_most : int
            Polls after which to leave it at what is known.

        Raises
        ------
        ServiceError
            The service stopped answering.
        """
        for _ in range(at_most):
            if not self._book.catching_up:
                return
            self.poll()
            if (failure := self._failure) is not None:
                raise failure

    def _take_clock(self, answer: Answer) -> None:
        if answer.date is not None:
            self._clock.observe(answer.date, answer.sent, answer.received)

    def _trouble(self, error: ServiceError) -> dict[str, Any]:
        """What a poll that failed changes of what is known."""
        snapshot = self.snapshot
        if error.retry_after is not None:
            self._not_before = time.monotonic() + min(error.retry_after, 300.0)
        advice = advice_for(error.code, error.status)
        text = f"{advice.what}. {advice.do}" if advice else error.message
        if error.status == 404 and not self.gone:
            text = f"{text.rstrip('.')}: it is asked again."
        facts: dict[str, Any] = {
            "problem": text,
            "problem_since": self.now() if snapshot.problem is None else snapshot.problem_since,
        }
        if self.gone:
            # nothing can happen to it any more, and what is known of it ends with the last answer
            facts |= {"state": "closed", "accepting_jobs": False, "usage_final": True}
            facts["closed_at"] = snapshot.closed_at or snapshot.answered_at
        return facts

    def _publish(self, news: SessionSnapshot | None = None, **facts: Any) -> None:
        """Keep what is new, and hand it out if a view has anything new to show of it."""
        with self._telling:
            snapshot = replace(
                news or self.snapshot, jobs=self._book.jobs, **{**self._fixed, **facts}
            )
            snapshot = replace(snapshot, poll_interval=self._interval(snapshot))
            changed = self._snapshot is None or _differs(self._snapshot, snapshot)
            self._snapshot = snapshot
            self._idle_polls = 0 if changed else self._idle_polls + 1
            with self._lock:
                listeners = list(self._listeners.values()) if changed else []
            for listener in listeners:
                try:
                    listener(snapshot)
                except Exception:
                    # a view that fails must not stop the watching, nor the other views
                    logger.exception("A view of session %s failed", self.session_id)

    def _interval(self, snapshot: SessionSnapshot) -> float:
        if self.finished(snapshot):
            return 0.0
        if snapshot.pending() or not snapshot.accepting_jobs:
            return self._pace.pending
        return self._pace.slowest

    def finished(self, snapshot: SessionSnapshot | None = None) -> bool:
        """Whether the session is closed and nothing about it will change any more."""
        snapshot = snapshot or self.snapshot
        return snapshot.state == "closed" and snapshot.usage_final and not self._book.catching_up

    @property
    def incomplete(self) -> bool:
        """Whether the session has jobs that are not in the snapshot yet."""
        return self._book.incomplete

    def delay(self) -> float:
        """Seconds to wait before the next poll."""
        snapshot = self.snapshot
        wait = min(snapshot.poll_interval, self._pace.idle)
        if not snapshot.pending() and self._book.catching_up and snapshot.problem is None:
            wait = self._pace.catching_up
        elif not snapshot.pending():
            # slow down by and by while nothing happens, but be there when the timeout strikes
            wait = min(wait * (1 + self._idle_polls / 10), self._pace.slowest)
            idle = interactive_timeout(snapshot, self.now())
            # where the service's clock stands still, nothing strikes
            if idle is not None and idle.running and idle.remaining > 0 < self._info.speed:
                wait = min(wait, idle.remaining / self._info.speed + 0.1)
        if snapshot.problem is not None:
            wait = max(wait, min(2.0 ** min(self._idle_polls, 4), self._pace.slowest))
        return max(wait, self._not_before - time.monotonic(), 0.02)


def _differs(old: SessionSnapshot, new: SessionSnapshot) -> bool:
    """Whether a view has anything new to show; when it was asked and how late is not news."""
    same: dict[str, Any] = {"answered_at": 0.0, "usage_seconds": None, "poll_interval": 0.0}
    if abs(old.clock_offset - new.clock_offset) < 0.5:
        same["clock_offset"] = 0.0
    if new.usage_final != old.usage_final:
        same.pop("usage_seconds")
    return replace(old, **same) != replace(new, **same)
