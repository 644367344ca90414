"""Circuits and values that are refused before anything runs, and loops that are written out."""

from __future__ import annotations

import base64
import io
import json
import zlib
from typing import Any

import numpy as np
import pytest
from engine import jobs
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, qpy
from qiskit.circuit import Parameter
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit_ibm_runtime.executor_sampler.prepare import prepare
from qiskit_ibm_runtime.options_models import SamplerOptions
from qiskit_ibm_runtime.options_models.executor import ExecutorOptions
from qiskit_ibm_runtime.quantum_program.params_converters import QUANTUM_PROGRAM_PARAMS_CONVERTERS

from qsession_widgets.emulator.engine import programs
from qsession_widgets.emulator.engine.programs.loop_unrolling import unrolled


def by_executor(pubs: list[Any], device: str) -> dict[str, Any]:
    """Run the job of the client-side sampler, and return its outcome."""
    program, _ = prepare([SamplerPub.coerce(pub, 10) for pub in pubs], SamplerOptions())
    program._semantic_role = "sampler_v2"
    model = QUANTUM_PROGRAM_PARAMS_CONVERTERS["v2.0"].encoder(program, ExecutorOptions())
    head = {"program_id": "executor", "backend": device, "options": {}}
    return programs.run(head, json.dumps(model.model_dump(mode="json")), memory_limit=None)[0]


def turned() -> QuantumCircuit:
    circuit = QuantumCircuit(5, 1)
    circuit.rz(Parameter("angle"), 0)
    circuit.measure(0, 0)
    return circuit


# --- Parameter values -------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_are_refused(value: float) -> None:
    values = [[0.1], [value]]
    sampled, _ = jobs.run("sampler", "fake_manila", jobs.sampler_params([(turned(), values, 10)]))
    circuit = turned().remove_final_measurements(inplace=False)
    pub = (circuit, "I" * 4 + "Z", values)
    estimated, _ = jobs.run("estimator", "fake_manila", jobs.estimator_params([pub]))
    executed = by_executor([(turned(), values)], "fake_manila")
    for outcome in (sampled, estimated, executed):
        assert outcome["reason_code"] == 1208
        assert "must be finite numbers" in outcome["reason"]
        assert "parameter set [1], parameter 0" in outcome["reason"]
        assert outcome["executions"] == 0


@pytest.mark.parametrize(
    ("angle", "runs"), [(0.3, True), (np.pi / 2, True), (2.0, False), (-0.1, False)]
)
@pytest.mark.parametrize("bound", [True, False])
def test_range_of_rzz(angle: float, runs: bool, bound: bool) -> None:
    circuit = QuantumCircuit(5, 2)
    theta = Parameter("theta")
    circuit.rzz(angle if bound else 2 * theta, 0, 1)
    circuit.measure([0, 1], [0, 1])
    values = None if bound else [angle / 2]
    device = "fake_fractional"
    params = jobs.sampler_params([(circuit, values, 10)])
    sampled, _ = jobs.run("sampler", device, params)
    for outcome in (sampled, by_executor([(circuit, values)], device)):
        assert (outcome["status"] == "completed") is runs, outcome["reason"]
        if not runs:
            assert outcome["reason_code"] == 1517
            assert "from 0 to pi/2" in outcome["reason"]
    # The ideal device runs what Aer runs.
    assert jobs.run("sampler", "aer", params)[0]["status"] == "completed"


# --- Registers --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["shape", "keys", "items", "values", "size", "ndim"])
def test_registers_named_like_attributes_are_refused(name: str) -> None:
    circuit = QuantumCircuit(QuantumRegister(1, "q"), ClassicalRegister(1, name))
    circuit.measure(0, 0)
    sampled, _ = jobs.run("sampler", "aer", jobs.sampler_params([(circuit, None, 10)]))
    for outcome in (sampled, by_executor([circuit], "fake_manila")):
        assert outcome["reason_code"] == 1208
        assert f"named {name!r}" in outcome["reason"]
        assert "rename the register" in outcome["reason"]


def test_register_names_do_not_matter_to_the_estimator() -> None:
    circuit = QuantumCircuit(QuantumRegister(1, "q"), ClassicalRegister(1, "shape"))
    assert jobs.completed("estimator", "aer", jobs.estimator_params([(circuit, "Z")]))[0]


# --- Delays -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("length", "unit"), [(0.05, "ms"), (64.5, "ns"), (Parameter("t"), "us")])
def test_delays_that_lost_their_unit(length: Any, unit: str) -> None:
    circuit = QuantumCircuit(5, 1)
    circuit.x(0)
    circuit.delay(length, 0, unit)
    circuit.measure(0, 0)
    written = io.BytesIO()
    qpy.dump(circuit, written)
    text = base64.standard_b64encode(zlib.compress(written.getvalue())).decode()
    posted = {"__type__": "QuantumCircuit", "__value__": text}
    outcome, _ = jobs.run("sampler", "fake_manila", json.dumps({"pubs": [[posted, None, 10]]}))
    assert outcome["reason_code"] == 1208
    assert "whole number of time steps" in outcome["reason"]
    assert "Schedule the circuit" in outcome["reason"]


def test_a_delay_that_is_a_stretch_is_refused_as_ours() -> None:
    circuit = QuantumCircuit(5, 1)
    circuit.x(0)
    circuit.delay(circuit.add_stretch("rest"), 0)
    circuit.measure(0, 0)
    outcome, _ = jobs.run("sampler", "fake_manila", jobs.sampler_params([(circuit, None, 10)]))
    assert outcome["reason_code"] == 1519
    assert "the local emulator does not: give the delay in dt" in outcome["reason"]


@pytest.mark.parametrize(("length", "told"), [(64, True), (20_000, False)])
def test_delays_that_may_have_lost_their_unit_are_told(length: int, told: bool) -> None:
    circuit = QuantumCircuit(5, 1)
    circuit.x(0)
    circuit.delay(length, 0, "us" if told else "dt")
    circuit.measure(0, 0)
    outcome, _ = jobs.run("sampler", "fake_manila", jobs.sampler_params([(circuit, None, 10)]))
    assert outcome["status"] == "completed"
    assert ("shorter than any gate" in outcome["logs"]) is told


# --- Loops ------------------------------------------------------------------------------------


def looped(turns: range) -> QuantumCircuit:
    circuit = QuantumCircuit(5, 2)
    circuit.sx(0)
    angle = Parameter("angle")
    with circuit.for_loop(turns, angle):
        circuit.rz(angle, 0)
        circuit.sx(0)
        with circuit.for_loop(range(2)):
            circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def written_out(turns: range) -> QuantumCircuit:
    circuit = QuantumCircuit(5, 2)
    circuit.sx(0)
    for angle in turns:
        circuit.rz(angle, 0)
        circuit.sx(0)
        for _ in range(2):
            circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def test_static_loops_run_as_if_written_out() -> None:
    turns = range(5)
    found = unrolled(looped(turns))
    assert found.count_ops() == written_out(turns).count_ops()
    samples = []
    for circuit in (looped(turns), written_out(turns)):
        params = jobs.sampler_params([(circuit, None, 20_000)], simulator={"seed_simulator": 5})
        outcome, result = jobs.run("sampler", "fake_manila", params)
        assert "method density_matrix" in outcome["logs"]
        samples.append(result[0].data.c.get_counts())
    assert jobs.same_distribution(*samples) > 1e-4


def test_loops_that_can_be_left_stay_loops() -> None:
    circuit = QuantumCircuit(2, 1)
    with circuit.for_loop(range(3)):
        circuit.h(0)
        circuit.measure(0, 0)
        with circuit.switch(circuit.clbits[0]) as case, case(True):
            circuit.break_loop()
    assert unrolled(circuit) is circuit


def test_long_loops_stay_loops() -> None:
    circuit = QuantumCircuit(1)
    with circuit.for_loop(range(100_000)):
        circuit.x(0)
    assert unrolled(circuit) is circuit
    plain = QuantumCircuit(1)
    assert unrolled(plain) is plain
