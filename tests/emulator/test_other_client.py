"""Another client that nobody here wrote: QRMI, a Rust core with models generated from IBM's API.

It shares no line with ``qiskit_ibm_runtime``'s HTTP layer and refuses what is not as described, so
it sees what a forgiving client does not.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
import qrmi
from emulator.conftest import Api
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp
from qiskit.transpiler import generate_preset_pass_manager
from qrmi import Payload, QuantumResource, ResourceType, TaskStatus
from qrmi.primitives.ibm import EstimatorV2, SamplerV2, get_backend

OVER = (TaskStatus.Completed, TaskStatus.Failed, TaskStatus.Cancelled)
CIRCUIT = """
OPENQASM 3.0;
include "stdgates.inc";
bit[2] c;
x $0;
cx $0, $1;
c[0] = measure $0;
c[1] = measure $1;
"""


def resource(api: Api, backend: str, instance: str | None = None) -> QuantumResource:
    """A backend, as that client is configured for it."""
    variables = api.connection.environment(instance)
    return QuantumResource.from_config(
        backend,
        ResourceType.IBMQuantumComputeService,
        {
            "QRMI_IBM_QCS_ENDPOINT": variables["QISKIT_IBM_URL"],
            "QRMI_IBM_QCS_IAM_ENDPOINT": variables["IAM_URL"],
            "QRMI_IBM_QCS_IAM_APIKEY": variables["QISKIT_IBM_TOKEN"],
            "QRMI_IBM_QCS_SERVICE_CRN": variables["QISKIT_IBM_INSTANCE"],
            "QRMI_IBM_QCS_SESSION_MODE": "dedicated",
            "QRMI_IBM_QCS_SESSION_MAX_TTL": "600",
        },
    )


@pytest.fixture
def manila(api: Api) -> QuantumResource:
    return resource(api, "fake_manila")


@pytest.fixture
def session(api: Api, manila: QuantumResource) -> Iterator[str]:
    """A session this client opened, and closes."""
    ident = manila.acquire()
    yield ident
    manila.release(ident)


def bell(backend: object, *, measured: bool) -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    if measured:
        circuit.measure_all()
    passes = generate_preset_pass_manager(
        1, backend=backend, initial_layout=[1, 0], seed_transpiler=1
    )
    return passes.run(circuit)


def finished(device: QuantumResource, task: str) -> TaskStatus:
    deadline = time.monotonic() + 60
    while (status := device.task_status(task)) not in OVER:
        assert time.monotonic() < deadline
    return status


def test_it_finds_the_device_and_reads_its_data(api: Api) -> None:
    device = resource(api, "ibm_fez")
    assert device.status().status == qrmi.ResourceStatusCode.Online
    assert device.metadata() == {"backend_name": "ibm_fez"}
    assert get_backend(device).num_qubits == 156


def test_it_reads_the_data_of_a_device_that_is_not_listed(manila: QuantumResource) -> None:
    assert get_backend(manila).num_qubits == 5


def test_every_backend_is_described_as_it_expects(api: Api) -> None:
    # it reads the whole list, and gives up at the first field of another type
    for name in ("aer", "ibm_fez", "ibm_miami"):
        assert resource(api, name).status().status == qrmi.ResourceStatusCode.Online


def test_its_session_is_one_of_ours(api: Api, manila: QuantumResource) -> None:
    session = manila.acquire()
    record = api.get(f"/sessions/{session}")
    assert (record["mode"], record["backend_name"], record["max_ttl"]) == (
        "dedicated",
        "fake_manila",
        600,
    )
    assert record["accepting_jobs"]
    manila.release(session)
    assert api.get(f"/sessions/{session}")["state"] == "closed"


def test_its_primitives_run_in_its_session(api: Api, manila: QuantumResource, session: str) -> None:
    backend = get_backend(manila)
    counts = SamplerV2(manila).run([bell(backend, measured=True)], shots=500).result()
    found = counts[0].data.meas.get_counts()
    assert found["00"] + found["11"] > 400
    circuit = bell(backend, measured=False)
    observable = SparsePauliOp("ZZ").apply_layout(circuit.layout)
    energy = EstimatorV2(manila).run([(circuit, observable)]).result()[0].data.evs
    assert float(energy) > 0.8
    # it deletes its jobs, and the session remembers that it worked
    record = api.get(f"/sessions/{session}")
    assert record["state"] == "active"
    assert record["last_job_completed"] is not None


def test_tasks_start_fail_and_stop(api: Api, manila: QuantumResource) -> None:
    def task(circuit: str) -> Payload:
        text = json.dumps({"pubs": [[circuit, None, 100]], "version": 2})
        return Payload.QiskitPrimitive(input=text, program_id="sampler")

    done = manila.task_start(task(CIRCUIT))
    assert finished(manila, done) == TaskStatus.Completed
    assert json.loads(manila.task_result(done).value)["__type__"] == "PrimitiveResult"
    assert "sampler" in manila.task_logs(done)
    failed = manila.task_start(task("OPENQASM 3.0; nonsense"))
    assert finished(manila, failed) == TaskStatus.Failed
    api.fault("/queue", paused=True)
    queued = manila.task_start(task(CIRCUIT))
    assert manila.task_status(queued) == TaskStatus.Queued
    manila.task_stop(queued)
    assert finished(manila, queued) == TaskStatus.Cancelled


def test_its_errors_are_what_we_said(api: Api, bob: Api) -> None:
    with pytest.raises(qrmi.QrmiError, match="1352"):
        resource(bob, "fake_manila", "bob").acquire()
