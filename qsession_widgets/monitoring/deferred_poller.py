"""Polls a deferred session: the jobs that were taken up, and from its opening on the session."""

from __future__ import annotations

import time
from dataclasses import replace

from ..client.rest import ServiceClient
from ..model import ServiceInfo, SessionSnapshot
from .job_poller import JobPoller
from .poller import SessionPoller


class DeferredPoller(JobPoller):
    """Polls the jobs of a session that is not open yet, and the session once it is.

    Parameters
    ----------
    client : ServiceClient
        Makes the requests; used by this poller alone.
    info : ServiceInfo
        The service it will be on.
    backend : str
        The backend it will be on.
    batch : bool
        Whether it will be a batch.
    name, notebook, expected_jobs
        Copied into the snapshots.

    Attributes
    ----------
    dropped : bool
        Whether it will not be opened any more.
    """

    def __init__(
        self,
        client: ServiceClient,
        info: ServiceInfo,
        backend: str,
        *,
        batch: bool = False,
        name: str = "",
        notebook: str = "",
        expected_jobs: int | None = None,
    ):
        # the first poll is made on construction
        self.session_id = ""
        self.dropped = False
        super().__init__(
            client,
            info,
            backend,
            reason="deferred_batch" if batch else "deferred",
            name=name,
            notebook=notebook,
            expected_jobs=expected_jobs,
        )

    def open(self, session_id: str, retry_404: float) -> None:
        """Poll a session from now on. What is known of jobs and values stays.

        Parameters
        ----------
        session_id : str
            The session, which was just opened.
        retry_404 : float
            As of `SessionPoller`.

        Raises
        ------
        ServiceError
            The first poll failed; it goes on as before.
        """
        with self._polling:
            self._belongs_to(session_id)
        try:
            self._first_poll(time.monotonic() + retry_404)
        except BaseException:
            with self._polling:
                self._belongs_to("")
            raise

    def drop(self) -> None:
        """Show that it will not be opened any more."""
        self.dropped = True
        self._update(self._read_jobs())

    def finished(self, snapshot: SessionSnapshot | None = None) -> bool:
        """True if nothing will change any more, or nothing before a job is sent."""
        if self.session_id:
            return SessionPoller.finished(self, snapshot)
        return super().finished(snapshot)

    def _belongs_to(self, session_id: str) -> None:
        self.session_id = session_id
        self._tracker.belong_to(session_id)

    def _request(self, client: ServiceClient, *, jobs_first: bool) -> SessionSnapshot:
        if self.session_id:
            return SessionPoller._request(self, client, jobs_first=jobs_first)
        return super()._request(client, jobs_first=jobs_first)

    def _read_jobs(self) -> SessionSnapshot:
        snapshot = replace(super()._read_jobs(), opened_at=None)
        return replace(snapshot, state="closed") if self.dropped else snapshot
