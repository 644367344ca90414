"""The backends the emulator offers, through the unmodified client."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from emulator.conftest import Api
from qiskit import QuantumCircuit
from qiskit.circuit import CONTROL_FLOW_OP_NAMES, Parameter
from qiskit.providers import QiskitBackendNotFoundError
from qiskit.transpiler import generate_preset_pass_manager

from qsession_widgets.emulator.engine.devices import descriptions, fake_devices

if TYPE_CHECKING:
    from qiskit_ibm_runtime import IBMBackend, QiskitRuntimeService

FLEET = {
    "ibm_aachen",
    "ibm_berlin",
    "ibm_boston",
    "ibm_fez",
    "ibm_kingston",
    "ibm_marrakesh",
    "ibm_miami",
    "ibm_pittsburgh",
    "ibm_torino",
}
IDEAL = {"aer", "aer_simulator"}
NO_FRACTION = {"ibm_berlin", "ibm_miami"}
"""Nighthawks, whose calibration has an rx and no rzz."""


def names(backends: list[IBMBackend]) -> set[str]:
    return {backend.name for backend in backends}


def ready(circuit: QuantumCircuit, backend: IBMBackend) -> QuantumCircuit:
    return generate_preset_pass_manager(1, backend=backend, seed_transpiler=1).run(circuit)


# --------------------------------------------------------------------------------------------------
# The list


def test_backends_are_todays_fleet(service: QiskitRuntimeService) -> None:
    assert names(service.backends()) == FLEET | IDEAL
    assert all(backend.num_qubits >= 120 for backend in service.backends(simulator=False)[:9])


def test_museum_is_listed_on_request_and_found_by_name(service: QiskitRuntimeService) -> None:
    everything = names(service.backends(include_mocks=True))
    assert everything >= FLEET | IDEAL | set(fake_devices.names())
    assert service.backend("fake_manila").num_qubits == 5
    assert service.backend("ibm_manila").num_qubits == 5


def test_backends_by_name(service: QiskitRuntimeService) -> None:
    assert names(service.backends(name="ibm_fez")) == {"ibm_fez"}


def test_backends_with_dynamic_circuits(service: QiskitRuntimeService) -> None:
    found = names(service.backends(dynamic_circuits=True))
    assert "ibm_fez" in found
    # their snapshots have no control flow
    assert names(service.backends(dynamic_circuits=False)) == {"ibm_berlin", "ibm_miami"}
    assert found == FLEET - {"ibm_berlin", "ibm_miami"} | IDEAL


def test_simulator_is_the_ideal_one(service: QiskitRuntimeService) -> None:
    from qiskit_ibm_runtime import SamplerV2

    (backend,) = service.backends(simulator=True)
    assert backend.name == "aer_simulator"
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    job = SamplerV2(mode=backend).run([ready(circuit, backend)], shots=500)
    counts = job.result()[0].data.meas.get_counts()
    assert set(counts) == {"00", "11"}


@pytest.mark.parametrize("name", sorted(FLEET | {"fake_manila", "aer"}))
def test_what_programs_ask_a_backend_for(service: QiskitRuntimeService, name: str) -> None:
    backend = service.backend(name)
    assert isinstance(backend.physical_qubits, int)
    assert backend.physical_qubits >= backend.num_qubits
    assert backend.tags == []
    assert backend.dt > 0
    # the client hands these on from the configuration only
    configuration = backend.configuration()
    assert isinstance(configuration.supported_features, list)
    assert isinstance(configuration.timing_constraints, dict)
    assert isinstance(configuration.multi_meas_enabled, bool)


def test_couplers_are_physical_qubits(service: QiskitRuntimeService) -> None:
    # Source of both sums: IBM's pages of the processor types
    assert service.backend("ibm_fez").physical_qubits == 156 + 176
    assert service.backend("ibm_miami").physical_qubits == 120 + 218


def test_unknown_calibration_is_refused(api: Api, service: QiskitRuntimeService) -> None:
    with pytest.raises(QiskitBackendNotFoundError):
        service.backend("fake_fez", calibration_id="nonsense")
    known = service.backend("fake_fez").properties().calibration_id
    assert service.backend("fake_fez", calibration_id=known).calibration_id == known
    body = {"program_id": "sampler", "backend": "fake_fez", "calibration_id": "nonsense"}
    status, error = api.refused("POST", "/jobs", json={**body, "params": {"pubs": []}})
    assert status == 404
    assert known in error["solution"]


def test_description_says_when_it_was_calibrated(service: QiskitRuntimeService) -> None:
    backend = service.backend("ibm_fez")
    sentence = "Emulated on this machine from the data of fake_fez, calibrated 2025-02-26."
    assert backend.configuration().description == sentence


# --------------------------------------------------------------------------------------------------
# Choosing one


def test_least_busy_with_filters(service: QiskitRuntimeService) -> None:
    found = service.least_busy(min_num_qubits=130, filters=lambda b: b.num_qubits > 150)
    assert found.num_qubits == 156
    assert service.least_busy(operational=True, simulator=False).name in FLEET


def test_least_busy_with_fractional_gates(service: QiskitRuntimeService) -> None:
    found = service.least_busy(use_fractional_gates=True)
    assert {"rx", "rzz"} <= set(found.operation_names)


def test_filters_look_at_the_fleet_only(api: Api, service: QiskitRuntimeService) -> None:
    before = api.get("/emulator/v1/status")["requests"]
    service.backends(filters=lambda backend: backend.num_qubits > 100)
    asked = api.get("/emulator/v1/status")["requests"] - before
    assert asked <= 3 * len(FLEET | IDEAL)


@pytest.mark.parametrize("kind", ["classic", "client-side"])
def test_dry_run_is_simulated_and_not_charged(service: QiskitRuntimeService, kind: str) -> None:
    from qiskit_ibm_runtime import SamplerV2
    from qiskit_ibm_runtime.executor_sampler import Sampler

    backend = service.backend("ibm_manila")
    circuit = QuantumCircuit(2)
    circuit.measure_all()
    sampler = SamplerV2(mode=backend) if kind == "classic" else Sampler(mode=backend)
    job = sampler.run([ready(circuit, backend)], shots=100, dry_run=True)
    assert job.result()[0].data.meas.num_shots == 100
    assert job.backend().name == "mock_manila"
    assert job.usage() == 0
    assert job.usage_estimation["quantum_seconds"] == pytest.approx(2.035)


# --------------------------------------------------------------------------------------------------
# Fractional gates


@pytest.mark.parametrize("name", sorted(FLEET - NO_FRACTION))
def test_heron_has_fractional_gates(service: QiskitRuntimeService, name: str) -> None:
    assert not {"rx", "rzz"} & set(service.backend(name).operation_names)
    target = service.backend(name, use_fractional_gates=True).target
    plain = service.backend(name).target
    assert set(target["rx"]) == set(plain["sx"])
    assert set(target["rzz"]) == set(plain["cz"])
    for place, played in target["rzz"].items():
        # one without an error of its own has that of the gate it is played like
        assert played.error < 1 or plain["cz"][place].error == 1


def test_calibrated_error_of_a_fractional_gate_is_kept() -> None:
    raw = fake_devices.load_properties("fake_kingston")["gates"]
    described = descriptions.load("fake_kingston").properties["gates"]

    def errors(gates: list[dict[str, Any]], name: str) -> dict[tuple[int, ...], float]:
        return {
            tuple(gate["qubits"]): gate["parameters"][0]["value"]
            for gate in gates
            if gate["gate"] == name
        }

    before, after, cz = errors(raw, "rzz"), errors(described, "rzz"), errors(raw, "cz")
    assert {place: error for place, error in before.items() if error < 1}.items() <= after.items()
    uncalibrated = [place for place, error in before.items() if error >= 1]
    assert uncalibrated
    assert all(after[place] == cz[place] for place in uncalibrated)


@pytest.mark.parametrize("kind", ["classic", "client-side"])
def test_fractional_gates_run(service: QiskitRuntimeService, kind: str) -> None:
    from qiskit_ibm_runtime import SamplerV2
    from qiskit_ibm_runtime.executor_sampler import Sampler

    backend = service.backend("ibm_fez", use_fractional_gates=True)
    circuit = QuantumCircuit(2)
    circuit.h([0, 1])
    circuit.rzz(0.3, 0, 1)
    circuit.h([0, 1])
    circuit.measure_all()
    isa = ready(circuit, backend)
    assert isa.count_ops()["rzz"] == 1
    sampler = SamplerV2(mode=backend) if kind == "classic" else Sampler(mode=backend)
    counts = sampler.run([isa], shots=4000).result()[0].data.meas.get_counts()
    assert counts["11"] / 4000 == pytest.approx(math.sin(0.15) ** 2, abs=0.03)


@pytest.mark.parametrize("angle", [2.0, -0.1])
def test_angle_out_of_range_is_refused(service: QiskitRuntimeService, angle: float) -> None:
    from qiskit_ibm_runtime import RuntimeJobFailureError
    from qiskit_ibm_runtime.executor_sampler import Sampler

    backend = service.backend("ibm_fez", use_fractional_gates=True)
    pair = next(iter(backend.target["rzz"]))
    theta = Parameter("theta")
    circuits = []
    for value in (angle, theta):
        circuit = QuantumCircuit(backend.num_qubits, 2)
        circuit.rzz(value, *pair)
        circuit.measure(pair, [0, 1])
        circuits.append(circuit)
    for pub in ((circuits[0],), (circuits[1], [[0.2], [angle]])):
        job = Sampler(mode=backend).run([pub], shots=10)
        with pytest.raises(RuntimeJobFailureError, match="from 0 to pi/2 only") as caught:
            job.result()
        assert "1517" in str(caught.value)


# --------------------------------------------------------------------------------------------------
# Every instruction


def _instruction(backend: IBMBackend, name: str) -> QuantumCircuit | None:
    """A circuit with that instruction at the first place where the device has it."""
    target = backend.target
    operation = target.operation_from_name(name)
    circuit = QuantumCircuit(backend.num_qubits, 1)
    if name in CONTROL_FLOW_OP_NAMES:
        circuit.measure(0, 0)
        body = {
            "if_else": lambda: circuit.if_test((circuit.clbits[0], 1)),
            "while_loop": lambda: circuit.while_loop((circuit.clbits[0], 1)),
            "for_loop": lambda: circuit.for_loop(range(2)),
            "switch_case": lambda: circuit.switch(circuit.clbits[0]),
        }[name]()
        with body as case:
            if name == "switch_case":
                with case(0, 1):
                    circuit.measure(0, 0)
            else:
                circuit.reset(0) if name == "while_loop" else circuit.measure(0, 0)
                circuit.measure(0, 0)
        return circuit
    places = [place for place in target[name] or {None: None} if place is not None]
    if not places:
        places = [tuple(range(operation.num_qubits))]
    if name == "delay":
        circuit.delay(64, places[0][0])
    else:
        angles = [0.1] * len(operation.params)
        circuit.append(
            type(operation)(*angles) if angles else operation,
            places[0],
            [0][: operation.num_clbits],
        )
    if name != "measure":
        circuit.measure(places[0][0], 0)
    return circuit


EVERY = sorted(FLEET | IDEAL | set(fake_devices.names()))


@pytest.mark.parametrize("name", EVERY)
def test_every_advertised_instruction_runs(service: QiskitRuntimeService, name: str) -> None:
    from qiskit_ibm_runtime import SamplerV2

    (backend,) = service.backends(name=name, include_mocks=True, use_fractional_gates=None)
    circuits = [_instruction(backend, operation) for operation in backend.operation_names]
    result = SamplerV2(mode=backend).run(circuits, shots=10).result()
    assert [sum(pub.data.c.get_counts().values()) for pub in result] == [10] * len(circuits)


@pytest.mark.parametrize("kind", ["classic", "client-side"])
def test_mid_circuit_measurement_and_second_reset(service: QiskitRuntimeService, kind: str) -> None:
    from qiskit.circuit import Instruction
    from qiskit_ibm_runtime import SamplerV2
    from qiskit_ibm_runtime.circuit import MidCircuitMeasure
    from qiskit_ibm_runtime.executor_sampler import Sampler

    backend = service.backend("ibm_boston")
    circuit = QuantumCircuit(1, 2)
    circuit.x(0)
    circuit.append(MidCircuitMeasure(), [0], [0])
    circuit.append(Instruction("reset_2", 1, 0, []), [0])
    circuit.measure(0, 1)
    isa = ready(circuit, backend)
    assert {"measure_2", "reset_2"} <= isa.count_ops().keys()
    sampler = SamplerV2(mode=backend) if kind == "classic" else Sampler(mode=backend)
    counts = sampler.run([isa], shots=1000).result()[0].data.c.get_counts()
    assert counts["01"] > 900
