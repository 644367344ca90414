"""How circuits are simulated is a session's own: said in its line, kept by the emulator."""

from __future__ import annotations

import pytest

from qsession_widgets.sessions import routed_circuits

from .cells import Notebook, wait_for

LOCAL = "%%session --service local --backend fake_fez"

WIDE = """
from qiskit import QuantumCircuit
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_ibm_runtime import SamplerV2

circuit = QuantumCircuit(40)
circuit.h(0)
for qubit in range(39):
    circuit.cx(qubit, qubit + 1)
circuit.measure_all()
ready = generate_preset_pass_manager(1, backend=backend, seed_transpiler=1).run(circuit)
job = SamplerV2().run([(ready,)], shots=300)
"""


def test_a_wide_circuit_runs_by_itself_and_says_how(notebook: Notebook) -> None:
    notebook.good(LOCAL, WIDE)
    notebook.good("result = job.result()")
    how = notebook["result"][0].metadata["simulation"]
    assert how["method"] == "stabilizer"
    assert "gate noise, twirled to Pauli channels" in how["approximated"]
    logs = notebook["job"].logs()
    assert "method stabilizer" in logs
    assert "approximated: Simulated by stabilizer simulation" in logs


def test_noise_and_method_are_kept_for_each_session(notebook: Notebook) -> None:
    notebook.good(f"{LOCAL} --name still --local-noise none", WIDE)
    # a session that goes on would keep the next one waiting until its timeout
    notebook.good("still = job.result()", "%session close")
    notebook.good(f"{LOCAL} --name exact --local-method exact", WIDE)
    notebook.good("exact = job", "exact.wait_for_final_state()", "%session close")
    notebook.good(f"{LOCAL} --name by_itself", WIDE)
    notebook.good("by_itself = job.result()")
    counts = notebook["still"][0].data.meas.get_counts()
    assert set(counts) == {"0" * 40, "1" * 40}
    assert "simulation" not in notebook["still"][0].metadata
    notebook.good("message = exact.error_message()")
    assert "16 TiB of memory" in notebook["message"]
    assert len(notebook["by_itself"][0].data.meas.get_counts()) > 2


def test_strict_refuses_approximations(notebook: Notebook) -> None:
    notebook.good(f"{LOCAL} --strict", WIDE)
    notebook.good("job.wait_for_final_state()", "message = job.error_message()")
    assert "--strict refuses an approximation such as twirled noise" in notebook["message"]


AGAIN = "job = SamplerV2().run([(ready,)], shots=300)"

NARROW = """
from qiskit import QuantumCircuit
from qiskit_ibm_runtime import SamplerV2

small = QuantumCircuit(1)
small.measure_all()
job = SamplerV2(options={"execution": {"init_qubits": False}}).run([(small,)], shots=10)
"""

ROUTED = """
from qiskit.quantum_info import SparsePauliOp
from qiskit_ibm_runtime.executor_estimator import Estimator

parity = SparsePauliOp("ZZZ")
ghz = QuantumCircuit(3)
ghz.h(0)
ghz.cx(0, 1)
ghz.cx(0, 2)
manager = generate_preset_pass_manager(0, backend=backend, initial_layout=[0, 2, 4])
routed = manager.run(ghz)
# the client-side one sends circuits that it makes of it
job = Estimator(session).run([(routed, parity.apply_layout(routed.layout))], precision=0.25)
"""

CELLS = ((LOCAL, WIDE), (AGAIN,), (NARROW,), (NARROW,), (ROUTED,), (ROUTED,))


def test_what_is_not_exact_is_said_once_in_the_cell_and_in_the_receipt(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routed_circuits, "LONG_SECONDS", 0.0)
    notebook.good("%config SessionMagics.say = 'auto'")
    printed: list[str] = []

    def told(what: str, count: int = 1) -> bool:
        printed.append(notebook.good("pass").said)
        return "".join(printed).count(what) == count

    for count, cells in enumerate(CELLS, 1):
        printed.append(notebook.good(*cells, "job.result()").said)
        wait_for(lambda count=count: told(") is done", count), "the line about the job")
    # once the exact times of a job are known
    wait_for(lambda: told("5 active qubits where 3 are needed, and took "), "the route")
    said = "".join(printed)
    assert said.count("is not exact. Simulated by stabilizer simulation, gate noise twirled") == 1
    assert said.count("is simulated exactly again") == 1
    assert said.count("without effect in the emulator: execution.init_qubits") == 1
    (shown,) = notebook.good("%session receipt").displayed
    receipt = shown["text/plain"]
    assert "2 not exact: Simulated by stabilizer simulation" in receipt
    assert "4 exact" in receipt
    assert "Ignored options without effect in the emulator: execution.init_qubits" in " ".join(
        receipt.split()
    )


def test_strict_refuses_an_option_without_effect(notebook: Notebook) -> None:
    notebook.good(f"{LOCAL} --strict", NARROW)
    notebook.good("job.wait_for_final_state()", "message = job.error_message()")
    assert "execution.init_qubits = False has no effect" in notebook["message"]
    assert "--strict refuses" in notebook["message"]


def test_another_method_is_another_session(notebook: Notebook) -> None:
    notebook.good(f"{LOCAL} --local-method stabilizer", "first = session.session_id")
    ran = notebook.good(f"{LOCAL} --local-method stabilizer", "again = session.session_id")
    assert "goes on" in ran.out
    assert notebook["first"] == notebook["again"]
    sentence = notebook(f"{LOCAL} --local-method exact", "pass").sentence()
    assert "--local-method exact" in sentence


def test_such_options_are_refused_for_ibm(notebook: Notebook) -> None:
    sentence = notebook("%%session --service ibm --local-noise none", "pass").sentence()
    assert "--local-noise is for the local emulator: leave it out" in sentence
    sentence = notebook(f"{LOCAL} --local-precision-limit 2", "pass").sentence()
    assert "--local-precision-limit '2' is out of range" in sentence
    sentence = notebook(f"{LOCAL} --local-method mps", "pass").sentence()
    assert "choose exact, stabilizer, matrix_product_state or pauli_propagation" in sentence
