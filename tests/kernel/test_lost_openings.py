"""Openings whose answer is lost: the session is taken up, or named, and none is opened twice."""

from __future__ import annotations

from threading import Thread
from typing import Any

import pytest

from qsession_widgets.registry import openings
from qsession_widgets.sessions.binding import BINDING

from .cells import Notebook, wait_for
from .conftest import CIRCUITS
from .fresh import running_kernel
from .lost_answers import (
    LOST,
    RUN,
    Ask,
    each_fault,
    meanwhile,
    spoil,
)

pytestmark = pytest.mark.usefixtures("asked_soon")


def test_a_session_is_named_that_may_have_been_opened_while_its_kernel_died(
    notebook: Notebook, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ada/killed.ipynb")
    open_it = "%%session --service local --backend aer --max-time 9m\npass"
    with running_kernel() as kernel:
        kernel.run("%load_ext qsession_widgets")
        spoil(ask, "POST", "/sessions", delay=60.0, after=True)
        kernel.start(open_it)
        wait_for(lambda: ask("GET", "/workloads")["workloads"], "the session")
        assert openings.orphaned() == [], "its kernel lives"
        kernel.manager.signal_kernel(9)
        wait_for(lambda: not kernel.manager.is_alive(), "the kernel's end")
    (left,) = openings.orphaned()
    (lost,) = ask("GET", "/workloads")["workloads"]
    said = notebook.good("%session list").value
    assert "killed.ipynb perhaps, which ended as it opened one" in repr(said)
    said = notebook.good(*open_it.split("\n")).out
    assert f"ended while it opened a session on aer: {lost['id']} may be that one" in said
    assert ask("GET", f"/sessions/{lost['id']}")["accepting_jobs"]
    notebook.good(f"%session close {lost['id']}")
    assert "may be that one" not in notebook.good("%%session --another", "pass").out
    assert left.begun


@each_fault
@pytest.mark.parametrize("magic", ["session", "batch"])
def test_a_session_whose_answer_is_lost_is_taken_up(
    notebook: Notebook, ask: Ask, fault: dict[str, Any], magic: str
) -> None:
    spoil(ask, "POST", "/sessions", **fault)
    notebook.good(CIRCUITS)
    notebook.good(f"%%{magic} --service local --backend aer --max-time 9m", RUN, "job.result()")
    (only,) = ask("GET", "/workloads")["workloads"]
    assert BINDING.bound is not None
    assert BINDING.bound.monitor.session_id == only["id"]


def test_a_session_of_somebody_else_is_never_taken_up(notebook: Notebook, ask: Ask) -> None:
    """The request has no effect, and sessions are opened meanwhile that are not what it asked."""
    spoil(ask, "POST", "/sessions", drop=True, delay=1.0)
    others = meanwhile(
        ask,
        {"backend": "fake_manila", "max_ttl": 540},
        {"backend": "aer", "max_ttl": 77},
        {"backend": "aer", "max_ttl": 540, "mode": "batch"},
    )
    notebook.good("%%session --service local --backend aer --max-time 9m", "pass")
    opened = {item["id"] for item in ask("GET", "/workloads")["workloads"]}
    assert BINDING.bound is not None
    assert opened == {*others(), BINDING.bound.monitor.session_id}
    assert BINDING.bound.monitor.session_id not in others()


def test_it_is_found_where_the_list_before_it_was_not_answered(
    notebook: Notebook, ask: Ask
) -> None:
    spoil(ask, "GET", "/workloads", status=503)
    spoil(ask, "POST", "/sessions", **LOST["dropped"])
    notebook.good("%%session --service local --backend aer --max-time 9m", "pass")
    assert not ask("GET", "/emulator/v1/faults")["faults"]
    (only,) = ask("GET", "/workloads")["workloads"]
    assert BINDING.bound is not None
    assert BINDING.bound.monitor.session_id == only["id"]


def test_where_several_may_be_the_one_they_are_named(notebook: Notebook, ask: Ask) -> None:
    spoil(ask, "POST", "/sessions", drop=True, delay=1.0)
    alike = {"backend": "aer", "max_ttl": 540}
    others = meanwhile(ask, alike, alike)
    sentence = notebook("%%session --service local --backend aer --max-time 9m").sentence()
    assert all(session_id in sentence for session_id in others())
    assert "none was taken up, and none closed" in sentence
    states = [item["status"] for item in ask("GET", "/workloads")["workloads"]]
    assert states == ["pending", "pending"]


def test_while_nobody_knows_whether_it_was_opened_nothing_is_opened_again(
    notebook: Notebook, ask: Ask
) -> None:
    line = "%%session --service local --backend aer --max-time 9m"
    spoil(ask, "POST", "/sessions", drop=True, after=True, delay=1.0)

    def silence() -> None:
        wait_for(lambda: not ask("GET", "/emulator/v1/faults")["faults"], "the request")
        spoil(ask, "GET", "/workloads", status=503, times=None)

    thread = Thread(target=silence)
    thread.start()
    sentence = notebook(line).sentence()
    thread.join()
    assert "may have been accepted" in sentence
    assert "%session list shows the session if it is open" in sentence
    sentence = notebook(line).sentence()
    assert "Nothing was sent again. %session list shows the session" in sentence
    ask("DELETE", "/emulator/v1/faults")
    assert "had been opened" in notebook.good(line, "pass").out
    (only,) = ask("GET", "/workloads")["workloads"]
    assert BINDING.bound is not None
    assert BINDING.bound.monitor.session_id == only["id"]
