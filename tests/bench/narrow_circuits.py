"""The time of narrow jobs beside Aer's own, the engine in this process: one JSON line for each.

``python tests/bench/narrow_circuits.py``; medians of three. The peer is Aer, called directly in
one thread with the same circuits, loops written out by hand; there is no noise.
"""

from __future__ import annotations

import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from _report import report
from engine import jobs
from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator

from qsession_widgets.emulator.engine import programs
from qsession_widgets.emulator.engine.task import IDEAL

RUNS = 3
LOOP_SHOTS = 20_000
PUBS = 500
PUB_SHOTS = 1000


def compared(ours: Callable[[], Any], peer: Callable[[], Any]) -> tuple[float, float]:
    """Median times of both, run in turns so that a busy machine slows both down."""
    ours(), peer()
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(RUNS):
        for work, found in zip((ours, peer), times, strict=True):
            begin = time.perf_counter()
            work()
            found.append(time.perf_counter() - begin)
    return statistics.median(times[0]), statistics.median(times[1])


def sample(params: str) -> None:
    """Run a sampler job on the ideal device."""
    head = {"program_id": "sampler", "backend": IDEAL, "options": {}}
    outcome, _ = programs.run(head, params, memory_limit=None)
    assert outcome["status"] == "completed", outcome["reason"]


def body(circuit: QuantumCircuit, angle: float) -> None:
    """Entangle the neighbours of a circuit."""
    for qubit in range(circuit.num_qubits):
        circuit.rx(angle, qubit)
    for qubit in range(circuit.num_qubits - 1):
        circuit.cx(qubit, qubit + 1)


def main() -> None:
    """Print every comparison."""
    warnings.simplefilter("ignore")
    simulator = AerSimulator(max_parallel_threads=1)
    loop = QuantumCircuit(4)
    with loop.for_loop(range(10)):
        body(loop, 0.3)
    loop.measure_all()
    straight = QuantumCircuit(4)
    for _ in range(10):
        body(straight, 0.3)
    straight.measure_all()
    params = jobs.sampler_params([(loop, None, LOOP_SHOTS)])
    report(
        f"sampler job, for_loop of 10 over 4 qubits, {LOOP_SHOTS} shots (peer: Aer)",
        *compared(
            lambda: sample(params), lambda: simulator.run(straight, shots=LOOP_SHOTS).result()
        ),
        "s",
        "ratio >= 0.67",
    )
    circuits = []
    for at in range(PUBS):
        circuit = QuantumCircuit(5)
        body(circuit, 0.01 * at)
        circuit.measure_all()
        circuits.append(circuit)
    many = jobs.sampler_params([(circuit, None, PUB_SHOTS) for circuit in circuits])
    report(
        f"sampler job, {PUBS} PUBs over 5 qubits, {PUB_SHOTS} shots (peer: Aer)",
        *compared(lambda: sample(many), lambda: simulator.run(circuits, shots=PUB_SHOTS).result()),
        "s",
        "ours <= peer + 1 s",
    )


if __name__ == "__main__":
    main()
