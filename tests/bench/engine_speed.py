"""How fast the engine alone is, beside the client's local mode: one JSON line per comparison.

``python tests/bench/engine_speed.py`` takes several minutes, nearly all of them spent by local mode
on the 156-qubit device; ``--quick`` measures that once. Times are medians, in milliseconds, and
include the client's encoding of the job, the way to the worker process and back, and the client's
decoding of the result, but no HTTP.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import ParameterVector
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer import AerSimulator
from qiskit_ibm_runtime import EstimatorV2, SamplerV2
from qiskit_ibm_runtime.fake_provider import FakeFez, FakeManilaV2
from qiskit_ibm_runtime.json import RuntimeDecoder, RuntimeEncoder
from scipy.optimize import minimize

from qsession_widgets.emulator.engine import Task, WorkerPool

warnings.simplefilter("ignore")

REPEATS = 9
ITERATIONS = 100


def report(name: str, ours: float, peer: float, target: str, unit: str = "ms") -> None:
    line = {"name": name, "ours": round(ours, 3), "peer": round(peer, 3)}
    print(json.dumps({**line, "ratio": round(peer / ours, 2), "unit": unit, "target": target}))


def timed(work: Callable[[], Any], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000


async def timed_async(work: Callable[[], Awaitable[Any]], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        await work()
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000


def ghz() -> QuantumCircuit:
    circuit = QuantumCircuit(4)
    circuit.h(0)
    for qubit in range(3):
        circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


async def ask(pool: WorkerPool, program: str, pubs: list[Any], backend: str) -> Any:
    body = json.dumps({"pubs": pubs, "options": {}, "version": 2}, cls=RuntimeEncoder)
    outcome = await pool.run(Task("bench", program, body, backend))
    if outcome.result is None:
        raise RuntimeError(outcome.reason)
    return json.loads(outcome.result, cls=RuntimeDecoder)


async def ghz_on(pool: WorkerPool, backend: Any, repeats: int, target: str) -> None:
    circuit = transpile(ghz(), backend, initial_layout=[0, 1, 2, 3], seed_transpiler=1)
    pubs = [SamplerPub.coerce(circuit, 1024)]
    await ask(pool, "sampler", pubs, backend.backend_name)
    ours = await timed_async(lambda: ask(pool, "sampler", pubs, backend.backend_name), REPEATS)
    sampler = SamplerV2(mode=backend)
    peer = timed(lambda: sampler.run([circuit], shots=1024).result(), repeats)
    report(f"ghz-4, {backend.backend_name}, 1024 shots", ours, peer, target)


async def ideal(pool: WorkerPool) -> None:
    circuit = ghz()
    simulator = AerSimulator()
    compiled = transpile(circuit, simulator)
    pubs = [SamplerPub.coerce(compiled, 1024)]
    await ask(pool, "sampler", pubs, "aer")
    ours = await timed_async(lambda: ask(pool, "sampler", pubs, "aer"), 25)
    peer = timed(lambda: simulator.run(compiled, shots=1024).result(), 25)
    report("ghz-4, ideal, against AerSimulator.run", ours, peer, "ours - peer <= 12 ms")


async def loop(pool: WorkerPool, peer_iterations: int) -> None:
    backend = FakeFez()
    angles = ParameterVector("a", 8)
    circuit = QuantumCircuit(4)
    for qubit in range(4):
        circuit.ry(angles[qubit], qubit)
    for qubit in range(3):
        circuit.cz(qubit, qubit + 1)
    for qubit in range(4):
        circuit.ry(angles[4 + qubit], qubit)
    compiled = transpile(circuit, backend, initial_layout=[0, 1, 2, 3], seed_transpiler=1)
    operator = SparsePauliOp(["ZZII", "IZZI", "IIZZ", "XIII", "IXII", "IIXI", "IIIX"])
    operator = operator.apply_layout(compiled.layout)

    start = np.full(8, 0.3)
    loop_of = asyncio.get_running_loop()

    def energy(values: np.ndarray) -> float:
        pubs = [EstimatorPub.coerce((compiled, operator, values))]
        answer = ask(pool, "estimator", pubs, "fake_fez")
        result = asyncio.run_coroutine_threadsafe(answer, loop_of).result()
        return float(result[0].data.evs)

    started = time.perf_counter()
    options = {"maxiter": ITERATIONS}
    await asyncio.to_thread(minimize, energy, start, method="COBYLA", options=options)
    ours = time.perf_counter() - started
    estimator = EstimatorV2(mode=backend)
    once = timed(lambda: estimator.run([(compiled, operator, start)]).result(), peer_iterations)
    peer = once / 1000 * ITERATIONS
    report(
        f"COBYLA, {ITERATIONS} iterations, fake_fez (peer: one, times {ITERATIONS})",
        ours,
        peer,
        ">= 100x",
        "s",
    )


async def first_job() -> None:
    compiled = transpile(ghz(), FakeFez(), initial_layout=[0, 1, 2, 3], seed_transpiler=1)
    pubs = [SamplerPub.coerce(compiled, 1024)]

    async def from_nothing() -> None:
        pool = WorkerPool()
        await pool.start()
        await ask(pool, "sampler", pubs, "fake_fez")
        await pool.aclose()

    ours = await timed_async(from_nothing, 3)
    sampler = SamplerV2(mode=FakeFez())
    peer = timed(lambda: sampler.run([compiled], shots=1024).result(), 1)
    report("first job of a new pool, fake_fez", ours, peer, "ours <= 25 % of peer")


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="measure the slow peer once")
    repeats = 1 if parser.parse_args().quick else 7
    pool = WorkerPool()
    await pool.start()
    try:
        await ghz_on(pool, FakeManilaV2(), 7, ">= 5x")
        await ideal(pool)
        await ghz_on(pool, FakeFez(), repeats, ">= 300x")
        await loop(pool, min(repeats, 3))
    finally:
        await pool.aclose()
    await first_job()


if __name__ == "__main__":
    asyncio.run(main())
