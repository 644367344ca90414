"""The emulator at work: rules, clock, workers and disk, held together in one asyncio loop.

Every change of state goes through `Emulator.apply`: it lets what is due happen, applies one event,
writes the changed records down, and only then lets anybody know. There are no locks, because there
is one loop and no `await` in between.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from .auth import Identity, Instance
from .clock import Clock
from .engine import Outcome, WorkerPool
from .errors import not_found
from .faults import Faults
from .lifecycle import Changes, Lifecycle
from .meter import Meter
from .options import Options
from .others import Others
from .owners import Owners
from .queue import catch_up, next_event
from .records import Device, Job, Plan, Session
from .retention import RETENTION, Retention
from .runner import Runner
from .store import Store
from .waiters import Waiters
from .writer import Writer

T = TypeVar("T")

LONGEST_SLEEP = 30.0
"""Real seconds between two looks at the clock, in case this machine's was changed or slept."""

NEXT_TRY = 5.0
"""Real seconds after which to try again to write down what could not be written."""


class Emulator:
    """One service: its records, and what has to happen for them.

    Parameters
    ----------
    options : Options
        How it is to behave.
    identity : Identity
        Keys and instances.
    devices : iterable of Device
        The backends.
    store : Store
        Where everything accepted is written.
    pool : WorkerPool
        Where jobs run.
    clock : Clock
        The service's time.
    """

    def __init__(
        self,
        options: Options,
        identity: Identity,
        devices: Iterable[Device],
        store: Store,
        pool: WorkerPool,
        clock: Clock,
    ):
        self.options = options
        self.identity = identity
        self.store = store
        self.clock = clock
        self.faults = Faults(options.seed)
        self.runner = Runner(pool, options, clock, store.params)
        self.runner.on_begun = self._begin
        self.runner.on_outcome = self._arm
        self.started = clock.now()
        self.requests = 0
        self.others = Others(options)
        self._devices = list(devices)
        self._used = time.monotonic()
        self._waiters = Waiters()
        self._retention = Retention(store)
        self._alarm: asyncio.TimerHandle | None = None
        self._due = math.inf

    def start(self) -> None:
        """Take over what an earlier process left, and begin to serve."""
        while any(self._retention.from_disk(self.clock.now() - RETENTION)):
            pass
        sessions, jobs = self.store.load()
        self.lifecycle = Lifecycle(self._devices, sessions, jobs)
        self.clock.start_no_earlier_than(self.lifecycle.now)
        self.meter = Meter(self.lifecycle)
        self.writer = Writer(self.store, self.lifecycle)
        self._owners = Owners(self.lifecycle)
        self.apply(self.lifecycle.resume)

    async def aclose(self) -> None:
        """Stop; what was running is on disk as running, and runs again after the next start."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._waiters.tell_all()
        await self.runner.aclose()
        self.writer.try_again()
        self.store.close()

    # ----------------------------------------------------------------------------------------------
    # Changing

    def apply(self, event: Callable[[float], T]) -> T:
        """Let one event happen now, and write down what came of it before anybody hears of it.

        Raises
        ------
        Refused
            The rules do not allow the event, or it cannot be written down (507).
        """
        now = self.clock.now()
        self._catch_up(now)
        try:
            return event(now)
        finally:
            self._commit()

    def look(self) -> float:
        """The service's time, with everything that was due by then done."""
        now = self.clock.now()
        if now >= self._due:
            self.apply(lambda _: None)
        return now

    def advance(self, seconds: float) -> float:
        """Move the clock forward; everything due on the way happens at its own time."""
        self.clock.advance(seconds)
        self.apply(lambda _: None)
        return self.clock.now()

    def _catch_up(self, now: float) -> None:
        slept = self.clock.take_sleep()
        if slept:
            self.lifecycle.excuse(slept)
        for at, job_id, outcome in self.runner.take(now):
            catch_up(self.lifecycle, self.others.loads.values(), at)
            self._finish(at, job_id, outcome)
        catch_up(self.lifecycle, self.others.loads.values(), now)

    def _commit(self) -> None:
        changes = self.lifecycle.take_changes()
        self._index(changes)
        self.writer.write(changes)
        for job_id in changes.stop:
            self.runner.stop(job_id)
        for job_id in changes.start:
            if self.lifecycle.jobs[job_id].status == "Running":
                self.runner.start(self.lifecycle.jobs[job_id])
        self._waiters.tell(changes.jobs)
        self._arm()

    def _index(self, changes: Changes) -> None:
        for session_id in changes.sessions:
            session = self.lifecycle.sessions[session_id]
            if session.load:
                continue
            self._owners.note_session(session)
            self.meter.note_session(session)
        for job_id in changes.jobs:
            job = self.lifecycle.jobs[job_id]
            if job.load is not None:
                self.others.note(job)
                continue
            self._owners.note_job(job)
            self.meter.note_job(job)

    def _arm(self) -> None:
        deadline = next_event(self.lifecycle, self.others.loads.values())
        self._due = min(math.inf if deadline is None else deadline, self.runner.next())
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._due < math.inf or self.failing:
            # also when it is due already: whoever is in the middle of something finishes first
            delay = min(self.clock.wait_for(self._due), NEXT_TRY if self.failing else LONGEST_SLEEP)
            self._alarm = asyncio.get_running_loop().call_later(delay, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self.writer.try_again()
        if self.clock.now() >= self._due:
            self.apply(lambda _: None)
        else:
            self._arm()

    def _begin(self, job_id: str) -> None:
        self.apply(lambda now: self.lifecycle.begun(now, job_id))

    def _finish(self, at: float, job_id: str, outcome: Outcome) -> None:
        job = self.lifecycle.jobs.get(job_id)
        if job is None or job.status != "Running":
            return
        self.writer.add_outcome(job_id, outcome)
        self.lifecycle.finish(
            at,
            job_id,
            failed=outcome.status == "failed",
            reason=outcome.reason,
            reason_code=outcome.reason_code,
            qpu_seconds=self.runner.qpu_seconds(outcome),
        )

    # ----------------------------------------------------------------------------------------------
    # What the API asks for

    def plan(self, instance: Instance) -> Plan:
        """What an instance may do."""
        return self.options.plan_of(instance.plan)

    def quota(self, instance: Instance) -> float | None:
        """Seconds of usage an instance has in the meter's period, None without a limit."""
        if instance.name == "default" and self.options.quota is not None:
            return self.options.quota
        return self.plan(instance).quota

    def session(self, instance: Instance, session_id: str) -> Session:
        """A session of an instance.

        Raises
        ------
        Refused
            It does not exist, or is not this instance's (404).
        """
        session = self.lifecycle.sessions.get(session_id)
        if session is None or session.instance != instance.crn:
            raise not_found("Session", session_id)
        return session

    def job(self, instance: Instance, job_id: str) -> Job:
        """A job of an instance.

        Raises
        ------
        Refused
            It does not exist, or is not this instance's (404).
        """
        job = self.lifecycle.jobs.get(job_id)
        if job is None or job.instance != instance.crn or job.load is not None:
            raise not_found("Job", job_id)
        return job

    def sessions(self, instance: Instance) -> Iterator[Session]:
        """An instance's sessions and batches, oldest first."""
        return self._owners.sessions(instance.crn)

    def jobs(self, instance: Instance) -> list[Job]:
        """An instance's jobs, oldest first."""
        return self._owners.jobs(instance.crn)

    def populate(self, backend: str) -> None:
        """Let other users come to a backend, when that was asked for and they are not there yet."""
        load = self.others.come(self.lifecycle, backend)
        if load is not None:
            self.apply(lambda now: load.start(self.lifecycle, now))

    def delete_job(self, instance: Instance, job_id: str) -> None:
        """Forget a final job and everything written about it.

        Raises
        ------
        Refused
            It is unknown (404), or not final (400).
        StoreError
            It cannot be removed from the disk.
        """
        self.job(instance, job_id)

        def delete(now: float) -> None:
            self.lifecycle.deletable(now, job_id)
            # first on disk: what cannot be removed there would be back after a restart
            self.store.delete_job(job_id)
            self.forget_job(now, job_id)

        self.apply(delete)

    def forget_job(self, now: float, job_id: str) -> None:
        """Drop a final job from memory, as part of an event."""
        job = self.lifecycle.jobs[job_id]
        self.lifecycle.delete_job(now, job_id)
        self._owners.forget_job(job)

    def prune(self) -> bool:
        """Drop some of what is not kept any longer; returns whether to go on."""
        return self._retention.due and self._prune(self.clock.now() - RETENTION)

    def _prune(self, before: float) -> bool:
        return self._retention.from_everywhere(before, self.lifecycle, self._owners)

    def reset(self) -> None:
        """End and forget everything that users have; other users' load goes on."""

        def end(now: float) -> None:
            for session in list(self.lifecycle.sessions.values()):
                if session.state != "closed" and not session.load:
                    self.lifecycle.cancel_session(now, session.id)
            for job in list(self.lifecycle.jobs.values()):
                if not job.final and job.load is None:
                    self.lifecycle.cancel_job(now, job.id)

        self.apply(end)
        # a cancelled session whose job was running closed with that job
        while self._prune(math.inf):
            pass
        self.meter = Meter(self.lifecycle)

    async def changed(self, job_id: str, seconds: float) -> None:
        """Wait until a job's record changes, at most some real seconds."""
        await self._waiters.wait(job_id, seconds)

    # ----------------------------------------------------------------------------------------------
    # Being used, or not

    def touch(self) -> None:
        """Note that somebody asked for something."""
        self._used = time.monotonic()
        self.requests += 1

    @property
    def failing(self) -> str | None:
        """Why the latest change could not be written down, None when it was."""
        return self.writer.problem

    def in_use(self) -> bool:
        """Whether a job is pending, or a session open or active."""
        lifecycle = self.lifecycle
        if any(
            session.state in ("open", "active") and not session.load
            for session in lifecycle.sessions.values()
        ):
            return True
        return any(
            job.load is None
            for backend in lifecycle.devices
            for job in (*lifecycle.queue(backend), *lifecycle.running(backend))
        )

    def idle_seconds(self) -> float:
        """Real seconds for which nothing used the emulator, 0 while something does.

        To be asked every now and then: a use that nobody asked about in the meantime is not seen.
        """
        now = time.monotonic()
        if self.in_use():
            self._used = now
        return now - self._used
