"""Every rule as an invariant, under arbitrary interleavings of everything that can happen.

Time is in whole seconds and the timeouts are short, so that boundaries coincide often and
arithmetic is exact.
"""

from __future__ import annotations

import os

import hypothesis.strategies as st
import pytest
from emulator.lifecycle_watcher import (
    DEVICES,
    EMPTY_TTL,
    LANES,
    OPEN_PLAN,
    PLAN,
    Watcher,
    check_indexes,
)
from hypothesis import settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from qsession_widgets.emulator.rules.lifecycle import Lifecycle
from qsession_widgets.emulator.rules.records import EmulatedJob, EmulatedSession
from qsession_widgets.emulator.rules.refusals import Refusal

picks = st.integers(0, 11)
seconds = st.integers(1, 12)


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
