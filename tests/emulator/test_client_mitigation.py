"""The unmodified client's mitigation, suppression and noise learning, over HTTP."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp
from qiskit.transpiler import generate_preset_pass_manager

if TYPE_CHECKING:
    from qiskit_ibm_runtime import IBMBackend, QiskitRuntimeService


@pytest.fixture
def manila(service: QiskitRuntimeService) -> IBMBackend:
    return service.backend("fake_manila")


@pytest.fixture(autouse=True)
def _deprecated() -> Iterator[None]:
    # The classic learner is what existing programs use, and says at each use that it is old.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The NoiseLearner class", DeprecationWarning)
        warnings.filterwarnings("ignore", "The `NoiseLearnerResult`", DeprecationWarning)
        yield


def pub(backend: IBMBackend, pairs: int = 0) -> tuple[QuantumCircuit, SparsePauliOp]:
    """A GHZ state of three qubits with pairs of gates that do nothing, and its parities."""
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    for _ in range(pairs):
        circuit.barrier()
        circuit.cx(0, 1)
        circuit.barrier()
        circuit.cx(0, 1)
    ready = generate_preset_pass_manager(
        0, backend=backend, seed_transpiler=1, initial_layout=[1, 2, 3]
    ).run(circuit)
    return ready, SparsePauliOp(["ZZI", "XXX"]).apply_layout(ready.layout)


def estimate(mode: Any, backend: IBMBackend, pairs: int = 0, **options: Any) -> Any:
    from qiskit_ibm_runtime import EstimatorV2

    return EstimatorV2(mode=mode, options=options).run([pub(backend, pairs)])


def test_the_estimators_default_corrects_the_readout(manila: IBMBackend) -> None:
    corrected = estimate(manila, manila).result()
    raw = estimate(manila, manila, resilience_level=0).result()
    assert corrected.metadata["resilience"]["measure_mitigation"]
    assert corrected[0].metadata["num_randomizations"] == 32
    assert not raw.metadata["resilience"]["measure_mitigation"]
    assert raw[0].data.evs < corrected[0].data.evs


def test_zne_comes_back_with_all_its_fields(manila: IBMBackend) -> None:
    from qiskit_ibm_runtime import Session

    with Session(manila) as session:
        result = estimate(session, manila, 2, resilience_level=2).result()
    data = result[0].data
    assert data.evs_noise_factors.shape == (3,)
    assert data.evs_extrapolated.shape == (2, 4)
    assert result[0].metadata["resilience"]["zne"]["extrapolators"].shape == ()
    assert abs(data.evs - 2) < 6 * data.stds + 0.1


def test_usage_grows_with_what_mitigation_runs(service: QiskitRuntimeService) -> None:
    backend = service.backend("fake_manila")
    jobs = [estimate(backend, backend, resilience_level=level) for level in (0, 1, 2)]
    executions = []
    for job in jobs:
        job.result()
        executions.append(int(re.findall(r"(\d+) executions", job.logs())[-1]))
    assert executions == [8192, 12288, 28672]


def test_learn_then_mitigate(manila: IBMBackend) -> None:
    from qiskit_ibm_runtime.noise_learner import NoiseLearner

    circuit, _ = pub(manila, 4)
    job = NoiseLearner(mode=manila).run([circuit])
    learned = job.result()
    assert {tuple(layer.qubits) for layer in learned} <= {(1, 2), (1, 2, 3)}
    assert "not learned by running" in job.logs()
    resilience = {"pec_mitigation": True, "layer_noise_model": learned}
    data = estimate(manila, manila, 4, resilience=resilience).result()[0].data
    assert abs(data.evs - 2) < 5 * data.stds + 0.02


def test_learn_boxes_then_mitigate_on_the_clients_side(manila: IBMBackend) -> None:
    from qiskit_ibm_runtime.executor_estimator import Estimator
    from qiskit_ibm_runtime.noise_learner_v3 import NoiseLearnerV3

    estimator = Estimator(mode=manila)
    estimator.options.resilience.pec_mitigation = True
    layers = estimator.find_unique_layers([pub(manila, 2)])
    maps = NoiseLearnerV3(mode=manila).run(layers).result().to_pauli_lindblad_maps()
    estimator.options.resilience.layer_noise_model = list(zip(layers, maps, strict=True))
    data = estimator.run([pub(manila, 2)]).result()[0].data
    assert abs(data.evs - 2) < 5 * data.stds + 0.05


def test_timing_of_a_sampler(manila: IBMBackend) -> None:
    from qiskit_ibm_runtime import SamplerV2

    circuit, _ = pub(manila)
    circuit.measure_all()
    sampler = SamplerV2(mode=manila)
    sampler.options.experimental = {"execution": {"scheduler_timing": True}}
    result = sampler.run([circuit], shots=10).result()
    for metadata in (result.metadata, result[0].metadata):
        assert "cx_1_2" in metadata["compilation"]["scheduler_timing"]["timing"]


def test_timing_of_the_client_side_sampler(manila: IBMBackend) -> None:
    from qiskit_ibm_runtime.executor_sampler import Sampler

    circuit, _ = pub(manila)
    circuit.measure_all()
    sampler = Sampler(mode=manila)
    sampler.options.execution.scheduler_timing = True
    result = sampler.run([circuit], shots=10).result()
    assert result[0].metadata["compilation"]["scheduler_timing"]["circuit_duration"] > 0


def test_calibrator_is_refused_as_ours(manila: IBMBackend) -> None:
    from qiskit_ibm_runtime.calibrator import Calibrator
    from qiskit_ibm_runtime.exceptions import IBMRuntimeError, RuntimeProgramNotFound

    with pytest.raises(IBMRuntimeError, match="local emulator does not run") as refused:
        Calibrator(mode=manila).run()
    assert not isinstance(refused.value, RuntimeProgramNotFound)
