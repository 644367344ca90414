"""Polls one session for its snapshot; synchronous, without a thread.

A poll makes at most two requests, whatever the number of jobs: the session, and either a page of
its jobs or the exact times of one finished job. While jobs wait in the queue, every fifth one also
looks for the session that they wait for. `SessionPoller.delay` says when the next poll is due: soon
while something is pending, later while nothing is, and never once the session is closed and
everything about it is final.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .. import fork_safety
from ..client.absence import Absence
from ..client.decode import read_session
from ..client.rest import Answer, ServiceClient
from ..errors import ServiceError
from ..explanations import advice_for
from ..model import (
    ServiceInfo,
    SessionSnapshot,
    interactive_timeout,
    phase,
)
from ..registry.entries import entry_of
from ..registry.journal import Journal
from ..registry.lookup import POLICIES, priced
from .current_snapshot import CurrentSnapshot
from .intervals import INTERVALS, PollIntervals
from .job_tracker import JobTracker
from .quota import QUOTA, QuotaWatch
from .response_checks import readable
from .service_clock import ServiceClock
from .waits import Waits

SETTLE_SECONDS = 15.0
"""Seconds that a table or a receipt waits for exact times, at most."""

SAID_AFTER = 1.0
"""Seconds after which it is said what is waited for."""


class SessionPoller(CurrentSnapshot):
    """Polls one session or batch.

    All members may be used from any thread; one poll is made at a time.

    Parameters
    ----------
    client : ServiceClient
        Makes the requests; used by this poller alone.
    session_id : str
        The session or batch; empty for a poller of jobs without a session.
    info : ServiceInfo
        The service it is on.
    name, notebook, expected_jobs
        Copied into the snapshots.
    intervals : PollIntervals, optional
        How often to poll; by the kind of service when not given.
    clock : ServiceClock, optional
        The service's clock, when several pollers share it.
    beside : bool
        Whether to request what there is beside the session: other users' jobs, which the emulator
        lists (otherwise only while a job waits in the queue), and the user's own session that its
        jobs wait for.
    retry_404 : float
        Seconds for which the first poll is repeated while the service answers 404: it replicates
        the id of a session that was just opened asynchronously.
    remembered : Journal, optional
        What earlier kernels knew of it.

    Attributes
    ----------
    session_id : str
        The session.
    info : ServiceInfo
        The service it is on.
    client : ServiceClient
        Makes the requests.

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
        intervals: PollIntervals | None = None,
        clock: ServiceClock | None = None,
        beside: bool = True,
        retry_404: float = 0.0,
        remembered: Journal | None = None,
    ):
        intervals = intervals or INTERVALS[info.where]
        super().__init__(
            JobTracker(
                session_id,
                emulated=info.kind == "local",
                others_in_queue=not beside,
                remembered=None if remembered is None else remembered.jobs,
            ),
            intervals,
            name=name,
            notebook=notebook,
            expected_jobs=expected_jobs,
            points=() if remembered is None else remembered.points,
            unknown=(),
        )
        self.session_id = session_id
        self.info = info
        self.client = client
        self._priced = not session_id
        self._clock = clock or ServiceClock(info.speed)
        self._polling = fork_safety.lock()
        self._waits = Waits(5 * intervals.pending) if beside else None
        self._quota = QuotaWatch(QUOTA[info.where]) if beside else None
        self._absence = Absence()
        self._failure: ServiceError | None = None
        # on the monotonic clock: the earliest time of the next poll, the start of the last poll
        # that was answered, and the time at which an end was acknowledged
        self._not_before = self._answered = self._ended = 0.0
        self._first_poll(time.monotonic() + retry_404)

    def _first_poll(self, until: float) -> None:
        while True:
            try:
                return self.poll(first=True)
            except ServiceError as error:
                if error.status != 404 or time.monotonic() >= until:
                    raise
            time.sleep(self._intervals.pending)

    @property
    def journal_id(self) -> str:
        """The id under which this machine keeps what the service does not."""
        return self.session_id

    @property
    def incomplete(self) -> bool:
        """True if the session has jobs that are not in the snapshot yet."""
        return self._tracker.incomplete

    @property
    def answered(self) -> float:
        """When the last poll that was answered began, on the monotonic clock."""
        return self._answered

    def now(self) -> float:
        """The service's clock, estimated."""
        return self._clock.now()

    def delay(self) -> float:
        """Seconds until the next poll is due."""
        snapshot = self.snapshot
        wait = min(snapshot.poll_interval, self._intervals.idle)
        if not snapshot.pending() and self._tracker.catching_up and snapshot.problem is None:
            wait = self._intervals.catching_up
        elif not snapshot.pending():
            # slow down while nothing happens, but poll when the timeout strikes
            wait = min(wait * (1 + self._idle_polls / 10), self._intervals.slowest)
            idle = interactive_timeout(snapshot, self.now())
            # a clock that stands still (speed 0) lets no timeout strike
            if idle is not None and idle.running and idle.remaining > 0 < self.info.speed:
                wait = min(wait, idle.remaining / self.info.speed + 0.1)
        if snapshot.problem is not None:
            wait = max(wait, min(2.0 ** min(self._idle_polls, 4), self._intervals.slowest))
        return max(wait, self._not_before - time.monotonic(), 0.02)

    # ---------------------------------------------------------------------------------------------
    # Polling

    def poll(
        self,
        client: ServiceClient | None = None,
        *,
        jobs_first: bool = False,
        first: bool = False,
    ) -> None:
        """Make one poll and update the snapshot.

        Parameters
        ----------
        client : ServiceClient, optional
            Makes the requests in place of this poller's own.
        jobs_first : bool
            List the jobs before anything else that is worth a request: a caller waits for them.
        first : bool
            Whether it is the first one of a session.

        Raises
        ------
        ServiceError
            Only on the very first poll; later a failure becomes the snapshot's ``problem``.
        """
        with self._polling:
            begun = time.monotonic()
            try:
                with readable():
                    snapshot = self._request(client or self.client, jobs_first=jobs_first)
            except ServiceError as error:
                self._failure = error
                if first:
                    raise
                self._update(**self._trouble(error))
                return
            self._failure = None
            self._not_before = 0.0
            # a request that was under way when the session was ended may be answered as of before
            late = {"accepting_jobs": False} if begun < self._ended else {}
            self._update(snapshot, **late)
            self._answered = begun

    def list_jobs(self, within: float = SETTLE_SECONDS) -> None:
        """List jobs until the snapshot has them all, the service fails, or time is up."""
        begun = time.monotonic()
        self.poll(jobs_first=True)
        while self.incomplete and self._failure is None:
            if time.monotonic() - begun > within:
                return
            self.poll(jobs_first=True)

    def settle(
        self, within: float = SETTLE_SECONDS, waits: Callable[[int], object] | None = None
    ) -> None:
        """Learn for a bounded while what a table of the jobs has to be right about.

        The jobs are listed; where none is pending, the exact times of those without are requested,
        one job after the other. What is not known by then stays as polling saw it, and a failure
        becomes the snapshot's ``problem``.

        Parameters
        ----------
        within : float
            Seconds after which to stop.
        waits : callable, optional
            Called once with the number of jobs left, when this takes longer than a second.
        """
        begun = time.monotonic()
        self.list_jobs(within)
        if not self.incomplete and not self.snapshot.pending():
            self._ask_exact_times(begun, within, waits)
            self._update()

    def _ask_exact_times(
        self, begun: float, within: float, waits: Callable[[int], object] | None
    ) -> None:
        while self._tracker.inexact and self._failure is None:
            passed = time.monotonic() - begun
            if passed > within:
                return
            if passed > SAID_AFTER and waits is not None:
                waits(self._tracker.inexact)
                waits = None
            with self._polling:
                try:
                    with readable():
                        self._tracker.catch_up(self.client)
                except ServiceError as error:
                    self._failure = error
                    self._update(**self._trouble(error))

    def complete(
        self, within: float = SETTLE_SECONDS, waits: Callable[[int], object] | None = None
    ) -> None:
        """Do what `settle` does for who sees the session for the first time, and report a failure.

        The exact times of jobs that are over are requested also while others are pending, for no
        poll has seen them; and for a job in the queue, its place there.

        Raises
        ------
        ServiceError
            The service stopped answering.
        """
        begun = time.monotonic()
        self.settle(within, waits)
        if not self.incomplete and self._tracker.inexact:
            self._ask_exact_times(begun, within, waits)
            self._update()
        if self._failure is None and phase(self.snapshot) == "queued":
            # the first poll had the jobs to list
            self._tracker.look_beside()
            self.poll()
            if not self.snapshot.others:
                self.poll()
        if (failure := self._failure) is not None:
            raise failure

    def _request(self, client: ServiceClient, *, jobs_first: bool) -> SessionSnapshot:
        try:
            answer = client.session(self.session_id)
        except ServiceError as error:
            self.gone = self._absence.told(error) or self.gone
            raise
        self.gone = self._absence.told()
        self._observe_clock(answer)
        tracker = self._tracker
        look_again = self._idle_polls % 5 == 4
        tracker.ask(client, answer.data, self.now(), look_again=look_again, at_once=jobs_first)
        if not self._priced and (entry := entry_of(self.session_id)) is not None:
            # the service lists a session before its kernel has noted it
            self._priced, self.info = True, priced(self.info, entry)
            told = {name: entry.policies.get(name) for name in POLICIES}
            with self._updating:
                own = {name: value for name, value in self._fixed.items() if value is not None}
                self._fixed.update({**told, **own})
        session = read_session(answer.data, self.session_id, self.info, tracker.jobs, self.now())
        blocker = None
        if self._waits is not None:
            blocker = self._waits.look(client, session, self.now)
        return replace(
            session,
            blocker=blocker,
            others=tracker.others,
            queue_length=tracker.queue_length,
            queue_wait=tracker.queue_wait,
            quota=self._quota_of(client, session),
            clock_offset=self._clock.offset,
        )

    def _quota_of(
        self, client: ServiceClient, snapshot: SessionSnapshot
    ) -> tuple[float, float] | None:
        return None if self._quota is None else self._quota.look(client, snapshot, self.now())

    def _observe_clock(self, answer: Answer) -> None:
        if answer.date is not None:
            self._clock.observe(answer.date, answer.sent, answer.received)

    def _trouble(self, error: ServiceError) -> dict[str, Any]:
        """Fields of the snapshot that a failed poll changes."""
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
            # nothing can happen to it any more; what is known of it ends with the last answer
            facts |= {"state": "closed", "accepting_jobs": False, "usage_final": True}
            facts["closed_at"] = snapshot.closed_at or snapshot.answered_at
        return facts

    def hurry(self) -> None:
        """Let `delay` begin at the shortest idle interval again."""
        self._idle_polls = 0

    def acknowledge_end(self) -> float:
        """Note that the service has just accepted a close or a cancel.

        Returns
        -------
        float
            When, on the monotonic clock. A poll that began before then reports no accepted jobs.
        """
        self._ended = time.monotonic()
        return self._ended
