"""Forked children of a process with a session: they work, and leave the session to their parent."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")

BEGIN = """
import os, sys, signal, multiprocessing, time
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_ibm_runtime import EstimatorV2, Session
from qsession_widgets import open_session

session = open_session("aer", service="local")
backend = session.service.backend("aer")
circuit = QuantumCircuit(1)
circuit.h(0)
isa = generate_preset_pass_manager(0, backend).run(circuit)
observable = SparsePauliOp("Z").apply_layout(isa.layout)

def value(*_):
    estimator = EstimatorV2(mode=session)
    return float(estimator.run([(isa, observable)]).result()[0].data.evs)

def states():
    return session.status()
"""


def _run(source: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", BEGIN + source], capture_output=True, text=True, timeout=400
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def _states(ask: Callable[..., Any]) -> list[str]:
    listed = ask("GET", "/workloads")["workloads"]
    return [ask("GET", f"/sessions/{item['id']}")["state"] for item in listed]


def test_forked_children_submit_and_get_their_results(ask: Callable[..., Any]) -> None:
    printed = _run(
        """
value()
ended = []
for turn in range(5):
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                signal.alarm(60)
                code = 0 if abs(value()) < 1 else 2
            finally:
                os._exit(code)
        children.append(child)
    # the parent sends a job of its own meanwhile
    value()
    ended += [os.waitpid(child, 0)[1] for child in children]
print(ended, session.snapshot.accepting_jobs)
"""
    )
    assert printed.splitlines()[-1] == f"{[0] * 10} True"
    assert _states(ask) == ["closed"]
    assert len(ask("GET", "/jobs")["jobs"]) == 16


def test_a_pool_of_processes_maps_a_function_that_runs_jobs(ask: Callable[..., Any]) -> None:
    printed = _run(
        """
with multiprocessing.get_context("fork").Pool(2) as pool:
    values = pool.map_async(value, range(4)).get(200)
print(len(values), session.snapshot.accepting_jobs)
"""
    )
    assert printed.splitlines()[-1] == "4 True"


def test_a_child_never_closes_its_parents_session(ask: Callable[..., Any]) -> None:
    printed = _run(
        """
def child_of(function):
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        function()
        sys.exit()
    return os.waitpid(child, 0)[1]

def leaves():
    with session:
        pass

def takes_up():
    # it is the parent's, and so is the block of the client's own that the child is forked in
    with Session.from_id(session.session_id, session.service):
        pass

def opens():
    other = open_session("aer", service="local", name="of the child", budget="5m")
    assert other.session_id != session.session_id
    print("child", other.session_id, flush=True)

def waits():
    session.wait_for(lambda snapshot: snapshot.accepting_jobs)
    assert not [t for t in __import__("threading").enumerate() if "monitor" in t.name]

with Session(backend=backend) as outer:
    print(child_of(takes_up), child_of(lambda: sys.exit()))
    print("outer", outer.status() != "Closed")
print([child_of(each) for each in (lambda: None, session.close, leaves, waits, opens)])
print(signal.SIGTERM == os.WTERMSIG(child_of(lambda: os.kill(os.getpid(), signal.SIGTERM))))
print("parent", session.session_id, session.snapshot.accepting_jobs, session.status() != "Closed")
value()
process = multiprocessing.get_context("fork").Process(target=opens)
process.start()
process.join(100)
print("exit", process.exitcode)
"""
    )
    lines = printed.splitlines()
    assert "0 0" in lines, printed
    assert "outer True" in lines, printed
    assert "[0, 0, 0, 0, 0]" in lines, printed
    assert "True" in lines, printed
    assert "belongs to the process that this one was forked from" in printed
    assert any(line.startswith("parent") and line.endswith("True True") for line in lines), printed
    assert "exit 0" in lines, printed
    # the children's own were closed at their ends
    assert _states(ask) == ["closed"] * 4
