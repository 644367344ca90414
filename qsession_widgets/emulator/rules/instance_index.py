"""Index of sessions and jobs by instance, so that a list costs what its owner has."""

from __future__ import annotations

from collections.abc import Iterator

from .records import EmulatedJob, EmulatedSession
from .state import ServiceState


class InstanceIndex:
    """The records of each instance, oldest first, without those of simulated users.

    Parameters
    ----------
    state : ServiceState
        Where the records are.
    """

    def __init__(self, state: ServiceState):
        self._state = state
        self._sessions: dict[str, dict[str, None]] = {}
        self._jobs: dict[str, dict[str, None]] = {}
        for session in state.sessions.values():
            self.note_session(session)
        for job in state.jobs.values():
            self.note_job(job)

    def note_session(self, session: EmulatedSession) -> None:
        """Take notice of a session that is new or changed."""
        self._sessions.setdefault(session.instance, {})[session.id] = None

    def note_job(self, job: EmulatedJob) -> None:
        """Take notice of a job that is new or changed."""
        self._jobs.setdefault(job.instance, {})[job.id] = None

    def sessions(self, crn: str) -> Iterator[EmulatedSession]:
        """An instance's sessions and batches."""
        return (self._state.sessions[ident] for ident in self._sessions.get(crn, ()))

    def jobs(self, crn: str) -> list[EmulatedJob]:
        """An instance's jobs."""
        return [self._state.jobs[ident] for ident in self._jobs.get(crn, ())]

    def forget_session(self, session: EmulatedSession) -> None:
        """Drop a session and its jobs, before the state does."""
        for job in self._state.jobs_of(session.id):
            self.forget_job(job)
        self._sessions[session.instance].pop(session.id, None)

    def forget_job(self, job: EmulatedJob) -> None:
        """Drop a job."""
        self._jobs[job.instance].pop(job.id, None)
