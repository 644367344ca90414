"""Newest snapshot of a session, and what is known of it beside the service's answers.

An answer replaces it; jobs that were just sent, values of series, policies and lost requests of
this kernel are put into it at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from .. import fork_safety
from ..client.decode import with_jobs
from ..model import JobRecord, SeriesPoint, SessionSnapshot, UnknownRequest
from . import end_reason
from .intervals import PollIntervals
from .job_tracker import JobTracker

UNTOLD_SECONDS = 600.0
"""Seconds after the close for which a usage that the service does not tell is asked for."""


def is_settled(snapshot: SessionSnapshot) -> bool:
    """True if a session is closed and its usage is final, or was not told for too long."""
    if snapshot.state != "closed":
        return False
    since = snapshot.answered_at if snapshot.closed_at is None else snapshot.closed_at
    return snapshot.usage_final or snapshot.answered_at - since > UNTOLD_SECONDS


class CurrentSnapshot:
    """Newest snapshot of a session.

    Parameters
    ----------
    tracker : JobTracker
        Knows its jobs.
    intervals : PollIntervals
        How often it is to be polled.
    **fixed
        Fields of the snapshot that no answer changes.

    Attributes
    ----------
    ending : mapping or None
        Why this process ends the session, as fields of its snapshot.
    gone : bool
        Whether the service has answered 404 often enough to be believed.
    on_change : callable
        Called with each snapshot that has something new to show, one after the other, on any
        thread. It must neither make a request nor wait for a thread that does.
    """

    def __init__(self, tracker: JobTracker, intervals: PollIntervals, **fixed: Any):
        self.gone = False
        self.ending: Mapping[str, Any] | None = None
        self.on_change: Callable[[SessionSnapshot], object] = lambda _snapshot: None
        self._tracker = tracker
        self._intervals = intervals
        self._fixed = fixed
        self._unknown: dict[object, UnknownRequest] = {}
        # held from reading the old snapshot until the listeners have the new one: no listener gets
        # an older snapshot after a newer one
        self._updating = fork_safety.reentrant_lock()
        self._idle_polls = 0
        self._snapshot: SessionSnapshot | None = None

    @property
    def snapshot(self) -> SessionSnapshot:
        """The newest snapshot. Makes no request."""
        assert self._snapshot is not None, "the first poll happens on construction"
        return self._snapshot

    def finished(self, snapshot: SessionSnapshot | None = None) -> bool:
        """True if the session is closed and nothing about it will change any more."""
        snapshot = snapshot or self.snapshot
        return is_settled(snapshot) and not self._tracker.catching_up

    def sending(self) -> AbstractContextManager[None]:
        """Note that this kernel sends a job; see `JobTracker.sending`."""
        return self._tracker.sending()

    def add_job(self, job: JobRecord) -> None:
        """Take in a job that was just submitted."""
        self._tracker.add(job)
        self._update()

    def add_points(self, points: Sequence[SeriesPoint]) -> None:
        """Append values of series to the snapshot. Polls become neither more nor less frequent."""
        with self._updating:
            self._fixed["points"] += tuple(points)
            self._snapshot = replace(self.snapshot, points=self._fixed["points"])
            self.on_change(self._snapshot)

    def learn(self, job_id: str, facts: Mapping[str, Any]) -> None:
        """Take over fields of a job. Polls become neither more nor less frequent."""
        with self._updating:
            self._tracker.learn(job_id, facts)
            self._snapshot = with_jobs(self.snapshot, self._tracker.jobs)
            self.on_change(self._snapshot)

    def set_policies(self, **policies: Any) -> None:
        """Set fields of the snapshot that no answer changes: this kernel's policies."""
        with self._updating:
            self._fixed.update(policies)
            self._update()

    def add_unknown(self, request: UnknownRequest) -> Callable[[], None]:
        """Show that a request may have taken effect.

        Returns
        -------
        callable
            Shows it no longer: it is known.
        """
        token = object()

        def show(shown: bool) -> None:
            with self._updating:
                self._unknown.pop(token, None)
                if shown:
                    self._unknown[token] = request
                self._fixed["unknown"] = tuple(self._unknown.values())
                self._update()

        show(True)
        return lambda: show(False)

    def stop_accepting(self) -> None:
        """Update the snapshot: the session accepts no more jobs."""
        self._update(accepting_jobs=False)

    def _update(self, news: SessionSnapshot | None = None, **facts: Any) -> None:
        """Replace the snapshot, and call `on_change` if a view has anything new to show of it."""
        with self._updating:
            snapshot = with_jobs(news or self.snapshot, self._tracker.jobs)
            snapshot = replace(snapshot, **{**self._fixed, **facts})
            if not snapshot.accepting_jobs and not self.gone:
                ended = end_reason.known(snapshot, self.ending)
                self._fixed.update(ended)
                snapshot = replace(snapshot, **ended)
            snapshot = replace(snapshot, poll_interval=self._interval(snapshot))
            changed = self._snapshot is None or _differs(self._snapshot, snapshot)
            self._snapshot = snapshot
            self._idle_polls = 0 if changed else self._idle_polls + 1
            if changed:
                self.on_change(snapshot)

    def _interval(self, snapshot: SessionSnapshot) -> float:
        if self.finished(snapshot):
            return 0.0
        if snapshot.pending() or not snapshot.accepting_jobs:
            return self._intervals.pending
        return self._intervals.slowest


def _differs(old: SessionSnapshot, new: SessionSnapshot) -> bool:
    """True if a view has anything new to show; the time of the poll is not news."""
    same: dict[str, Any] = {"answered_at": 0.0, "usage_seconds": None, "poll_interval": 0.0}
    if abs(old.clock_offset - new.clock_offset) < 0.5:
        same["clock_offset"] = 0.0
    if new.usage_final != old.usage_final:
        same.pop("usage_seconds")
    return replace(old, **same) != replace(new, **same)
