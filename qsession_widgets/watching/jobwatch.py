"""Watches jobs that belong to no session: what a panel shows in job mode.

There is no session to ask about and no list of just these jobs, so a poll asks about one job: of
those that are pending in turn, then for the exact times of one that is over. When nothing is
pending, nothing is asked.
"""

from __future__ import annotations

import time

from ..errors import UserError
from ..service.client import ServiceClient
from ..snapshot import JobRecord, ServiceInfo, SessionSnapshot
from .monitor import Monitor


class JobWatch(Monitor):
    """Knows the jobs that this kernel sent in job mode.

    Parameters
    ----------
    client : ServiceClient
        The line to the service; this watch's own.
    info : ServiceInfo
        Which service it is.
    backend : str
        Where the jobs run.
    reason : str
        Why there is no session: ``no_sessions_on_plan``, or empty when it was asked for.
    expected_jobs, notebook
        Passed on into the snapshots.
    """

    def __init__(
        self,
        client: ServiceClient,
        info: ServiceInfo,
        backend: str,
        *,
        reason: str = "",
        notebook: str = "",
        expected_jobs: int | None = None,
    ):
        self._backend = backend
        self._reason = reason
        self._since = time.time()
        self._last_asked = ""
        super().__init__(client, "", info, notebook=notebook, expected_jobs=expected_jobs)

    def command(self, action: str, job_id: str | None = None) -> str:
        """Cancel one job, and say what came of it.

        Raises
        ------
        UserError
            The service refused, or it was asked for what only a session has.
        """
        if action != "cancel_job":
            raise UserError("In job mode there is no session to close or cancel, only jobs.")
        return super().command(action, job_id)

    def finished(self, snapshot: SessionSnapshot | None = None) -> bool:
        """Whether nothing is pending: a submit wakes it again."""
        snapshot = snapshot or self.snapshot
        return not snapshot.pending() and not self._book.catching_up

    def _ask(self, line: ServiceClient, *, at_once: bool) -> SessionSnapshot:
        """Ask about one job, if any is worth asking about."""
        waiting = [job.id for job in self._book.jobs if not job.final]
        if waiting:
            later = [job_id for job_id in waiting if job_id > self._last_asked]
            self._last_asked = min(later or waiting)
            self._take_clock(self._book.ask_about(line, self._last_asked, self.now()))
        else:
            self._book.catch_up(line)
        return self._read_jobs()

    def _read_jobs(self) -> SessionSnapshot:
        jobs = self._book.jobs
        return SessionSnapshot(
            session_id="",
            mode="job",
            backend=self._backend,
            service=self._info,
            state="open",
            state_reason=self._reason or None,
            opened_at=min([self._since, *(job.created for job in jobs)]),
            last_job_started=_latest(jobs, "started"),
            last_job_completed=_latest(jobs, "finished"),
            jobs=jobs,
            answered_at=self.now(),
            clock_offset=self._clock.offset,
        )


def _latest(jobs: tuple[JobRecord, ...], name: str) -> float | None:
    times = [getattr(job, name) for job in jobs]
    return max((time for time in times if time is not None), default=None)
