"""Twirling, mitigation and decoupling of classic jobs: what they do, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from engine import jobs
from engine.echoes import SEED, echo, estimate, parity
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer.noise import NoiseModel, amplitude_damping_error, depolarizing_error
from qiskit_ibm_runtime.executor_estimator import Estimator

from qsession_widgets.emulator.engine.programs import readout_mitigation
from qsession_widgets.emulator.engine.task import Simulation


@pytest.fixture
def submitted() -> Iterator[list[Any]]:
    with jobs.submitted_programs() as collected:
        yield collected


# --- The estimator ----------------------------------------------------------------------------


@pytest.mark.parametrize("level", [0, 1, 2])
def test_levels_give_what_the_client_side_estimator_gives(submitted: list[Any], level: int) -> None:
    circuit = echo("fake_manila", 3)
    with jobs.quiet():
        estimator = Estimator(jobs.backend("fake_manila"))
        estimator.options.resilience_level = level
        theirs = estimator.run([(circuit, parity(circuit))]).result()[0].data
    _, result = estimate(circuit, parity(circuit), level)
    ours = result[0].data
    assert set(theirs) <= set(ours)
    assert abs(ours.evs - theirs.evs) < 6 * np.hypot(ours.stds, theirs.stds) + 0.02


def test_each_level_is_nearer_to_the_ideal() -> None:
    circuit = echo("fake_manila", 6)
    raw, corrected, extrapolated = (
        estimate(circuit, parity(circuit), level)[1][0].data for level in (0, 1, 2)
    )
    assert raw.evs + 6 * raw.stds < corrected.evs
    assert corrected.evs + 3 * corrected.stds < 2
    assert abs(extrapolated.evs - 2) < 6 * extrapolated.stds + 0.05
    assert list(extrapolated.evs_noise_factors) == sorted(
        extrapolated.evs_noise_factors, reverse=True
    )


def test_default_is_the_services_and_none_on_the_ideal_device() -> None:
    circuit = echo("fake_manila", 0)
    outcome, result = estimate(circuit, parity(circuit))
    assert result.metadata["resilience"]["measure_mitigation"] is True
    assert result.metadata["twirling"]["enable_measure"] is True
    assert result[0].metadata["num_randomizations"] == 32
    outcome, result = estimate(QuantumCircuit(1), "Z", device="aer")
    assert result.metadata["resilience"]["measure_mitigation"] is False
    assert outcome["executions"] == 4096
    assert "no noise to mitigate" in outcome["logs"]


def test_randomizations_times_shots_are_executed_and_told() -> None:
    circuit = echo("fake_manila", 0)
    twirling = {"num_randomizations": 16, "shots_per_randomization": 100}
    outcome, result = estimate(circuit, parity(circuit), default_precision=0.05, twirling=twirling)
    assert result[0].metadata["shots"] == 1600
    assert result[0].metadata["num_randomizations"] == 16
    assert result[0].metadata["target_precision"] == 0.05
    # Two bases, and the calibration of the readout.
    assert outcome["executions"] == 3 * 1600
    outcome, _ = estimate(circuit, parity(circuit), 0)
    assert outcome["executions"] == 2 * 4096


@pytest.mark.parametrize("noise", ["device", "own"])
def test_correcting_the_readout_alone_is_as_randomizing_by_the_client(noise: str) -> None:
    """One circuit with averaged readout errors stands for many randomized ones."""
    simulator: dict[str, Any] = dict(SEED)
    if noise == "own":
        model = NoiseModel(basis_gates=["cx", "rz", "sx", "x"])
        model.add_all_qubit_readout_error([[0.99, 0.01], [0.12, 0.88]])
        model.add_all_qubit_quantum_error(amplitude_damping_error(0.1), "measure")
        simulator["noise_model"] = model
    circuit = echo("fake_manila", 1)
    observables = [parity(circuit), SparsePauliOp("ZII").apply_layout(circuit.layout), "II1II"]
    found = []
    for twirling in ({}, {"num_randomizations": 128, "shots_per_randomization": 64}):
        outcome, result = estimate(
            circuit,
            observables,
            1,
            simulator=simulator,
            twirling=twirling,
            default_precision=1 / np.sqrt(8192),
        )
        assert outcome["executions"] == 3 * 8192
        assert result[0].metadata["shots"] == 8192
        assert ("averaged over" in outcome["logs"]) is (not twirling)
        found.append(result)
    quick, full = (result[0].data for result in found)
    assert set(quick) == set(full)
    # Terms of one observable are taken for independent by the client, so its errors differ.
    assert (np.abs(quick.evs - full.evs) < 6 * np.hypot(quick.stds, full.stds) + 0.01).all()
    keys = [set(result[0].metadata) for result in found]
    assert keys[0] == keys[1]
    assert set(found[0].metadata) == set(found[1].metadata)


@pytest.mark.parametrize("amplifier", ["gate_folding", "gate_folding_front", "gate_folding_back"])
def test_extrapolation_by_folding(amplifier: str) -> None:
    circuit = echo("fake_manila", 6)
    zne = {"amplifier": amplifier, "noise_factors": [1, 2, 3], "extrapolator": "linear"}
    outcome, result = estimate(
        circuit, parity(circuit), 1, resilience={"zne_mitigation": True, "zne": zne}
    )
    data = result[0].data
    assert data.evs_noise_factors.shape == (3,)
    assert data.evs_extrapolated.shape == (1, 4)
    assert data.evs_noise_factors[0] > data.evs_noise_factors[2]
    assert data.evs > data.evs_noise_factors[0]
    assert outcome["executions"] == (3 * 2 + 1) * 4096


def test_wide_jobs_are_extrapolated_as_if_their_randomizations_had_been_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A narrow job, which runs both ways, has the same values, errors, executions and keys."""
    circuit = echo("fake_manila", 4)
    observables = [parity(circuit), SparsePauliOp("ZII").apply_layout(circuit.layout)]
    outcome, drawn = estimate(circuit, observables, 2)
    executions = outcome["executions"]
    monkeypatch.setattr(readout_mitigation, "WIDE", 2)
    outcome, averaged = estimate(circuit, observables, 2)
    assert "the gates that twirling adds" in outcome["logs"]
    assert outcome["executions"] == executions
    assert set(averaged[0].metadata) - {"simulation"} == set(drawn[0].metadata)
    theirs, ours = drawn[0].data, averaged[0].data
    assert set(ours) == set(theirs)
    for name in ("evs", "evs_noise_factors", "stds", "evs_extrapolated"):
        assert getattr(ours, name).shape == getattr(theirs, name).shape, name
    # spread between randomizations, of which there are few, is the larger one
    spread = np.hypot(ours.stds_noise_factors, theirs.stds_noise_factors)
    assert (np.abs(ours.evs_noise_factors - theirs.evs_noise_factors) < 6 * spread + 0.02).all()
    assert (np.abs(ours.evs - theirs.evs) < 6 * np.hypot(ours.stds, theirs.stds) + 0.05).all()
    assert ours.evs[0] > ours.evs_noise_factors[0, 0] > ours.evs_noise_factors[0, 2]


@pytest.mark.parametrize(
    "mitigation",
    [{"pec_mitigation": True}, {"zne_mitigation": True, "zne": {"amplifier": "pea"}}],
    ids=["pec", "pea"],
)
def test_mitigation_by_layers_takes_the_gates_noise_away(
    mitigation: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawn one by one, and as the average of all randomizations."""
    monkeypatch.setattr(readout_mitigation, "LONG_PEC", 1000)
    circuit = echo("fake_manila", 6)
    readout_only = estimate(circuit, parity(circuit), 1)[1][0].data
    outcome, result = estimate(circuit, parity(circuit), 1, resilience=mitigation)
    data = result[0].data
    assert abs(data.evs - 2) < 5 * data.stds + 0.02
    assert readout_only.evs < 2 - 10 * readout_only.stds
    assert "not learned by running" in outcome["logs"]
    # Nine bases at six depths, 32 randomizations of 128 shots for each of its layers.
    assert outcome["executions"] > 2 * 6 * 9 * 32 * 128
    by_gates = "pec_mitigation" in mitigation
    monkeypatch.setattr(readout_mitigation, "LONG_PEC" if by_gates else "WIDE_WITH_LAYERS", 2)
    averaged, theirs = estimate(circuit, parity(circuit), 1, resilience=mitigation)
    assert "pauli_propagation" in averaged["methods"]
    assert averaged["executions"] == outcome["executions"]
    assert set(theirs[0].metadata) - {"simulation"} == set(result[0].metadata)
    assert theirs[0].metadata["num_randomizations"] == result[0].metadata["num_randomizations"]
    other = theirs[0].data
    assert set(other) == set(data)
    assert abs(other.evs - data.evs) < 5 * np.hypot(other.stds, data.stds) + 0.02
    if "pec_mitigation" in mitigation:
        for name in ("stds", "ensemble_standard_error"):
            assert getattr(other, name) == pytest.approx(getattr(data, name), rel=0.4)
        short = echo("fake_manila", 1)
        params = jobs.estimator_params([(short, parity(short))], level=1, resilience=mitigation)
        strict = Simulation(strict=True)
        exact, _ = jobs.run("estimator", "fake_manila", params, simulation=strict)
        assert exact["status"] == "completed", exact["reason"]
        assert "pauli_propagation" not in exact["methods"]


@pytest.mark.parametrize("resilience", [{}, {"pec_mitigation": True}])
def test_without_noise_there_is_nothing_to_correct(resilience: dict[str, Any]) -> None:
    circuit = echo("fake_manila", 1)
    for level in (None, 1):
        params = jobs.estimator_params(
            [(circuit, parity(circuit))], level=level, resilience=resilience
        )
        outcome, result = jobs.run(
            "estimator", "fake_manila", params, simulation=Simulation(noise="none")
        )
        assert result[0].data.evs == pytest.approx(2, abs=1e-9), outcome["reason"]


def test_layers_that_are_not_learned_stay_noisy() -> None:
    circuit = echo("fake_manila", 6)
    learning = {"max_layers_to_learn": 0}
    resilience = {"pec_mitigation": True, "layer_noise_learning": learning}
    outcome, result = estimate(circuit, parity(circuit), 1, resilience=resilience)
    assert "0 of" in outcome["logs"]
    assert result[0].data.evs < 2 - 6 * result[0].data.stds


def test_own_noise_is_what_is_mitigated() -> None:
    noise = NoiseModel(basis_gates=["cx", "rz", "sx", "x"])
    noise.add_all_qubit_quantum_error(depolarizing_error(0.04, 2), "cx")
    circuit = echo("fake_manila", 1)
    simulator = {**SEED, "noise_model": noise}
    raw = estimate(circuit, parity(circuit), 0, simulator=simulator)[1][0].data
    resilience = {"pec_mitigation": True}
    data = estimate(circuit, parity(circuit), 0, simulator=simulator, resilience=resilience)[1][0]
    assert raw.evs < 1.75
    assert abs(data.data.evs - 2) < 5 * data.data.stds + 0.02


def test_parameter_sets_observables_and_precisions() -> None:
    angle = Parameter("angle")
    circuit = QuantumCircuit(5)
    circuit.rz(0.2, 3)
    circuit.sx(1)
    circuit.rz(angle, 1)
    circuit.sx(1)
    values = np.array([[0.3], [1.1], [2.0]])
    observables = [["IIIZI"], ["IIIYI"]]
    pubs = [(circuit, observables, values, 0.02), (circuit, "IIIZI", values[1], 0.05)]
    params = jobs.estimator_params(pubs, simulator=SEED)
    first, second = jobs.completed("estimator", "fake_manila", params)
    assert first.data.evs.shape == (2, 3)
    assert first.metadata["shots"] == 2528  # 32 randomizations of 79 shots
    assert second.metadata["shots"] == 448
    expected = np.array([-np.cos(values[:, 0]), np.zeros(3)])
    assert np.abs(first.data.evs - expected).max() < 0.15
    assert abs(second.data.evs + np.cos(1.1)) < 6 * second.data.stds + 0.03


def test_projectors_are_corrected_as_the_paulis_they_stand_for() -> None:
    circuit = QuantumCircuit(5)
    circuit.x([0, 1])
    _, result = estimate(circuit, {"III11": 1.0, "II0II": 0.5}, 1)
    assert abs(result[0].data.evs - 1.5) < 6 * result[0].data.stds + 0.01
    too_many = jobs.estimator_params([(QuantumCircuit(13), "0" * 13)], level=1)
    outcome, _ = jobs.run("estimator", "aer", too_many)
    assert outcome["reason_code"] == 1501
    assert "resilience_level 0" in outcome["reason"]


def test_circuits_that_cannot_be_twirled_run_as_they_are_by_default() -> None:
    circuit = QuantumCircuit(5, 1)
    circuit.x(1)
    circuit.measure(1, 0)
    with circuit.if_test((0, 1)):
        circuit.x(2)
    outcome, result = estimate(circuit, "IIZII")
    assert result.metadata["resilience"]["measure_mitigation"] is False
    assert "'if_else'" in outcome["warnings"][0]
    assert result[0].data.evs < -0.5
    params = jobs.estimator_params([(circuit, "IIZII")], level=1)
    outcome, _ = jobs.run("estimator", "fake_manila", params)
    assert outcome["reason_code"] == 1519
    assert "resilience_level 0" in outcome["reason"]
    params = jobs.estimator_params([(circuit, "IIZII")], twirling={"enable_gates": True})
    assert jobs.run("estimator", "fake_manila", params)[0]["reason_code"] == 1519


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"resilience": {"zne": {"noise_factors": [0.5, 1]}}}, "noise_factors"),
        ({"twirling": {"strategy": "none"}}, "twirling.strategy"),
        (
            {"resilience": {"pec_mitigation": True, "zne_mitigation": True}},
            "incompatible with one another",
        ),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], said: str) -> None:
    params = jobs.estimator_params([(QuantumCircuit(5), "IIIIZ")], **options)
    outcome, _ = jobs.run("estimator", "fake_manila", params)
    assert outcome["reason_code"] == 1519
    assert said in outcome["reason"]


def test_options_without_effect_are_named_in_log_outcome_and_result() -> None:
    execution = {"rep_delay": 0.001, "init_qubits": True}
    outcome, result = estimate(QuantumCircuit(5), "IIIIZ", execution=execution)
    assert outcome["no_effect"] == ["execution.rep_delay"]
    assert result.metadata["options_without_effect"] == ["execution.rep_delay"]
    assert "execution.rep_delay" in outcome["logs"]


def test_repeated_jobs_scatter_as_their_errors_say() -> None:
    circuit = echo("fake_manila", 1)
    found = [
        estimate(circuit, parity(circuit), 1, simulator={"seed_simulator": seed})[1][0].data
        for seed in range(20)
    ]
    values = np.array([float(data.evs) for data in found])
    claimed = np.mean([float(data.ensemble_standard_error) for data in found])
    # The standard deviation of twenty values is known to a sixth; the calibration, whose error is
    # not in the claim, adds to it.
    assert 0.5 * claimed < values.std(ddof=1) < 2.2 * claimed


# --- The sampler ------------------------------------------------------------------------------
