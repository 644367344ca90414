"""The noise learner: it answers the noise that is simulated, and mitigation works with it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from engine import jobs
from engine.echoes import LINE, echo, estimate, parity
from qiskit import QuantumCircuit
from qiskit.quantum_info import PTM, QubitSparsePauli, SuperOp
from qiskit_ibm_runtime import RuntimeEncoder
from qiskit_ibm_runtime.decoders.noise_learner import NoiseLearnerResultDecoder
from qiskit_ibm_runtime.decoders.noise_learner_v3.decoder import NoiseLearnerV3ResultDecoder
from qiskit_ibm_runtime.executor_estimator import Estimator
from qiskit_ibm_runtime.executor_estimator.prepare import prepare
from qiskit_ibm_runtime.noise_learner_v3.params_converters import (
    NOISE_LEARNER_V3_PARAMS_CONVERTERS,
)
from qiskit_ibm_runtime.options_models import NoiseLearnerV3Options

from qsession_widgets.emulator.engine import programs
from qsession_widgets.emulator.engine.devices import device, noise
from qsession_widgets.emulator.engine.devices.noise_source import DeviceNoise
from qsession_widgets.emulator.engine.simulation import layer_noise

DEVICE = "fake_manila"


def learn(circuits: list[QuantumCircuit], **options: Any) -> tuple[dict[str, Any], Any]:
    """Run the job of the client's `NoiseLearner`."""
    params = {"circuits": circuits, "options": {**options, "support_qiskit": True}}
    head = {"program_id": "noise-learner", "backend": DEVICE, "options": {}}
    text = json.dumps(params, cls=RuntimeEncoder)
    outcome, result = programs.run(head, text, memory_limit=None)
    assert outcome["status"] == "completed", outcome["reason"]
    return outcome, NoiseLearnerResultDecoder.decode(result)


def learn_boxes(boxes: list[Any], version: str = "v0.3", **options: Any) -> Any:
    """Run the job of the client's `NoiseLearnerV3`."""
    encode = NOISE_LEARNER_V3_PARAMS_CONVERTERS[version].encoder
    model = encode(boxes, NoiseLearnerV3Options(**options))
    params = {**model.model_dump(mode="json"), "version": 3}
    head = {"program_id": "noise-learner", "backend": DEVICE, "options": {}}
    outcome, text = programs.run(head, json.dumps(params), memory_limit=None)
    assert outcome["status"] == "completed", outcome["reason"]
    return outcome, NoiseLearnerV3ResultDecoder.decode(text)


# --- Rates ------------------------------------------------------------------------------------


def test_rates_are_those_of_the_twirled_channel() -> None:
    found = device.find(DEVICE)
    whole = DeviceNoise(found, tuple(range(5)))
    layer = QuantumCircuit(2)
    layer.cx(0, 1)
    terms = layer_noise.layer_terms(layer, (1, 2), whole, dressed=False)
    channel = SuperOp(noise.gate_error(found, ("cx", (1, 2)), "calibration"))
    fidelities = np.diag(PTM(channel).data).real
    learned = layer_noise.lindblad_map(terms, 2)
    labels = [first + second for first in "IXYZ" for second in "IXYZ"]
    for label, expected in zip(labels[1:], fidelities[1:], strict=True):
        assert learned.pauli_fidelity(QubitSparsePauli(label)) == pytest.approx(expected, abs=1e-9)


def test_twirling_gates_are_a_part_of_the_layer() -> None:
    whole = DeviceNoise(device.find(DEVICE), tuple(range(5)))
    layer = QuantumCircuit(3)
    layer.cx(0, 1)
    bare, dressed = (
        layer_noise.layer_terms(layer, (1, 2, 3), whole, dressed=dressed)
        for dressed in (False, True)
    )
    assert {tuple(at) for _, at, _ in bare} == {(0,), (1,), (0, 1)}
    assert (2,) in {tuple(at) for _, at, _ in dressed}
    assert sum(rate for *_, rate in dressed) > sum(rate for *_, rate in bare)


def test_the_ideal_device_has_no_noise() -> None:
    whole = DeviceNoise(device.find("aer"), (0, 1))
    layer = QuantumCircuit(2)
    layer.cz(0, 1)
    assert layer_noise.layer_terms(layer, (0, 1), whole) == []
    assert layer_noise.readout_terms((0, 1), whole) == [("X", [0], 0.0), ("X", [1], 0.0)]


# --- The learner for circuits -----------------------------------------------------------------


def test_learned_layers_name_their_gates_and_qubits() -> None:
    outcome, result = learn([echo(DEVICE, 1)], twirling_strategy="active-circuit")
    assert len(result) == 2
    for layer in result:
        assert layer.qubits == LINE
        assert layer.error.num_qubits == 3
        assert layer.circuit.count_ops() == {"cx": 1}
        assert (layer.error.rates >= 0).all()
        assert 0.002 < layer.error.rates.sum() < 0.1
    assert outcome["executions"] == 2 * 6 * 9 * 32 * 128
    assert "not learned by running" in outcome["logs"]
    assert "not learned by running" in result.metadata["source"]


def test_options_of_learning_count() -> None:
    options = {"layer_pair_depths": [0, 1], "num_randomizations": 2, "shots_per_randomization": 10}
    outcome, result = learn([echo(DEVICE, 1)], max_layers_to_learn=1, **options)
    assert len(result) == 1
    assert outcome["executions"] == 1 * 2 * 9 * 2 * 10
    assert outcome["no_effect"] == []


def test_learn_then_mitigate() -> None:
    circuit = echo(DEVICE, 6)
    _, learned = learn([circuit])
    raw = estimate(circuit, parity(circuit), 1)[1][0].data
    outcome, result = estimate(
        circuit,
        parity(circuit),
        1,
        resilience={"pec_mitigation": True, "layer_noise_model": learned},
    )
    data = result[0].data
    assert abs(data.evs - 2) < 5 * data.stds + 0.02
    assert raw.evs < 2 - 10 * raw.stds
    # What is brought along is not learned once more.
    assert outcome["executions"] < 200_000
    assert "not in the given noise model" not in outcome["logs"]


def test_layers_that_are_not_given_are_named() -> None:
    circuit = echo(DEVICE, 1)
    _, learned = learn([circuit], max_layers_to_learn=1)
    outcome, _ = estimate(
        circuit,
        parity(circuit),
        1,
        resilience={"pec_mitigation": True, "layer_noise_model": learned},
    )
    assert "not in the given noise model" in outcome["logs"]


def test_jobs_without_circuits_are_refused() -> None:
    outcome, _ = jobs.run("noise-learner", DEVICE, json.dumps({"circuits": []}))
    assert outcome["reason_code"] == 1208
    outcome, _ = jobs.run("noise-learner", DEVICE, "[]")
    assert outcome["reason_code"] == 1208


# --- The learner for boxes --------------------------------------------------------------------


@pytest.mark.parametrize("version", list(NOISE_LEARNER_V3_PARAMS_CONVERTERS))
def test_boxes_in_every_version_of_the_schema(version: str) -> None:
    circuit = echo(DEVICE, 1)
    with jobs.quiet():
        estimator = Estimator(jobs.backend(DEVICE))
        estimator.options.resilience.pec_mitigation = True
        boxes = estimator.find_unique_layers([(circuit, parity(circuit))], types="all")
    outcome, results = learn_boxes(boxes, version)
    assert len(results) == len(boxes)
    for box, result in zip(boxes, results.data, strict=True):
        assert result.to_pauli_lindblad_map().num_qubits == len(box.qubits)
    protocols = [result.metadata["learning_protocol"] for result in results.data]
    assert sorted(set(protocols)) == ["lindblad", "trex"]
    lindblad, trex = protocols.count("lindblad"), protocols.count("trex")
    assert outcome["executions"] == (lindblad * 6 * 9 + trex) * 32 * 128


def test_learn_boxes_then_mitigate_on_the_clients_side() -> None:
    circuit = echo(DEVICE, 6)
    pub = (circuit, parity(circuit))
    with jobs.quiet():
        estimator = Estimator(jobs.backend(DEVICE))
        estimator.options.resilience.pec_mitigation = True
        boxes = estimator.find_unique_layers([pub])
        _, results = learn_boxes(boxes)
        maps = results.to_pauli_lindblad_maps()
        estimator.options.resilience.layer_noise_model = list(zip(boxes, maps, strict=True))
        program, _ = prepare([pub], estimator.options, backend=jobs.backend(DEVICE))
    program._semantic_role = "estimator_v2"
    data = jobs.through_executor(program, DEVICE)[0].data
    assert abs(data.evs - 2) < 5 * data.stds + 0.02


def test_boxes_that_cannot_be_learned_are_refused() -> None:
    circuit = QuantumCircuit(5)
    with circuit.box():
        circuit.t(0)
    encode = NOISE_LEARNER_V3_PARAMS_CONVERTERS["v0.3"].encoder
    params = encode(list(circuit.data), NoiseLearnerV3Options()).model_dump(mode="json")
    head = {"program_id": "noise-learner", "backend": DEVICE, "options": {}}
    outcome, _ = programs.run(head, json.dumps(params), memory_limit=None)
    assert outcome["reason_code"] == 1208
    assert "Instruction 0" in outcome["reason"]
    params["schema_version"] = "v9"
    outcome, _ = programs.run(head, json.dumps(params), memory_limit=None)
    assert "v0.3" in outcome["reason"]
