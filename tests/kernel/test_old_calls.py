"""Calls written for other releases: each is told what to write here, with what is bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .cells import Notebook
from .table import CIRCUITS

CALLS = {
    "QiskitRuntimeService(channel='ibm_quantum', token='t')": "it has mine.service",
    "QiskitRuntimeService.save_account(channel='ibm_quantum', token='t')": "ibm_quantum_platform",
    "QiskitRuntimeService(auth='legacy')": "the API key as token=",
    "QiskitRuntimeService(hub='ibm-q')": "the API key as token=",
    "service.get_backend('ibm_fez')": "mine.service.backend('ibm_fez'), for example; device is",
    "service.run(program_id='sampler')": "sent by primitives",
    "mine.run('sampler', {})": "generate_preset_pass_manager(backend=device)",
    "device.run(measured)": "generate_preset_pass_manager(backend=device)",
    "from qiskit import execute": "generate_preset_pass_manager(backend=device)",
    "execute(measured, device)": "generate_preset_pass_manager(backend=device)",
    "from qiskit import IBMQ": "mine.service.least_busy()",
    "IBMQ.load_account()": "mine.service.least_busy()",
    "from qiskit_ibm_provider import IBMProvider": "mine.service.backend(name)",
    "from qiskit_ibm_runtime import IBMProvider": "mine.service.backend(name)",
    "from qiskit.tools.monitor import job_monitor": "the panel shows jobs",
    "from qiskit import Aer": "from qiskit_aer import AerSimulator",
    "from qiskit.providers.aer import AerSimulator": "from qiskit_aer import AerSimulator",
    "from qiskit.test.mock import FakeManila": "--backend fake_manila",
    "from qiskit.providers.fake_provider import FakeManila": "--backend fake_manila",
    "from qiskit.opflow import X": "SparsePauliOp",
    "from qiskit.algorithms import VQE": "qiskit-algorithms",
    "from qiskit.primitives import Sampler": "Import SamplerV2",
    "from qiskit_ibm_runtime import SamplerV1": "Import SamplerV2",
    "from qiskit_ibm_runtime.options import Options": "options of its own",
    "SamplerV2(options={'optimization_level': 3})": "backend=device",
    "SamplerV2(options={'resilience_level': 1})": "no resilience levels",
    "EstimatorV2(options={'shots': 100})": "{'default_shots': 1000}",
    "SamplerV2().set_options(shots=100)": "{'default_shots': 1000}",
    "SamplerV2(session=mine)": "a primitive takes mode=",
    "SamplerV2(backend=device)": "a primitive takes mode=",
    "SamplerV2('aer')": "not its name",
    "SamplerV2().run(measured)": "a list of PUBs",
    "EstimatorV2().run([flip], [observable])": "a list of PUBs",
    "Session(max_time='9h')": "Session(backend=device)",
    "Session(service=service, backend=device)": "Session(backend=device)",
    "Session(backend='aer')": "Session(backend=device)",
    "Session(device, max_time='soon')": "'1h 30m'",
    "Session.from_id('an-id')": "service=mine.service",
    "result.get_counts()": "data.meas.get_counts()",
    "result.quasi_dists": "data.meas.get_counts()",
    "result[0].get_counts()": "data.meas.get_counts()",
    "job.get_counts()": "data.meas.get_counts()",
    "result[0].data.c": "in this result meas.",
    "result[0].data.meas.counts": "get_counts() counts them",
    "QuantumCircuit(2).cnot(0, 1)": "cx",
    "QuantumCircuit(2).bind_parameters({})": "assign_parameters",
}
"""Calls, and a part of the advice to each."""


def test_each_is_told_what_to_write_with_what_is_bound(
    notebook: Notebook, ask: Callable[..., Any]
) -> None:
    notebook.good(CIRCUITS, "from qiskit_ibm_runtime import QiskitRuntimeService")
    notebook.good(
        "%%session --service local --backend aer --bind-as mine,device",
        "job = SamplerV2().run([(measured,)])",
        "result, service = job.result(), mine.service",
    )
    wrong = {}
    for call, advice in CALLS.items():
        ran = notebook(call)
        _, begins, said = ran.out.rpartition("What this means: ")
        if ran.error is None or not begins or advice not in said:
            wrong[call] = f"{ran.error!r}: {said}"
    assert not wrong


def test_without_a_session_the_advice_names_what_is_to_be_made(notebook: Notebook) -> None:
    assert "QiskitRuntimeService().least_busy()" in notebook("from qiskit import IBMQ").out
    assert "generate_preset_pass_manager(backend=backend)" in notebook("execute(1)").out


def test_an_error_of_the_users_own_is_not_advised(notebook: Notebook) -> None:
    for code in ("from math import execute", "'text'.get_counts()", "undefined", "1 / 0"):
        assert "What this means" not in notebook(code).out
