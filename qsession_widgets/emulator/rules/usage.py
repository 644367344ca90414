"""Usage of each instance in the current period, kept as a running total.

The client asks before it sends a job, every time.
"""

from __future__ import annotations

from collections import deque

from .records import EmulatedJob, EmulatedSession
from .state import ServiceState

PERIOD = 28 * 86400.0
"""Seconds of service time in which usage is counted: 28 days, rolling."""


class UsageMeter:
    """Usage by instance.

    Parameters
    ----------
    state : ServiceState
        Where sessions and jobs stand.
    """

    def __init__(self, state: ServiceState):
        self._state = state
        self._seconds: dict[str, float] = {}
        self._ended: dict[str, deque[tuple[float, str]]] = {}
        self._total: dict[str, float] = {}
        self._open: dict[str, set[str]] = {}
        for session in state.sessions.values():
            self.note_session(session)
        for job in state.jobs.values():
            self.note_job(job)

    def note_session(self, session: EmulatedSession) -> None:
        """Take notice of a session that is new or changed."""
        still_open = self._open.setdefault(session.instance, set())
        if session.state == "closed":
            still_open.discard(session.id)
            self._put(session.instance, session.id, session.created, session.elapsed)
        else:
            still_open.add(session.id)

    def note_job(self, job: EmulatedJob) -> None:
        """Take notice of a job that is new or changed; those of sessions are counted with them."""
        if job.final and job.session_id is None:
            self._put(job.instance, job.id, job.created, job.qpu_seconds)

    def _put(self, instance: str, ident: str, created: float, seconds: float) -> None:
        before = self._seconds.get(ident)
        if before is None:
            self._ended.setdefault(instance, deque()).append((created, ident))
        self._seconds[ident] = seconds
        self._total[instance] = self._total.get(instance, 0.0) + seconds - (before or 0.0)

    def used(self, instance: str, now: float) -> float:
        """Seconds an instance used in the period that ends now."""
        ended = self._ended.get(instance, deque())
        while ended and ended[0][0] < now - PERIOD:
            self._total[instance] -= self._seconds.pop(ended.popleft()[1])
        running = sum(self._state.usage(ident, now) for ident in self._open.get(instance, ()))
        return max(0.0, self._total.get(instance, 0.0)) + running
