"""Worker pools to test, jobs for them, and a look at their processes."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from engine import jobs
from qiskit import QuantumCircuit
from qiskit_ibm_runtime import RuntimeDecoder

from qsession_widgets.emulator.engine import Task, TaskOutcome, WorkerPool

DEADLINE = 120.0


@asynccontextmanager
async def open_pool(size: int = 1, memory_limit: int | None = None) -> AsyncIterator[WorkerPool]:
    pool = WorkerPool(size, memory_limit=memory_limit)
    await pool.start()
    try:
        yield pool
    finally:
        await pool.aclose()


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds; fail at the deadline."""

    async def look() -> None:
        while not condition():
            await asyncio.sleep(0.02)

    await asyncio.wait_for(look(), DEADLINE)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"


def short() -> Task:
    circuit = QuantumCircuit(5)
    circuit.x(2)
    circuit.measure_all()
    return Task("short", "sampler", jobs.sampler_params([(circuit, None, 10)]), "aer")


def two_entangled() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


def long() -> Task:
    """A job of many minutes: a state per shot, measured and used again half-way."""
    circuit = QuantumCircuit(27, 13)
    edges = [(0, 1), (1, 2), (2, 3), (3, 5), (5, 8), (8, 11), (11, 14), (14, 13), (13, 12)]
    for _ in range(20):
        for a, b in edges:
            circuit.sx(a)
            circuit.cx(a, b)
        circuit.measure(0, 0)
    circuit.measure(range(13), range(13))
    params = jobs.sampler_params([(circuit, None, 500_000)])
    return Task("long", "sampler", params, "fake_algiers")


def counts(outcome: TaskOutcome) -> dict[str, int]:
    assert outcome.status == "completed", outcome.reason
    assert outcome.result is not None
    return dict(json.loads(outcome.result, cls=RuntimeDecoder)[0].data.meas.get_counts())


def busy(pid: int) -> bool:
    """Whether a process has used a good part of a second of processor time since it was ready."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return False
    fields = stat.read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    first = _ticks.setdefault(pid, ticks)
    return ticks - first > 20


_ticks: dict[int, int] = {}
