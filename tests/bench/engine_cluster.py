"""Throughput of the engine on a local Dask cluster of one and of two worker processes.

``python tests/bench/engine_cluster.py`` prints one JSON line: seconds for one job of many circuits
with one worker as peer, and with two as ours.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
import warnings

import numpy as np
from distributed import LocalCluster
from qiskit import QuantumCircuit
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit_ibm_runtime import RuntimeEncoder

from qsession_widgets.emulator.engine import Task, WorkerPool

warnings.simplefilter("ignore")

CIRCUITS = 32


def circuit(seed: int) -> QuantumCircuit:
    """Return a circuit that needs a state per shot: it measures half-way and goes on."""
    rng = np.random.default_rng(seed)
    made = QuantumCircuit(27, 6)
    line = [1, 2, 3, 5, 8, 11]
    for layer in range(6):
        for qubit in line:
            made.sx(qubit)
            made.rz(rng.uniform(0, 6), qubit)
        for a, b in itertools.pairwise(line):
            made.cx(a, b)
        if layer == 3:
            made.measure(line[0], 0)
    made.measure(line, range(6))
    return made


async def seconds(address: str) -> float:
    pubs = [SamplerPub.coerce((circuit(seed), None, 2000)) for seed in range(CIRCUITS)]
    pool = WorkerPool(cluster=address)
    await pool.start()
    try:
        for count in (8, CIRCUITS):  # The first job only warms up what the second is timed on.
            body = json.dumps({"pubs": pubs[:count], "options": {}}, cls=RuntimeEncoder)
            started = time.perf_counter()
            outcome = await pool.run(Task("bench", "sampler", body, "fake_algiers"))
            if outcome.result is None:
                raise RuntimeError(outcome.reason)
        return time.perf_counter() - started
    finally:
        await pool.aclose()


def main() -> None:
    taken = {}
    for workers in (1, 2):
        with LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
        ) as cluster:
            taken[workers] = asyncio.run(seconds(cluster.scheduler_address))
    line = {
        "name": f"{CIRCUITS} circuits on a Dask cluster, two workers (peer: one)",
        "ours": round(taken[2], 2),
        "peer": round(taken[1], 2),
        "ratio": round(taken[1] / taken[2], 2),
        "unit": "s",
        "target": "as many times faster as there are free cores",
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
