"""How long jobs of a hundred qubits take, from ``run()`` to ``result()``: one JSON line for each.

The emulator is warm, and ours is the median of five. The client's local mode cannot run any of
these; the peer is the library that does the physics, called directly with the same noise.

``python tests/bench/wide_circuits.py`` takes about five minutes.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

HOME = tempfile.TemporaryDirectory(prefix="qsession-bench-")
os.environ["JUPYTER_RUNTIME_DIR"] = os.path.join(HOME.name, "runtime")
os.environ["JUPYTER_DATA_DIR"] = os.path.join(HOME.name, "data")
os.environ["USAGE_DATA_OPT_OUT"] = "True"
sys.path.insert(0, str(Path(__file__).parents[1]))

from _report import report  # noqa: E402
from engine import wide_circuits  # noqa: E402 - the client reads its variables when imported
from pauli_prop import propagate_through_circuit  # noqa: E402
from qiskit import QuantumCircuit  # noqa: E402
from qiskit_aer import AerSimulator  # noqa: E402
from qiskit_aer.noise import PauliLindbladError  # noqa: E402
from qiskit_ibm_runtime import (  # noqa: E402
    EstimatorV2,
    RuntimeJobFailureError,
    SamplerV2,
    Session,
)

from qsession_widgets.client.emulators import connect  # noqa: E402
from qsession_widgets.emulator.engine.devices import device  # noqa: E402
from qsession_widgets.emulator.engine.devices.noise_source import DeviceNoise  # noqa: E402
from qsession_widgets.emulator.engine.simulation import pauli_noise  # noqa: E402
from qsession_widgets.emulator.process import launcher  # noqa: E402

RUNS = 5
SHOTS = 4096
PEER_SHOTS = 128


def seconds(work: Callable[[], Any], runs: int) -> float:
    """Median time of some runs."""
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def twirled(circuit: QuantumCircuit) -> pauli_noise.PauliNoise:
    """The device's noise, twirled, by the device's qubit numbers."""
    everything = tuple(range(circuit.num_qubits))
    return pauli_noise.PauliNoise(DeviceNoise(device.find(wide_circuits.DEVICE), everything))


def on_aer(circuit: QuantumCircuit, method: str, shots: int) -> float:
    """Time of the same circuit and noise on Aer itself, which draws noise shot by shot."""
    model = twirled(circuit).model(range(circuit.num_qubits), [circuit])
    simulator = AerSimulator(method=method, noise_model=model)
    return seconds(lambda: simulator.run(circuit, shots=shots).result(), 1)


def sampled(session: Session) -> None:
    """A Clifford circuit, and an ansatz with random angles."""
    sampler = SamplerV2(mode=session)
    for name, circuit, method, target in (
        ("GHZ over 100 qubits", wide_circuits.ghz(100), "stabilizer", "ours <= 5 s"),
        (
            "efficient_su2(127, reps=2)",
            wide_circuits.ansatz(2),
            "matrix_product_state",
            "ours <= 20 s",
        ),
    ):
        sampler.run([circuit], shots=SHOTS).result()
        ours = seconds(lambda ready=circuit: sampler.run([ready], shots=SHOTS).result(), RUNS)
        times = SHOTS // PEER_SHOTS
        peer = times * on_aer(circuit, method, PEER_SHOTS)
        report(
            f"sampler job, {name} with noise, {SHOTS} shots (peer: Aer's {method}, {PEER_SHOTS} "
            f"shots, {times} times)",
            ours,
            peer,
            "s",
            target,
        )


def estimated(session: Session) -> None:
    """Ten observables on two qubits each, after 1188 two-qubit gates."""
    circuit = wide_circuits.ising()
    observables = [wide_circuits.correlation(circuit, 100, (at, at + 1)) for at in range(0, 90, 9)]
    estimator = EstimatorV2(mode=session)
    pub = (circuit, observables)
    estimator.run([pub]).result()
    ours = seconds(lambda: estimator.run([pub]).result(), RUNS)
    noise = twirled(circuit)
    noisy = QuantumCircuit(circuit.num_qubits)
    index = {qubit: at for at, qubit in enumerate(circuit.qubits)}
    for instruction in circuit.data:
        at = tuple(index[qubit] for qubit in instruction.qubits)
        noisy.append(instruction.operation, at)
        factors = noise.twirled(instruction.name, at)
        if factors is not None:
            labels = [label[::-1] for label in pauli_noise.letters(len(at))]
            error = PauliLindbladError(labels[1:], pauli_noise.rates(factors)[1:])
            noisy.append(error, at)
    # one of the ten, because each of them takes as long
    peer = len(observables) * seconds(
        lambda: propagate_through_circuit(observables[0], noisy, 20_000, 1e-5, frame="h"), 1
    )
    report(
        "EstimatorV2 job, ten ZZ on 100 qubits after 1188 CZ with noise (peer: pauli-prop on the "
        "whole circuit, one observable, ten times)",
        ours,
        peer,
        "s",
        "ours <= 5 s",
    )


def refused(session: Session) -> None:
    """A deep circuit that fits nothing; what it takes to be posted is the peer."""
    circuit = wide_circuits.scrambling(100, 40)
    measured = circuit.copy()
    measured.measure_active()
    observables = wide_circuits.correlation(circuit, 100, *((at, at + 1) for at in range(99)))
    for name, primitive, pub in (
        ("sampler", SamplerV2(mode=session), (measured,)),
        ("EstimatorV2", EstimatorV2(mode=session), (circuit, observables)),
    ):
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(RUNS):
            begin = time.perf_counter()
            job = primitive.run([pub])
            posted = time.perf_counter()
            with contextlib.suppress(RuntimeJobFailureError):
                job.result()
            times[0].append(time.perf_counter() - posted)
            times[1].append(posted - begin)
        report(
            f"{name} job that fits nothing, 100 qubits, {len(circuit.data)} instructions, from "
            "its post to the refusal (peer: the post)",
            *map(statistics.median, times),
            "s",
            "ours <= 0.2 s",
        )


def main() -> None:
    """Print every comparison."""
    warnings.simplefilter("ignore")
    try:
        service = connect(launcher.find_or_start())
        with Session(service.backend(wide_circuits.DEVICE)) as session:
            refused(session)
            sampled(session)
            estimated(session)
    finally:
        launcher.stop()
        HOME.cleanup()


if __name__ == "__main__":
    main()
