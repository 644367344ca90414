"""The three programs: what they accept, refuse and warn about, and what the client reads back."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from engine import jobs
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, qpy, transpile
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer.noise import NoiseModel, depolarizing_error
from qiskit_ibm_runtime import RuntimeEncoder
from qiskit_ibm_runtime.executor_estimator import Estimator
from qiskit_ibm_runtime.executor_sampler import Sampler
from qiskit_ibm_runtime.fake_provider.local_service import QiskitRuntimeLocalService
from qiskit_ibm_runtime.options_models.executor import ExecutorOptions
from qiskit_ibm_runtime.quantum_program.params_converters import QUANTUM_PROGRAM_PARAMS_CONVERTERS

from qsession_widgets.emulator.engine import programs


def ghz(name: str, qubits: list[int], *, measured: bool = True) -> QuantumCircuit:
    circuit = QuantumCircuit(len(qubits))
    circuit.h(0)
    for qubit in range(len(qubits) - 1):
        circuit.cx(qubit, qubit + 1)
    if measured:
        circuit.measure_all()
    with jobs.quiet():
        return transpile(circuit, jobs.backend(name), initial_layout=qubits, seed_transpiler=1)


# --- Sampler ----------------------------------------------------------------------------------


def test_registers_come_back_as_they_were() -> None:
    circuit = QuantumCircuit(QuantumRegister(12, "q"))
    registers = [ClassicalRegister(size, name) for size, name in ((1, "a"), (9, "b"), (0, "c"))]
    circuit.add_register(*registers)
    circuit.x([3, 5])
    circuit.measure(3, registers[0][0])
    circuit.measure(5, registers[1][8])
    data = jobs.completed("sampler", "aer", jobs.sampler_params([(circuit, None, 7)]))[0].data
    assert data.a.get_counts() == {"1": 7}
    assert data.b.get_counts() == {"100000000": 7}
    assert data.b.array.shape == (7, 2)
    assert data.c.num_bits == 0


@pytest.mark.parametrize("empty", [QuantumCircuit(3, 2), QuantumCircuit(0, 1), QuantumCircuit(2)])
def test_circuits_in_which_nothing_happens(empty: QuantumCircuit) -> None:
    result = jobs.completed("sampler", "aer", jobs.sampler_params([(empty, None, 5)]))[0]
    for register in empty.cregs:
        assert result.data[register.name].get_counts() == {"0" * register.size: 5}


def test_pubs_with_different_shots() -> None:
    circuit = QuantumCircuit(1)
    circuit.x(0)
    circuit.measure_all()
    pubs = [(circuit, None, shots) for shots in (3, 5, 3)] + [circuit]
    outcome, results = jobs.run("sampler", "aer", jobs.sampler_params(pubs, default_shots=11))
    assert [result.data.meas.num_shots for result in results] == [3, 5, 3, 11]
    assert outcome["executions"] == 22


def test_openqasm_text_is_a_circuit_too() -> None:
    text = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; x q[1]; c = measure q;'
    result = jobs.completed("sampler", "aer", json.dumps({"pubs": [[text, None, 4]]}))
    assert result[0].data.c.get_counts() == {"10": 4}
    outcome, _ = jobs.run("sampler", "aer", json.dumps({"pubs": [["OPENQASM 3.0; nothing"]]}))
    assert outcome["reason_code"] == 1603


def test_gates_the_device_does_not_have_are_refused() -> None:
    circuit = QuantumCircuit(5)
    circuit.cx(0, 4)
    circuit.measure_all()
    outcome, _ = jobs.run("sampler", "fake_manila", jobs.sampler_params([circuit]))
    assert outcome["reason_code"] == 1517
    assert "'cx'" in outcome["reason"]
    assert "[0, 4]" in outcome["reason"]


def test_options_without_effect_are_named() -> None:
    circuit = ghz("fake_manila", [0, 1])
    params = jobs.sampler_params(
        [circuit],
        dynamical_decoupling={"skip_everything": True},
        twirling={"enable_gates": False},
        execution={"rep_delay": 1e-3},
        simulator={"seed_simulator": 3},
    )
    outcome, _ = jobs.run("sampler", "fake_manila", params)
    names = ["dynamical_decoupling.skip_everything", "execution.rep_delay"]
    assert sorted(outcome["no_effect"]) == names
    for name, warning in zip(outcome["no_effect"], outcome["warnings"], strict=True):
        assert name in warning
        assert warning in outcome["logs"]


def test_what_is_not_done_is_never_silent() -> None:
    circuit = ghz("fake_manila", [0, 1])
    params = json.loads(jobs.sampler_params([circuit], execution={"init_qubits": True}))
    assert jobs.run("sampler", "fake_manila", json.dumps(params))[0]["warnings"] == []
    params["options"]["execution"]["init_qubits"] = False
    (unprepared,) = jobs.run("sampler", "fake_manila", json.dumps(params))[0]["warnings"]
    assert "execution.init_qubits = False" in unprepared
    params["options"] = ["default_shots"]
    assert jobs.run("sampler", "fake_manila", json.dumps(params))[0]["reason_code"] == 1519


def test_shots_where_none_are_asked_for_are_the_services() -> None:
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    result = jobs.completed("sampler", "aer", json.dumps({"pubs": [circuit]}, cls=RuntimeEncoder))
    assert result[0].data.meas.num_shots == 4096


def test_results_without_qiskits_classes() -> None:
    angle = Parameter("angle")
    circuit = QuantumCircuit(9)
    circuit.x(8)
    circuit.rx(angle, 0)
    circuit.measure_all()
    params = json.loads(jobs.sampler_params([(circuit, [[0.0], [np.pi]], 2)]))
    params["support_qiskit"] = False
    _, result = jobs.run("sampler", "aer", json.dumps(params))
    (pub,) = result["results"]
    assert pub["data"] == {"meas": {"samples": [["0x100"] * 2, ["0x101"] * 2], "num_bits": 9}}

    params = json.loads(jobs.estimator_params([(QuantumCircuit(1), ["Z", "I"])]))
    params["support_qiskit"] = False
    _, result = jobs.run("estimator", "aer", json.dumps(params))
    assert result["results"][0]["data"] == {
        "evs": [1.0, 1.0],
        "stds": [0.0, 0.0],
        "ensemble_standard_error": [0.0, 0.0],
    }


def test_raw_signals_are_refused() -> None:
    params = jobs.sampler_params([ghz("fake_manila", [0, 1])], execution={"meas_type": "kerneled"})
    outcome, _ = jobs.run("sampler", "fake_manila", params)
    assert outcome["reason_code"] == 1519


def test_a_noise_model_of_ones_own() -> None:
    model = NoiseModel(basis_gates=["x"])
    model.add_quantum_error(depolarizing_error(1.0, 1), "x", [3])
    circuit = QuantumCircuit(5, 2)
    circuit.x([2, 3])
    circuit.measure([2, 3], [0, 1])
    params = jobs.sampler_params([(circuit, None, 2000)], simulator={"noise_model": model})
    with jobs.quiet():
        counts = jobs.completed("sampler", "fake_manila", params)[0].data.c.get_counts()
    assert set(counts) == {"01", "11"}
    assert abs(counts["01"] - 1000) < 4 * np.sqrt(500)


def test_clifford_circuits_of_any_width_run_on_the_ideal_device() -> None:
    circuit = QuantumCircuit(80)
    circuit.h(0)
    for qubit in range(79):
        circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    outcome, result = jobs.run("sampler", "aer", jobs.sampler_params([(circuit, None, 50)]))
    assert "method stabilizer" in outcome["logs"]
    assert set(result[0].data.meas.get_counts()) == {"0" * 80, "1" * 80}


def test_wide_circuits_with_a_method_that_does_not_fit_are_refused_with_the_reason() -> None:
    circuit = ghz("fake_fez", [*range(16), 19, *range(35, 19, -1), 36, 41, 42, 43, 44])
    chosen = {"aer": {"method": "statevector"}}
    params = jobs.sampler_params([circuit], experimental=chosen)
    outcome, _ = jobs.run("sampler", "fake_fez", params)
    assert outcome["status"] == "failed"
    assert "38 qubits" in outcome["reason"]
    assert "matrix_product_state" in outcome["reason"]


def test_unknown_simulator_options_are_refused() -> None:
    params = jobs.sampler_params(
        [ghz("fake_manila", [0, 1])], experimental={"aer": {"custom": "anything"}}
    )
    outcome, _ = jobs.run("sampler", "fake_manila", params)
    assert outcome["reason_code"] == 1519
    assert "'custom'" in outcome["reason"]


# --- Estimator --------------------------------------------------------------------------------


def test_exact_values_on_the_ideal_device() -> None:
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 2)
    observables = ["ZIZ", "XIX", "YIY", {"III": 2.0, "IZI": 1.0}, "1I1", "ZII", {"0I0": 1.0}]
    params = jobs.estimator_params([(circuit, observables)], simulator={"seed_simulator": 1})
    data = jobs.completed("estimator", "aer", params)[0].data
    np.testing.assert_allclose(data.evs[:4], [1, 1, -1, 3])
    np.testing.assert_allclose(data.stds[:4], 0)
    np.testing.assert_allclose(data.evs[4:], [0.5, 0, 0.5], atol=5 * 0.015625)
    np.testing.assert_allclose(data.stds[4:], np.array([0.5, 1, 0.5]) / 64, rtol=0.01)


def test_precision_becomes_shots() -> None:
    circuit = QuantumCircuit(1)
    pubs = [(circuit, "Z", None, 0.1), (circuit, "Z")]
    results = jobs.completed(
        "estimator", "aer", jobs.estimator_params(pubs, default_precision=0.05)
    )
    assert [result.metadata["shots"] for result in results] == [100, 400]
    assert [result.metadata["target_precision"] for result in results] == [0.1, 0.05]


def test_shots_become_no_more() -> None:
    for shots in (10, 1000, 4000, 30_000):
        params = jobs.estimator_params([(QuantumCircuit(1), "Z")], default_shots=shots)
        assert jobs.completed("estimator", "aer", params)[0].metadata["shots"] == shots


def test_precision_of_the_whole_job() -> None:
    params = json.loads(jobs.estimator_params([(QuantumCircuit(1), "Z")]))
    params["precision"] = 0.1
    result = jobs.completed("estimator", "aer", json.dumps(params))
    assert result[0].metadata["shots"] == 100


# --- Executor ---------------------------------------------------------------------------------


@pytest.fixture
def submitted() -> Iterator[list[Any]]:
    with jobs.submitted_programs() as collected:
        yield collected


@pytest.mark.parametrize("twirled", [False, True])
def test_the_client_side_sampler(submitted: list[Any], twirled: bool) -> None:
    circuit = ghz("fake_manila", [1, 2, 3])
    with jobs.quiet():
        sampler = Sampler(jobs.backend("fake_manila"))
        sampler.options.default_shots = 4000
        sampler.options.twirling.enable_gates = twirled
        sampler.options.twirling.enable_measure = twirled
        theirs = sampler.run([circuit]).result()
    for version in QUANTUM_PROGRAM_PARAMS_CONVERTERS:
        ours = jobs.through_executor(submitted[0], "fake_manila", version)
        if version in ("v0.1", "v0.2"):  # These say nothing of what they are the result of.
            assert ours[0]["meas"].shape[-1] == 3
            continue
        assert ours[0].data.meas.array.shape == theirs[0].data.meas.array.shape
        mine, other = (result[0].data.meas.get_counts() for result in (ours, theirs))
        assert jobs.same_distribution(mine, other) > 1e-5


@pytest.mark.parametrize("level", [0, 1, 2])
def test_the_client_side_estimator(submitted: list[Any], level: int) -> None:
    circuit = ghz("fake_manila", [1, 2, 3], measured=False)
    operator = SparsePauliOp(["ZZI", "XXX"], [1.0, 1.0]).apply_layout(circuit.layout)
    with jobs.quiet():
        estimator = Estimator(jobs.backend("fake_manila"))
        estimator.options.resilience_level = level
        theirs = estimator.run([(circuit, operator)]).result()[0].data
    ours = jobs.through_executor(submitted[0], "fake_manila")[0].data
    assert list(ours) == list(theirs)
    assert ours.evs.shape == theirs.evs.shape == ()
    spread = 6 * np.hypot(ours.stds, theirs.stds) + 0.02
    assert abs(ours.evs - theirs.evs) < spread


def test_the_client_side_estimator_measures_all_of_156_qubits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class SubmittedError(Exception):
        pass

    def submit(self: Any, backend: Any, options: Any, inputs: Any, dry_run: bool = False) -> Any:
        # Local mode would simulate all of it, which no memory suffices for.
        raise SubmittedError(inputs)

    monkeypatch.setattr(QiskitRuntimeLocalService, "_run_executor", submit)
    circuit = ghz("fake_fez", [0, 1, 2, 3], measured=False)
    operator = SparsePauliOp(["ZZII", "IIZZ", "XXXX"]).apply_layout(circuit.layout)
    with jobs.quiet():
        estimator = Estimator(jobs.backend("fake_fez"), options={"default_precision": 0.02})
        with pytest.raises(SubmittedError) as submitted:
            estimator.run([(circuit, operator)])
    program = submitted.value.args[0]
    measured = [item.circuit.count_ops()["measure"] for item in program.items]
    assert measured == [156] * len(measured)
    data = jobs.through_executor(program, "fake_fez")[0].data
    # Readout errors are mitigated by default, so that gate errors are all that is missing of 3.
    assert data.evs == pytest.approx(2.9, abs=6 * data.stds + 0.1)
    assert data.evs < 3 + 6 * data.stds


def test_old_serializations_are_refused_by_the_executor(submitted: list[Any]) -> None:
    with jobs.quiet():
        Sampler(jobs.backend("fake_manila")).run([ghz("fake_manila", [0, 1])]).result()
    model = QUANTUM_PROGRAM_PARAMS_CONVERTERS["v2.0"].encoder(submitted[0], ExecutorOptions())
    params = model.model_dump(mode="json")
    params["quantum_program"]["circuits"]["qpy_version"] = 12
    head = {"program_id": "executor", "backend": "fake_manila", "options": {}}
    outcome, _ = programs.run(head, json.dumps(params), memory_limit=None)
    assert outcome["reason_code"] == 1208
    assert "QPY version 12" in outcome["reason"]


def twirled_program(submitted: list[Any]) -> dict[str, Any]:
    """Return the posted parameters of a randomized circuit with a parameter."""
    angle = Parameter("angle")
    circuit = QuantumCircuit(2)
    circuit.rx(angle, 0)
    circuit.cx(0, 1)
    circuit.measure_all()
    with jobs.quiet():
        isa = transpile(circuit, jobs.backend("fake_manila"), seed_transpiler=1)
        sampler = Sampler(jobs.backend("fake_manila"))
        sampler.options.twirling.enable_gates = True
        sampler.run([(isa, [0.3])], shots=64).result()
    model = QUANTUM_PROGRAM_PARAMS_CONVERTERS["v2.0"].encoder(submitted[0], ExecutorOptions())
    return dict(model.model_dump(mode="json"))


def old_expressions() -> str:
    """Return a circuit that carries an expression, as the last format that may pickle it."""
    circuit = QuantumCircuit(1)
    circuit.rz(Parameter("angle") + 1, 0)
    written = io.BytesIO()
    qpy.dump(circuit, written, version=13)
    data = bytearray(written.getvalue())
    data[6] = 12  # where the head says the version
    return base64.b64encode(bytes(data)).decode()


@pytest.mark.parametrize("hidden", [False, True])
def test_old_serializations_in_a_samplex_are_refused(submitted: list[Any], hidden: bool) -> None:
    params = twirled_program(submitted)
    head = {"program_id": "executor", "backend": "fake_manila", "options": {}}
    outcome, _ = programs.run(head, json.dumps(params), memory_limit=None)
    assert outcome["status"] == "completed", outcome["reason"]
    (item,) = params["quantum_program"]["items"]
    samplex = json.loads(item["samplex"]["samplex_json"])
    table = json.loads(samplex["attrs"]["param_table"])
    if hidden:
        # said twice, and the first time under a name that only JSON knows to be the same
        old, new = json.dumps(old_expressions()), json.dumps(table["circuit_base64"])
        text = f'{{"qpy": "15", "\\u0063ircuit_base64": {old}, "circuit_base64": {new}}}'
    else:
        text = json.dumps({**table, "circuit_base64": old_expressions()})
    samplex["attrs"]["param_table"] = text
    item["samplex"]["samplex_json"] = json.dumps(samplex)
    outcome, _ = programs.run(head, json.dumps(params), memory_limit=None)
    assert outcome["reason_code"] == 1208
    assert "QPY version 12" in outcome["reason"]
