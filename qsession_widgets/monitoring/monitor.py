"""Monitor of one session: a poller, the publisher of its snapshots, and the thread that polls."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from .. import fork_safety
from ..client.decode import read_job
from ..model import (
    EndReason,
    EndResult,
    JobRecord,
    SeriesPoint,
    SessionSnapshot,
    UnknownRequest,
)
from ..registry import journal
from . import commands
from .poll_thread import PollThread
from .poller import SETTLE_SECONDS, SessionPoller
from .publisher import Publisher


class Monitor:
    """Polls a session on a thread and calls subscribers with every new snapshot.

    Parameters
    ----------
    poller : SessionPoller
        Polls the session, or jobs without one; used by this monitor alone.

    Attributes
    ----------
    on_finished : callable
        Called on the polling thread when nothing about the session will change any more.
    """

    def __init__(self, poller: SessionPoller):
        self.on_finished: Callable[[], object] = lambda: None
        self.poller = poller
        self.session_id = poller.session_id
        self._publisher = Publisher()
        poller.on_change = self._publisher.publish
        self._lock = fork_safety.lock()
        self._thread: PollThread | None = None
        self._process = os.getpid()
        # results that were read of jobs which no poll has seen end yet, and when
        self._read: dict[str, float] = {}

    @property
    def snapshot(self) -> SessionSnapshot:
        """The newest snapshot. Makes no request."""
        return self.poller.snapshot

    def now(self) -> float:
        """The service's clock, estimated."""
        return self.poller.now()

    def finished(self, snapshot: SessionSnapshot | None = None) -> bool:
        """True if nothing about the session will change any more."""
        return self.poller.finished(snapshot)

    def subscribe(self, callback: Callable[[SessionSnapshot], object]) -> Callable[[], None]:
        """Call a function with every new snapshot, one after the other, on any thread.

        It must neither make a request nor wait for another thread that may.

        Returns
        -------
        callable
            Ends the subscription.
        """
        return self._publisher.subscribe(callback)

    # ---------------------------------------------------------------------------------------------
    # The thread

    @property
    def polls(self) -> bool:
        """False in a forked child, where no thread polls beside the parent's."""
        return os.getpid() == self._process

    def after_fork(self) -> None:
        """Forget, in a forked child, the parent's thread and everything that listens there."""
        self._thread = None
        self._publisher.forget_all()

    def start(self) -> None:
        """Begin to poll on a daemon thread. Does nothing when one polls already."""
        if not self.polls:
            return
        with self._lock:
            thread = self._thread
            if thread is None or not thread.is_alive():
                name = f"qsession-monitor-{self.session_id[:8]}"
                self._thread = thread = PollThread(self._step, name)
                thread.start()

    def stop(self) -> None:
        """Stop polling. The last snapshot stays."""
        # without the lock: a signal handler may have interrupted the thread that holds it
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.wake()

    def wake(self) -> None:
        """Poll now rather than when the next poll is due."""
        self.poller.hurry()
        self.start()
        thread = self._thread
        if thread is not None:
            thread.wake()

    def _step(self, thread: PollThread) -> float | None:
        if not self._should_stop(thread):
            if thread.waited:
                self.poller.poll()
            if not self._should_stop(thread):
                return self.poller.delay()
        if self.finished():
            # a later request makes connections anew
            self.poller.client.close()
            self.on_finished()
        return None

    def _should_stop(self, thread: PollThread) -> bool:
        """True if a thread has nothing to do any more, and ends."""
        # decided and recorded under the lock, for `start` relies on a thread that it finds
        with self._lock:
            if self._thread is thread and self.finished():
                self._thread = None
            return self._thread is not thread

    # ---------------------------------------------------------------------------------------------
    # Requests and news

    def poll(self) -> None:
        """Poll once, on this thread; a failure becomes the snapshot's ``problem``."""
        self.poller.poll()

    def settle(
        self, within: float = SETTLE_SECONDS, waits: Callable[[int], object] | None = None
    ) -> None:
        """Learn exact times before a table or a receipt is made; see `SessionPoller.settle`."""
        self.poller.settle(within, waits)

    def command(
        self,
        action: str,
        job_id: str | None = None,
        *,
        by: EndReason = "notebook",
        spent: float | None = None,
    ) -> EndResult:
        """Close or cancel the session, or cancel one of its jobs; see `commands.run`."""
        try:
            return commands.run(self.poller, action, job_id, by=by, spent=spent)
        finally:
            self.wake()

    def submitted(
        self,
        job_id: str,
        program: str,
        *,
        reused: dict[str, Any] | None = None,
        **known: Any,
    ) -> None:
        """Add a job that this kernel has just submitted, or taken up.

        Parameters
        ----------
        job_id, program
            See `JobRecord`.
        reused : dict, optional
            The service's fields of a job that an earlier run has paid for.
        **known
            Further fields of `JobRecord`.
        """
        if reused is None:
            journal.add_job(self.poller.journal_id, job_id, {"program": program, **known})
        job = JobRecord(job_id, program, "queued", created=self.now(), **known)
        if reused is not None:
            outside = not self.session_id or reused.get("session_id") != self.session_id
            job = read_job(reused, replace(job, stray=outside, reused=True), {}, self.now())
        self._add(job)

    def sending(self) -> AbstractContextManager[None]:
        """Note that this kernel sends a job, which `submitted` will tell of."""
        return self.poller.sending()

    def mark_stray(self, job_id: str, program: str, **known: Any) -> None:
        """Add a job that went to the session's backend but outside the session."""
        self._add(JobRecord(job_id, program, "queued", created=self.now(), stray=True, **known))

    def result_read(
        self, job_id: str, facts: Mapping[str, Any], points: Sequence[SeriesPoint] = ()
    ) -> None:
        """Take in that the user's code has read a job's result, and what that tells of the job.

        Makes no request; but where the session was not active yet, the poll that is due comes now.
        """
        self._read[job_id] = self.now()
        if facts:
            journal.add_job(self.poller.journal_id, job_id, facts)
        if facts or not points:
            self.poller.learn(job_id, facts)
        if points:
            self.add_points(points)
        if self.snapshot.mode != "job" and self.snapshot.state != "active":
            self.wake()

    def shown(self, snapshot: SessionSnapshot) -> SessionSnapshot:
        """A snapshot as views show it: a job whose result was read here is done, polled or not."""
        if not self._read:
            return snapshot
        late = {job.id: job for job in snapshot.jobs if job.id in self._read and not job.final}
        for job_id in [*self._read]:
            if job_id not in late:
                self._read.pop(job_id, None)
        for job_id, job in late.items():
            begun = job.created if job.started is None else job.started
            end = max(begun, self._read[job_id])
            late[job_id] = replace(job, status="done", started=begun, finished=end)
        if not late:
            return snapshot
        ends = [snapshot.last_job_completed, *(job.finished for job in late.values())]
        return replace(
            snapshot,
            jobs=tuple(late.get(job.id, job) for job in snapshot.jobs),
            last_job_completed=max(end for end in ends if end is not None),
        )

    def add_points(self, points: Sequence[SeriesPoint]) -> None:
        """Append values of series. Makes no request, and lets none be made."""
        journal.add_points(self.poller.journal_id, points)
        self.poller.add_points(points)

    def add_unknown(self, request: UnknownRequest) -> Callable[[], None]:
        """Show that a request may have taken effect; returns what ends that."""
        return self.poller.add_unknown(request)

    def set_policies(
        self,
        *,
        idle_close: float | None = None,
        max_jobs: int | None = None,
        budget_seconds: float | None = None,
        budget_dollars: float | None = None,
        strict: bool = False,
        expected_jobs: int | None = None,
    ) -> None:
        """Show in snapshots which policies this kernel enforces, and how many jobs it expects."""
        self.poller.set_policies(
            idle_close=idle_close,
            max_jobs=max_jobs,
            budget_seconds=budget_seconds,
            budget_dollars=budget_dollars,
            strict=strict,
            expected_jobs=expected_jobs,
        )

    def _add(self, job: JobRecord) -> None:
        self.poller.add_job(job)
        self.wake()
