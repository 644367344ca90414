"""The unmodified client, through everything it can ask the service."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from emulator.conftest import Api
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp
from qiskit.transpiler import generate_preset_pass_manager

if TYPE_CHECKING:
    from qiskit_ibm_runtime import IBMBackend, QiskitRuntimeService

SHOTS = 200


def ghz(backend: IBMBackend, measured: bool = True) -> QuantumCircuit:
    """Three qubits, all the same, ready for a backend."""
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    if measured:
        circuit.measure_all()
    return generate_preset_pass_manager(1, backend=backend, seed_transpiler=1).run(circuit)


def sample(mode: Any, backend: IBMBackend, **options: Any) -> Any:
    """A sampler job."""
    from qiskit_ibm_runtime import SamplerV2

    return SamplerV2(mode=mode, options=options).run([ghz(backend)], shots=SHOTS)


# --------------------------------------------------------------------------------------------------
# Backends and instances


def test_backends_are_described(service: QiskitRuntimeService) -> None:
    fez = service.backend("fake_fez")
    assert fez.num_qubits == 156
    assert not fez.simulator
    assert fez.properties().t1(0) > 0
    assert fez.status().operational
    assert fez.status().status_msg == "active"
    assert fez.target.num_qubits == 156


def test_real_name_leads_to_the_emulated_device(api: Api, service: QiskitRuntimeService) -> None:
    from qiskit_ibm_runtime import Session

    backend = service.backend("ibm_manila")
    assert backend.name == "ibm_manila"
    assert backend.configuration().description == (
        "Emulated on this machine from the data of fake_manila, calibrated 2024-05-27."
    )
    with Session(backend) as session:
        assert sum(sample(session, backend).result()[0].data.meas.get_counts().values()) == SHOTS
    assert session.details()["backend_name"] == "ibm_manila"
    assert [job.backend().name for job in service.jobs()] == ["ibm_manila"]
    assert "ibm_manila" not in [item["name"] for item in api.get("/backends")["devices"]]


def test_ideal_backend_takes_any_circuit(aer: IBMBackend) -> None:
    assert aer.num_qubits == 32
    circuit = QuantumCircuit(32)
    circuit.h(range(32))
    circuit.cx(0, 31)
    circuit.t(5)
    done = generate_preset_pass_manager(1, backend=aer).run(circuit)
    assert done.count_ops() == {"h": 32, "cx": 1, "t": 1}


def test_least_busy_looks_at_the_queues(api: Api, service: QiskitRuntimeService) -> None:
    api.fault("/queue", paused=True)
    for name in ("aer", "fake_algiers"):
        api.submit(name)
    assert service.backend("fake_algiers").status().pending_jobs == 1
    assert service.least_busy(min_num_qubits=20).name not in ("aer", "fake_algiers")


def test_least_busy_of_equals_is_a_large_device(api: Api, service: QiskitRuntimeService) -> None:
    for found in (service.least_busy(), service.least_busy(operational=True, simulator=False)):
        assert found.num_qubits == 156
        assert found.name.startswith("ibm_")
    # who takes what comes gets the ideal simulator last
    listed = [item["name"] for item in api.get("/backends")["devices"]]
    assert listed[-2:] == ["aer", "aer_simulator"]


def test_unknown_backend(service: QiskitRuntimeService) -> None:
    from qiskit.providers import QiskitBackendNotFoundError

    with pytest.raises(QiskitBackendNotFoundError):
        service.backend("fake_nowhere")


def test_instances_are_found_by_name_and_plan(service: QiskitRuntimeService) -> None:
    from qiskit_ibm_runtime import QiskitRuntimeService

    found = {item["name"]: item["plan"] for item in service.instances()}
    assert found == {"default": "premium", "alice": "premium", "bob": "open"}
    assert service.active_instance() == service.instances()[0]["crn"]
    bob = QiskitRuntimeService(instance="bob")
    assert bob.active_instance() == service.instances()[2]["crn"]
    assert bob.usage()["usage_remaining_seconds"] == 600


# --------------------------------------------------------------------------------------------------
# Jobs


@pytest.mark.parametrize("name", ["aer", "fake_manila"])
def test_each_primitive_runs_in_a_session(service: QiskitRuntimeService, name: str) -> None:
    from qiskit_ibm_runtime import EstimatorV2, SamplerV2, Session
    from qiskit_ibm_runtime.executor_sampler import Sampler

    backend = service.backend(name)
    circuit, bare = ghz(backend), ghz(backend, measured=False)
    parity = SparsePauliOp("IZZ").apply_layout(bare.layout)
    with Session(backend) as session:
        jobs = [
            SamplerV2().run([circuit], shots=SHOTS),
            EstimatorV2().run([(bare, parity)]),
            Sampler().run([circuit], shots=SHOTS),
        ]
        counts = jobs[0].result()[0].data.meas.get_counts()
        assert sum(counts.values()) == SHOTS
        assert counts["000"] + counts["111"] > 0.7 * SHOTS
        assert jobs[1].result()[0].data.evs > 0.7
        executed = jobs[2].result()[0].data.meas.get_counts()
        assert sum(executed.values()) == SHOTS
    assert [job.session_id for job in jobs] == [session.session_id] * 3
    listed = service.jobs(session_id=session.session_id)
    assert [job.job_id() for job in listed] == [job.job_id() for job in reversed(jobs)]
    assert [job.primitive_id for job in listed] == ["executor", "estimator", "sampler"]
    assert session.details()["state"] == "closed"
    assert session.status() == "Closed"
    assert session.usage() > 0


def test_client_side_estimator_runs_in_a_session(
    service: QiskitRuntimeService, manila: IBMBackend
) -> None:
    from qiskit_ibm_runtime import Session
    from qiskit_ibm_runtime.executor_estimator import Estimator

    bare = ghz(manila, measured=False)
    with Session(manila):
        job = Estimator().run([(bare, SparsePauliOp("IZZ").apply_layout(bare.layout))])
        assert job.result()[0].data.evs > 0.7


def test_session_says_how_it_is(service: QiskitRuntimeService, aer: IBMBackend) -> None:
    from qiskit_ibm_runtime import Session

    session = Session(aer, max_time="20m")
    assert session.status() == "Pending"
    details = session.details()
    assert details["mode"] == "dedicated"
    assert details["state"] == "open"
    assert details["interactive_timeout"] == 60
    assert details["max_time"] == 1200
    assert details["started_at"] is None
    sample(session, aer).result()
    assert session.status() == "In progress, accepting new jobs"
    details = session.details()
    assert details["activated_at"] == details["started_at"]
    assert [entry["status"] for entry in details["timestamps"]] == ["open", "active"]
    again = Session.from_id(session.session_id, service)
    assert again.details()["id"] == session.session_id
    again.close()
    assert session.status() == "Closed"


def test_closed_session_takes_no_job(aer: IBMBackend, service: QiskitRuntimeService) -> None:
    from qiskit_ibm_runtime import Session
    from qiskit_ibm_runtime.exceptions import IBMRuntimeError

    session = Session(aer)
    Session.from_id(session.session_id, service).close()
    with pytest.raises(IBMRuntimeError, match=r"1217.*Session has been closed"):
        sample(session, aer)


def test_cancel_ends_queued_jobs(api: Api, aer: IBMBackend) -> None:
    from qiskit_ibm_runtime import Session

    session = Session(aer)
    api.fault("/queue", paused=True)
    job = sample(session, aer)
    session.cancel()
    assert job.status() == "CANCELLED"
    assert session.status() == "Closed"


def test_close_lets_queued_jobs_run(api: Api, aer: IBMBackend) -> None:
    from qiskit_ibm_runtime import Session

    session = Session(aer)
    api.fault("/queue", paused=True)
    job = sample(session, aer)
    session.close()
    assert session.details()["accepting_jobs"] is False
    api.fault("/queue", paused=False)
    assert sum(job.result()[0].data.meas.get_counts().values()) == SHOTS
    assert session.status() == "Closed"


def test_batch_is_charged_for_its_jobs(service: QiskitRuntimeService, aer: IBMBackend) -> None:
    from qiskit_ibm_runtime import Batch

    with Batch(aer) as batch:
        jobs = [sample(batch, aer) for _ in range(3)]
    for job in jobs:
        job.wait_for_final_state(timeout=60)
    assert batch.details()["mode"] == "batch"
    assert batch.usage() == pytest.approx(sum(job.usage() for job in jobs), abs=0.01)


def test_open_plan_has_no_sessions_and_few_pending_jobs(
    api: Api, service: QiskitRuntimeService
) -> None:
    from qiskit_ibm_runtime import Batch, QiskitRuntimeService, Session
    from qiskit_ibm_runtime.exceptions import IBMRuntimeError

    bob = QiskitRuntimeService(instance="bob")
    backend = bob.backend("aer")
    with pytest.raises(Exception, match="1352"):
        Session(backend)
    api.fault("/queue", paused=True)
    with Batch(backend) as batch:
        for _ in range(3):
            sample(batch, backend)
        with pytest.raises(IBMRuntimeError, match="allows 3 pending jobs"):
            sample(batch, backend)


def test_job_mode_metrics_and_times(service: QiskitRuntimeService, aer: IBMBackend) -> None:
    before = datetime.now(timezone.utc) - timedelta(seconds=1)
    job = sample(aer, aer)
    job.result()
    metrics = job.metrics()
    times = [
        datetime.fromisoformat(metrics["timestamps"][name].replace("Z", "+00:00"))
        for name in ("created", "running", "finished")
    ]
    assert times == sorted(times)
    assert before <= times[0] <= datetime.now(timezone.utc)
    assert metrics["usage"]["status"] == "complete"
    assert metrics["circuits_execution_time_ns"] > 0
    assert job.usage() == metrics["usage"]["qpu_charge_time_seconds"]
    assert job.session_id is None
    assert job.creation_date.timestamp() == pytest.approx(times[0].timestamp())
    assert job.properties() is not None


def test_inputs_come_back_as_they_were_sent(service: QiskitRuntimeService, aer: IBMBackend) -> None:
    job = sample(aer, aer)
    job.result()
    (pub,) = service.job(job.job_id()).inputs["pubs"]
    assert pub[0] == ghz(aer)
    assert pub[2] == SHOTS


def test_tags_can_be_found_and_replaced(service: QiskitRuntimeService, aer: IBMBackend) -> None:
    tagged = sample(aer, aer, environment={"job_tags": ["red", "große 'Tags' %2F"]})
    other = sample(aer, aer, environment={"job_tags": ["red"]})
    for job in (tagged, other):
        job.wait_for_final_state(timeout=60)
    assert len(service.jobs(job_tags=["red"])) == 2
    found = service.jobs(job_tags=["red", "große 'Tags' %2F"])
    assert [job.job_id() for job in found] == [tagged.job_id()]
    assert other.update_tags(["blue"]) == ["blue"]
    assert service.job(other.job_id()).tags == ["blue"]
    assert [job.job_id() for job in service.jobs(job_tags=["blue"])] == [other.job_id()]


def test_jobs_are_filtered_and_paged(api: Api, service: QiskitRuntimeService) -> None:
    api.fault("/queue", paused=True)
    ids = [api.submit("aer" if number % 2 else "fake_manila") for number in range(30)]
    assert [job.job_id() for job in service.jobs(limit=None)] == ids[::-1]
    assert [job.job_id() for job in service.jobs(limit=5, skip=3)] == ids[::-1][3:8]
    assert [job.job_id() for job in service.jobs(limit=2, descending=False)] == ids[:2]
    assert len(service.jobs(limit=None, backend_name="aer")) == 15
    assert len(service.jobs(limit=None, pending=True)) == 30
    assert service.jobs(pending=False) == []
    assert service.jobs(program_id="estimator") == []
    assert service.jobs(created_after=datetime.now() + timedelta(hours=1)) == []
    assert len(service.jobs(limit=None, created_before=datetime.now() + timedelta(hours=1))) == 30
    assert service.jobs(session_id="no-such-session") == []


def test_job_can_be_cancelled_and_deleted(
    api: Api, service: QiskitRuntimeService, aer: IBMBackend
) -> None:
    from qiskit_ibm_runtime import RuntimeInvalidStateError, RuntimeJobNotFound

    api.fault("/queue", paused=True)
    job = sample(aer, aer)
    assert job.status() == "QUEUED"
    job.cancel()
    again = service.job(job.job_id())
    assert again.status() == "CANCELLED"
    with pytest.raises(RuntimeInvalidStateError):
        again.cancel()
    service.delete_job(job.job_id())
    with pytest.raises(RuntimeJobNotFound):
        service.job(job.job_id())


def test_failed_job_says_why(aer: IBMBackend, api: Api, service: QiskitRuntimeService) -> None:
    from qiskit_ibm_runtime.exceptions import RuntimeJobFailureError

    job = service.job(api.submit(params={"pubs": [["no circuit", None, 10]], "version": 2}))
    with pytest.raises(RuntimeJobFailureError, match="Error code"):
        job.result()
    assert job.status() == "ERROR"
    assert "Error code" in job.error_message()


def test_private_job_shows_its_result_once(service: QiskitRuntimeService, aer: IBMBackend) -> None:
    job = sample(aer, aer, environment={"private": True})
    assert sum(job.result()[0].data.meas.get_counts().values()) == SHOTS
    again = service.job(job.job_id())
    assert again.private
    assert again.inputs == {}
    assert again.result() is None


def test_log_names_options_without_effect(service: QiskitRuntimeService, aer: IBMBackend) -> None:
    job = sample(aer, aer, dynamical_decoupling={"enable": True})
    job.result()
    assert "dynamical_decoupling" in job.logs()


def test_usage_of_the_instance_adds_up(service: QiskitRuntimeService, aer: IBMBackend) -> None:
    from qiskit_ibm_runtime import Session

    assert service.usage()["usage_consumed_seconds"] == 0
    job = sample(aer, aer)
    job.result()
    with Session(aer) as session:
        sample(session, aer).result()
    expected = job.usage() + session.usage()
    assert service.usage()["usage_consumed_seconds"] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("program", ["calibrate", "circuit-runner", "made-up"])
def test_program_that_is_not_run_is_refused_as_ours(
    service: QiskitRuntimeService, aer: IBMBackend, program: str
) -> None:
    from qiskit_ibm_runtime.exceptions import IBMRuntimeError, RuntimeProgramNotFound

    with pytest.raises(IBMRuntimeError) as refused:
        service._run(program, {}, {"backend": aer})
    # The client's words for an answer of 404, as if IBM knew no such program.
    assert not isinstance(refused.value, RuntimeProgramNotFound)
    assert f"local emulator does not run the program {program}" in str(refused.value)
    assert "it runs sampler, estimator, executor and noise-learner" in str(refused.value)
