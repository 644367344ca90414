"""Scheduling: deadlines, the order of jobs, and how jobs and sessions start and end.

The rules that nobody asks for. `lifecycle` adds what people and workers tell the service.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .records import EmulatedJob, EmulatedSession, JobStatus
from .state import JOB, LANE, REASON_MAX_TTL, ServiceState

SESSION_CLOSED = 1217
RAN_TOO_LONG = 1305

REASON_EMPTY = "session_never_used"
REASON_ITTL = "session_inactivated_by_interactive_ttl"
REASON_ACTIVE = "session_activated"


class Scheduler(ServiceState):
    """A service state that changes as time passes."""

    def advance(self, now: float) -> float:
        """Let every deadline up to ``now`` happen, in order, each at its own time.

        Returns
        -------
        float
            The time it is: ``now``, or that of the latest event if that was later.
        """
        while (at := self._deadlines.first()) is not None and at <= now:
            self.now = max(self.now, at)
            touched: dict[str, None] = {}
            while (due := self._deadlines.pop(self.now)) is not None:
                rank, ident = due
                if rank == LANE:
                    touched[self.jobs[ident].backend] = None
                elif rank == JOB:
                    job = self.jobs[ident]
                    self._job_deadline(job)
                    touched[job.backend] = None
                else:
                    session = self.sessions[ident]
                    self._session_deadline(session)
                    touched[session.backend] = None
            for backend in touched:
                self._select(backend)
        self.now = max(self.now, now)
        return self.now

    # ----------------------------------------------------------------------------------------------
    # Deadlines

    def _job_deadline(self, job: EmulatedJob) -> None:
        if job.load is not None:
            self._end(job, "Completed", None, None, job.load)
            return
        reason = f"Job ran longer than its maximum execution time of {job.max_execution_time:g} s."
        self._end(job, "Cancelled - Ran too long", reason, RAN_TOO_LONG)

    def _session_deadline(self, session: EmulatedSession) -> None:
        if session.started_at is None:  # rule 11
            self._close(replace(session, state_reason=REASON_EMPTY))
        elif (
            session.state_reason != REASON_MAX_TTL
            and self.now >= session.started_at + session.max_ttl
        ):
            # rule 6; while a running job finishes, the session is active and accepts nothing
            self._put_session(replace(session, accepting_jobs=False, state_reason=REASON_MAX_TTL))
            self._end_queued(session.id, "Failed", "Session has been closed.", SESSION_CLOSED)
            self._settle(session.id)
        else:  # rule 4
            self._put_session(self._leave_active(session, "inactive", REASON_ITTL))

    # ----------------------------------------------------------------------------------------------
    # Steps

    def _go_on(self, *backends: str) -> None:
        """Let happen what follows from an event at once: jobs start, and what is overdue happens.

        Overdue is the end of a session that never ran a job, when the one that kept it is
        cancelled, and everything with a timeout of zero.
        """
        for backend in backends:
            self._select(backend)
        self.advance(self.now)

    def _select(self, backend: str) -> None:
        """Start every job that may start: the one place that decides the order."""
        device = self.devices.get(backend)
        while device is not None and not self.paused:
            if len(self._running[backend]) < device.lanes:
                job = self._next(backend)
            else:
                job = self._next_of_others(backend)
            if job is None:
                return
            self._start(job)

    def _next(self, backend: str) -> EmulatedJob | None:
        holder = self.active_session(backend)
        if holder is not None:  # rule 3
            return self._first_queued(holder.id)
        ahead = self._first_ahead(backend)
        if ahead is not None:
            return ahead
        head = next(iter(self._queues[backend]), None)
        if head is None:
            return None
        job = self.jobs[head]
        if self._needs_all_lanes(job) and self._lanes_held(job):
            return None  # those running finish first
        return job

    def _next_of_others(self, backend: str) -> EmulatedJob | None:
        """The first queued job for which a running job of another instance makes room."""
        if self.fair_after is None or self.active_session(backend) is not None:
            return None
        seen = set()
        for job in map(self.jobs.__getitem__, self._queues[backend]):
            if job.instance in seen:
                continue
            seen.add(job.instance)
            lanes = 1 if self._needs_all_lanes(job) else self.devices[backend].lanes
            if self._lanes_held(job) < lanes:
                return job
        return None

    def _needs_all_lanes(self, job: EmulatedJob) -> bool:
        return job.session_id is not None and self._excludes(self.sessions[job.session_id])

    def _lanes_held(self, job: EmulatedJob) -> int:
        """Number of running jobs that a queued job waits for."""
        held = self._running[job.backend]
        if self.fair_after is None:
            return len(held)
        return sum(
            other.load is not None or other.instance == job.instance or self._holds_lane(other)
            for other in map(self.jobs.__getitem__, held)
        )

    def _holds_lane(self, job: EmulatedJob) -> bool:
        if not self.devices[job.backend].exclusive:
            return False
        return self.now < (job.started or 0.0) + (self.fair_after or 0.0)

    def _start(self, job: EmulatedJob) -> None:
        self._queues[job.backend].pop(job.id, None)
        self._running[job.backend][job.id] = None
        job = replace(job, status="Running", started=self.now, attempts=job.attempts + 1)
        self._put_job(job)
        if job.load is None:
            self._changes.start.append(job.id)
            if self.fair_after is not None:
                self._deadlines.set((LANE, job.id), self.now + self.fair_after)
        else:
            self._deadlines.set((JOB, job.id), self.now + job.load)
        if job.session_id is None:
            return
        session = replace(self.sessions[job.session_id], last_job_started=self.now)
        if session.busy_since is None:
            session = replace(session, busy_since=self.now)
        if session.state != "active":  # rules 2 and 5
            session = replace(
                session,
                state="active",
                state_reason=REASON_ACTIVE if session.accepting_jobs else session.state_reason,
                activated_at=self.now,
                started_at=self.now if session.started_at is None else session.started_at,
                timestamps=(*session.timestamps, ("active", self.now)),
            )
        self._put_session(session)
        self._offer(session.id)

    def _end(
        self,
        job: EmulatedJob,
        status: JobStatus,
        reason: str | None,
        code: int | None,
        qpu_seconds: float = 0.0,
        device_seconds: float | None = None,
    ) -> None:
        was_queued = job.status == "Queued"
        if device_seconds is None and job.started is not None and job.load is None:
            # where nobody knows what it was to run, not more than the part that every job has
            most = self._planned.get(job.id, self.device_least)
            device_seconds = min(self.now - job.started, most)
        if not was_queued and status.startswith("Cancelled") and job.load is None:
            self._changes.stop.append(job.id)
            # nobody knows how much of that the simulator ran
            qpu_seconds = self.now - self._begun.get(job.id, self.now)
        self._begun.pop(job.id, None)
        self._planned.pop(job.id, None)
        self._queues[job.backend].pop(job.id, None)
        self._running[job.backend].pop(job.id, None)
        self._ended[job.backend][job.id] = None
        self._deadlines.set((JOB, job.id), None)
        self._deadlines.set((LANE, job.id), None)
        self._put_job(
            replace(
                job,
                status=status,
                reason=reason,
                reason_code=code,
                finished=self.now,
                qpu_seconds=qpu_seconds,
                device_seconds=device_seconds,
            )
        )
        if job.session_id is None:
            return
        self._pending[job.session_id].pop(job.id)
        self._charge_batch(job.session_id, qpu_seconds)
        if device_seconds is not None:
            self._count_run(job.session_id, device_seconds)
        session = self.sessions[job.session_id]
        if session.state == "active":
            # a cancelled job counts as well: idle time never reaches back over a pending job
            session = replace(session, last_job_completed=self.now)
            self._put_session(session)
            if was_queued:
                self._offer(session.id)
        else:
            self._schedule(session.id)
        self._settle(session.id)

    def _count_run(self, session_id: str, device_seconds: float) -> None:
        """Count a job that ran and is over: its time on a device, and the time it took here."""
        session = self.sessions[session_id]
        first = next(iter(self._pending[session_id]), None)
        busy, since = session.busy_seconds, session.busy_since
        # those running come first
        if since is not None and (first is None or self.jobs[first].status != "Running"):
            busy, since = busy + self.now - since, None
        counted = session.device_seconds + device_seconds
        self._put_session(
            replace(session, device_seconds=counted, busy_seconds=busy, busy_since=since)
        )

    def _end_queued(
        self, session_id: str, status: JobStatus, reason: str, code: int | None
    ) -> None:
        for job in self.pending_of(session_id):
            if job.status == "Queued":
                self._end(job, status, reason, code)

    def _charge_batch(self, session_id: str | None, qpu_seconds: float) -> None:
        """Add to the usage of a batch, which is what its jobs are charged (rule 12)."""
        if session_id is not None and qpu_seconds:
            session = self.sessions[session_id]
            if session.mode == "batch":
                self._put_session(replace(session, elapsed=session.elapsed + qpu_seconds))

    def _settle(self, session_id: str) -> None:
        """Close a session that accepts nothing more and has nothing left to do."""
        session = self.sessions[session_id]
        if (
            session.state != "closed"
            and not session.accepting_jobs
            and not self._pending[session_id]
        ):
            self._close(session)

    def _close(self, session: EmulatedSession) -> None:
        session = self._leave_active(session, "closed", session.state_reason)
        self._put_session(replace(session, accepting_jobs=False, closed_at=self.now))

    def _leave_active(self, session: EmulatedSession, state: Any, reason: str) -> EmulatedSession:
        return replace(
            session,
            state=state,
            state_reason=reason,
            elapsed=session.usage(self.now),
            timestamps=(*session.timestamps, (state, self.now)),
        )
