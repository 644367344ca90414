"""Twirling and dynamical decoupling of the sampler."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from engine import jobs
from engine.echoes import SEED, echo
from qiskit import QuantumCircuit
from qiskit_aer.noise import NoiseModel


@pytest.mark.parametrize(
    "twirling", [{"enable_gates": True}, {"enable_measure": True, "num_randomizations": 8}]
)
def test_twirled_samples(twirling: dict[str, Any]) -> None:
    circuit = echo("fake_manila", 1)
    circuit.measure_all()
    plain = jobs.completed(
        "sampler", "fake_manila", jobs.sampler_params([(circuit, None, 8000)], simulator=SEED)
    )[0]
    outcome, result = jobs.run(
        "sampler",
        "fake_manila",
        jobs.sampler_params([(circuit, None, 8000)], twirling=twirling, simulator=SEED),
    )
    (twirled,) = result
    count = twirled.metadata["num_randomizations"]
    assert count == twirling.get("num_randomizations", 32)
    assert twirled.metadata["shots"] == outcome["executions"] == twirled.data.meas.num_shots == 8000
    spans = result.metadata["execution"]["execution_spans"]
    assert spans[0].mask(0).shape == (8000,)
    assert spans[0].mask(0).all()
    if "enable_measure" not in twirling:
        ones = [
            np.unpackbits(found.data.meas.array, axis=-1).mean(axis=0) for found in (plain, twirled)
        ]
        assert np.abs(ones[0] - ones[1]).max() < 6 * np.sqrt(0.5 / 8000)


def test_twirled_readout_errors_are_the_same_both_ways() -> None:
    noise = NoiseModel()
    noise.add_all_qubit_readout_error([[1.0, 0.0], [0.2, 0.8]])
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    for twirled, expected in ((False, 0.0), (True, 0.1)):
        params = jobs.sampler_params(
            [(circuit, None, 20_000)],
            twirling={"enable_measure": twirled, "num_randomizations": 2000},
            simulator={**SEED, "noise_model": noise},
        )
        counts = jobs.completed("sampler", "aer", params)[0].data.meas.get_counts()
        assert counts.get("1", 0) / 20_000 == pytest.approx(expected, abs=0.015)


@pytest.mark.parametrize(
    ("sequence", "device", "gate"),
    [("XX", "fake_manila", "cx"), ("XpXm", "fake_fez", "cz"), ("XY4", "fake_manila", "cx")],
)
def test_decoupling_changes_circuit_and_duration(sequence: str, device: str, gate: str) -> None:
    circuit = QuantumCircuit(5, 2)
    circuit.sx(1)
    circuit.delay(200_000, 1, unit="dt")
    circuit.sx(2)
    getattr(circuit, gate)(1, 2)
    circuit.measure([1, 2], [0, 1])
    timings = []
    for enable in (False, True):
        outcome, result = jobs.run(
            "sampler",
            device,
            jobs.sampler_params(
                [(circuit, None, 100)],
                dynamical_decoupling={"enable": enable, "sequence_type": sequence},
                execution={"scheduler_timing": True},
                simulator=SEED,
            ),
        )
        assert outcome["status"] == "completed", outcome["reason"]
        timings.append(result[0].metadata["compilation"]["scheduler_timing"]["timing"])
        assert ("no benefit of it can be seen" in outcome["logs"]) is enable
    assert "main,x_" not in timings[0]
    assert timings[1].count("main,x_") >= 2
    assert outcome["no_effect"] == []


def test_decoupling_needs_gate_times() -> None:
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    params = jobs.sampler_params([circuit], dynamical_decoupling={"enable": True})
    outcome, result = jobs.run("sampler", "aer", params)
    assert outcome["no_effect"] == ["dynamical_decoupling.enable"]
    assert result.metadata["options_without_effect"] == ["dynamical_decoupling.enable"]


def test_timing_is_where_the_client_draws_it_from() -> None:
    from qiskit_ibm_runtime.visualization.circuit_schedule import CircuitSchedule

    circuit = echo("fake_manila", 0)
    circuit.measure_all()
    params = jobs.sampler_params([circuit], execution={"scheduler_timing": True})
    result = jobs.completed("sampler", "fake_manila", params)
    for metadata in (result.metadata, result[0].metadata):
        found = metadata["compilation"]["scheduler_timing"]
        schedule = CircuitSchedule(found["timing"])
        schedule.preprocess()
        assert {"cx", "measure"} <= set(schedule.instruction_set)
        assert found["circuit_duration"] > 10_000
