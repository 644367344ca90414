"""Simulation on a Dask cluster of separate worker processes, one of which is killed on the way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from engine import jobs
from engine.pools import DEADLINE, busy, until
from qiskit_ibm_runtime import RuntimeDecoder

from qsession_widgets.emulator.engine import Task, WorkerPool
from qsession_widgets.emulator.engine.failure import JobFailure
from qsession_widgets.emulator.engine.simulation import cluster as cluster_of_engine

pytest.importorskip("distributed")

LOCAL = ("--host", "127.0.0.1", "--no-dashboard")


class Processes:
    """A scheduler and some workers, as somebody would start them in as many terminals."""

    def __init__(self, folder: Path, workers: int = 2, port: str = "0") -> None:
        self._folder = folder
        self._started: list[subprocess.Popen[str]] = []
        self._readers: list[threading.Thread] = []
        scheduler = self._start("scheduler", *LOCAL, "--port", port)
        self.scheduler = scheduler.pid
        self.address = self._read(scheduler, r"Scheduler at:\s+(tcp://\S+)")
        self.workers = []
        for _ in range(workers):
            flags = ("--no-nanny", "--nthreads", "1")
            worker = self._start("worker", self.address, *LOCAL, *flags)
            self._read(worker, r"(Registered to)")
            self.workers.append(worker.pid)

    def _start(self, kind: str, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_" + kind, *arguments],
            stderr=subprocess.PIPE,
            text=True,
            cwd=self._folder,
        )
        self._started.append(process)
        return process

    def _read(self, process: subprocess.Popen[str], pattern: str) -> str:
        assert process.stderr is not None
        for line in process.stderr:
            if found := re.search(pattern, line):
                # What follows must be read, or the process waits for us to.
                self._readers.append(threading.Thread(target=process.stderr.read))
                self._readers[-1].start()
                return found[1]
        raise AssertionError(f"A Dask process ended before it wrote {pattern!r}.")

    def end(self) -> None:
        for process in reversed(self._started):
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()
        for reader in self._readers:
            reader.join()
        for process in self._started:
            assert process.stderr is not None
            process.stderr.close()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Processes]:
    processes = Processes(tmp_path)
    yield processes
    processes.end()


@pytest.mark.asyncio
async def test_nothing_is_lost_when_a_worker_of_the_cluster_is_killed(cluster: Processes) -> None:
    circuits = [jobs.random_circuit("fake_algiers", seed, width=7) for seed in range(6)]
    params = jobs.sampler_params([(circuit, None, 2000) for circuit in circuits])
    for pid in cluster.workers:
        busy(pid)  # What it has used until now is the start to count from.
    pool = WorkerPool(cluster=cluster.address)
    await pool.start()
    try:
        running = asyncio.create_task(pool.run(Task("spread", "sampler", params, "fake_algiers")))
        await until(lambda: all(busy(pid) for pid in cluster.workers))
        assert not running.done(), running.result()
        os.kill(cluster.workers[0], signal.SIGKILL)
        outcome = await asyncio.wait_for(running, DEADLINE)
    finally:
        await pool.aclose()
    assert outcome.status == "completed", outcome.reason
    assert cluster.address in outcome.logs
    assert outcome.executions == 6 * 2000
    result = json.loads(outcome.result or "", cls=RuntimeDecoder)
    theirs = jobs.upstream_sampler("fake_algiers", circuits[1:2], 2000, seed=3)[0]
    assert jobs.same_distribution(jobs.outcomes(result[1]), jobs.outcomes(theirs)) > 1e-4


def test_a_cluster_that_was_lost_is_found_again(tmp_path: Path) -> None:
    first = Processes(tmp_path, workers=1)
    try:
        assert list(cluster_of_engine.connect(first.address).map(abs, [-1])) == [(0, 1)]
        deadly = partial(os.kill, first.scheduler)
        with pytest.raises(JobFailure, match="was lost while this job ran"):
            list(cluster_of_engine.connect(first.address).map(deadly, [signal.SIGKILL]))
    finally:
        first.end()
    again = Processes(tmp_path, workers=1, port=first.address.rpartition(":")[2])
    try:
        assert list(cluster_of_engine.connect(first.address).map(abs, [-2])) == [(0, 2)]
    finally:
        again.end()


@pytest.mark.asyncio
async def test_a_cluster_that_is_not_there_is_named() -> None:
    pool = WorkerPool(cluster="tcp://127.0.0.1:9")
    await pool.start()
    try:
        circuit = jobs.random_circuit("fake_manila", 0)
        task = Task("lost", "sampler", jobs.sampler_params([circuit]), "fake_manila")
        outcome = await asyncio.wait_for(pool.run(task), DEADLINE)
    finally:
        await pool.aclose()
    assert outcome.status == "failed"
    assert "tcp://127.0.0.1:9" in (outcome.reason or "")
    assert "--cluster" in (outcome.reason or "")
