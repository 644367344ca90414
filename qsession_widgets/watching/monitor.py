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
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ..errors import ServiceError, advice_for
from ..service.client import Answer, ServiceClient
from ..snapshot import JobRecord, ServiceInfo, SessionSnapshot, interactive_timeout
from ..snapshot.fields import read_session
from .commands import outcome, send
from .jobbook import JobBook
from .service_clock import ServiceClock

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pace:
    """How often to ask, in seconds.

    Attributes
    ----------
    pending : float
        While a job is queued or running.
    idle : float
        While nothing is.
    slowest : float
        The most that idle polls slow down to.
    catching_up : float
        While exact times of finished jobs are still to be asked for.
    """

    pending: float
    idle: float
    slowest: float
    catching_up: float


PACES: dict[str, Pace] = {
    "local": Pace(0.2, 0.5, 2.0, 0.05),
    "ibm": Pace(1.0, 3.0, 15.0, 1.0),
}


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
    ):
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
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._listeners: dict[int, Callable[[SessionSnapshot], object]] = {}
        self._next_listener = 0
        self._book = JobBook(client, session_id, emulated=others and info.kind == "local")
        self._idle_polls = 0
        self._not_before = 0.0
        self._snapshot: SessionSnapshot | None = None
        self._thread: threading.Thread | None = None
        self.poll()

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
            if self._thread is not None and self._thread.is_alive():
                return
            self._stopped.clear()
            self._thread = threading.Thread(
                target=_watch,
                args=(weakref.ref(self), self._wake, self._stopped),
                name=f"qsession-monitor-{self.session_id[:8]}",
                daemon=True,
            )
            self._thread.start()

    def stop(self) -> None:
        """Stop watching. The last snapshot stays."""
        self._stopped.set()
        self._wake.set()

    def wake(self) -> None:
        """Ask the service now rather than at the next turn."""
        self._idle_polls = 0
        self.start()
        self._wake.set()

    def subscribe(self, callback: Callable[[SessionSnapshot], object]) -> Callable[[], None]:
        """Have a function called with every new snapshot, on the monitor's thread.

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
            with self._lock:
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
        self._fixed.update(rules)
        self._publish(replace(self.snapshot, **rules))

    def _add(self, job: JobRecord) -> None:
        self._book.add(job)
        self._publish(self.snapshot)
        self.wake()

    def command(
        self, action: str, job_id: str | None = None, *, line: ServiceClient | None = None
    ) -> str:
        """Do what a button or magic asks, and say what came of it.

        Parameters
        ----------
        action : {"close", "cancel", "cancel_job"}
            What to do.
        job_id : str, optional
            Which job, for ``cancel_job``.
        line : ServiceClient, optional
            Another line to the service, where a question may hold up the monitor's own.

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
        try:
            send(line or self._client, action, self.session_id, job_id, self._info.kind)
        finally:
            self.poll()
            self.wake()
        if action == "cancel_job":
            return f"Job {job_id} is cancelled."
        return outcome(action, before, self.snapshot)

    # ---------------------------------------------------------------------------------------------
    # Polling

    def poll(self) -> None:
        """Ask the service once and publish what changed.

        Raises
        ------
        ServiceError
            Only on the very first poll; later a failure becomes the snapshot's ``problem``.
        """
        with self._polling:
            answer: Answer | None = None
            try:
                answer = self._client.session(self.session_id)
                self._take_clock(answer)
                look_again = self._idle_polls % 5 == 4
                self._book.ask(answer.data, self.now(), look_again=look_again)
            except ServiceError as error:
                if self._snapshot is None:
                    raise
                gone = answer is None and error.status == 404
                self._publish(self._with_problem(error, gone=gone))
                return
            self._not_before = 0.0
            self._publish(self._read_session(answer))

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
            if (problem := self.snapshot.problem) is not None:
                raise ServiceError(problem)

    def _take_clock(self, answer: Answer) -> None:
        if answer.date is not None:
            self._clock.observe(answer.date, answer.sent, answer.received)

    def _read_session(self, answer: Answer) -> SessionSnapshot:
        book = self._book
        session = read_session(answer.data, self.session_id, self._info, book.jobs, self.now())
        return replace(session, others=book.others, clock_offset=self._clock.offset, **self._fixed)

    def _with_problem(self, error: ServiceError, *, gone: bool) -> SessionSnapshot:
        snapshot = self.snapshot
        if error.retry_after is not None:
            self._not_before = time.monotonic() + min(error.retry_after, 300.0)
        advice = advice_for(error.code, error.status)
        text = f"{advice.what}. {advice.do}" if advice else error.message
        since = self.now() if snapshot.problem is None else snapshot.problem_since
        if gone:
            # the service knows of no such session any more: nothing can happen to it
            end: Any = {"state": "closed", "accepting_jobs": False, "usage_final": True}
            snapshot = replace(snapshot, **end)
        return replace(snapshot, problem=text, problem_since=since)

    def _publish(self, snapshot: SessionSnapshot) -> None:
        """Keep a snapshot, and hand it out if a fact in it is new."""
        with self._lock:
            snapshot = replace(snapshot, jobs=self._book.jobs)
            snapshot = replace(snapshot, poll_interval=self._interval(snapshot))
            changed = self._snapshot is None or _differs(self._snapshot, snapshot)
            self._snapshot = snapshot
            listeners = list(self._listeners.values()) if changed else []
        self._idle_polls = 0 if changed else self._idle_polls + 1
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
            if idle is not None and idle.running and idle.remaining > 0:
                wait = min(wait, idle.remaining / self._info.speed + 0.1)
        if snapshot.problem is not None:
            wait = max(wait, min(2.0 ** min(self._idle_polls, 4), self._pace.slowest))
        return max(wait, self._not_before - time.monotonic(), 0.02)


def _watch(ref: weakref.ref[Monitor], wake: threading.Event, stopped: threading.Event) -> None:
    """The monitor's thread. It holds no reference, so that a forgotten monitor ends it."""
    while not stopped.is_set():
        monitor = ref()
        if monitor is None:
            return
        if monitor.finished():
            stopped.set()
            return
        delay = monitor.delay()
        del monitor
        wake.wait(delay)
        wake.clear()
        monitor = ref()
        if monitor is None or stopped.is_set():
            return
        try:
            monitor.poll()
        except Exception:
            logger.exception("A poll failed")
        del monitor


def _differs(old: SessionSnapshot, new: SessionSnapshot) -> bool:
    """Whether a view has anything new to show; when it was asked and how late is not news."""
    same: dict[str, Any] = {"answered_at": 0.0, "usage_seconds": None, "poll_interval": 0.0}
    if abs(old.clock_offset - new.clock_offset) < 0.5:
        same["clock_offset"] = 0.0
    if new.usage_final != old.usage_final:
        same.pop("usage_seconds")
    return replace(old, **same) != replace(new, **same)
