"""The rules of sessions and jobs, and nothing else: no clock, no I/O, no threads.

A `Lifecycle` holds the records and changes them when it is told that something happened, and when.
The same calls with the same times give the same records, so property tests run months of sessions
in seconds and a restart goes on where the last process stopped. What the world has to do about it
(start this job, stop that one, write these records down) is collected in `Changes`.

The rules are numbered as in CONTRIBUTING.md; ``tests/emulator/test_rules.py`` has an example of
each.

Time only moves forward: every method takes ``now`` and first lets all deadlines up to then happen,
each at its own time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from .records import Device, Job, JobStatus, Mode, Plan, Session

SESSION_CLOSED = 1217
RAN_TOO_LONG = 1305
NO_SESSIONS_ON_PLAN = 1352
MAX_ATTEMPTS = 3

REASON_CLOSED = "session_closed_early"
REASON_CANCELLED = "session_cancelled"
REASON_MAX_TTL = "session_max_ttl_reached"
REASON_EMPTY = "session_never_used"
REASON_ITTL = "session_inactivated_by_interactive_ttl"
REASON_ACTIVE = "session_activated"


class Refused(Exception):  # noqa: N818 - a refusal is an answer, not a malfunction
    """The service does not do what it was asked.

    Attributes
    ----------
    status : int
        The HTTP status it answers with.
    code : int
        IBM's error code, or the HTTP status where none is known.
    message : str
        What was wrong.
    solution : str
        What to do about it.
    """

    def __init__(self, status: int, message: str, solution: str = "", code: int | None = None):
        super().__init__(message)
        self.status = status
        self.code = status if code is None else code
        self.message = message
        self.solution = solution


@dataclass
class Changes:
    """What came of the events since the last `Lifecycle.take_changes`.

    Attributes
    ----------
    sessions, jobs : dict of str to None
        Ids of the records that are new or different, in order of their first change.
    start, stop : list of str
        Jobs to start running now; running jobs to stop. A job in both was stopped in the same
        breath.
    """

    sessions: dict[str, None] = field(default_factory=dict)
    jobs: dict[str, None] = field(default_factory=dict)
    start: list[str] = field(default_factory=list)
    stop: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.sessions or self.jobs or self.start or self.stop)


class Lifecycle:
    """All sessions and jobs of one emulator.

    Parameters
    ----------
    devices : iterable of Device
        The backends.
    sessions, jobs : iterable
        Records of an earlier process; call `resume` before anything else when there are any.
    empty_ttl : float
        Seconds after which a session that never ran a job closes.
    """

    def __init__(
        self,
        devices: Iterable[Device],
        sessions: Iterable[Session] = (),
        jobs: Iterable[Job] = (),
        *,
        empty_ttl: float = 1800.0,
    ):
        self.devices = {device.name: device for device in devices}
        self.sessions: dict[str, Session] = {session.id: session for session in sessions}
        self.jobs: dict[str, Job] = {}
        self.empty_ttl = empty_ttl
        self.paused = False
        self.now = 0.0
        self._changes = Changes()
        self._queues: dict[str, OrderedDict[str, None]] = {
            name: OrderedDict() for name in self.devices
        }
        self._running: dict[str, OrderedDict[str, None]] = {
            name: OrderedDict() for name in self.devices
        }
        self._members: dict[str, list[str]] = {session_id: [] for session_id in self.sessions}
        self._pending: dict[str, OrderedDict[str, None]] = {}
        self._open: OrderedDict[str, None] = OrderedDict(
            (session.id, None) for session in self.sessions.values() if session.state != "closed"
        )
        for job in sorted(jobs, key=lambda job: (job.created, job.id)):
            self._index(job)

    # ---------------------------------------------------------------------------------------------
    # Looking

    def jobs_of(self, session_id: str) -> list[Job]:
        """The jobs of a session, oldest first."""
        return [self.jobs[job_id] for job_id in self._members.get(session_id, ())]

    def queue(self, backend: str) -> list[Job]:
        """Jobs waiting on a backend, in the order they were accepted."""
        return [self.jobs[job_id] for job_id in self._queues[backend]]

    def running(self, backend: str) -> list[Job]:
        """Jobs running on a backend, in the order they started."""
        return [self.jobs[job_id] for job_id in self._running[backend]]

    def pending_of(self, session_id: str) -> list[Job]:
        """Jobs of a session that are queued or running, oldest first."""
        return [self.jobs[job_id] for job_id in self._pending.get(session_id, ())]

    def usage(self, session_id: str, now: float) -> float:
        """Usage of a session or batch in seconds (rule 12).

        For a session the wall-clock time it was active, for a batch the QPU time of its jobs.
        """
        session = self.sessions[session_id]
        if session.mode == "batch":
            return sum(job.qpu_seconds for job in self.jobs_of(session_id))
        if session.state == "active" and session.activated_at is not None:
            return session.elapsed + max(0.0, now - session.activated_at)
        return session.elapsed

    def holder(self, backend: str) -> Session | None:
        """The session that keeps everybody else off a backend at this moment, if any (rule 3)."""
        if not self.devices[backend].exclusive:
            return None
        for session_id in self._open:
            session = self.sessions[session_id]
            if (
                session.backend == backend
                and session.mode == "dedicated"
                and session.state == "active"
            ):
                return session
        return None

    def next_deadline(self) -> float | None:
        """When something happens by itself if nothing else does; None when nothing will."""
        first = min(self._deadlines(), default=None, key=lambda deadline: deadline[0])
        return None if first is None else first[0]

    # ---------------------------------------------------------------------------------------------
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
    ) -> Session:
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
            Further fields of `Session` (``user``, ``tags``).

        Raises
        ------
        Refused
            The plan has no sessions (1352, rule 10), an unknown backend, or a maximum time out of
            range.
        """
        self.advance(now)
        self._known_backend(backend)
        if mode == "dedicated" and not plan.sessions:
            raise Refused(
                400,
                f"You are not authorized to run a session when using the {plan.name} plan.",
                "Create an instance of a different plan type, or use job mode or a batch.",
                NO_SESSIONS_ON_PLAN,
            )
        longest = plan.max_ttl if mode == "dedicated" else plan.batch_max_ttl
        if max_ttl is not None and not 1 <= max_ttl <= longest:
            raise Refused(
                400,
                f"max_ttl must be between 1 and {longest:g} seconds, not {max_ttl:g}.",
                f"Ask for at most {longest:g} seconds, or leave it out to get that much.",
            )
        session = Session(
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
        self._members[session_id] = []
        self._open[session_id] = None
        self._put_session(session)
        return session

    def submit(self, now: float, job: Job) -> Job:
        """Accept a job and start it at once if it is its turn.

        Raises
        ------
        Refused
            An unknown backend or session, a session on another backend, or one that accepts nothing
            more (1217).
        """
        self.advance(now)
        self._known_backend(job.backend)
        if job.session_id is not None:
            session = self._known_session(job.session_id)
            if session.backend != job.backend:
                raise Refused(
                    400,
                    f"Session {session.id} runs on {session.backend}, not on {job.backend}.",
                    "Send the job to the session's backend, or without a session.",
                )
            if not session.accepting_jobs:
                raise Refused(
                    409, "Session has been closed.", "Open a new session.", SESSION_CLOSED
                )
        job = replace(job, created=now, status="Queued")
        self._index(job)
        self._changes.jobs[job.id] = None
        self._select(job.backend, now)
        return self.jobs[job.id]

    def finish(
        self,
        now: float,
        job_id: str,
        *,
        failed: bool = False,
        reason: str | None = None,
        reason_code: int | None = None,
        qpu_seconds: float = 0.0,
    ) -> None:
        """A running job completed or failed. Ignored when it was stopped meanwhile."""
        self.advance(now)
        job = self.jobs.get(job_id)
        if job is not None and job.status == "Running":
            status: JobStatus = "Failed" if failed else "Completed"
            self._end(job, now, status, reason, reason_code, qpu_seconds)

    def charge(self, now: float, job_id: str, qpu_seconds: float) -> None:
        """Write down the QPU time of a job that was stopped."""
        self.advance(now)
        if job_id in self.jobs:
            self._put_job(replace(self.jobs[job_id], qpu_seconds=qpu_seconds))

    def cancel_job(self, now: float, job_id: str) -> None:
        """Cancel one job, queued or running.

        Raises
        ------
        Refused
            It is unknown (404) or final already (409).
        """
        self.advance(now)
        job = self.jobs.get(job_id)
        if job is None:
            raise Refused(404, f"Job {job_id} not found.", "Check the job id.")
        if job.final:
            raise Refused(
                409, f"Job {job_id} is already in a final state: {job.status}.", "Nothing to do."
            )
        self._end(job, now, "Cancelled", "Cancelled by user", None)

    def close_session(self, now: float, session_id: str) -> None:
        """Accept no more jobs; queued ones still run, with priority; then it is closed (rule 8)."""
        self._stop_accepting(now, session_id, REASON_CLOSED)
        self._settle(session_id, now)

    def cancel_session(self, now: float, session_id: str) -> None:
        """Accept no more jobs and cancel queued ones; a running one finishes (rule 7)."""
        self._stop_accepting(now, session_id, REASON_CANCELLED)
        self._end_queued(session_id, now, "Cancelled", "Session has been cancelled.", None)
        self._settle(session_id, now)

    def delete_job(self, now: float, job_id: str) -> None:
        """Forget a final job.

        Raises
        ------
        Refused
            It is unknown (404) or not final (409).
        """
        self.advance(now)
        job = self.jobs.get(job_id)
        if job is None:
            raise Refused(404, f"Job {job_id} not found.", "Check the job id.")
        if not job.final:
            raise Refused(409, f"Job {job_id} is {job.status}.", "Cancel it first.")
        del self.jobs[job_id]
        if job.session_id is not None and job.session_id in self._members:
            self._members[job.session_id].remove(job_id)

    def update_job(self, job_id: str, **fields: Any) -> None:
        """Change what the rules do not care about: tags."""
        self._put_job(replace(self.jobs[job_id], **fields))

    def forget_session(self, session_id: str) -> None:
        """Drop a closed session and its jobs, when they have outlived their retention."""
        if self.sessions[session_id].state != "closed":
            raise ValueError(f"Session {session_id} is not closed.")
        for job_id in self._members.pop(session_id):
            del self.jobs[job_id]
        del self.sessions[session_id]

    def pause(self, now: float) -> None:
        """Let no queued job start until `unpause`; running ones go on."""
        self.advance(now)
        self.paused = True

    def unpause(self, now: float) -> None:
        """Go on with the queue."""
        self.advance(now)
        self.paused = False
        for backend in self.devices:
            self._select(backend, now)

    def resume(self, now: float) -> None:
        """Take over the records of a process that is gone.

        A job that was running is queued again in its old place, unless that happened too often;
        deadlines that passed meanwhile happen at their own times, but no job starts before ``now``.
        """
        self.paused = True
        for backend in self.devices:
            for job in self.running(backend):
                self._running[backend].pop(job.id)
                if job.attempts >= MAX_ATTEMPTS:
                    self._end(
                        job,
                        now,
                        "Failed",
                        f"The emulator stopped {job.attempts} times while this job ran.",
                        None,
                    )
                    continue
                self._queues[backend][job.id] = None
                self._queues[backend].move_to_end(job.id, last=False)
                self._put_job(replace(job, status="Queued", started=None))
        self.unpause(now)

    def advance(self, now: float) -> None:
        """Let every deadline up to ``now`` happen, in order, each at its own time."""
        while True:
            due = min(
                (deadline for deadline in self._deadlines() if deadline[0] <= now),
                default=None,
                key=lambda deadline: deadline[:2],
            )
            if due is None:
                break
            at, order, ident = due
            at = max(at, self.now)
            self.now = at
            if order == 0:
                self._job_deadline(self.jobs[ident], at)
            else:
                self._session_deadline(self.sessions[ident], at)
        self.now = max(self.now, now)

    def take_changes(self) -> Changes:
        """What has changed since the last call."""
        changes, self._changes = self._changes, Changes()
        return changes

    # ---------------------------------------------------------------------------------------------
    # Deadlines

    def _deadlines(self) -> Iterator[tuple[float, int, str]]:
        """What happens by itself: when, 0 for jobs before 1 for sessions, whose."""
        for running in self._running.values():
            for job_id in running:
                job = self.jobs[job_id]
                assert job.started is not None
                limit = job.max_execution_time if job.load is None else job.load
                yield job.started + limit, 0, job_id
        for session_id in self._open:
            session = self.sessions[session_id]
            pending = self._pending.get(session_id)
            if session.started_at is not None and session.state_reason != REASON_MAX_TTL:
                yield session.started_at + session.max_ttl, 1, session_id
            if pending:
                continue
            if session.state == "active" and session.last_job_completed is not None:
                yield session.last_job_completed + session.interactive_ttl, 1, session_id
            elif session.started_at is None:
                yield session.created + self.empty_ttl, 1, session_id

    def _job_deadline(self, job: Job, at: float) -> None:
        if job.load is not None:
            self._end(job, at, "Completed", None, None, job.load)
            return
        reason = f"Job ran longer than its maximum execution time of {job.max_execution_time:g} s."
        self._end(job, at, "Cancelled - Ran too long", reason, RAN_TOO_LONG)

    def _session_deadline(self, session: Session, at: float) -> None:
        if session.started_at is None:  # rule 11
            self._close(replace(session, state_reason=REASON_EMPTY), at)
        elif session.state_reason != REASON_MAX_TTL and at >= session.started_at + session.max_ttl:
            # rule 6; while a running job finishes, the session is active and accepts nothing
            self._put_session(replace(session, accepting_jobs=False, state_reason=REASON_MAX_TTL))
            self._end_queued(session.id, at, "Failed", "Session has been closed.", SESSION_CLOSED)
            self._settle(session.id, at)
        else:  # rule 4
            self._put_session(self._leave_active(session, "inactive", REASON_ITTL, at))
            self._select(session.backend, at)

    # ---------------------------------------------------------------------------------------------
    # Steps

    def _select(self, backend: str, now: float) -> None:
        """Start what may start: the one place that decides whose turn it is."""
        while not self.paused and len(self._running[backend]) < self.devices[backend].lanes:
            job = self._next(backend)
            if job is None:
                return
            self._start(job, now)

    def _next(self, backend: str) -> Job | None:
        holder = self.holder(backend)
        if holder is not None:  # rule 3
            return self._first_queued(holder.id)
        for session_id in self._open:
            session = self.sessions[session_id]
            if session.backend == backend and session.state == "active":
                job = self._first_queued(session_id)
                if job is not None:
                    return job
        head = next(iter(self._queues[backend]), None)
        if head is None:
            return None
        job = self.jobs[head]
        if (
            job.session_id is not None
            and self._running[backend]
            and self.devices[backend].exclusive
        ):
            session = self.sessions[job.session_id]
            if session.mode == "dedicated":
                return None  # it needs the backend to itself, so those running finish first
        return job

    def _first_queued(self, session_id: str) -> Job | None:
        for job_id in self._pending.get(session_id, ()):
            if self.jobs[job_id].status == "Queued":
                return self.jobs[job_id]
        return None

    def _start(self, job: Job, now: float) -> None:
        self._queues[job.backend].pop(job.id)
        self._running[job.backend][job.id] = None
        job = replace(job, status="Running", started=now, attempts=job.attempts + 1)
        self._put_job(job)
        if job.load is None:
            self._changes.start.append(job.id)
        if job.session_id is None:
            return
        session = replace(self.sessions[job.session_id], last_job_started=now)
        if session.state != "active":  # rules 2 and 5
            session = replace(
                session,
                state="active",
                state_reason=REASON_ACTIVE if session.accepting_jobs else session.state_reason,
                activated_at=now,
                started_at=now if session.started_at is None else session.started_at,
                timestamps=(*session.timestamps, ("active", now)),
            )
        self._put_session(session)

    def _end(
        self,
        job: Job,
        now: float,
        status: JobStatus,
        reason: str | None,
        code: int | None,
        qpu_seconds: float = 0.0,
    ) -> None:
        if job.status == "Running" and status.startswith("Cancelled"):
            self._changes.stop.append(job.id)
        self._queues[job.backend].pop(job.id, None)
        self._running[job.backend].pop(job.id, None)
        self._put_job(
            replace(
                job,
                status=status,
                reason=reason,
                reason_code=code,
                finished=now,
                qpu_seconds=qpu_seconds,
            )
        )
        if job.session_id is not None:
            self._pending[job.session_id].pop(job.id)
            session = self.sessions[job.session_id]
            if session.state == "active":
                # a cancelled job counts as well: idle time never reaches back over a pending job
                self._put_session(replace(session, last_job_completed=now))
            self._settle(job.session_id, now)
        self._select(job.backend, now)

    def _end_queued(
        self, session_id: str, now: float, status: JobStatus, reason: str, code: int | None
    ) -> None:
        for job in self.pending_of(session_id):
            if job.status == "Queued":
                self._end(job, now, status, reason, code)

    def _stop_accepting(self, now: float, session_id: str, reason: str) -> None:
        self.advance(now)
        session = self._known_session(session_id)
        if session.state != "closed" and session.state_reason != REASON_MAX_TTL:
            self._put_session(replace(session, accepting_jobs=False, state_reason=reason))

    def _settle(self, session_id: str, now: float) -> None:
        """Close a session that accepts nothing more and has nothing left to do."""
        session = self.sessions[session_id]
        if (
            session.state != "closed"
            and not session.accepting_jobs
            and not self._pending.get(session_id)
        ):
            self._close(session, now)

    def _close(self, session: Session, now: float) -> None:
        session = self._leave_active(session, "closed", session.state_reason, now)
        self._open.pop(session.id)
        self._pending.pop(session.id, None)
        self._put_session(replace(session, accepting_jobs=False, closed_at=now))
        self._select(session.backend, now)

    def _leave_active(self, session: Session, state: Any, reason: str, now: float) -> Session:
        elapsed = session.elapsed
        if session.state == "active" and session.activated_at is not None:
            elapsed += now - session.activated_at
        return replace(
            session,
            state=state,
            state_reason=reason,
            elapsed=elapsed,
            timestamps=(*session.timestamps, (state, now)),
        )

    # ---------------------------------------------------------------------------------------------
    # Bookkeeping

    def _index(self, job: Job) -> None:
        self.jobs[job.id] = job
        if job.session_id is not None:
            self._members.setdefault(job.session_id, []).append(job.id)
        if job.final:
            return
        line = self._running if job.status == "Running" else self._queues
        line[job.backend][job.id] = None
        if job.session_id is not None:
            self._pending.setdefault(job.session_id, OrderedDict())[job.id] = None

    def _put_job(self, job: Job) -> None:
        self.jobs[job.id] = job
        self._changes.jobs[job.id] = None

    def _put_session(self, session: Session) -> None:
        self.sessions[session.id] = session
        self._changes.sessions[session.id] = None

    def _known_backend(self, backend: str) -> None:
        if backend not in self.devices:
            names = ", ".join(sorted(self.devices)[:6])
            raise Refused(404, f"Backend {backend} not found.", f"There are {names}, ….")

    def _known_session(self, session_id: str) -> Session:
        session = self.sessions.get(session_id)
        if session is None:
            raise Refused(404, f"Session {session_id} not found.", "Check the session id.")
        return session
