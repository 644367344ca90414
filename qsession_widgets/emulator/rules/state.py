"""The records of one emulator, and the indexes that find them quickly; no rules.

`rules` decides what happens, this module knows where everything stands: who waits, who runs,
who holds a backend. An index is only ever a faster way to ask the records; `check_indexes` in the
tests derives each one anew and compares.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush

from .deadlines import Deadlines
from .records import Backend, EmulatedJob, EmulatedSession

REASON_MAX_TTL = "session_max_ttl_reached"

SESSION = 0
JOB = 1
LANE = 2
"""Ranks of deadlines. Which comes first at the same instant makes no difference: nothing starts
before both have happened."""


@dataclass
class Changes:
    """Records changed, and jobs to start and stop, since the last `take_changes`.

    Attributes
    ----------
    sessions, jobs : dict of str to None
        Ids of the records that are new or different, in order of their first change.
    start, stop : list of str
        Jobs to start running now; running jobs to stop. A job in both was stopped in the same
        breath. Simulated jobs of other users are in neither.
    """

    sessions: dict[str, None] = field(default_factory=dict)
    jobs: dict[str, None] = field(default_factory=dict)
    start: list[str] = field(default_factory=list)
    stop: list[str] = field(default_factory=list)

    def add_records(self, later: Changes) -> None:
        """Add the records of later changes."""
        self.sessions.update(later.sessions)
        self.jobs.update(later.jobs)


class ServiceState:
    """Sessions and jobs, indexed for every query.

    Parameters
    ----------
    devices : iterable of Device
        The backends.
    sessions, jobs : iterable
        Records of an earlier process, each in the order they were accepted.
    empty_ttl : float
        Seconds after which a session that never ran a job closes.
    fair_after : float, optional
        Seconds after which a running job holds its lane against its own instance only, so that
        nobody waits for somebody else's long simulation; at once on a simulator. By default a lane
        is held until its job ends, as on a device.
    device_least : float
        Seconds of a device's time that a job counts at most when it is not known what it was to
        run.
    """

    def __init__(
        self,
        devices: Iterable[Backend],
        sessions: Iterable[EmulatedSession] = (),
        jobs: Iterable[EmulatedJob] = (),
        *,
        empty_ttl: float = 1800.0,
        fair_after: float | None = None,
        device_least: float = 0.0,
    ):
        self.devices = {device.name: device for device in devices}
        self.sessions: dict[str, EmulatedSession] = {session.id: session for session in sessions}
        self.jobs: dict[str, EmulatedJob] = {}
        self.empty_ttl = empty_ttl
        self.fair_after = fair_after
        self.device_least = device_least
        self.paused = False
        self.now = 0.0
        self._changes = Changes()
        self._deadlines = Deadlines()
        self._serial = 0
        # By backend, and there may be records of backends that this process does not have.
        self._queues: dict[str, OrderedDict[str, None]] = {}
        self._running: dict[str, OrderedDict[str, None]] = {}
        self._ended: dict[str, OrderedDict[str, None]] = {}
        self._holders: dict[str, OrderedDict[str, None]] = {}
        self._ahead: dict[str, list[tuple[int, str]]] = {}
        # By session.
        self._members: dict[str, OrderedDict[str, None]] = {}
        self._pending: dict[str, OrderedDict[str, None]] = {}
        self._open: OrderedDict[str, None] = OrderedDict()
        # By job: its place in the order of acceptance; when a worker got it, and
        # how long it will take on a device, while it runs.
        self._order: dict[str, int] = {}
        self._begun: dict[str, float] = {}
        self._planned: dict[str, float] = {}

        for name in self.devices:
            self._add_backend(name)
        for session in self.sessions.values():
            self._index_session(session)
        stored = sorted(jobs, key=lambda job: job.created)
        for job in stored:
            self._index_job(job)
        for running in self._running.values():
            for job_id in sorted(running, key=lambda job_id: self.jobs[job_id].started or 0.0):
                running.move_to_end(job_id)
        for ended in self._ended.values():
            for job_id in sorted(ended, key=lambda job_id: self.jobs[job_id].finished or 0.0):
                ended.move_to_end(job_id)
        for session_id in self._open:
            self._offer(session_id)
            self._schedule(session_id)
        self.now = max([0.0, *map(_latest, self.sessions.values()), *map(_latest, stored)])

    # ----------------------------------------------------------------------------------------------
    # Looking

    def jobs_of(self, session_id: str) -> list[EmulatedJob]:
        """The jobs of a session, oldest first."""
        return [self.jobs[job_id] for job_id in self._members.get(session_id, ())]

    def queue(self, backend: str) -> list[EmulatedJob]:
        """Jobs waiting on a backend, in the order they were accepted."""
        return [self.jobs[job_id] for job_id in self._queues[backend]]

    def running(self, backend: str) -> list[EmulatedJob]:
        """Jobs running on a backend, in the order they started."""
        return [self.jobs[job_id] for job_id in self._running[backend]]

    def ended(self, backend: str) -> Iterator[EmulatedJob]:
        """Jobs that are over on a backend, the one that ended last first."""
        return (self.jobs[job_id] for job_id in reversed(self._ended.get(backend, {})))

    def pending_of(self, session_id: str) -> list[EmulatedJob]:
        """Jobs of a session that are queued or running, oldest first."""
        return [self.jobs[job_id] for job_id in self._pending.get(session_id, ())]

    def usage(self, session_id: str, now: float) -> float:
        """Usage of a session or batch in seconds (rule 12).

        For a session the wall-clock time it was active, for a batch the QPU time of its jobs, those
        deleted since included.
        """
        return self.sessions[session_id].usage(now)

    def active_session(self, backend: str) -> EmulatedSession | None:
        """The active session that has a backend to itself, if any (rule 3)."""
        held_by = next(iter(self._holders[backend]), None)
        return None if held_by is None else self.sessions[held_by]

    def next_deadline(self) -> float | None:
        """When something happens by itself if nothing else does; None when nothing will."""
        return self._deadlines.first()

    def take_changes(self) -> Changes:
        """Return the changes since the last call."""
        changes, self._changes = self._changes, Changes()
        return changes

    # ----------------------------------------------------------------------------------------------
    # Records

    def _put_session(self, session: EmulatedSession) -> None:
        self.sessions[session.id] = session
        self._changes.sessions[session.id] = None
        self._index_session(session)
        self._schedule(session.id)

    def _put_job(self, job: EmulatedJob) -> None:
        self.jobs[job.id] = job
        self._changes.jobs[job.id] = None

    def _drop_job(self, job_id: str) -> None:
        """Forget a final job, also where it was announced and not yet looked at."""
        job = self.jobs.pop(job_id)
        del self._ended[job.backend][job_id]
        del self._order[job_id]
        self._changes.jobs.pop(job_id, None)
        if job_id in self._changes.start:
            self._changes.start.remove(job_id)
            if job_id in self._changes.stop:
                self._changes.stop.remove(job_id)

    def add_backend(self, backend: Backend) -> None:
        """Take up a backend, unless there is one of that name."""
        self._add_backend(backend.name)
        self.devices.setdefault(backend.name, backend)

    def _add_backend(self, name: str) -> None:
        self._queues.setdefault(name, OrderedDict())
        self._running.setdefault(name, OrderedDict())
        self._ended.setdefault(name, OrderedDict())
        self._holders.setdefault(name, OrderedDict())
        self._ahead.setdefault(name, [])

    def _index_session(self, session: EmulatedSession) -> None:
        self._add_backend(session.backend)
        self._members.setdefault(session.id, OrderedDict())
        if session.state == "closed":
            self._open.pop(session.id, None)
            self._pending.pop(session.id, None)
        else:
            self._open[session.id] = None
            self._pending.setdefault(session.id, OrderedDict())
        if self._excludes(session) and session.state == "active":
            self._holders[session.backend][session.id] = None
        else:
            self._holders[session.backend].pop(session.id, None)

    def _index_job(self, job: EmulatedJob) -> None:
        self._add_backend(job.backend)
        self.jobs[job.id] = job
        self._serial += 1
        self._order[job.id] = self._serial
        if job.session_id is not None:
            self._members[job.session_id][job.id] = None
        if job.final:
            self._ended[job.backend][job.id] = None
            return
        if job.session_id is not None:
            self._pending[job.session_id][job.id] = None
        if job.status == "Queued":
            self._queues[job.backend][job.id] = None
            return
        self._running[job.backend][job.id] = None
        if job.load is not None and job.started is not None:
            self._deadlines.set((JOB, job.id), job.started + job.load)

    def _excludes(self, session: EmulatedSession) -> bool:
        """True if it has the backend to itself while it is active."""
        device = self.devices.get(session.backend)
        return session.mode == "dedicated" and device is not None and device.exclusive

    # ----------------------------------------------------------------------------------------------
    # Whose turn

    def _first_queued(self, session_id: str) -> EmulatedJob | None:
        for job_id in self._pending.get(session_id, ()):  # those running come first, and are few
            if self.jobs[job_id].status == "Queued":
                return self.jobs[job_id]
        return None

    def _offer(self, session_id: str) -> None:
        """Put the first waiting job of an active session ahead of all other users' jobs."""
        session = self.sessions[session_id]
        if session.state != "active" or self._excludes(session):
            return  # who has the backend to itself is asked first anyway
        job = self._first_queued(session_id)
        if job is not None:
            heappush(self._ahead[session.backend], (self._order[job.id], job.id))

    def _first_ahead(self, backend: str) -> EmulatedJob | None:
        """The longest waiting of the jobs whose session is active."""
        ahead = self._ahead[backend]
        while ahead:
            job = self.jobs.get(ahead[0][1])
            if job is not None and job.status == "Queued":
                return job
            heappop(ahead)
        return None

    # ----------------------------------------------------------------------------------------------
    # When

    def _schedule(self, session_id: str) -> None:
        """Work out when something happens to a session by itself."""
        session = self.sessions[session_id]
        pending = self._pending.get(session_id)
        at: float | None = None
        if session.state == "closed":
            pass
        elif session.started_at is None:
            if not pending:
                at = session.created + self.empty_ttl
        else:
            if session.state_reason != REASON_MAX_TTL:
                at = session.started_at + session.max_ttl
            if session.state == "active" and not pending and session.last_job_completed is not None:
                idle = session.last_job_completed + session.interactive_ttl
                at = idle if at is None else min(at, idle)
        self._deadlines.set((SESSION, session_id), at)


def _latest(record: EmulatedSession | EmulatedJob) -> float:
    """The latest time that a record mentions."""
    if isinstance(record, EmulatedJob):
        times = [record.created, record.started, record.finished]
    else:
        times = [at for _, at in record.timestamps]
        times += [record.created, record.last_job_started, record.last_job_completed]
    return max(at for at in times if at is not None)
