"""Every rule as an invariant, under arbitrary interleavings of everything that can happen.

`Watcher` looks at the records after each step and compares with what it saw before; it knows the
rules as the documentation words them and nothing of how `Lifecycle` works. Time is in whole seconds
and the timeouts are short, so that boundaries coincide often and arithmetic is exact.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from qsession_widgets.emulator.rules.lifecycle import MAX_ATTEMPTS, Lifecycle
from qsession_widgets.emulator.rules.records import Backend, EmulatedJob, EmulatedSession, Plan
from qsession_widgets.emulator.rules.refusals import Refusal
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

picks = st.integers(0, 11)
seconds = st.integers(1, 12)


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


class Interleavings(RuleBasedStateMachine):
    """One emulator that is looked at after each second that matters, and a twin that is not.

    The twin hears of the same events and is never told that time passed in between: it must arrive
    at the same records. What was announced as changed goes to `disk`, and a restart sees only that.
    """

    @initialize(backends=st.sampled_from([["simulator"], ["wide"], ["narrow"], sorted(LANES)]))
    def begin(self, backends) -> None:
        self.backends = backends  # often one only, so that much happens there
        self.now = 0
        self.names = 0
        self.service = Lifecycle(DEVICES, empty_ttl=EMPTY_TTL)
        self.twin = Lifecycle(DEVICES, empty_ttl=EMPTY_TTL)
        self.watcher = Watcher()
        self.disk: tuple[dict[str, EmulatedSession], dict[str, EmulatedJob]] = ({}, {})

    # -- helpers

    def name(self, kind: str) -> str:
        self.names += 1
        return f"{kind}{self.names}"

    def pick(self, candidates, number: int):
        return candidates[number % len(candidates)]

    def both(self, event: str, *args, **kwargs) -> None:
        """Tell both; both must answer the same."""
        answers = []
        for service in (self.service, self.twin):
            try:
                answers.append(getattr(service, event)(self.now, *args, **kwargs))
            except Refusal as refusal:
                answers.append((refusal.status, refusal.code))
        assert answers[0] == answers[1]
        assert self.service.sessions == self.twin.sessions
        assert self.service.jobs == self.twin.jobs
        self.collect()

    def collect(self, downtime: bool = False) -> None:
        """Write down what was announced, as the store does, and look at the result."""
        changes = self.service.take_changes()
        sessions, jobs = self.disk
        due = self.service.next_deadline()
        assert due is None or due > self.now, "what is due has happened"
        announced = (set(changes.start), set(changes.stop))
        seen = (set(), set())
        for job in self.service.jobs.values():
            before = jobs.get(job.id)
            if job.load is None and job.status == "Running":
                if before is None or before.status == "Queued" or before.attempts < job.attempts:
                    seen[0].add(job.id)
            elif job.load is None and before is not None and before.status == "Running":
                seen[1].update({job.id} if job.status.startswith("Cancelled") else ())
        assert announced == seen
        for session_id in changes.sessions:
            sessions[session_id] = self.service.sessions[session_id]
        for job_id in changes.jobs:
            jobs[job_id] = self.service.jobs[job_id]
        assert sessions == self.service.sessions, "a change was not announced"
        assert jobs == self.service.jobs, "a change was not announced"
        self.watcher.look(self.service, self.now, downtime=downtime)

    def live_sessions(self) -> list[EmulatedSession]:
        return [s for s in self.service.sessions.values() if s.state != "closed"]

    def unfinished(self, status: str) -> list[EmulatedJob]:
        return [
            job
            for job in self.service.jobs.values()
            if job.status == status and (job.load is None or status == "Queued")
        ]

    # -- what can happen

    @precondition(lambda self: len(self.live_sessions()) < 4)
    @rule(
        backend=picks,
        mode=st.sampled_from(["dedicated", "dedicated", "batch"]),
        plan=st.sampled_from([PLAN, PLAN, PLAN, OPEN_PLAN]),
        max_ttl=st.one_of(st.none(), st.integers(0, 33)),
    )
    def open(self, backend, mode, plan, max_ttl) -> None:
        session_id = self.name("s")
        backend = self.pick(self.backends, backend)
        self.both("open_session", session_id, backend, mode, "crn", plan, max_ttl)
        allowed = plan.sessions or mode == "batch"
        longest = plan.max_ttl if mode == "dedicated" else plan.batch_max_ttl
        allowed = allowed and (max_ttl is None or 1 <= max_ttl <= longest)
        assert (session_id in self.service.sessions) == allowed

    @precondition(lambda self: self.service.sessions)
    @rule(
        pick=picks,
        count=st.integers(1, 4),
        load=st.one_of(st.none(), st.none(), seconds),
        limit=st.sampled_from([7, 1000]),
    )
    def submit_in_session(self, pick, count, load, limit) -> None:
        live = self.live_sessions()
        session = self.pick(live or list(self.service.sessions.values()), pick)
        for _ in range(count):
            accepting = self.service.sessions[session.id].accepting_jobs
            job_id = self.name("j")
            self.both(
                "submit",
                EmulatedJob(
                    job_id,
                    "sampler",
                    session.backend,
                    "crn",
                    0,
                    session.id,
                    max_execution_time=limit,
                    load=load,
                ),
            )
            assert (job_id in self.service.jobs) == accepting

    @rule(backend=picks, count=st.integers(1, 3), load=st.one_of(st.none(), seconds))
    def submit_alone(self, backend, count, load) -> None:
        backend = self.pick(self.backends, backend)
        for _ in range(count):
            self.both(
                "submit", EmulatedJob(self.name("j"), "sampler", backend, "crn", 0, load=load)
            )

    @precondition(lambda self: self.unfinished("Running"))
    @rule(pick=picks, failed=st.booleans(), qpu=st.integers(0, 3))
    def finish(self, pick, failed, qpu) -> None:
        job = self.pick(self.unfinished("Running"), pick)
        self.watcher.charged[job.session_id] += qpu
        self.both("finish", job.id, failed=failed, qpu_seconds=qpu)
        assert self.service.jobs[job.id].status == ("Failed" if failed else "Completed")

    @precondition(lambda self: self.service.jobs)
    @rule(pick=picks)
    def cancel_job(self, pick) -> None:
        candidates = self.unfinished("Running") + self.unfinished("Queued")
        job = self.pick(candidates or list(self.service.jobs.values()), pick)
        self.both("cancel_job", job.id)
        if not job.final:
            assert self.service.jobs[job.id].status == "Cancelled"

    @precondition(lambda self: self.unfinished("Running"))
    @rule(count=st.integers(1, 3))
    def reach_a_worker(self, count) -> None:
        for job in self.unfinished("Running")[:count]:
            self.watcher.begun.setdefault(job.id, self.now)
            self.both("begun", job.id)

    @precondition(lambda self: self.service.jobs)
    @rule(pick=picks)
    def begin_or_finish_late(self, pick) -> None:
        final = [job for job in self.service.jobs.values() if job.final and job.load is None]
        if final:
            job = self.pick(final[-12:], pick)
            self.both("begun", job.id)  # it was stopped meanwhile: both are ignored
            self.both("finish", job.id, qpu_seconds=99)
            assert self.service.jobs[job.id] == job

    @precondition(lambda self: self.service.sessions)
    @rule(pick=picks, event=st.sampled_from(["close_session", "close_session", "cancel_session"]))
    def end_session(self, pick, event) -> None:
        session = self.pick(list(self.service.sessions.values())[-12:], pick)
        pending = self.service.pending_of(session.id)
        if session.state != "closed" and session.state_reason != "session_max_ttl_reached":
            if event == "cancel_session":
                self.watcher.told[session.id] = "session_cancelled"
            else:
                self.watcher.told.setdefault(session.id, "session_closed_early")
        self.both(event, session.id)
        after = self.service.sessions[session.id]
        assert not after.accepting_jobs
        assert (after.state == "closed") == (
            not pending
            or (event == "cancel_session" and {job.status for job in pending} == {"Queued"})
        )
        for job in pending:
            now = self.service.jobs[job.id].status
            if event == "cancel_session" and job.status == "Queued":
                assert now == "Cancelled"
            elif job.status == "Running":
                assert now == "Running", "a running job finishes"

    @rule(step=seconds)
    def pass_time(self, step) -> None:
        self.pass_until(self.now + step)

    @precondition(lambda self: self.service.next_deadline() is not None)
    @rule(short=st.sampled_from([0, 0, 0, 1]))
    def pass_time_to_the_boundary(self, short) -> None:
        self.pass_until(max(self.now, self.service.next_deadline() - short))

    def pass_until(self, end: int) -> None:
        while (due := self.service.next_deadline()) is not None and due <= end:
            self.now = due
            assert self.service.advance(due) == due
            for job in self.service.jobs.values():
                before = self.watcher.jobs.get(job.id)
                if job.load is not None and job.status == "Completed" and not before.final:
                    self.watcher.charged[job.session_id] += job.load
            self.collect()
        self.now = end
        self.service.advance(end)
        self.collect()

    @rule()
    def pause(self) -> None:
        self.both("pause" if not self.service.paused else "unpause")

    @rule(downtime=st.integers(0, 12))
    def restart(self, downtime) -> None:
        self.now += downtime
        for job in self.service.jobs.values():
            if job.load is not None and job.status == "Running":
                ended = job.started + job.load <= self.now
                self.watcher.charged[job.session_id] += job.load if ended else 0
        for job in self.unfinished("Running"):
            self.watcher.begun.pop(job.id, None)  # it runs again from its beginning
        sessions, jobs = self.disk
        # in the order of acceptance, which is what the store gives
        self.service = Lifecycle(DEVICES, sessions.values(), jobs.values(), empty_ttl=EMPTY_TTL)
        self.service.resume(self.now)
        self.twin = Lifecycle(DEVICES, sessions.values(), jobs.values(), empty_ttl=EMPTY_TTL)
        self.twin.resume(self.now)
        self.collect(downtime=True)

    @precondition(lambda self: any(job.final for job in self.service.jobs.values()))
    @rule(pick=picks)
    def delete_job(self, pick) -> None:
        final = [job for job in self.service.jobs.values() if job.final]
        job = self.pick(final, pick)
        del self.watcher.jobs[job.id]
        del self.disk[1][job.id]
        self.both("delete_job", job.id)
        assert job.id not in self.service.jobs

    @precondition(lambda self: len(self.live_sessions()) < len(self.service.sessions))
    @rule(pick=picks)
    def forget_session(self, pick) -> None:
        closed = [s for s in self.service.sessions.values() if s.state == "closed"]
        session = self.pick(closed, pick)
        for job in self.service.jobs_of(session.id):
            del self.watcher.jobs[job.id]
            del self.disk[1][job.id]
        del self.watcher.sessions[session.id]
        del self.disk[0][session.id]
        self.twin.advance(self.now)
        self.service.forget_session(session.id)
        self.twin.forget_session(session.id)
        self.collect()

    # -- what must hold

    @invariant()
    def indexes_agree_with_the_records(self) -> None:
        if hasattr(self, "service"):
            check_indexes(self.service)

    def teardown(self) -> None:
        """Let everything end: each job exactly once, each session, and nothing is left waiting."""
        if not hasattr(self, "service"):
            return
        if self.service.paused:
            self.pause()
        for session in self.live_sessions():
            self.watcher.told.setdefault(session.id, "session_closed_early")
            self.both("close_session", session.id)
        while any(not job.final for job in self.service.jobs.values()):
            running = self.unfinished("Running")
            if running:
                self.both("finish", running[0].id)
            else:
                self.pass_until(self.service.next_deadline())
        assert not self.live_sessions()
        assert self.service.next_deadline() is None
        check_indexes(self.service)


EXAMPLES = int(os.environ.get("QSESSION_TEST_EXAMPLES", "200"))
"""How many interleavings to try; set the variable for a long search, with other seeds."""

Interleavings.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=80,
    deadline=None,
    derandomize="QSESSION_TEST_EXAMPLES" not in os.environ,
    database=None,
)
TestInterleavings = pytest.mark.timeout(600)(Interleavings.TestCase)
