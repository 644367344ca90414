"""Why a session ended: kept by what ended it, and found by its kernel and by later receipts."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from qsession_widgets.cli.main import main
from qsession_widgets.formatting import dollars_of, format_money
from qsession_widgets.model import usage
from qsession_widgets.registry.entries import entry_of, notes
from qsession_widgets.views.receipt import to_text

from .cells import Notebook, wait_for

LOCAL = "%%session --service local --backend aer"
FROM_ID = """
from qiskit_ibm_runtime import Session
Session.from_id(session.session_id, session.service).close()
"""
SLOW_JOB = """
from qiskit import transpile
from qiskit.circuit.library import efficient_su2
wide = efficient_su2(19, reps=40)
wide = wide.assign_parameters([0.1] * wide.num_parameters)
wide.measure_all()
wide = transpile(wide, backend, optimization_level=0)
job = SamplerV2().run([(wide,)], shots=1)
"""


@pytest.fixture
def receipt(capsys: pytest.CaptureFixture[str]) -> Callable[[str], tuple[str, dict[str, Any]]]:
    """The receipt of a session in a terminal, as text and as JSON."""

    def read(session_id: str) -> tuple[str, dict[str, Any]]:
        capsys.readouterr()
        assert main(["receipt", session_id]) == 0
        text = " ".join(capsys.readouterr().out.split())
        assert main(["receipt", session_id, "--json"]) == 0
        return text, json.loads(capsys.readouterr().out)

    return read


def test_a_spent_budget_is_named_with_both_figures(
    circuits: Notebook, receipt: Callable[[str], tuple[str, dict[str, Any]]]
) -> None:
    # it would not have been sent with that budget: a device takes two seconds for it
    circuits.good(LOCAL, SLOW_JOB)
    circuits.good(f"{LOCAL} --budget '$1.50'", "pass")
    session = circuits["session"]
    ended = session.wait_for(timeout=120)
    assert ended.end_reason == "budget"
    assert ended.state_reason == "session_cancelled"
    text, data = receipt(session.session_id)
    spent = usage(ended, ended.closed_at)
    # the plan's, which other tests may have chosen
    price = ended.service.price_per_second
    then = format_money(dollars_of(ended.end_usage, price) or 0.0)
    words = (
        f"budget of $1.50 spent; the job that was running took it to ≈ {format_money(spent.cost)}"
    )
    if not ended.end_running or spent.total <= ended.end_usage:
        # on a busy machine the job may not have been seen to run by then
        words = f"budget of $1.50 spent (≈ {then})"
    assert f"State Cancelled · {words}" in text
    assert words in " ".join(to_text(ended).split())
    assert (data["end_reason"], data["end_words"]) == ("budget", words)


@pytest.mark.parametrize(
    ("ends", "reason"),
    [
        (lambda notebook, _: notebook.good("%session close"), "notebook"),
        (lambda notebook, _: notebook.good("session.cancel()"), "notebook"),
        (lambda notebook, _: notebook.good(FROM_ID), "notebook"),
        (lambda notebook, _: main(["close", notebook["session"].session_id]), "terminal"),
        (lambda notebook, _: notebook["session"].panel()._run("1", "close", None), "panel"),
        (
            lambda notebook, ask: ask(
                "DELETE", f"/sessions/{notebook['session'].session_id}/close"
            ),
            "elsewhere",
        ),
    ],
    ids=["magic", "method", "from_id", "terminal", "panel", "elsewhere"],
)
def test_the_kernel_knows_what_closed_its_session(
    notebook: Notebook,
    ask: Callable[..., Any],
    ends: Callable[[Notebook, Callable[..., Any]], object],
    reason: str,
) -> None:
    notebook.good(LOCAL, "pass")
    session = notebook["session"]
    ends(notebook, ask)
    assert session.wait_for(timeout=120).end_reason == reason


def test_a_receipt_after_the_end_names_an_end_by_policy_or_by_the_user(
    notebook: Notebook,
    receipt: Callable[[str], tuple[str, dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ada/vqe.ipynb")
    notebook.good(f"{LOCAL} --idle-close 1s", "pass")
    idle = notebook["session"]
    idle.wait_for(timeout=120)
    notebook.good(LOCAL, "pass")
    mine = notebook["session"]
    notebook.good("%session close")
    assert mine.session_id not in notes(), "it is not taken for one that was left open"
    assert receipt(idle.session_id)[1]["end_words"] == (
        "nothing was pending for 1.0 s (--idle-close)"
    )
    assert receipt(mine.session_id)[1]["end_words"] == "from its notebook"


def test_an_end_that_was_refused_is_not_kept(notebook: Notebook, ask: Callable[..., Any]) -> None:
    notebook.good(LOCAL, "pass")
    session = notebook["session"]
    refused = {"method": "PATCH", "path": "/sessions/*", "status": 400, "message": "Not today."}
    ask("POST", "/emulator/v1/faults", json=refused)
    assert "Not today" in notebook("session.close()").said
    entry = entry_of(session.session_id)
    assert entry is not None
    assert entry.end_reason == ""
    ask("DELETE", "/emulator/v1/faults")
    ask("DELETE", f"/sessions/{session.session_id}/close")
    wait_for(lambda: session.snapshot.state == "closed", "the close")
    assert session.snapshot.end_reason == "elsewhere"
