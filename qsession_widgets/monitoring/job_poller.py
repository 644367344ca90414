"""Polls jobs that belong to no session: those that a panel shows in job mode.

There is no session to request and no list of just these jobs, so a poll requests one job: the
pending ones in turn, then the exact times of one that is over. While one waits in the queue, now
and then a poll also looks for the session that it waits for. When nothing is pending, no request is
made.
"""

from __future__ import annotations

import time
from dataclasses import replace

from ..client.decode import device_time_of, latest
from ..client.rest import ServiceClient
from ..model import JobRecord, ServiceInfo, SessionSnapshot
from ..registry.journal import Journal, new_group
from .poller import SessionPoller
from .waits import OtherInstances, Waits


class JobPoller(SessionPoller):
    """Polls the jobs that a kernel sent in job mode.

    Parameters
    ----------
    client : ServiceClient
        Makes the requests; used by this poller alone.
    info : ServiceInfo
        The service it is on.
    backend : str
        The backend that the jobs run on.
    reason : str
        Why there is no session: ``no_sessions_on_plan``, ``deferred`` or ``deferred_batch``; empty
        when job mode was asked for.
    group : str
        Id of the group of jobs; a new one when not given.
    name, notebook, expected_jobs
        Copied into the snapshots.
    elsewhere : OtherInstances, optional
        Where else a session may be that the jobs wait for.
    remembered : Journal, optional
        What an earlier kernel knew of them; each of its jobs is asked for once.
    """

    def __init__(
        self,
        client: ServiceClient,
        info: ServiceInfo,
        backend: str,
        *,
        reason: str = "",
        name: str = "",
        notebook: str = "",
        expected_jobs: int | None = None,
        elsewhere: OtherInstances | None = None,
        group: str = "",
        remembered: Journal | None = None,
    ):
        self._group = group or new_group()
        self._unread = dict.fromkeys([] if remembered is None else remembered.jobs)
        self._backend = backend
        self._reason = reason
        self._since = time.time()
        self._last_asked = ""
        super().__init__(
            client,
            "",
            info,
            name=name,
            notebook=notebook,
            expected_jobs=expected_jobs,
            remembered=remembered,
        )
        self._waits = Waits(5 * self._intervals.pending, elsewhere)

    @property
    def journal_id(self) -> str:
        """The group's id."""
        return self._group

    @property
    def incomplete(self) -> bool:
        """True if there are jobs of an earlier kernel that were not asked for yet."""
        return bool(self._unread)

    def finished(self, snapshot: SessionSnapshot | None = None) -> bool:
        """True if nothing is pending; a submitted job makes it unfinished again."""
        snapshot = snapshot or self.snapshot
        # those that were taken up of an earlier run, and are not its own, count as well
        return all(job.final for job in snapshot.jobs) and not self._tracker.catching_up

    def _request(self, client: ServiceClient, *, jobs_first: bool) -> SessionSnapshot:
        """Request one job, if any is worth it."""
        if not self._tracker.jobs:
            for job_id in self._unread:
                self._tracker.add(JobRecord(job_id, "", "queued", created=self._since))
        pending = [job.id for job in self._tracker.jobs if not job.final]
        if self._unread:
            job_id = next(iter(self._unread))
            self._observe_clock(self._tracker.ask_about(client, job_id, self.now()))
            del self._unread[job_id]
        elif pending:
            later = [job_id for job_id in pending if job_id > self._last_asked]
            self._last_asked = min(later or pending)
            self._observe_clock(self._tracker.ask_about(client, self._last_asked, self.now()))
        else:
            self._tracker.catch_up(client)
        found = self._read_jobs()
        blocker = None if self._waits is None else self._waits.look(client, found, self.now)
        return replace(found, blocker=blocker, quota=self._quota_of(client, found))

    def _read_jobs(self) -> SessionSnapshot:
        jobs = self._tracker.jobs
        return SessionSnapshot(
            session_id="",
            mode="job",
            backend=self._backend,
            service=self.info,
            state="open",
            state_reason=self._reason or None,
            opened_at=min([self._since, *(job.created for job in jobs)]),
            last_job_started=latest(jobs, "started"),
            last_job_completed=latest(jobs, "finished"),
            jobs=jobs,
            answered_at=self.now(),
            device_time=device_time_of(jobs) if self.info.kind == "local" else None,
            clock_offset=self._clock.offset,
        )
