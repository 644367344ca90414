"""Tracker of a session's jobs, which also decides the next request about them.

A poll may ask one thing about jobs, whatever their number: a page of the list while something may
have changed, otherwise the exact times of one finished job; now and then how long the queue is, and
on the emulator what others run. `JobTracker` decides which, asks, and keeps what it learns.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from .. import fork_safety
from ..client.absence import Absence
from ..client.decode import read_job, read_opened, read_seconds, read_time
from ..client.rest import Answer, ServiceClient
from ..errors import ServiceError
from ..model import JobRecord

PAGE = 200
"""Jobs on a page of the service's list, at most."""

METRICS_BACKLOG = 1000
"""Finished jobs whose exact times are still to be asked for, at most."""

OTHERS_SECONDS = 1.0
"""Seconds between requests to the emulator for other users' jobs."""

QUEUE_SECONDS = 10.0
"""Seconds between requests for the backend's queue length, while a job of the session waits."""

WITHHELD_SECONDS = 2.0
"""Seconds for which a job may be unknown that a list shows while this kernel sends one."""

OTHERS_BEFORE = 120.0
"""Seconds before the session's opening from which on other users' jobs are shown."""

OF_SUBMIT = (
    *("program", "pubs", "shots", "precision", "executions"),
    *("stray", "reused", "cell", "line", "label"),
)
"""Fields of a job that its submit tells, and no list."""

Other = tuple[float, "float | None", "float | None"]


class JobTracker:
    """The jobs of one session. Jobs may be added, and read, while another thread asks.

    Parameters
    ----------
    session_id : str
        The session.
    emulated : bool
        Whether the service is the emulator, which also tells of other users' jobs.
    others_in_queue : bool
        Whether to request other users' jobs only while one of the session's waits in the queue.
    remembered : mapping, optional
        Fields that an earlier kernel knew of jobs, by their ids.

    Attributes
    ----------
    queue_length : int or None
        Jobs that wait on the backend, as long as one of the session's is among them.
    queue_wait : float or None
        Seconds that jobs had to wait there lately, by their median; with `queue_length` only.
    """

    def __init__(
        self,
        session_id: str,
        *,
        emulated: bool,
        others_in_queue: bool = False,
        remembered: Mapping[str, Mapping[str, Any]] | None = None,
    ):
        self._session_id = session_id
        self._emulated = emulated
        self._others_in_queue = others_in_queue
        self._remembered = dict(remembered or {})
        self._lock = fork_safety.lock()
        self._jobs: dict[str, JobRecord] = {}
        self._ordered: tuple[JobRecord, ...] | None = ()
        self._inexact: dict[str, None] = {}
        self._absent: dict[str, Absence] = {}
        self._sending = 0
        self._partial = False
        # since when, on the monotonic clock
        self._withheld: dict[str, float] = {}
        self._listed_at: tuple[Any, ...] | None = None
        self._offset = 0
        self._page: set[str] = set()
        self._strays_turn = False
        self._others: tuple[Other, ...] = ()
        self._others_due = time.monotonic() + OTHERS_SECONDS / 2
        self._queue_due = -float("inf")
        self.queue_length: int | None = None
        self.queue_wait: float | None = None

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
        """True if there are jobs that no page of the list has shown yet."""
        return self._offset > 0

    @property
    def catching_up(self) -> bool:
        """True if there is more to ask although nothing may have changed."""
        return bool(self._inexact) or self._offset > 0

    @property
    def inexact(self) -> int:
        """Number of finished jobs whose exact times are still to be requested."""
        return len(self._inexact)

    def look_beside(self) -> None:
        """Ask next for what others run, where the service tells."""
        self._others_due = 0.0

    def belong_to(self, session_id: str) -> None:
        """List the jobs of a session from now on, beside those that are known."""
        self._session_id = session_id

    @contextlib.contextmanager
    def sending(self) -> Iterator[None]:
        """Leave to its sender to tell of a job that this kernel is sending.

        A list may show it first, and names a program where the sender knows primitive, PUBs and
        label. Jobs of others that appear meanwhile are known a moment later.
        """
        with self._lock:
            self._sending += 1
        try:
            yield
        finally:
            with self._lock:
                self._sending -= 1

    def add(self, job: JobRecord) -> None:
        """Take in a job that was just submitted; a list may have been quicker."""
        with self._lock:
            known = self._jobs.get(job.id)
            if known is not None:
                job = replace(known, **{name: getattr(job, name) for name in OF_SUBMIT})
            self._put(job)
            if job.reused and job.final and not job.exact:
                self._inexact[job.id] = None

    def learn(self, job_id: str, facts: Mapping[str, Any]) -> None:
        """Take over fields of a job."""
        with self._lock:
            if (job := self._jobs.get(job_id)) is not None:
                self._put(replace(job, **facts))

    def ask(
        self,
        line: ServiceClient,
        session: dict[str, Any],
        now: float,
        *,
        look_again: bool,
        at_once: bool = False,
    ) -> None:
        """Ask the one question that is worth most now.

        Parameters
        ----------
        line : ServiceClient
            The line to ask on.
        session : dict
            The service's fields of the session, just asked for.
        now : float
            Service clock.
        look_again : bool
            List the jobs even if the session shows no sign of a change: one that was sent from
            elsewhere shows there only once it starts.
        at_once : bool
            List them before anything else: somebody waits to hear how they are.

        Raises
        ------
        ServiceError
            The service refused or did not answer.
        """
        seen = tuple(
            session.get(name) for name in ("state", "last_job_started", "last_job_completed")
        )
        waiting = [job for job in self.jobs if not job.final]
        strays = [job.id for job in waiting if job.stray]
        pending = len(waiting) > len(strays)
        listing = pending or self._offset or seen != self._listed_at or look_again
        in_queue = pending and session.get("state") != "active"
        if not in_queue:
            self.queue_length = self.queue_wait = None
        others = self._emulated and (in_queue or not self._others_in_queue)
        if not others:
            self._others = ()
        if at_once:
            self._list(line, session, now)
        elif others and self._listed_at and time.monotonic() >= self._others_due:
            self._ask_about_others(line, session, now)
        elif in_queue and self._listed_at and time.monotonic() >= self._queue_due:
            self._ask_about_queue(line, session)
        elif strays and (self._strays_turn or not listing):
            self._strays_turn = False
            self.ask_about(line, strays[0], now)
        elif listing:
            self._strays_turn = True
            self._list(line, session, now)
            if not self._offset and not self._partial:
                self._listed_at = seen
        else:
            self.catch_up(line)

    def catch_up(self, line: ServiceClient) -> None:
        """Ask for the exact times of one job that is over, if there is one without.

        Raises
        ------
        ServiceError
            The service refused or did not answer.
        """
        if self._inexact:
            self._ask_exact_times(line, next(iter(self._inexact)))

    def _list(self, line: ServiceClient, session: dict[str, Any], now: float) -> None:
        page = line.jobs(self._session_id, limit=PAGE, offset=self._offset).data
        rows = page.get("jobs", [])
        with self._lock:
            withheld = {row["id"] for row in rows if self._withholds(row["id"])}
            self._partial = bool(withheld)
            for row in rows:
                if row["id"] in withheld:
                    continue
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
            # a service that gives the same page again has no other, whatever it counts
            again, self._page = self._offset > 0 and on_page == self._page, on_page
            # the next page in the next poll, then from the start again
            self._offset = self._offset + PAGE if more and not again else 0

    def _withholds(self, job_id: str) -> bool:
        """True if a job that a list shows is to be told by its sender."""
        if not self._sending:
            self._withheld.clear()
        if not self._sending or job_id in self._jobs:
            return False
        now = time.monotonic()
        return now - self._withheld.setdefault(job_id, now) < WITHHELD_SECONDS

    def ask_about(self, line: ServiceClient, job_id: str, now: float) -> Answer:
        """Ask for one job, such as one that no list of the session's holds.

        Raises
        ------
        ServiceError
            The service refused or did not answer.
        """
        try:
            answer = line.job(job_id)
            self._absent.pop(job_id, None)
        except ServiceError as error:
            if error.status != 404:
                raise
            if not self._gone(job_id, error):
                return Answer(None, None, 0.0, 0.0)
            gone = {"id": job_id, "status": "Failed", "state": {"reason": "The job was deleted."}}
            answer = Answer(gone, None, 0.0, 0.0)
        row = answer.data
        with self._lock:
            job = read_job(row, self._jobs[job_id], {}, now)
            self._put(job)
            if job.status == "done":
                self._inexact[job_id] = None
        return answer

    def _gone(self, job_id: str, error: ServiceError) -> bool:
        if not self._absent.setdefault(job_id, Absence()).told(error):
            return False
        del self._absent[job_id]
        return True

    def _ask_exact_times(self, line: ServiceClient, job_id: str) -> None:
        try:
            metrics = line.metrics(job_id).data or {}
        except ServiceError as error:
            if error.status != 404:
                raise
            with self._lock:
                # the others' turn; one that was deleted keeps the times that polling saw
                self._inexact.pop(job_id, None)
                if not self._gone(job_id, error):
                    self._inexact[job_id] = None
            return
        times = metrics.get("timestamps") or {}
        figures = metrics.get("usage") or {}
        qpu = figures.get("qpu_charge_time_seconds", figures.get("quantum_seconds"))
        self._absent.pop(job_id, None)
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

    def _ask_about_queue(self, line: ServiceClient, session: dict[str, Any]) -> None:
        self._queue_due = time.monotonic() + QUEUE_SECONDS
        # nothing depends on it, so that there is no answer is no trouble either
        with contextlib.suppress(ServiceError):
            devices = line.backends(include_mocks=self._emulated, waits=True).data["devices"]
            name = session.get("backend_name")
            device: dict[str, Any] = next((one for one in devices if one["name"] == name), {})
            length, waits = device.get("queue_length"), device.get("wait_time_seconds") or {}
            self.queue_length = None if length is None else int(length)
            self.queue_wait = read_seconds(waits.get("p50"))

    def _ask_about_others(self, line: ServiceClient, session: dict[str, Any], now: float) -> None:
        since = (read_opened(session) or now) - OTHERS_BEFORE
        backend = quote(str(session.get("backend_name") or ""), safe="")
        answer = line.emulator(f"queue/{backend}?since={since:.3f}")
        self._others = tuple((o[0], o[1], o[2]) for o in answer.data["others"])
        # where nobody else is, seldom is often enough
        pause = OTHERS_SECONDS if self._others else 5 * OTHERS_SECONDS
        self._others_due = time.monotonic() + pause

    def _put(self, job: JobRecord) -> None:
        if job.id not in self._jobs and (facts := self._remembered.pop(job.id, None)):
            job = replace(job, **facts)
        if self._jobs.get(job.id) != job:
            self._jobs[job.id] = job
            self._ordered = None


def _age(job: JobRecord) -> tuple[float, str]:
    return job.created, job.id
