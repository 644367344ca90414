"""The rules of sessions and jobs, and nothing else: no clock, no I/O, no threads.

A `Lifecycle` holds the records and changes them when it is told that something happened, and when.
The same calls with the same times give the same records, so property tests run months of sessions
in seconds and a restart goes on where the last process stopped. What the world has to do about it
(start this job, stop that one, write these records down) is collected in `Changes`.

The rules are numbered as in CONTRIBUTING.md; ``tests/emulator/test_rules.py`` has an example of
each.

Time only moves forward: every method takes ``now``, first lets all deadlines up to then happen,
each at its own time, and takes a ``now`` before the latest event for the time of that event. At any
one instant, what is due comes first, then what is told, and only then do jobs start.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .records import EmulatedJob, EmulatedSession, JobStatus, Mode, Plan
from .refusals import Refusal
from .scheduler import RAN_TOO_LONG, SESSION_CLOSED, Scheduler
from .state import JOB, REASON_MAX_TTL, Changes

__all__ = [
    "MAX_ATTEMPTS",
    "NO_SESSIONS_ON_PLAN",
    "RAN_TOO_LONG",
    "REASON_CANCELLED",
    "REASON_CLOSED",
    "REASON_NO_BACKEND",
    "SESSION_CLOSED",
    "Changes",
    "Lifecycle",
]

NO_SESSIONS_ON_PLAN = 1352
MAX_ATTEMPTS = 3

REASON_CLOSED = "session_closed_early"
REASON_CANCELLED = "session_cancelled"
REASON_NO_BACKEND = "session_backend_removed"


class Lifecycle(Scheduler):
    """All sessions and jobs of one emulator, and what happens to them.

    Parameters
    ----------
    devices : iterable of Device
        The backends.
    sessions, jobs : iterable
        Records of an earlier process, each in the order they were accepted; call `resume` before
        anything else when there are any.
    empty_ttl : float
        Seconds after which a session that never ran a job closes.
    fair_after : float, optional
        Seconds after which a running job holds its lane against its own instance only.
    """

    # ----------------------------------------------------------------------------------------------
    # Events

    def open_session(
        self,
        now: float,
        session_id: str,
        backend: str,
        mode: Mode,
        instance: str,
        plan: Plan,
        max_ttl: float | None = None,
        **details: Any,
    ) -> EmulatedSession:
        """Open a session or batch. Nothing is queued by it (rule 1).

        Parameters
        ----------
        now : float
            Service clock.
        session_id : str
            The id it shall have.
        backend : str
            Where its jobs will run.
        mode : {"dedicated", "batch"}
            Session or batch.
        instance : str
            Whose it is.
        plan : Plan
            What that instance may do.
        max_ttl : float, optional
            Maximum time in seconds; the plan's longest when not given.
        **details
            Further fields of `Session` (``user``, ``tags``, ``load``).

        Raises
        ------
        Refusal
            The plan has no sessions (1352, rule 10), an unknown backend, or a maximum time out of
            range.
        """
        now = self.advance(now)
        self._known_backend(backend)
        if session_id in self.sessions:
            raise ValueError(f"There is a session {session_id} already.")
        if mode == "dedicated" and not plan.sessions:
            raise Refusal(
                400,
                f"You are not authorized to run a session when using the {plan.name} plan.",
                "Create an instance of a different plan type, or use job mode or a batch.",
                NO_SESSIONS_ON_PLAN,
            )
        longest = plan.max_ttl if mode == "dedicated" else plan.batch_max_ttl
        if max_ttl is not None and plan.caps:
            max_ttl = min(max_ttl, longest)
        if max_ttl is not None and not 1 <= max_ttl <= longest:
            raise Refusal(
                400,
                f"max_ttl must be between 1 and {longest:g} seconds, not {max_ttl:g}.",
                f"Ask for at most {longest:g} seconds, or leave it out to get that much.",
            )
        session = EmulatedSession(
            id=session_id,
            backend=backend,
            mode=mode,
            instance=instance,
            interactive_ttl=(
                plan.interactive_ttl if mode == "dedicated" else plan.batch_interactive_ttl
            ),
            max_ttl=longest if max_ttl is None else max_ttl,
            created=now,
            timestamps=(("open", now),),
            **details,
        )
        self._put_session(session)
        return session

    def submit(self, now: float, job: EmulatedJob) -> EmulatedJob:
        """Accept a job and start it at once if it is its turn.

        Raises
        ------
        Refusal
            An unknown backend or session, a session on another backend, or one that accepts nothing
            more (1217).
        """
        now = self.advance(now)
        self._known_backend(job.backend)
        if job.id in self.jobs:
            raise ValueError(f"There is a job {job.id} already.")
        if job.session_id is not None:
            session = self._known_session(job.session_id)
            if session.backend != job.backend:
                raise Refusal(
                    400,
                    f"Session {session.id} runs on {session.backend}, not on {job.backend}.",
                    "Send the job to the session's backend, or without a session.",
                )
            if not session.accepting_jobs:
                raise Refusal(
                    409, "Session has been closed.", "Open a new session.", SESSION_CLOSED
                )
        job = replace(job, created=now, status="Queued", started=None, finished=None, attempts=0)
        self._index_job(job)
        self._changes.jobs[job.id] = None
        if job.session_id is not None:
            self._schedule(job.session_id)
            if self._first_queued(job.session_id) is job:
                self._offer(job.session_id)
        self._go_on(job.backend)
        return self.jobs[job.id]

    def begun(self, now: float, job_id: str) -> None:
        """A worker has a running job. Ignored when the job was stopped meanwhile.

        From here its maximum execution time counts, which at IBM is use of the device and no
        preparation, and so does what it is charged when it is stopped. Nothing is written down:
        after a restart the job begins anew.
        """
        self.advance(now)
        job = self.jobs.get(job_id)
        if job is None or job.status != "Running" or job.load is not None or job_id in self._begun:
            return
        self._begun[job_id] = self.now
        self._deadlines.set((JOB, job_id), self.now + job.max_execution_time)
        self.advance(self.now)

    def plan(self, job_id: str, device_seconds: float) -> None:
        """A running job will take so long on a device. Nothing is written down."""
        job = self.jobs.get(job_id)
        if job is not None and job.status == "Running":
            self._planned[job_id] = device_seconds

    def planned(self, session_id: str) -> float | None:
        """Seconds that a session's running job will take on a device; None while unknown."""
        running = self._running[self.sessions[session_id].backend]
        own = (one for one in reversed(running) if self.jobs[one].session_id == session_id)
        return self._planned.get(next(own, ""))

    def finish(
        self,
        now: float,
        job_id: str,
        *,
        failed: bool = False,
        reason: str | None = None,
        reason_code: int | None = None,
        qpu_seconds: float = 0.0,
        device_seconds: float | None = None,
        methods: tuple[str, ...] = (),
        approximations: tuple[str, ...] = (),
        no_effect: tuple[str, ...] = (),
    ) -> None:
        """A running job completed or failed. Ignored when it was stopped meanwhile."""
        self.advance(now)
        job = self.jobs.get(job_id)
        if job is not None and job.status == "Running":
            status: JobStatus = "Failed" if failed else "Completed"
            job = replace(job, methods=methods, approximations=approximations, no_effect=no_effect)
            self._end(job, status, reason, reason_code, qpu_seconds, device_seconds)
            self._go_on(job.backend)

    def cancel_job(self, now: float, job_id: str) -> None:
        """Cancel one job, queued or running.

        Raises
        ------
        Refusal
            It is unknown (404) or final already (409).
        """
        self.advance(now)
        job = self._known_job(job_id)
        if job.final:
            raise Refusal(
                409, f"Job {job_id} is already in a final state: {job.status}.", "Nothing to do."
            )
        self._end(job, "Cancelled", "Cancelled by user", None)
        self._go_on(job.backend)

    def close_session(self, now: float, session_id: str) -> None:
        """Accept no more jobs; queued ones still run, with priority; then it is closed (rule 8)."""
        self.advance(now)
        session = self._known_session(session_id)
        if session.accepting_jobs:
            self._put_session(replace(session, accepting_jobs=False, state_reason=REASON_CLOSED))
        self._settle(session_id)
        self._go_on(session.backend)

    def set_simulation(self, now: float, session_id: str, simulation: dict[str, Any]) -> None:
        """Keep how a session's circuits are to be simulated."""
        self.advance(now)
        self._put_session(replace(self._known_session(session_id), simulation=simulation))

    def cancel_session(self, now: float, session_id: str) -> None:
        """Accept no more jobs and cancel queued ones; a running one finishes (rule 7)."""
        self.advance(now)
        session = self._known_session(session_id)
        if session.state != "closed" and session.state_reason != REASON_MAX_TTL:
            self._put_session(replace(session, accepting_jobs=False, state_reason=REASON_CANCELLED))
        self._end_queued(session_id, "Cancelled", "Session has been cancelled.", None)
        self._settle(session_id)
        self._go_on(session.backend)

    def delete_job(self, now: float, job_id: str) -> None:
        """Forget a final job.

        Raises
        ------
        Refusal
            It is unknown (404) or not final (400).
        """
        job = self.deletable(now, job_id)
        if job.session_id is not None:
            self._members[job.session_id].pop(job_id)
        self._drop_job(job_id)

    def deletable(self, now: float, job_id: str) -> EmulatedJob:
        """Return a job that `delete_job` would forget; raises as that does."""
        self.advance(now)
        job = self._known_job(job_id)
        if not job.final:
            raise Refusal(400, f"Job {job_id} is {job.status}.", "Cancel it first.")
        return job

    def update_job(self, job_id: str, **fields: Any) -> None:
        """Change what the rules do not care about: tags."""
        self._put_job(replace(self.jobs[job_id], **fields))

    def forget_session(self, session_id: str) -> None:
        """Drop a closed session and its jobs from memory, at the end of their retention."""
        if self.sessions[session_id].state != "closed":
            raise ValueError(f"Session {session_id} is not closed.")
        for job_id in self._members.pop(session_id):
            self._drop_job(job_id)
        del self.sessions[session_id]
        self._changes.sessions.pop(session_id, None)

    def excuse(self, seconds: float) -> None:
        """Let running jobs run for longer, because nothing ran for so long: the machine slept."""
        for job_id in self._begun:
            self._begun[job_id] += seconds
            self._deadlines.postpone((JOB, job_id), seconds)

    def pause(self, now: float) -> None:
        """Let no queued job start until `unpause`; running ones go on."""
        self.advance(now)
        self.paused = True

    def unpause(self, now: float) -> None:
        """Go on with the queue."""
        self.advance(now)
        self.paused = False
        self._go_on(*self.devices)

    def put_lanes(self, now: float, backend: str, lanes: int) -> None:
        """Let a backend run that many jobs at once from now on; 0 starts none."""
        self.advance(now)
        self.devices[backend] = replace(self.devices[backend], lanes=lanes)
        self._go_on(backend)

    def resume(self, now: float) -> None:
        """Take over the records of a process that is gone.

        A job that was running runs again from its beginning, unless that happened too often; a
        simulated job of another user went on meanwhile. Deadlines that passed happen at their own
        times, but no job starts before ``now``. What waited for a backend that is no longer there
        fails.
        """
        self.paused = True
        self.advance(now)  # to the rules a job that was interrupted is still a running one
        for backend in self._running:
            interrupted = [job for job in self.running(backend) if job.load is None]
            for job in interrupted:
                self._running[backend].pop(job.id)
            if backend not in self.devices:
                self._abandon(backend, interrupted)
                continue
            waiting = []
            for job in interrupted:
                if job.attempts >= MAX_ATTEMPTS:
                    times = f"{job.attempts} times while this job ran"
                    reason = f"The emulator stopped {times}; it is not run again."
                    self._end(job, "Failed", reason, None)
                elif len(self._running[backend]) < self.devices[backend].lanes:
                    self._start(job)
                else:  # there are fewer lanes than before
                    job = replace(job, status="Queued", started=None)
                    self._queues[backend][job.id] = None
                    self._put_job(job)
                    waiting.append(job)
            for job in reversed(waiting):
                self._queues[backend].move_to_end(job.id, last=False)
                if job.session_id is not None:
                    self._offer(job.session_id)
        self.unpause(now)

    def _abandon(self, backend: str, interrupted: list[EmulatedJob]) -> None:
        """End what was on a backend that this process does not have."""
        reason = f"There is no backend {backend} in this emulator any more."
        for job in [*interrupted, *self.running(backend), *self.queue(backend)]:
            self._end(job, "Failed", reason, None)
        for session_id in list(self._open):
            session = self.sessions[session_id]
            if session.backend == backend:
                self._close(replace(session, state_reason=REASON_NO_BACKEND))

    # ----------------------------------------------------------------------------------------------
    # Who is unknown

    def _known_backend(self, backend: str) -> None:
        if backend not in self.devices:
            names = ", ".join(sorted(self.devices)[:6])
            raise Refusal(404, f"Backend {backend} not found.", f"There are {names}, ….")

    def _known_session(self, session_id: str) -> EmulatedSession:
        session = self.sessions.get(session_id)
        if session is None:
            raise Refusal(404, f"Session {session_id} not found.", "Check the session id.")
        return session

    def _known_job(self, job_id: str) -> EmulatedJob:
        job = self.jobs.get(job_id)
        if job is None:
            raise Refusal(404, f"Job {job_id} not found.", "Check the job id.")
        return job
