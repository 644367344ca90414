"""Which sessions and jobs are whose, so that a list costs what its owner has."""

from __future__ import annotations

from collections.abc import Iterator

from .ledger import Ledger
from .records import Job, Session


class Owners:
    """The records of each instance, oldest first; simulated ones of other users are nobody's.

    Parameters
    ----------
    ledger : Ledger
        Where the records are.
    """

    def __init__(self, ledger: Ledger):
        self._ledger = ledger
        self._sessions: dict[str, dict[str, None]] = {}
        self._jobs: dict[str, dict[str, None]] = {}
        for session in ledger.sessions.values():
            self.note_session(session)
        for job in ledger.jobs.values():
            self.note_job(job)

    def note_session(self, session: Session) -> None:
        """Take notice of a session that is new or changed."""
        self._sessions.setdefault(session.instance, {})[session.id] = None

    def note_job(self, job: Job) -> None:
        """Take notice of a job that is new or changed."""
        self._jobs.setdefault(job.instance, {})[job.id] = None

    def sessions(self, crn: str) -> Iterator[Session]:
        """An instance's sessions and batches."""
        return (self._ledger.sessions[ident] for ident in self._sessions.get(crn, ()))

    def jobs(self, crn: str) -> list[Job]:
        """An instance's jobs."""
        return [self._ledger.jobs[ident] for ident in self._jobs.get(crn, ())]

    def forget_session(self, session: Session) -> None:
        """Drop a session and its jobs, before the ledger does."""
        for job in self._ledger.jobs_of(session.id):
            self.forget_job(job)
        self._sessions[session.instance].pop(session.id, None)

    def forget_job(self, job: Job) -> None:
        """Drop a job."""
        self._jobs[job.instance].pop(job.id, None)
