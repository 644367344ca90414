"""The emulator in one piece and in this process, with workers that do what a test tells them to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from qsession_widgets.emulator.clock import Clock
from qsession_widgets.emulator.core import Emulator
from qsession_widgets.emulator.engine import Task, TaskOutcome
from qsession_widgets.emulator.options import EmulatorOptions
from qsession_widgets.emulator.removal import delete_job
from qsession_widgets.emulator.rules.records import Backend, EmulatedJob, Instance
from qsession_widgets.emulator.storage.database import StoreError
from qsession_widgets.emulator.storage.store import Store

FEZ, ELSEWHERE = "fake_fez", "fake_manila"
MINE, OTHER = (Instance(name, f"crn:{name}", "premium", f"key of {name}") for name in ("a", "b"))


class Workers:
    """In the place of a `WorkerPool`: nothing happens to a job before a test says so."""

    def __init__(self) -> None:
        self.tasks: dict[str, Task] = {}
        self._start: dict[str, Callable[[], None]] = {}
        self._end: dict[str, asyncio.Future[TaskOutcome]] = {}

    async def run(
        self, task: Task, on_start: Callable[[], None], on_planned: Callable[[int], None]
    ) -> TaskOutcome:
        self.tasks[task.job_id] = task
        self._start[task.job_id] = on_start
        self._end[task.job_id] = asyncio.get_running_loop().create_future()
        return await self._end[task.job_id]

    async def have(self, job_id: str) -> None:
        """Wait until a job was given to the workers, of which none is ready."""
        while job_id not in self.tasks:
            await asyncio.sleep(0)

    async def begin(self, job_id: str) -> None:
        """Let one be ready and take a job."""
        await self.have(job_id)
        self._start[job_id]()

    async def aclose(self) -> None:
        pass


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "emulator.sqlite")
    yield store
    store.close()


def started(store: Store, speed: float = 0.0) -> Emulator:
    devices = [Backend(FEZ), Backend(ELSEWHERE)]
    workers: Any = Workers()
    emulator = Emulator(EmulatorOptions(), devices, store, workers, Clock(speed))
    emulator.start()
    return emulator


def submit(emulator: Emulator, name: str, instance: Instance = MINE, **fields: Any) -> EmulatedJob:
    job = EmulatedJob(name, "sampler", fields.pop("backend", FEZ), instance.crn, 0.0, **fields)
    emulator.writer.add_params(name, "{}")
    return emulator.apply(lambda now: emulator.lifecycle.submit(now, job))


def cancel(emulator: Emulator, name: str) -> EmulatedJob:
    emulator.apply(lambda now: emulator.lifecycle.cancel_job(now, name))
    return emulator.lifecycle.jobs[name]


# ------------------------------------------------------------------------------------------------
# When a job has begun


@pytest.mark.asyncio
async def test_what_comes_before_a_worker_has_the_job_is_not_execution_time(store: Store) -> None:
    emulator = started(store)
    workers: Any = emulator.runner.pool
    submit(emulator, "slow", max_execution_time=30.0)
    await workers.have("slow")
    emulator.advance(100)
    assert emulator.lifecycle.jobs["slow"].status == "Running"
    await workers.begin("slow")
    emulator.advance(29)
    assert emulator.lifecycle.jobs["slow"].status == "Running"
    emulator.advance(2)
    slow = emulator.lifecycle.jobs["slow"]
    assert (slow.status, slow.reason_code) == ("Cancelled - Ran too long", 1305)
    assert slow.qpu_seconds == 30
    assert [job.qpu_seconds for job in store.load()[1]] == [30]
    await emulator.aclose()


@pytest.mark.asyncio
async def test_a_job_that_no_worker_has_yet_is_cancelled_free_of_charge(store: Store) -> None:
    emulator = started(store)
    workers: Any = emulator.runner.pool
    submit(emulator, "prepared")
    await workers.have("prepared")
    emulator.advance(50)
    assert cancel(emulator, "prepared").qpu_seconds == 0
    submit(emulator, "began")
    await workers.begin("began")
    emulator.advance(50)
    assert cancel(emulator, "began").qpu_seconds == 50
    await emulator.aclose()


@pytest.mark.asyncio
async def test_a_worker_is_told_the_services_time(store: Store) -> None:
    emulator = started(store, speed=20.0)
    workers: Any = emulator.runner.pool
    emulator.advance(7200)
    before = emulator.clock.now(), time.time()
    submit(emulator, "mine")
    await workers.have("mine")
    after = emulator.clock.now(), time.time()
    clock = workers.tasks["mine"].clock
    assert clock.speed == 20
    assert before[0] <= clock.service <= after[0]
    assert before[1] <= clock.real <= after[1]
    await emulator.aclose()


# ------------------------------------------------------------------------------------------------
# Deleting


@pytest.mark.asyncio
async def test_a_job_that_cannot_be_deleted_on_disk_is_still_there(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = started(store)
    submit(emulator, "old")
    cancel(emulator, "old")

    def fail(job_id: str) -> None:
        raise StoreError("The disk is read-only.")

    with monkeypatch.context() as patch:
        patch.setattr(store, "delete_job", fail)
        with pytest.raises(StoreError):
            delete_job(emulator, MINE, "old")
    assert [job.id for job in emulator.jobs(MINE)] == ["old"]
    delete_job(emulator, MINE, "old")
    assert emulator.jobs(MINE) == []
    assert store.load()[1] == []
    await emulator.aclose()


# ------------------------------------------------------------------------------------------------
# What others do


class OnlyByName(dict[str, EmulatedJob]):
    """Records that nobody walks through."""

    def __iter__(self) -> Any:
        raise AssertionError("All jobs of all backends were looked at.")

    values = items = keys = __iter__  # type: ignore[assignment]


@pytest.mark.asyncio
async def test_what_others_do_on_a_backend_is_found_without_looking_at_all_jobs(
    store: Store,
) -> None:
    emulator = started(store)
    for name in ("early", "late"):
        submit(emulator, name, OTHER)
        emulator.advance(10)
        cancel(emulator, name)
    submit(emulator, "mine")
    submit(emulator, "waits", OTHER)
    submit(emulator, "elsewhere", OTHER, backend=ELSEWHERE)
    lifecycle, now = emulator.lifecycle, emulator.clock.now()
    jobs = lifecycle.jobs
    expected = [
        (jobs[name].created, jobs[name].started, jobs[name].finished) for name in ("late", "waits")
    ]
    lifecycle.jobs = OnlyByName(jobs)
    found = emulator.background_users.times(lifecycle, MINE.crn, FEZ, now - 5, now)
    lifecycle.jobs = jobs
    assert found == expected
    assert len(emulator.background_users.times(lifecycle, MINE.crn, FEZ, now - 15, now)) == 3
    await emulator.aclose()
