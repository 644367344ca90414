"""What a result says beside its outcomes: errors, times, and the shape the service gives it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from engine import jobs
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp
from qiskit_ibm_runtime.execution_span import DoubleSliceSpan

from qsession_widgets.emulator.engine import programs
from qsession_widgets.emulator.engine.task import ClockReading


def text_of(program: str, params: str, **head: Any) -> Any:
    """Return a result as it goes to the client, before the client decodes it."""
    head = {"program_id": program, "backend": "aer", "options": {}, **head}
    outcome, text = programs.run(head, params, memory_limit=None)
    assert outcome["status"] == "completed", outcome["reason"]
    return json.loads(text)


def turned() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.rx(Parameter("angle"), 0)
    circuit.measure_all()
    return circuit


# --- The service's schema -----------------------------------------------------------------------


def wrong_with(program: str, result: Any) -> set[str]:
    """Return the fields that are not as IBM's schema has them."""
    schema = pytest.importorskip(f"ibm_quantum_schemas.{program}.version_0_1.primitive_result")
    pydantic = pytest.importorskip("pydantic")
    try:
        schema.PrimitiveResultWrapperModel.model_validate(result)
    except pydantic.ValidationError as error:
        return {str(found["loc"][-1]) for found in error.errors()}
    return set()


@pytest.mark.parametrize("values", [[0.1], [[0.1], [0.2]]], ids=["()", "(2,)"])
def test_results_of_the_sampler_fit_the_services_schema(values: Any) -> None:
    result = text_of("sampler", jobs.sampler_params([(turned(), values, 10)]))
    # The schema requires the types of the fields, which the client's own encoder leaves out.
    assert wrong_with("sampler", result) == {"field_types"}


@pytest.mark.parametrize("observables", ["Z", ["Z", "X"]], ids=["()", "(2,)"])
def test_results_of_the_estimator_fit_the_services_schema(observables: Any) -> None:
    result = text_of("estimator", jobs.estimator_params([(QuantumCircuit(1), observables)]))
    assert wrong_with("estimator", result) == {"field_types"}


@pytest.mark.parametrize("observables", ["Z", ["Z", "X"]], ids=["()", "(2,)"])
def test_errors_of_the_estimator_are_arrays(observables: Any) -> None:
    params = jobs.estimator_params([(QuantumCircuit(1), observables)])
    data = jobs.completed("estimator", "aer", params)[0].data
    for name in ("evs", "stds", "ensemble_standard_error"):
        assert isinstance(data[name], np.ndarray)
        assert data[name].shape == data.shape
    np.testing.assert_array_equal(data.stds, data.ensemble_standard_error)


# --- Times --------------------------------------------------------------------------------------


def test_the_sampler_says_when_it_measured_what() -> None:
    pubs = [(turned(), [[0.1], [0.2]], 10), (turned(), [0.3], 7), (turned(), [0.4], 10)]
    result = jobs.completed("sampler", "aer", jobs.sampler_params(pubs))
    spans = result.metadata["execution"]["execution_spans"]
    assert [type(span) for span in spans] == [DoubleSliceSpan] * 2
    assert [span.pub_idxs for span in spans] == [[0, 2], [1]]
    assert spans[0].stop <= spans[1].start
    assert spans.duration > 0
    for span in spans:
        for index in span.pub_idxs:
            mask = span.mask(index)
            assert mask.shape == (*result[index].data.shape, result[index].data.meas.num_shots)
            assert mask.all()


def test_times_are_left_out_for_clients_without_qiskit() -> None:
    params = json.loads(jobs.sampler_params([(turned(), [[0.1], [0.2]], 10)]))
    params["support_qiskit"] = False
    assert text_of("sampler", json.dumps(params))["metadata"] == {"version": 2}


def test_the_executors_times_are_the_services_as_well() -> None:
    with jobs.quiet():
        _, program = jobs.client_side_sampler("fake_manila", [QuantumCircuit(5, 1)], 10)
    result = jobs.through_executor(program, "fake_manila", clock=ClockReading(1e9, 0.0, 0.0))
    (chunk,) = result.metadata["executor"].chunk_timing
    assert chunk.start.timestamp() == chunk.stop.timestamp() == 1e9


# --- The estimator's errors ---------------------------------------------------------------------


def summed(qubits: int, letter: str = "Z") -> SparsePauliOp:
    """Return the sum of one Pauli over all qubits."""
    terms = [(letter, [qubit], 1.0) for qubit in range(qubits)]
    return SparsePauliOp.from_sparse_list(terms, num_qubits=qubits)


def estimated(circuit: QuantumCircuit, observable: Any, **options: Any) -> Any:
    params = jobs.estimator_params([(circuit, observable)], default_shots=4096, **options)
    return jobs.completed("estimator", "aer", params)[0].data


def test_the_error_of_a_sum_over_independent_qubits() -> None:
    circuit = QuantumCircuit(16)
    circuit.h(range(16))
    # each of 16 qubits has a variance of one, and each shot measures all of them
    assert estimated(circuit, summed(16)).stds == pytest.approx(4 / 64, rel=0.1)


def test_the_error_of_a_sum_over_qubits_that_agree() -> None:
    circuit = QuantumCircuit(6)
    circuit.h(0)
    for qubit in range(5):
        circuit.cx(qubit, qubit + 1)
    assert estimated(circuit, summed(6)).stds == pytest.approx(6 / 64, rel=0.1)
    # what two qubits always agree on does not vary
    agreed = SparsePauliOp.from_sparse_list(
        [("Z", [0], 1.0), ("Z", [1], -1.0), ("ZZ", [2, 3], 0.3)], num_qubits=6
    )
    data = estimated(circuit, agreed)
    assert data.stds == 0
    assert data.evs == pytest.approx(0.3)


def test_variances_of_terms_that_do_not_commute_add_up() -> None:
    circuit = QuantumCircuit(2)
    circuit.ry(np.pi / 4, 0)
    circuit.h(1)
    observable = SparsePauliOp(["IX", "IZ", "ZI"], [2.0, 1.0, 3.0])
    # X and Z of the first have a variance of one half each; Z of the second, measured with one of
    # the two, has one and is independent of it
    exact = np.sqrt(4 / 2 + 1 / 2 + 9) / 64
    assert estimated(circuit, observable).stds == pytest.approx(exact, rel=0.1)


def test_errors_are_how_far_values_scatter() -> None:
    circuit = QuantumCircuit(3)
    circuit.ry(0.7, 0)
    circuit.cx(0, 1)
    circuit.ry(1.1, 2)
    circuit.cx(1, 2)
    angle = Parameter("angle")
    circuit.rz(angle, 0)
    observables = [
        [summed(3) + 0.5 * summed(3, "X")],
        [SparsePauliOp(["ZZI", "IZZ", "XXI", "III"], [1.0, -2.0, 0.5, 7.0])],
    ]
    values = np.zeros((300, 1))
    pub = (circuit, observables, values)
    params = jobs.estimator_params([pub], default_shots=500, simulator={"seed_simulator": 5})
    data = jobs.completed("estimator", "aer", params)[0].data
    assert data.shape == (2, 300)
    # the scatter of 300 values is known to 4 %
    np.testing.assert_allclose(data.evs.std(axis=1), data.stds.mean(axis=1), rtol=0.2)


def test_few_outcomes_at_a_time_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = QuantumCircuit(3)
    for qubit, angle in enumerate((0.3, 0.9, 1.4)):
        circuit.ry(angle, qubit)
    circuit.cx(0, 1)
    observables = [summed(3), SparsePauliOp(["ZZZ", "XII"], [0.5, 2.0])]
    together = estimated(circuit, observables, simulator={"seed_simulator": 5})
    monkeypatch.setattr("qsession_widgets.emulator.engine.simulation.measurement._TOGETHER", 20)
    apart = estimated(circuit, observables, simulator={"seed_simulator": 5})
    np.testing.assert_allclose(apart.evs, together.evs)
    np.testing.assert_allclose(apart.stds, together.stds)
