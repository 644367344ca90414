"""What must hold between the steps of a lifecycle, in the documentation's words.

`Watcher` looks at the records after each step and compares with what it saw before; it knows
nothing of how `Lifecycle` works. `check_indexes` derives every index from the records.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace

from qsession_widgets.emulator.rules.lifecycle import MAX_ATTEMPTS, Lifecycle
from qsession_widgets.emulator.rules.records import Backend, EmulatedJob, EmulatedSession, Plan
from qsession_widgets.emulator.rules.state import JOB, SESSION

DEVICES = (
    Backend("narrow", lanes=1, exclusive=True),
    Backend("wide", lanes=3, exclusive=True),
    Backend("simulator", lanes=2, exclusive=False),
)
LANES = {device.name: device.lanes for device in DEVICES}
EXCLUSIVE = {device.name for device in DEVICES if device.exclusive}
PLAN = Plan(interactive_ttl=5, max_ttl=29, batch_interactive_ttl=3, batch_max_ttl=31)
OPEN_PLAN = replace(PLAN, name="open", sessions=False)
EMPTY_TTL = 17


def excludes(session: EmulatedSession) -> bool:
    return session.mode == "dedicated" and session.backend in EXCLUSIVE


class Watcher:
    """What was seen, and what must follow from it."""

    def __init__(self) -> None:
        self.now = 0
        self.sessions: dict[str, EmulatedSession] = {}
        self.jobs: dict[str, EmulatedJob] = {}
        self.place: dict[str, int] = {}  # the order of acceptance
        self.active_time: Counter[str] = Counter()
        self.charged: Counter[str] = Counter()
        self.begun: dict[str, int] = {}  # when a worker got a job
        self.idle_since: dict[str, int] = {}
        self.first_start: dict[str, int] = {}
        self.told: dict[str, str] = {}  # sessions that were closed or cancelled, and how

    def pending(self, service: Lifecycle) -> dict[str, list[EmulatedJob]]:
        pending = defaultdict(list)
        for job in service.jobs.values():
            if job.session_id and not job.final:
                pending[job.session_id].append(job)
        return pending

    def look(self, service: Lifecycle, now: int, *, downtime: bool = False) -> None:
        """Check everything that must hold now, given what was seen last."""
        for job_id in service.jobs:
            self.place.setdefault(job_id, len(self.place))
        started = [
            job
            for job in sorted(service.jobs.values(), key=lambda job: self.place[job.id])
            if job.status == "Running"
            and (job.id not in self.jobs or self.jobs[job.id].status == "Queued")
        ]
        self.check_jobs(service, now, downtime)
        self.check_turns(service, started)
        self.check_lanes(service, started)
        self.check_sessions(service, now, started, downtime)
        self.now = now
        self.sessions = dict(service.sessions)
        self.jobs = dict(service.jobs)

    # -- jobs: legal transitions, one end, times in order

    def check_jobs(self, service: Lifecycle, now: int, downtime: bool) -> None:
        for job in service.jobs.values():
            before = self.jobs.get(job.id)
            if before is None:
                assert job.created == now
            elif before.final:
                assert job == before, "final is final"
            elif before.status == "Running" and job.status == "Running":
                assert job.started == (now if downtime and job.load is None else before.started)
                assert job.attempts == before.attempts + (downtime and job.load is None)
            else:
                assert job.status != "Queued" or before.status == "Queued"
            assert job.attempts <= MAX_ATTEMPTS
            times = [at for at in (job.created, job.started, job.finished) if at is not None]
            assert times == sorted(times)
            assert times[-1] <= now
            assert job.final == (job.finished is not None)
            if job.status == "Running" and job.load is not None:
                assert now < job.started + job.load
            if job.status == "Running" and job.id in self.begun:
                limit = job.max_execution_time
                assert now < self.begun[job.id] + limit, "stopped at its maximum execution time"
            if job.status == "Cancelled - Ran too long":
                assert job.finished == self.begun[job.id] + job.max_execution_time
            if job.status.startswith("Cancelled") and (before is None or not before.final):
                stopped = job.started is not None and job.load is None
                begun = self.begun.get(job.id, job.finished)
                assert job.qpu_seconds == (job.finished - begun if stopped else 0)
                self.charged[job.session_id] += job.qpu_seconds
            if job.final and (before is None or not before.final) and not downtime:
                assert job.finished == now, "something happened that was not announced"

    # -- whose turn it is

    def check_turns(self, service: Lifecycle, started: list[EmulatedJob]) -> None:
        queued = [job for job in service.jobs.values() if job.status == "Queued"]
        assert not (service.paused and started), "nothing starts while the queue is paused"
        activated: set[str] = set()
        for job in started:
            older = [
                other
                for other in queued
                if other.backend == job.backend and self.place[other.id] < self.place[job.id]
            ]
            if job.session_id in activated or self.was_active(job.session_id):
                # rule 3, and first come first served among those who have it; a session that has
                # the backend to itself keeps an active batch off as well
                rivals = [other for other in older if self.was_active(other.session_id)]
                if job.session_id and excludes(service.sessions[job.session_id]):
                    rivals = [other for other in rivals if other.session_id == job.session_id]
                assert not rivals, "a job of an active session was overtaken"
                continue
            assert not older, "the normal queue was jumped"
            assert not [
                other
                for other in queued
                if other.backend == job.backend
                and self.was_active(other.session_id)
                and service.sessions[other.session_id].state == "active"
            ], "a session's job waits behind a stranger's while its session is active"
            if job.session_id:
                activated.add(job.session_id)

    def was_active(self, session_id: str | None) -> bool:
        return session_id in self.sessions and self.sessions[session_id].state == "active"

    # -- lanes: never too many, never one unused

    def check_lanes(self, service: Lifecycle, started: list[EmulatedJob]) -> None:
        for backend, lanes in LANES.items():
            here = [job for job in service.jobs.values() if job.backend == backend]
            running = [job for job in here if job.status == "Running"]
            queued = [job for job in here if job.status == "Queued"]
            active = {
                session.id: session
                for session in service.sessions.values()
                if session.backend == backend and session.state == "active"
            }
            holders = [session for session in active.values() if excludes(session)]
            assert len(running) <= lanes
            assert len(holders) <= 1, "two dedicated sessions on one exclusive backend"
            for holder in holders:
                assert {job.session_id for job in running} <= {holder.id}
            if service.paused or len(running) == lanes or not queued:
                continue
            if holders:
                assert not [job for job in queued if job.session_id == holders[0].id]
                continue
            assert not [job for job in queued if job.session_id in active]
            head = min(queued, key=lambda job: self.place[job.id])
            assert running, "a lane is free and a job waits"
            assert head.session_id, "a lane is free and a job waits"
            assert excludes(service.sessions[head.session_id]), "a lane is free and a job waits"

    # -- sessions: states, timeouts, usage

    def check_sessions(
        self, service: Lifecycle, now: int, started: list[EmulatedJob], downtime: bool
    ) -> None:
        pending = self.pending(service)
        for job in started:
            if job.session_id:
                self.first_start.setdefault(job.session_id, job.started)
        for session in service.sessions.values():
            before = self.sessions.get(session.id)
            waiting = pending[session.id]
            stamps = [at for _, at in session.timestamps]
            assert stamps == sorted(stamps)
            assert stamps[0] == session.created
            assert stamps[-1] <= now
            assert session.timestamps[-1][0] == session.state
            if before is not None:
                news = session.timestamps[len(before.timestamps) :]
                assert session.timestamps[: len(before.timestamps)] == before.timestamps
                assert downtime or {at for _, at in news} <= {now}
                self.integrate(before, news, now)
                if before.state == "closed":
                    assert session == replace(before, elapsed=session.elapsed)
                    assert not waiting
                    assert not [job for job in started if job.session_id == session.id]
                assert session.accepting_jobs <= before.accepting_jobs
                assert session.state != "open" or before.state == "open"
            self.check_timeouts(service, session, before, waiting, now, downtime)
            if session.mode == "dedicated":
                assert service.usage(session.id, now) == self.active_time[session.id]
            else:
                assert service.usage(session.id, now) == self.charged[session.id]

    def integrate(
        self, before: EmulatedSession, news: tuple[tuple[str, float], ...], now: int
    ) -> None:
        state, since = before.state, self.now
        for news_state, at in (*news, ("", now)):
            if state == "active":
                self.active_time[before.id] += at - since
            state, since = news_state, at

    def check_timeouts(
        self,
        service: Lifecycle,
        session: EmulatedSession,
        before: EmulatedSession | None,
        waiting: list[EmulatedJob],
        now: int,
        downtime: bool,
    ) -> None:
        ran = session.id in self.first_start
        assert session.started_at == self.first_start.get(session.id), "rule 2"
        if session.state == "closed":
            assert not session.accepting_jobs
            assert session.closed_at == session.timestamps[-1][1]
            assert not waiting
            if session.state_reason == "session_max_ttl_reached":
                assert session.closed_at >= session.started_at + session.max_ttl
            elif session.state_reason == "session_never_used":
                assert not ran
                assert session.closed_at >= session.created + EMPTY_TTL
            else:
                assert session.state_reason == self.told[session.id], "it closed for no reason"
        elif not session.accepting_jobs:
            assert waiting, "it accepts nothing more and has nothing left: closed"
        if session.state == "open":
            assert not ran
            assert waiting or now < session.created + EMPTY_TTL, "rule 11"
        if ran and session.state != "closed" and now >= session.started_at + session.max_ttl:
            assert not session.accepting_jobs, "rule 6"
            assert {job.status for job in waiting} == {"Running"}, "rule 6"

        ended = [
            job.finished
            for job in service.jobs.values()
            if job.session_id == session.id
            and job.final
            and (job.id not in self.jobs or not self.jobs[job.id].final)
        ]
        was_idle_since = self.idle_since.get(session.id)
        if session.state == "active" and not waiting:
            if was_idle_since is None or ended or session.timestamps[-1][1] > self.now:
                self.idle_since[session.id] = max(ended, default=now)
            since = self.idle_since[session.id]
            assert session.last_job_completed == since, "what a client counts down from"
            assert since <= now < since + session.interactive_ttl, "rule 4"
        elif session.state == "active":
            self.idle_since.pop(session.id, None)
        if before is not None and before.state == "active" and session.state == "inactive":
            since = max([*ended, *([] if was_idle_since is None else [was_idle_since])])
            assert session.timestamps[-1][1] == since + session.interactive_ttl, "rule 4"
        if before is not None and before.state == "active" and session.state != "active":
            self.idle_since.pop(session.id, None)


def check_indexes(service: Lifecycle) -> None:
    """Derive every index from the records and compare."""
    live = [job for job in service.jobs.values() if not job.final]
    pending = defaultdict(set)
    members = defaultdict(set)
    for job in service.jobs.values():
        if job.session_id:
            members[job.session_id].add(job.id)
            if not job.final:
                pending[job.session_id].add(job.id)
    due: dict[tuple[int, str], float] = {}
    for name in LANES:
        for index, status in ((service._queues, "Queued"), (service._running, "Running")):
            assert set(index[name]) == {
                job.id for job in live if job.backend == name and job.status == status
            }
        ended = [job for job in service.jobs.values() if job.backend == name and job.final]
        listed = list(service.ended(name))
        assert {job.id for job in listed} == {job.id for job in ended}
        times = [job.finished for job in listed]
        assert times == sorted(times, reverse=True)
        assert list(service._queues[name]) == sorted(
            service._queues[name], key=service._order.__getitem__
        )
        assert set(service._holders[name]) == {
            session.id
            for session in service.sessions.values()
            if session.backend == name and session.state == "active" and excludes(session)
        }
    assert set(service._begun) <= {job.id for job in live if job.status == "Running"}
    for job in live:
        if job.status == "Running" and job.load is not None:
            due[JOB, job.id] = job.started + job.load
        elif job.status == "Running" and job.id in service._begun:
            due[JOB, job.id] = service._begun[job.id] + job.max_execution_time
    for session in service.sessions.values():
        assert set(service._members[session.id]) == members[session.id]
        closed = session.state == "closed"
        assert (session.id in service._open) is not closed
        assert set(service._pending.get(session.id, ())) == pending[session.id]
        if closed:
            continue
        at = []
        if session.started_at is None:
            at += [] if pending[session.id] else [session.created + EMPTY_TTL]
        elif session.state_reason != "session_max_ttl_reached":
            at.append(session.started_at + session.max_ttl)
        if session.state == "active" and not pending[session.id]:
            at.append(session.last_job_completed + session.interactive_ttl)
        if at:
            due[SESSION, session.id] = min(at)
    assert dict(service._deadlines.items()) == due
    assert service.next_deadline() == min(due.values(), default=None)
