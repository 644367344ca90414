"""How much one job may ask for, and what is said of what Aer refuses."""

from __future__ import annotations

import base64
import io
import json
import struct
import zlib
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
from engine import jobs
from qiskit import QuantumCircuit, qasm3, qpy
from qiskit.circuit import Parameter
from qiskit.qpy.common import QPY_VERSION
from qiskit_ibm_runtime.options_models.executor import ExecutorOptions
from qiskit_ibm_runtime.quantum_program import QuantumProgram
from qiskit_ibm_runtime.quantum_program.params_converters import QUANTUM_PROGRAM_PARAMS_CONVERTERS

from qsession_widgets.emulator.engine import job_decoder
from qsession_widgets.emulator.engine.declared_sizes import read_qasm
from qsession_widgets.emulator.engine.simulation import sampling
from qsession_widgets.emulator.engine.simulation.job_run import MOST_EXECUTIONS


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was to be run; nothing is."""
    asked: list[Any] = []

    def run(*arguments: Any, **options: Any) -> Any:
        asked.append((arguments, options))
        raise MemoryError

    monkeypatch.setattr(sampling, "run", run)
    return asked


def turned() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("angle"), 0)
    circuit.measure_all()
    return circuit


def sampler_of(executions: int) -> str:
    sets = np.zeros((10, 1))
    first, second = executions // 20, executions - executions // 2 - executions // 20 * 10
    pubs = [(turned(), sets, first), (turned(), sets, executions // 20)]
    if second:
        pubs.append((turned(), sets[:1], second))
    return jobs.sampler_params(pubs)


def executor_of(executions: int) -> str:
    program = QuantumProgram(executions // 10)
    program.append_circuit_item(turned(), circuit_arguments=np.zeros((10, 1)))
    if executions % 10:
        program.append_circuit_item(turned(), circuit_arguments=np.zeros((1,)))
    model = QUANTUM_PROGRAM_PARAMS_CONVERTERS["v2.0"].encoder(program, ExecutorOptions())
    return str(model.model_dump_json())


@pytest.mark.parametrize(
    ("program", "params"), [("sampler", sampler_of), ("executor", executor_of)]
)
def test_too_many_executions_are_refused_before_any_of_them(
    program: str, params: Any, simulated: list[Any]
) -> None:
    outcome, _ = jobs.run(program, "aer", params(MOST_EXECUTIONS + 1))
    assert outcome["reason_code"] == 1208
    assert "10,000,000" in outcome["reason"]
    assert not simulated
    jobs.run(program, "aer", params(MOST_EXECUTIONS))
    assert simulated, "as many as are allowed"


def test_an_estimators_job_may_have_any_number(simulated: list[Any]) -> None:
    # the service splits such a job
    circuit = QuantumCircuit(1)
    jobs.run("estimator", "aer", jobs.estimator_params([(circuit, ["X", "Y", "Z"], None, 4e-4)]))
    assert simulated


def test_the_reason_is_aers_own_where_it_fails_the_whole_call() -> None:
    # Aer 0.18 loses track of the idle qubit here, and has no result of any circuit.
    circuit = QuantumCircuit(3, 2)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    circuit.x(0)
    circuit.measure(2, 0)
    outcome, _ = jobs.run("sampler", "aer", jobs.sampler_params([(circuit, None, 10)]))
    assert outcome["reason_code"] == 9999
    assert "Failed to load circuits" in outcome["reason"]


def test_arrays_that_unpack_to_too_much_in_sum_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sets = np.zeros((20, 1))
    program = QuantumProgram(1)
    for _ in range(8):
        program.append_circuit_item(turned(), circuit_arguments=sets)
    model = QUANTUM_PROGRAM_PARAMS_CONVERTERS["v2.0"].encoder(program, ExecutorOptions())
    posted = {
        "sampler": jobs.sampler_params([(turned(), sets, 1)] * 8),
        "estimator": jobs.estimator_params([(turned(), "Z", sets, 0.5)] * 8),
        "executor": str(model.model_dump_json()),
    }
    monkeypatch.setattr(job_decoder, "LARGEST_PAYLOAD", 8 * sets.nbytes - 1)
    for name, params in posted.items():
        outcome, _ = jobs.run(name, "aer", params)
        assert outcome["reason_code"] == 1208, name
        assert "MiB in all" in outcome["reason"], name
    monkeypatch.setattr(job_decoder, "LARGEST_PAYLOAD", 1 << 20)
    for name, params in posted.items():
        assert jobs.run(name, "aer", params)[0]["status"] == "completed", name


def test_one_array_is_not_unpacked_beyond_what_the_job_may_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(job_decoder, "LARGEST_PAYLOAD", 1 << 20)
    bomb = base64.b64encode(zlib.compress(bytes(1 << 24))).decode()
    pub = ["no circuit", {"__type__": "ndarray", "__value__": bomb}]
    outcome, _ = jobs.run("sampler", "aer", json.dumps({"pubs": [pub]}))
    assert "1 MiB in all" in outcome["reason"]


def looped(*iterations: int) -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1)
    with ExitStack() as loops:
        for number in iterations:
            loops.enter_context(circuit.for_loop(range(number)))
        circuit.x(0)
    circuit.measure(0, 0)
    return circuit


@pytest.mark.parametrize("iterations", [(10**8,), (10**4, 10**4)])
def test_loops_that_are_too_long_to_be_written_out_are_refused(
    iterations: tuple[int, ...], simulated: list[Any]
) -> None:
    circuit = looped(*iterations)
    program = QuantumProgram(1)
    program.append_circuit_item(circuit)
    model = QUANTUM_PROGRAM_PARAMS_CONVERTERS["v2.0"].encoder(program, ExecutorOptions())
    posted = [
        ("sampler", jobs.sampler_params([(circuit, None, 1)])),
        ("sampler", json.dumps({"pubs": [[qasm3.dumps(circuit), None, 1]], "version": 2})),
        ("executor", str(model.model_dump_json())),
    ]
    for name, params in posted:
        outcome, _ = jobs.run(name, "aer", params)
        assert "with its loops written out" in outcome["reason"], outcome["reason"]
    assert not simulated


def doubled(times: int) -> str:
    """OpenQASM in which each gate is two of the one before it."""
    gates = [f"gate g{n} a {{ g{n - 1} a; g{n - 1} a; }}" for n in range(1, times)]
    text = "\n".join(["gate g0 a { x a; x a; }", *gates, f"qubit q; bit c; g{times - 1} q;"])
    return f'OPENQASM 3.0; include "stdgates.inc"; {text} c = measure q;'


def test_gates_that_stand_for_too_many_instructions_are_refused(simulated: list[Any]) -> None:
    often = doubled(6).replace("g5 q;", "g5 q;" * 200)
    for text in (doubled(30), often):
        params = json.dumps({"pubs": [[text, None, 1]], "version": 2})
        outcome, _ = jobs.run("sampler", "aer", params)
        assert "definitions of its gates written out" in outcome["reason"], outcome["reason"]
    assert not simulated
    assert read_qasm(doubled(6)).count_ops() == {"g5": 1, "measure": 1}


DECLARED = [
    "qubit[100000000] q;",
    "qubit q; bit[1000000000] c;",
    "qubit q; bit[2 * 500_000] c;",
    "qubit q; input float[1000000000] a;",
    "x $999999999;",
    "qubit[0x3B9ACA00] q;",
    "qubit q; ctrl(1000000000) @ x q, q;",
    "qubit[60000] q; bit[60000] c;",
]


@pytest.mark.parametrize("declared", DECLARED)
def test_registers_that_are_too_large_are_refused_before_they_are_made(
    declared: str, simulated: list[Any]
) -> None:
    text = f'OPENQASM 3.0; include "stdgates.inc"; {declared}'
    outcome, _ = jobs.run("sampler", "aer", json.dumps({"pubs": [[text, None, 1]], "version": 2}))
    assert "declares more than 100,000 qubits and bits" in outcome["reason"], outcome["reason"]
    assert not simulated


@pytest.mark.parametrize("version", [13, QPY_VERSION])
def test_bits_that_a_qpy_header_claims_are_counted_before_they_are_made(
    version: int, simulated: list[Any]
) -> None:
    written = io.BytesIO()
    qpy.dump(QuantumCircuit(0x1234, 0x5678), written, version=version)
    counts = struct.pack("!II", 0x1234, 0x5678)
    data = written.getvalue().replace(counts, struct.pack("!II", 1, 10**9))
    text = base64.b64encode(zlib.compress(data)).decode()
    circuit = {"__type__": "QuantumCircuit", "__value__": text}
    outcome, _ = jobs.run("sampler", "aer", json.dumps({"pubs": [[circuit, None, 1]]}))
    assert "declares more than 100,000 qubits and bits" in outcome["reason"], outcome["reason"]
    assert not simulated


def test_a_loop_of_a_thousand_runs() -> None:
    outcome, _ = jobs.run("sampler", "aer", jobs.sampler_params([(looped(10, 100), None, 1)]))
    assert outcome["status"] == "completed"
