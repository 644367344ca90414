"""Watches everything that is open on one service, for however many pages look on.

`Watch.turn` does what is due and says when the next thing is; somebody calls it again and again, on
one thread at a time. Everything it asks goes through one line, so that what the service says about
itself, *wait* or *no*, counts for all of it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from ..client import Answer, ServiceClient
from ..errors import ServiceError, UserError, advice_for
from ..fields import read_time
from ..monitor import Monitor, Pace
from ..service_clock import ServiceClock
from ..snapshot import ServiceInfo, SessionSnapshot
from .sources import Source

PACES: dict[str, Pace] = {
    "local": Pace(0.5, 1.0, 2.0, 2.0),
    "ibm": Pace(3.0, 5.0, 15.0, 15.0),
}
"""How often one workload is asked about; with many of them, less often."""

AT_FULL_PACE = 5
"""Workloads up to which the pace holds."""

LOOKS: dict[str, tuple[float, float]] = {"local": (1.0, 3.0), "ibm": (5.0, 20.0)}
"""Seconds between two looks at what is open: at least, and while nobody hurries."""

LOOK_AT_CLOSED = 300.0
LEAVE_ALONE = 600.0
"""Seconds with nothing open after which an emulator is no longer asked, so that it may end."""

DAY = 86400.0
LONGEST = 3 * DAY
"""How long before its end a session that closed today may have been opened."""

MOST_CLOSED = 30
BACKOFF = {"local": 4.0, "ibm": 60.0}
LONGEST_WAIT = 300.0

SLOW = "The service is slow to answer: what is shown is what it said last."


class Watch:
    """One service, and what is known of its workloads.

    Parameters
    ----------
    source : Source
        The service.
    changed : callable
        Called when something may be new to show; from any thread.
    patience : float
        Seconds without an answer after which the service is called slow.
    """

    def __init__(self, source: Source, changed: Callable[[], object], patience: float):
        self.source = source
        self.info: ServiceInfo = source.info
        self.place = source.place
        self.clock = ServiceClock(source.info.speed)
        self.answered_at: float | None = None
        self.absent: str | None = None
        self._changed = changed
        self._patience = patience
        self._lock = threading.Lock()
        self._line: ServiceClient | None = None
        self._monitors: dict[str, Monitor] = {}
        self._due: dict[str, float] = {}
        self._closed: list[str] = []
        self._unknown: set[str] = set()
        self._look_at = self._closed_at = 0.0
        self._looked = -1000.0
        self._used = time.monotonic()
        self._asking: float | None = None
        self._failure: ServiceError | UserError | None = None
        self._failures = 0
        self._not_before = 0.0
        self._problem: str | None = None
        self._problem_since: float | None = None

    # ---------------------------------------------------------------------------------------------
    # What is known

    @property
    def problem(self) -> str | None:
        """What is wrong with reaching the service, in words; None while it answers."""
        if self.absent is not None or self._problem is not None:
            return self.absent or self._problem
        asking = self._asking
        return SLOW if asking and time.monotonic() - asking > self._patience else None

    @property
    def problem_since(self) -> float | None:
        """Since when, on the service's clock."""
        if self.problem is None:
            self._problem_since = None
        elif self._problem_since is None:
            self._problem_since = self.clock.now()
        return self._problem_since

    def snapshots(self) -> list[SessionSnapshot]:
        """What is known of each workload: open ones, then those closed within the last day."""
        with self._lock:
            known = [monitor.snapshot for monitor in self._monitors.values()]
        since = self.clock.now() - DAY
        known = [
            snapshot
            for snapshot in known
            if snapshot.state != "closed" or (snapshot.closed_at or 0.0) > since
        ]
        return sorted(known, key=lambda s: (s.state == "closed", -(s.opened_at or 0.0)))

    @property
    def anything_open(self) -> bool:
        """Whether a workload is open, as far as is known."""
        with self._lock:
            return any(monitor.snapshot.state != "closed" for monitor in self._monitors.values())

    # ---------------------------------------------------------------------------------------------
    # Asking

    def hurry(self) -> None:
        """Look again soon: somebody has come, or something was opened."""
        self._used = time.monotonic()
        self._look_at = min(self._look_at, self._looked + LOOKS[self.info.kind][0])

    def turn(self) -> float:
        """Do what is due.

        Returns
        -------
        float
            Seconds until something is due again.
        """
        now = time.monotonic()
        if now < self._not_before:
            return self._not_before - now
        self._failure = None
        self._asking = now
        try:
            self._work(now)
        except (ServiceError, UserError) as error:
            self._failure = error
        finally:
            self._asking = None
        self._settle()
        self._changed()
        return max(0.05, self._next() - time.monotonic())

    def _work(self, now: float) -> None:
        line = self._line or self._connect()
        if now >= self._look_at:
            self._look(line)
        if now >= self._closed_at:
            self._look_at_closed(line)
            self._closed_at = now + LOOK_AT_CLOSED
        for session_id in sorted(self._due, key=self._due.__getitem__):
            if self._failure is not None:
                return
            if self._due[session_id] <= now:
                self._monitors[session_id].poll()
                self._plan(session_id)
                self._changed()
        if self._closed and self._failure is None:
            self._take(line, self._closed.pop(0))

    def _connect(self) -> ServiceClient:
        line, self.info = self.source.dial()
        if self.place == ("", ""):
            self.place = (line.base_url, "")
        if self.info.speed != 1.0:
            self.clock = ServiceClock(self.info.speed)
        line.heard = self._hear
        self._line = line
        return line

    def _look(self, line: ServiceClient) -> None:
        found = _workloads(line, ["pending", "in_progress"])
        self._looked = now = time.monotonic()
        for item in found:
            self._take(line, str(item["id"]))
        if self.anything_open:
            self._used = now
        usual = LOOKS[self.info.kind][1]
        given_up = self.info.kind == "local" and now - self._used > LEAVE_ALONE
        self._look_at = float("inf") if given_up else now + usual

    def _look_at_closed(self, line: ServiceClient) -> None:
        now = self.clock.now()
        since = datetime.fromtimestamp(now - LONGEST, timezone.utc).isoformat()
        ended = ["completed", "canceled", "failed"]
        items = _workloads(line, ended, created_after=since.replace("+00:00", "Z"))
        recent = [
            str(item["id"])
            for item in items
            if (read_time(item.get("ended")) or now) > now - DAY
            and item["id"] not in self._monitors
            and item["id"] not in self._unknown
        ]
        self._closed = recent[:MOST_CLOSED]

    def _take(self, line: ServiceClient, session_id: str) -> Monitor | None:
        """Begin to watch a workload; None when there is none of that id."""
        known = self._monitors.get(session_id)
        if known is not None or session_id in self._unknown:
            return known
        try:
            monitor = Monitor(
                line,
                session_id,
                self.info,
                pace=PACES[self.info.kind],
                clock=self.clock,
                others=False,
            )
        except ServiceError as error:
            if error.status in (400, 404):
                self._unknown.add(session_id)
                return None
            raise
        with self._lock:
            self._monitors[session_id] = monitor
        self._plan(session_id)
        self._changed()
        return monitor

    def _plan(self, session_id: str) -> None:
        """Decide when to ask about a workload again, if at all."""
        monitor = self._monitors[session_id]
        snapshot = monitor.snapshot
        if snapshot.state == "closed" and snapshot.usage_final:
            self._due.pop(session_id, None)
            if snapshot.closed_at is None:
                # the service knows of no such session any more
                with self._lock:
                    del self._monitors[session_id]
            return
        crowd = max(1.0, len(self._due) / AT_FULL_PACE)
        self._due[session_id] = time.monotonic() + monitor.delay() * crowd

    def _next(self) -> float:
        times = [self._look_at, self._closed_at, *self._due.values()]
        if self._closed:
            times.append(time.monotonic() + (0.5 if self.info.kind == "ibm" else 0.05))
        return max(min(times), self._not_before)

    # ---------------------------------------------------------------------------------------------
    # What the service says about itself

    def _hear(self, heard: Answer | ServiceError) -> None:
        if self._asking is not None:
            self._asking = time.monotonic()
        if isinstance(heard, ServiceError):
            if _is_about_the_service(heard):
                self._failure = heard
            return
        if heard.date is not None:
            self.clock.observe(heard.date, heard.sent, heard.received)
        self.answered_at = self.clock.now()

    def _settle(self) -> None:
        """Draw the conclusions of a turn."""
        failure = self._failure
        if failure is None:
            if self._problem is not None:
                # what was asked about while it was away is old by now
                self._due = dict.fromkeys(self._due, 0.0)
            self._problem, self._failures, self._not_before = None, 0, 0.0
            return
        if self._problem is None:
            self._problem_since = None
        self._problem = _sentence(failure, self.info)
        self._failures += 1
        wait = min(0.5 * 2.0**self._failures, BACKOFF[self.info.kind])
        if isinstance(failure, ServiceError):
            wait = max(wait, min(failure.retry_after or 0.0, LONGEST_WAIT))
            if failure.status == 401 and self._line is not None:
                # whoever gave these credentials may have better ones by now
                self._line = None
        self._not_before = time.monotonic() + wait

    # ---------------------------------------------------------------------------------------------
    # What a page asks for

    def command(
        self, session_id: str, action: str, job_id: str | None = None
    ) -> tuple[str, SessionSnapshot]:
        """Close, cancel, or cancel a job; what came of it, and what is known then.

        Raises
        ------
        KeyError
            There is no such workload.
        UserError
            The service refused or does not answer; its cause is the service's error.
        """
        monitor = self._find(session_id)
        line = self.source.dial()[0]
        try:
            said = monitor.command(action, job_id, line=line)
        finally:
            line.shut()
            self._changed()
        self._plan(session_id)
        return said, monitor.snapshot

    def detail(self, session_id: str) -> SessionSnapshot:
        """A workload with all its jobs; see `command` for errors."""
        return self._find(session_id).snapshot

    def _find(self, session_id: str) -> Monitor:
        monitor = self._monitors.get(session_id)
        if monitor is None and self._line is not None:
            monitor = self._take(self._line, session_id)
        if monitor is None:
            raise KeyError(session_id)
        return monitor


def _workloads(line: ServiceClient, status: list[str], **query: Any) -> list[dict[str, Any]]:
    """My newest sessions and batches in some states, at most 50 of each kind."""
    found: list[dict[str, Any]] = []
    for mode in ("session", "batch"):
        answer = line.workloads(
            mode=mode, status=status, user="me", sort="-createdAt", limit=50, **query
        )
        found += (answer.data or {}).get("workloads", ())
    return sorted(found, key=lambda item: str(item.get("created", "")), reverse=True)


def _is_about_the_service(error: ServiceError) -> bool:
    """Whether an error says something of the service, not of one workload."""
    return error.status in (None, 401, 403, 408, 429) or error.status >= 500


def _sentence(error: ServiceError | UserError, info: ServiceInfo) -> str:
    if isinstance(error, UserError):
        return str(error).split("\n", 1)[0]
    if error.status is None:
        return error.message
    advice = advice_for(error.code, error.status)
    if advice is not None:
        return f"{advice.what}. {advice.do}"
    return f"The service answers with an error ({error.status}): it is asked again soon."


__all__: list[Any] = ["Watch"]
