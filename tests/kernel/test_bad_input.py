"""What people get wrong: one sentence each, no traceback, and a notebook that goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qsession_widgets.sessions.binding import BINDING

from .cells import Notebook, wait_for
from .conftest import CIRCUITS

LOCAL = "%%session --service local"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("--backend fake_manilla", "no backend 'fake_manilla' here. Did you mean fake_manila"),
        ("--backend manila", "Did you mean fake_manila? %session backends lists all of them"),
        ("--backend FakeManila", "Did you mean fake_manila?"),
        ("--backend {device}", "There is no variable 'device'"),
        ("--backend aer --bind-as for,if", "does not name two variables"),
        ("--backend aer --max-time 9x", "--max-time '9x' is not a length of time"),
        ("--backend aer --max-time -5", "--max-time must be at least 1 s"),
        ("--backend aer --max-time 9h", "28800"),
        ("--bakend aer", "no option --bakend: did you mean --backend?"),
        ("--backend aer --budget $", "not an amount of money"),
        ("--backend aer --on-error explode", "choose close, cancel or keep"),
        ("--backend aer --tags a,,b", "has an empty tag"),
        ("--backend aer --local-speed fast", "--local-speed 'fast' is not a number"),
        ("--backend aer --local-plan gold", "There is no plan 'gold'"),
        ("--backend aer --local-ittl 0", "--local-ittl must be 0.1 or more"),
        ("--backend aer --local-queue x", "The queue is given as seconds of waiting"),
        ("--backend aer --local-job-time fast", "choose simulated or device"),
    ],
)
def test_a_wrong_option_opens_nothing(
    notebook: Notebook, ask: Callable[..., Any], line: str, sentence: str
) -> None:
    ran = notebook(f"{LOCAL} {line}", "reached = True")
    assert sentence in ran.sentence()
    assert "reached" not in notebook
    assert BINDING.bound is None
    assert ask("GET", "/workloads")["workloads"] == []
    notebook.good(f"{LOCAL} --backend aer", "reached = True")
    assert notebook["reached"]


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("SamplerV2(mode='aer')", "mode takes a session or a backend itself, not its name"),
        ("SamplerV2(session=session)", "a primitive takes mode=. Leave it out"),
        ("Session()", "session takes a backend itself. Leave the block out"),
        ("EstimatorV2().run(flip, observable)", "run takes a list of PUBs. Write sampler.run([("),
        ("EstimatorV2().run([(flip, SparsePauliOp('ZZ'))])", "observable.apply_layout("),
        ("SamplerV2().run([(measured,)]).result().values", "result()[0].data.evs of an estimator"),
        ("from qiskit.primitives import Sampler", "Import SamplerV2 and EstimatorV2 from"),
    ],
)
def test_what_other_releases_took_is_translated(circuits: Notebook, code: str, advice: str) -> None:
    ran = circuits(
        "from qiskit_ibm_runtime import Session\nfrom qiskit.quantum_info import *", code
    )
    assert ran.error is not None
    assert "What this means: " in ran.out
    assert advice in ran.out


def test_a_primitive_before_any_session_is_told_what_it_lacks(notebook: Notebook) -> None:
    ran = notebook(CIRCUITS, "SamplerV2()")
    assert isinstance(ran.error, ValueError)
    assert "Open one with %%session above a cell" in ran.out


def test_a_cell_that_fails_before_its_job_is_sent_says_that_the_session_is_open(
    circuits: Notebook,
) -> None:
    assert "its session on aer stays open" in circuits("SamplerV2().run(measured)").out
    assert "stays open" not in circuits("1 / 0").out


def test_a_refused_job_is_called_by_its_primitive(
    circuits: Notebook, ask: Callable[..., Any]
) -> None:
    circuits.good("from qiskit_ibm_runtime.executor_sampler import Sampler")
    refused = {"method": "POST", "path": "/jobs", "status": 400, "message": "Not today."}
    ask("POST", "/emulator/v1/faults", json=refused)
    sentence = circuits("Sampler().run([(measured,)])").sentence()
    assert "Could not submit the sampler job: Not today" in sentence


def test_a_session_that_cannot_be_closed_is_a_sentence(
    circuits: Notebook, ask: Callable[..., Any]
) -> None:
    refused = {"method": "PATCH", "path": "/sessions/*", "status": 500, "message": "Not today."}
    ask("POST", "/emulator/v1/faults", json={**refused, "times": None})
    assert "Could not close the session: Not today" in circuits("session.close()").sentence()


def test_what_stands_in_the_wrong_place_is_said(notebook: Notebook) -> None:
    ran = notebook(f"{LOCAL} --backend aer", "reached = True", "%%session --backend aer")
    assert "%%session belongs on the first line of its cell" in ran.said
    notebook.good(f" {LOCAL} --backend aer", "indented = True")
    assert notebook["indented"]


def test_a_second_session_by_a_with_block_is_told_of_once(circuits: Notebook) -> None:
    circuits.good(
        "def pasted():",
        "    with Session(backend=backend):",
        "        pass",
    )
    told = "this with block runs in a session of its own, a second one beside the session bound"
    assert told in circuits.good("pasted()").out
    assert told not in circuits.good("pasted()").out
    assert told not in circuits.good("with session:", "    pass").out


def test_an_interrupt_while_a_session_is_opened_leaves_none(
    notebook: Notebook, ask: Callable[..., Any]
) -> None:
    from _thread import interrupt_main
    from threading import Thread

    late = {"method": "GET", "path": "/sessions/*", "delay": 5}
    ask("POST", "/emulator/v1/faults", json=late)

    def interrupt() -> None:
        # while the cell waits for that answer: an interrupt that arrives in a finalizer is lost
        wait_for(lambda: not ask("GET", "/emulator/v1/faults")["faults"], "the late request")
        interrupt_main()

    thread = Thread(target=interrupt)
    thread.start()
    ran = notebook(f"{LOCAL} --backend aer", "pass")
    thread.join()
    assert isinstance(ran.error, KeyboardInterrupt)
    told = "The cell was interrupted while a session on aer was being opened. It was closed again."
    assert told in ran.out
    (opened,) = ask("GET", "/workloads")["workloads"]
    assert opened["status"] not in ("pending", "in_progress")
