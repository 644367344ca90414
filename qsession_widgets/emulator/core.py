"""The emulator's event loop: rules, clock, workers and disk behind one `apply`.

Every change of state goes through `Emulator.apply`: it lets what is due happen, applies one event,
writes the changed records down, and only then lets anybody know. There are no locks, because there
is one loop and no `await` in between.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from ..device_estimate import DEVICE_SECONDS, device_seconds
from .clock import Clock
from .device_catalog import DeviceCatalog, State
from .engine import TaskOutcome, WorkerPool
from .job_runner import JobRunner
from .long_polls import LongPolls
from .options import EmulatorOptions
from .rules.background_users import BackgroundUsers
from .rules.instance_index import InstanceIndex
from .rules.lifecycle import Changes, Lifecycle
from .rules.records import Backend, EmulatedJob, EmulatedSession, Instance, Plan
from .rules.refusals import not_found
from .rules.simulated_load import catch_up, next_event
from .rules.usage import UsageMeter
from .storage.retention import RETENTION, Retention
from .storage.store import Store
from .storage.writer import Writer

T = TypeVar("T")

MAX_SLEEP = 30.0
"""Real seconds between two looks at the clock, in case this machine's was changed or slept."""

FAIR_AFTER = 1.0
"""Seconds of service time after which a job of one instance keeps no other instance waiting."""

RETRY_INTERVAL = 5.0
"""Real seconds after which to try again to write down what could not be written."""


class Emulator:
    """One emulated service: its records and everything that changes them.

    Parameters
    ----------
    options : Options
        How it is to behave.
    devices : iterable of Device
        The backends.
    store : Store
        Where everything accepted is written.
    pool : WorkerPool
        Where jobs run.
    clock : Clock
        The service's time.
    catalog : DeviceCatalog, optional
        How the backends are described; one of its own when not given.
    """

    def __init__(
        self,
        options: EmulatorOptions,
        devices: Iterable[Backend],
        store: Store,
        pool: WorkerPool,
        clock: Clock,
        catalog: DeviceCatalog | None = None,
    ):
        self.options = options
        self.catalog = DeviceCatalog(options.devices) if catalog is None else catalog
        self.store = store
        self.clock = clock
        self.runner = JobRunner(
            pool, options, clock, store.params, self._simulation, self.catalog.key
        )
        self.runner.on_begun = self._begin
        self.runner.on_planned = lambda *planned: self.lifecycle.plan(*planned)
        self.runner.on_outcome = self._arm
        self.started = clock.now()
        self.requests = 0
        self.background_users = BackgroundUsers(options.queue, options.seed or 0)
        self._devices = list(devices)
        self._used = time.monotonic()
        self._long_polls = LongPolls()
        self._retention = Retention(store)
        self._alarm: asyncio.TimerHandle | None = None
        self._due = math.inf

    def start(self, *, shared: bool = False) -> None:
        """Take over what an earlier process left, and begin to serve.

        Parameters
        ----------
        shared : bool
            Whether there are users beside those of the options.
        """
        while any(self._retention.from_disk(self.clock.now() - RETENTION)):
            pass
        sessions, jobs = self.store.load()
        self.lifecycle = Lifecycle(
            self._devices,
            sessions,
            jobs,
            device_least=DEVICE_SECONDS,
        )
        self.clock.start_no_earlier_than(self.lifecycle.now)
        self.meter = UsageMeter(self.lifecycle)
        self.writer = Writer(self.store, self.lifecycle)
        self._instances = InstanceIndex(self.lifecycle)
        if shared or self.options.instances:
            self.share()
        self.apply(self.lifecycle.resume)

    def share(self) -> None:
        """Let no user wait for another one's long simulation, from the next job on."""
        self.lifecycle.fair_after = FAIR_AFTER
        self.runner.pool.time_limit = self.options.longest_job_shared

    async def aclose(self) -> None:
        """Stop; what was running is on disk as running, and runs again after the next start."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._long_polls.tell_all()
        await self.runner.aclose()
        self.writer.try_again()
        self.store.close()

    # ----------------------------------------------------------------------------------------------
    # Changing

    def apply(self, event: Callable[[float], T]) -> T:
        """Apply one event now, and write its changes to disk before anybody is told.

        Raises
        ------
        Refusal
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
            catch_up(self.lifecycle, self.background_users.loads.values(), at)
            self._finish(at, job_id, outcome)
        catch_up(self.lifecycle, self.background_users.loads.values(), now)

    def _commit(self) -> None:
        changes = self.lifecycle.take_changes()
        self._index(changes)
        self.writer.write(changes)
        for job_id in changes.stop:
            self.runner.stop(job_id)
        for job_id in changes.start:
            if self.lifecycle.jobs[job_id].status == "Running":
                self.runner.start(self.lifecycle.jobs[job_id])
        self._long_polls.tell(changes.jobs)
        self._arm()

    def _index(self, changes: Changes) -> None:
        for session_id in changes.sessions:
            session = self.lifecycle.sessions[session_id]
            if session.load:
                continue
            self._instances.note_session(session)
            self.meter.note_session(session)
        for job_id in changes.jobs:
            job = self.lifecycle.jobs[job_id]
            if job.load is not None:
                self.background_users.note(job)
                continue
            self._instances.note_job(job)
            self.meter.note_job(job)

    def _arm(self) -> None:
        deadline = next_event(self.lifecycle, self.background_users.loads.values())
        self._due = min(math.inf if deadline is None else deadline, self.runner.next())
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._due < math.inf or self.failing:
            # also when due already: the event in progress finishes first
            delay = min(
                self.clock.wait_for(self._due),
                RETRY_INTERVAL if self.failing else MAX_SLEEP,
            )
            self._alarm = asyncio.get_running_loop().call_later(delay, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self.writer.try_again()
        if self.clock.now() >= self._due:
            self.apply(lambda _: None)
        else:
            self._arm()

    def _simulation(self, job: EmulatedJob) -> Mapping[str, Any]:
        """Simulation settings of a job's session, or else of the emulator."""
        session = self.lifecycle.sessions.get(job.session_id or "")
        return {**self.options.simulation, **(session.simulation if session else {})}

    def _begin(self, job_id: str) -> None:
        self.apply(lambda now: self.lifecycle.begun(now, job_id))

    def _finish(self, at: float, job_id: str, outcome: TaskOutcome) -> None:
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
            qpu_seconds=0.0 if job.dry_run else self.runner.qpu_seconds(outcome),
            device_seconds=device_seconds(outcome.executions) if outcome.executions else None,
            methods=outcome.methods,
            approximations=outcome.approximations,
            no_effect=outcome.no_effect,
        )

    # ----------------------------------------------------------------------------------------------
    # What the API asks for

    def plan(self, instance: Instance) -> Plan:
        """The plan of an instance."""
        return self.options.plan_of(instance.plan)

    def quota(self, instance: Instance) -> float | None:
        """Seconds of usage an instance has in the meter's period, None without a limit."""
        if instance.name == "default" and self.options.quota is not None:
            return self.options.quota
        return self.plan(instance).quota

    def session(self, instance: Instance, session_id: str) -> EmulatedSession:
        """A session of an instance.

        Raises
        ------
        Refusal
            It does not exist, or is not this instance's (404).
        """
        session = self.lifecycle.sessions.get(session_id)
        if session is None or session.instance != instance.crn:
            raise not_found("Session", session_id)
        return session

    def job(self, instance: Instance, job_id: str) -> EmulatedJob:
        """A job of an instance.

        Raises
        ------
        Refusal
            It does not exist, or is not this instance's (404).
        """
        job = self.lifecycle.jobs.get(job_id)
        if job is None or job.instance != instance.crn or job.load is not None:
            raise not_found("Job", job_id)
        return job

    def sessions(self, instance: Instance) -> Iterator[EmulatedSession]:
        """An instance's sessions and batches, oldest first."""
        return self._instances.sessions(instance.crn)

    def jobs(self, instance: Instance) -> list[EmulatedJob]:
        """An instance's jobs, oldest first."""
        return self._instances.jobs(instance.crn)

    def refresh_devices(self) -> None:
        """Take up devices that were added since the emulator started."""
        if self.catalog.refresh():
            for backend in self.catalog.backends(self.options.lanes):
                self.lifecycle.add_backend(backend)

    def put_device_state(self, name: str, state: State) -> None:
        """Let a backend work, be under maintenance, or be retired.

        Under maintenance it takes jobs and starts none, as a device of IBM's whose queue is paused.

        Raises
        ------
        UnknownDevice
            There is no such backend.
        """
        self.catalog.put_state(name, state)
        lanes = {
            backend.name: backend.lanes for backend in self.catalog.backends(self.options.lanes)
        }
        self.apply(lambda now: self.lifecycle.put_lanes(now, name, lanes[name]))

    def populate(self, backend: str) -> None:
        """Let other users come to a backend, when that was asked for and they are not there yet."""
        load = self.background_users.come(self.lifecycle, backend)
        if load is not None:
            self.apply(lambda now: load.start(self.lifecycle, now))

    def forget_job(self, now: float, job_id: str) -> None:
        """Drop a final job from memory, as part of an event."""
        job = self.lifecycle.jobs[job_id]
        self.lifecycle.delete_job(now, job_id)
        self._instances.forget_job(job)

    def prune(self, before: float | None = None) -> bool:
        """Drop a slice of what ended before a moment, or else of what is not kept any longer.

        Returns whether to go on.
        """
        if before is None:
            if not self._retention.due:
                return False
            before = self.clock.now() - RETENTION
        return self._retention.from_everywhere(before, self.lifecycle, self._instances)

    def warm_up(self) -> None:
        """Start workers ahead of a job."""
        self.runner.pool.warm_up()

    async def changed(self, job_id: str, seconds: float) -> None:
        """Wait until a job's record changes, at most some real seconds."""
        await self._long_polls.wait(job_id, seconds)

    # ----------------------------------------------------------------------------------------------
    # Being used, or not

    def touch(self) -> None:
        """Note an authenticated request; others do not keep an emulator running."""
        self._used = time.monotonic()
        self.requests += 1

    @property
    def failing(self) -> str | None:
        """The reason the latest change could not be written, None when it was."""
        return self.writer.problem

    def in_use(self) -> bool:
        """True while a job is pending, or a session open or active."""
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
