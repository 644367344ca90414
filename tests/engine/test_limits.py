"""How much one job may ask for, and what is said of what Aer refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from engine import jobs
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit_ibm_runtime.options_models.executor import ExecutorOptions
from qiskit_ibm_runtime.quantum_program import QuantumProgram
from qiskit_ibm_runtime.quantum_program.params_converters import QUANTUM_PROGRAM_PARAMS_CONVERTERS

from qsession_widgets.emulator.engine import sampling
from qsession_widgets.emulator.engine.job import MOST_EXECUTIONS


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
