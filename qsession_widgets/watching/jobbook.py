"""What is known of a session's jobs, and which question about them comes next.

A poll may ask one thing about jobs, whatever their number: a page of the list while something may
have changed, otherwise the exact times of one finished job, and on the emulator now and then what
others run. `JobBook` decides which, asks, and keeps what it learns.
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from ..errors import ServiceError
from ..service.client import Answer, ServiceClient
from ..snapshot import JobRecord
from ..snapshot.fields import read_job, read_opened, read_time

PAGE = 200
"""Jobs on a page of the service's list, at most."""

METRICS_BACKLOG = 1000
"""Finished jobs whose exact times are still to be asked for, at most."""

OTHERS_SECONDS = 1.0
"""How often to ask the emulator about other users' jobs."""

OTHERS_BEFORE = 120.0
"""How long before the session was opened other users' jobs are of interest."""

Other = tuple[float, "float | None", "float | None"]


class JobBook:
    """The jobs of one session. Safe to use from several threads.

    Parameters
    ----------
    client : ServiceClient
        The line to the service.
    session_id : str
        The session.
    emulated : bool
        Whether the service is the emulator, which also tells of other users' jobs.
    """

    def __init__(self, client: ServiceClient, session_id: str, *, emulated: bool):
        self._client = client
        self._session_id = session_id
        self._emulated = emulated
        self._lock = threading.Lock()
        self._jobs: dict[str, JobRecord] = {}
        self._ordered: tuple[JobRecord, ...] | None = ()
        self._inexact: dict[str, None] = {}
        self._listed_at: tuple[Any, ...] | None = None
        self._offset = 0
        self._strays_turn = False
        self._others: tuple[Other, ...] = ()
        self._others_due = time.monotonic() + OTHERS_SECONDS / 2

    @property
    def jobs(self) -> tuple[JobRecord, ...]:
        """All jobs, oldest first."""
        with self._lock:
            if self._ordered is None:
                self._ordered = tuple(sorted(self._jobs.values(), key=_age))
            return self._ordered

    @property
    def others(self) -> tuple[Other, ...]:
        """Other users' jobs on the backend: created, started, finished."""
        return self._others

    @property
    def incomplete(self) -> bool:
        """Whether there are jobs that no page of the list has shown yet."""
        return self._offset > 0

    @property
    def catching_up(self) -> bool:
        """Whether there is more to ask although nothing may have changed."""
        return bool(self._inexact) or self._offset > 0

    def add(self, job: JobRecord) -> None:
        """Take in a job that was just submitted; a list may have been quicker."""
        with self._lock:
            known = self._jobs.get(job.id)
            if known is not None:
                job = replace(known, program=job.program, pubs=job.pubs, stray=job.stray)
            self._put(job)

    def ask(self, session: dict[str, Any], now: float, *, look_again: bool) -> None:
        """Ask the one question that is worth most now.

        Parameters
        ----------
        session : dict
            The service's fields of the session, just asked for.
        now : float
            Service clock.
        look_again : bool
            List the jobs even if the session shows no sign of a change: one that was sent from
            elsewhere shows there only once it starts.

        Raises
        ------
        ServiceError
            The service refused or did not answer.
        """
        seen = tuple(
            session.get(name) for name in ("state", "last_job_started", "last_job_completed")
        )
        pending = any(not (job.final or job.stray) for job in self._jobs.values())
        strays = [job.id for job in self.jobs if job.stray and not job.final]
        listing = pending or self._offset or seen != self._listed_at or look_again
        if self._emulated and self._listed_at and time.monotonic() >= self._others_due:
            self._ask_about_others(session, now)
        elif strays and (self._strays_turn or not listing):
            self._strays_turn = False
            self.ask_about(strays[0], now)
        elif listing:
            self._strays_turn = True
            self._list(session, now)
            if not self._offset:
                self._listed_at = seen
        else:
            self.catch_up()

    def catch_up(self) -> None:
        """Ask for the exact times of one job that is over, if there is one without.

        Raises
        ------
        ServiceError
            The service refused or did not answer.
        """
        if self._inexact:
            self._ask_exact_times(next(iter(self._inexact)))

    def _list(self, session: dict[str, Any], now: float) -> None:
        page = self._client.jobs(self._session_id, limit=PAGE, offset=self._offset).data
        rows = page.get("jobs", [])
        with self._lock:
            for row in rows:
                job = read_job(row, self._jobs.get(row["id"]), session, now)
                self._put(job)
                if job.final and not job.exact and len(self._inexact) < METRICS_BACKLOG:
                    self._inexact[job.id] = None
            on_page = {row["id"] for row in rows}
            beyond = any(
                not job.final and job.id not in on_page and not job.stray
                for job in self._jobs.values()
            )
            more = len(rows) == PAGE and (beyond or page.get("count", 0) > len(self._jobs))
            # the next page in the next poll, then from the start again
            self._offset = self._offset + PAGE if more else 0

    def ask_about(self, job_id: str, now: float) -> Answer:
        """Ask for one job, such as one that no list of the session's holds.

        Raises
        ------
        ServiceError
            The service refused or did not answer.
        """
        try:
            answer = self._client.job(job_id)
        except ServiceError as error:
            if error.status != 404:
                raise
            gone = {"id": job_id, "status": "Failed", "state": {"reason": "The job was deleted."}}
            answer = Answer(gone, None, 0.0, 0.0)
        row = answer.data
        with self._lock:
            job = read_job(row, self._jobs[job_id], {}, now)
            self._put(job)
            if job.status == "done":
                self._inexact[job_id] = None
        return answer

    def _ask_exact_times(self, job_id: str) -> None:
        metrics = self._client.metrics(job_id).data or {}
        times = metrics.get("timestamps") or {}
        figures = metrics.get("usage") or {}
        qpu = figures.get("qpu_charge_time_seconds", figures.get("quantum_seconds"))
        with self._lock:
            self._inexact.pop(job_id, None)
            job = self._jobs[job_id]
            self._put(
                replace(
                    job,
                    started=read_time(times.get("running")),
                    finished=read_time(times.get("finished")) or job.finished,
                    qpu_seconds=job.qpu_seconds if qpu is None else float(qpu),
                    exact=True,
                )
            )

    def _ask_about_others(self, session: dict[str, Any], now: float) -> None:
        since = (read_opened(session) or now) - OTHERS_BEFORE
        backend = quote(str(session.get("backend_name") or ""), safe="")
        answer = self._client.emulator(f"queue/{backend}?since={since:.3f}")
        self._others = tuple((o[0], o[1], o[2]) for o in answer.data["others"])
        # where nobody else is, seldom is often enough
        pause = OTHERS_SECONDS if self._others else 5 * OTHERS_SECONDS
        self._others_due = time.monotonic() + pause

    def _put(self, job: JobRecord) -> None:
        if self._jobs.get(job.id) != job:
            self._jobs[job.id] = job
            self._ordered = None


def _age(job: JobRecord) -> tuple[float, str]:
    return job.created, job.id
