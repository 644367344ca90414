"""How fast a job in a session is, beside the client's local mode: one JSON line a comparison.

Ours is the whole way: the client encodes and submits over HTTP, a worker runs the job, the client
waits, fetches and decodes the result, inside a session on the emulator. The peer is the same
primitive in the client's local testing mode, in the same run. Medians; on both sides the first run
is left out, but in the last row, where the first is what counts.

``python tests/bench/round_trip.py`` takes about ten minutes, nearly all of them spent by local mode
on the 156-qubit device; ``--quick`` runs that once instead of seven times.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

HOME = tempfile.TemporaryDirectory(prefix="qsession-bench-")
os.environ["JUPYTER_RUNTIME_DIR"] = os.path.join(HOME.name, "runtime")
os.environ["JUPYTER_DATA_DIR"] = os.path.join(HOME.name, "data")
os.environ["USAGE_DATA_OPT_OUT"] = "True"

import numpy as np  # noqa: E402 - the client reads its variables when it is imported
from _report import report  # noqa: E402
from qiskit import QuantumCircuit, transpile  # noqa: E402
from qiskit.circuit import ParameterVector  # noqa: E402
from qiskit.quantum_info import SparsePauliOp  # noqa: E402
from qiskit_aer import AerSimulator  # noqa: E402
from qiskit_ibm_runtime import EstimatorV2, SamplerV2, Session  # noqa: E402
from qiskit_ibm_runtime.fake_provider import FakeFez, FakeManilaV2  # noqa: E402
from scipy.optimize import minimize  # noqa: E402

from qsession_widgets.client.emulators import connect  # noqa: E402
from qsession_widgets.emulator.process import launcher  # noqa: E402

RUNS = 9
SHOTS = 1024
ITERATIONS = 100
LAYOUT = [0, 1, 2, 3]


def median_ms(work: Callable[[], Any], runs: int) -> float:
    """Median time of some runs, in milliseconds."""
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return 1000 * statistics.median(times)


@contextmanager
def session(name: str) -> Iterator[Session]:
    """A session of the client's own on the emulator."""
    service = connect(launcher.find_or_start())
    with Session(service.backend(name)) as opened:
        yield opened


def ghz() -> QuantumCircuit:
    """Four qubits, all or none."""
    circuit = QuantumCircuit(4)
    circuit.h(0)
    for qubit in range(3):
        circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


def sample(device: Any, name: str, peer_runs: int, target: str) -> None:
    """A GHZ circuit on a noisy device."""
    circuit = transpile(ghz(), device, initial_layout=LAYOUT, seed_transpiler=1)
    with session(name) as opened:
        ours = SamplerV2(mode=opened)
        ours.run([circuit], shots=SHOTS).result()
        mine = median_ms(lambda: ours.run([circuit], shots=SHOTS).result(), RUNS)
    theirs = SamplerV2(mode=device)
    if peer_runs > 1:
        theirs.run([circuit], shots=SHOTS).result()
    peer = median_ms(lambda: theirs.run([circuit], shots=SHOTS).result(), peer_runs)
    report(f"sampler job, GHZ-4 on {name}, {SHOTS} shots", mine, peer, "ms", target)


def ideal() -> None:
    """The same without noise, against the bare simulator."""
    simulator = AerSimulator()
    circuit = transpile(ghz(), simulator)
    with session("aer") as opened:
        ours = SamplerV2(mode=opened)
        ours.run([circuit], shots=SHOTS).result()
        mine = median_ms(lambda: ours.run([circuit], shots=SHOTS).result(), 5 * RUNS)
    simulator.run(circuit, shots=SHOTS).result()
    peer = median_ms(lambda: simulator.run(circuit, shots=SHOTS).result(), 5 * RUNS)
    name = "sampler job, GHZ-4 on aer, against AerSimulator.run"
    report(name, mine, peer, "ms", "ours - peer <= 12 ms")


def loop(peer_runs: int) -> None:
    """COBYLA with an estimator; the peer's iterations are all alike, so a few are enough."""
    device = FakeFez()
    angles = ParameterVector("a", 8)
    circuit = QuantumCircuit(4)
    for qubit in range(4):
        circuit.ry(angles[qubit], qubit)
    for qubit in range(3):
        circuit.cz(qubit, qubit + 1)
    for qubit in range(4):
        circuit.ry(angles[4 + qubit], qubit)
    circuit = transpile(circuit, device, initial_layout=LAYOUT, seed_transpiler=1)
    energy = SparsePauliOp(["ZZII", "IZZI", "IIZZ", "XIII", "IXII", "IIXI", "IIIX"])
    energy = energy.apply_layout(circuit.layout)
    start = np.full(8, 0.3)
    with session("fake_fez") as opened:
        ours = EstimatorV2(mode=opened)

        def cost(values: np.ndarray) -> float:
            return float(ours.run([(circuit, energy, values)]).result()[0].data.evs)

        cost(start)
        begin = time.perf_counter()
        minimize(cost, start, method="cobyla", options={"maxiter": ITERATIONS})
        mine = time.perf_counter() - begin
    theirs = EstimatorV2(mode=device)
    once = median_ms(lambda: theirs.run([(circuit, energy, start)]).result(), peer_runs)
    name = f"COBYLA, {ITERATIONS} estimator jobs on fake_fez (peer: one job, {ITERATIONS} times)"
    report(name, mine, once / 1000 * ITERATIONS, "s", ">= 100x")


def first_job() -> None:
    """From no emulator to the first result on the large device."""
    device = FakeFez()
    circuit = transpile(ghz(), device, initial_layout=LAYOUT, seed_transpiler=1)

    def from_nothing() -> None:
        with session("fake_fez") as opened:
            SamplerV2(mode=opened).run([circuit], shots=SHOTS).result()

    times = []
    for _ in range(3):
        launcher.stop()
        times.append(median_ms(from_nothing, 1))
    peer = median_ms(lambda: SamplerV2(mode=device).run([circuit], shots=SHOTS).result(), 1)
    name = "first job of a fresh emulator on fake_fez, its start included"
    report(name, statistics.median(times), peer, "ms", "ours <= 25 % of peer")


def main() -> None:
    """Print every comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="run the slow peer once")
    runs = 1 if parser.parse_args().quick else 7
    warnings.simplefilter("ignore")
    try:
        sample(FakeManilaV2(), "fake_manila", 9, ">= 5x")
        ideal()
        sample(FakeFez(), "fake_fez", runs, ">= 300x")
        loop(min(runs, 3))
        first_job()
    finally:
        launcher.stop()
        HOME.cleanup()


if __name__ == "__main__":
    main()
