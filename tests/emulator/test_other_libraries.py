"""Libraries that nobody here wrote, on top of IBM's client, through the emulator.

An experiments library, a readout-mitigation library, and another SDK's bridge. They bring much
along, so they have an environment of their own: `make test-clients`. PennyLane's bridge is not
among them, for its newest release, 0.45.0, needs qiskit-ibm-runtime 0.45 and Qiskit 2.3 at most.
"""

from __future__ import annotations

import numpy as np
import pytest
from qiskit import QuantumCircuit, generate_preset_pass_manager
from qiskit_ibm_runtime import IBMBackend, SamplerV2

# what these libraries warn of is theirs
pytestmark = pytest.mark.filterwarnings("ignore")

SHOTS = 4000


def test_an_experiment_measures_the_relaxation_time_of_the_calibration(manila: IBMBackend) -> None:
    """Qiskit Experiments: circuits with delays, a job, a fit."""
    from qiskit_experiments.library import T1

    true = manila.properties().t1(0)
    experiment = T1([0], np.linspace(0, 2.5 * true, 12), backend=manila)
    experiment.set_run_options(shots=SHOTS)
    data = experiment.run().block_for_results()
    assert not data.errors(), data.errors()
    fitted = data.analysis_results("T1", dataframe=False).value
    assert fitted.n == pytest.approx(true, rel=0.15)


def test_mitigation_of_the_readout_learns_and_corrects_it(manila: IBMBackend) -> None:
    """Mthree: calibration circuits of its own, and counts that become quasi-probabilities."""
    import mthree

    circuit = QuantumCircuit(3)
    circuit.x(range(3))
    circuit.measure_all()
    ready = generate_preset_pass_manager(1, backend=manila, initial_layout=[0, 1, 2]).run(circuit)
    mitigation = mthree.M3Mitigation(manila)
    mitigation.cals_from_system([0, 1, 2], shots=SHOTS)
    counts = SamplerV2(mode=manila).run([ready], shots=SHOTS).result()[0].data.meas.get_counts()
    corrected = mitigation.apply_correction(counts, [0, 1, 2])
    raw = counts["111"] / SHOTS
    assert raw < 0.95
    assert abs(1 - corrected["111"]) < abs(1 - raw) / 2


def test_pytket_s_bridge_compiles_and_runs_a_circuit(manila: IBMBackend) -> None:
    """Its backend reads the device from the service, and opens a session by itself."""
    from pytket.circuit import Circuit
    from pytket.extensions.qiskit import IBMQBackend

    backend = IBMQBackend("fake_manila", service=manila.service)
    circuit = backend.get_compiled_circuit(Circuit(2).H(0).CX(0, 1).measure_all())
    handle = backend.process_circuit(circuit, n_shots=SHOTS)
    counts = backend.get_result(handle).get_counts()
    assert counts[0, 0] + counts[1, 1] > 0.85 * SHOTS
    assert min(counts[0, 0], counts[1, 1]) > 0.3 * SHOTS
