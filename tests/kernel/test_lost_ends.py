"""Ends whose answer is lost or makes no sense: what became of them is found out and told."""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest

from qsession_widgets.cli.main import main
from qsession_widgets.client import absence
from qsession_widgets.client.rest import ServiceClient
from qsession_widgets.emulator.process.connection_file import Connection
from qsession_widgets.errors import OutcomeUnknown
from qsession_widgets.sessions import exit_hooks
from qsession_widgets.sessions.binding import BINDING

from ..support.proxy import Proxy
from .cells import Notebook, wait_for
from .conftest import CIRCUITS
from .fresh import running_kernel
from .lost_answers import (
    LOST,
    RUN,
    UNSENT,
    Ask,
    each_fault,
    jobs,
    spoil,
)

pytestmark = pytest.mark.usefixtures("asked_soon")

ENDS = {
    "%session close": ("PATCH", "/sessions/*"),
    "session.close()": ("PATCH", "/sessions/*"),
    "%session cancel": ("DELETE", "/sessions/*"),
    "session.cancel()": ("DELETE", "/sessions/*"),
}


@pytest.mark.parametrize("end", ["%session close", "session.close()", "with"])
def test_a_gateway_that_does_not_find_the_service_ends_no_session(
    circuits: Notebook, ask: Ask, end: str
) -> None:
    """Its 404 is not the service's, which knows the session."""
    spoil(ask, "PATCH", "/sessions/*", status=404, body="html")
    if end == "with":
        circuits.good(
            "from qiskit_ibm_runtime import Session",
            "with Session.from_id(session.session_id, session.service):",
            "    pass",
        )
    else:
        circuits.good(end)
    (only,) = ask("GET", "/workloads")["workloads"]
    assert only["status"] == "completed"


@each_fault
@pytest.mark.parametrize("end", ENDS)
def test_an_end_whose_answer_is_lost_is_told_as_it_is(
    circuits: Notebook, ask: Ask, end: str, fault: dict[str, Any]
) -> None:
    method, path = ENDS[end]
    spoil(ask, method, path, **fault)
    circuits.good(end)
    (only,) = ask("GET", "/workloads")["workloads"]
    assert only["status"] in ("completed", "canceled")
    assert circuits["session"].snapshot.state == "closed" or circuits["session"].wait_for()


@pytest.mark.parametrize("end", ["%session close", "session.cancel()"])
def test_an_end_of_what_is_not_there_any_more_is_not_asked_for_for_ever(
    circuits: Notebook, ask: Ask, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(absence, "GONE_SECONDS", 0.5)
    method, path = ENDS[end]
    spoil(ask, method, path, drop=True, after=True)
    spoil(ask, "GET", "/sessions/*", status=404, times=None)
    ran = circuits(end)
    assert isinstance(ran.error, OutcomeUnknown)
    ran.error.wait()
    said = ran.said + circuits.good("pass").out
    assert "the service does not know this session any more" in said
    assert not circuits["session"].snapshot.unknown


def test_a_record_that_makes_no_sense_shows_no_end(circuits: Notebook, ask: Ask) -> None:
    spoil(ask, "PATCH", "/sessions/*", drop=True)
    spoil(ask, "GET", "/sessions/*", body="nulls", times=None)
    assert isinstance(circuits("%session close").error, OutcomeUnknown)
    ask("DELETE", "/emulator/v1/faults")
    (only,) = ask("GET", "/workloads")["workloads"]
    wait_for(lambda: ask("GET", f"/sessions/{only['id']}")["state"] == "closed", "the close")


@pytest.mark.parametrize(
    "fault",
    [LOST["dropped"], LOST["HTML"], LOST["status 409"], UNSENT["dropped before"]],
    ids=str,
)
def test_a_job_whose_cancel_is_not_answered_is_cancelled(
    circuits: Notebook, ask: Ask, fault: dict[str, Any]
) -> None:
    ask("POST", "/emulator/v1/faults/queue", json={"paused": True})
    circuits.good(RUN)
    spoil(ask, "POST", "/jobs/*/cancel", **fault)
    circuits.good("job.cancel()")
    (only,) = jobs(ask)
    assert only["status"] == "Cancelled"
    spoil(ask, "PUT", "/jobs/*/tags", **fault)
    circuits.good("job.update_tags(['mine'])")
    assert jobs(ask)[0]["tags"] == ["mine"]


def test_a_job_that_has_finished_is_not_told_to_be_cancelled(circuits: Notebook, ask: Ask) -> None:
    """That conflict is the service's word, and what a look finds is no effect of the request."""
    circuits.good(RUN, "job.result()")
    assert "already in a final state: Completed" in str(circuits("job.cancel()").error)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no process can be stopped here")
@pytest.mark.parametrize("end", ENDS)
def test_a_service_that_stands_still_is_asked_until_it_goes_on(
    circuits: Notebook,
    ask: Ask,
    emulator: Connection,
    monkeypatch: pytest.MonkeyPatch,
    end: str,
) -> None:
    monkeypatch.setattr(ServiceClient, "timeout", 0.3)
    os.kill(emulator.pid, signal.SIGSTOP)
    try:
        ran = circuits(end)
        asked = circuits["session"].snapshot.unknown
    finally:
        os.kill(emulator.pid, signal.SIGCONT)
    assert isinstance(ran.error, OutcomeUnknown)
    assert "It is not known whether the request to" in ran.sentence()
    assert "Could not" not in ran.said
    assert asked == ("cancel" if "cancel" in end else "close",), "the panel shows it"
    assert circuits["session"].wait_for(timeout=60).state == "closed"
    wait_for(lambda: circuits["session"].snapshot.unknown == (), "the answer")


def test_a_terminal_asks_until_it_is_known(
    circuits: Notebook, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    session_id = circuits["session"].session_id
    spoil(ask, "PATCH", "/sessions/*", drop=True, after=True, delay=1.0)

    def silence() -> None:
        wait_for(lambda: not ask("GET", "/emulator/v1/faults")["faults"], "the request")
        spoil(ask, "GET", f"/sessions/{session_id}", status=503, times=None)
        wait_for(lambda: "asked until it does" in capsys.readouterr().err, "the sentence")
        ask("DELETE", "/emulator/v1/faults")

    thread = Thread(target=silence)
    thread.start()
    assert main(["close", session_id]) == 0
    thread.join()
    assert "closed already" in capsys.readouterr().out


@pytest.mark.parametrize("body", ["null", "list", "empty", "truncated", "html", "nulls", "deep"])
def test_an_unreadable_list_is_an_error(
    circuits: Notebook, ask: Ask, capsys: pytest.CaptureFixture[str], body: str
) -> None:
    spoil(ask, "GET", "/workloads", body=body, times=None)
    for command in (["list"], ["close", "--all"]):
        assert main(command) == 1
        said = capsys.readouterr()
        assert "No session is open" not in said.out + said.err
        assert "Could not list the sessions: The service's answer cannot be read" in said.err
    assert "cannot be read" in circuits("%session list").sentence()
    assert "cannot be read" in circuits("%session close --all").sentence()
    ask("DELETE", "/emulator/v1/faults")
    assert circuits["session"].status() == "Pending"


@pytest.mark.parametrize("end", ["%session close", "session.close()", "session.cancel()"])
def test_an_expired_token_keeps_no_session_open(circuits: Notebook, ask: Ask, end: str) -> None:
    circuits.good(RUN, "job.result()")
    ask("POST", "/emulator/v1/faults/tokens")
    circuits.good(end)
    (only,) = ask("GET", "/workloads")["workloads"]
    assert only["status"] in ("completed", "canceled")


def test_an_expired_token_stops_nothing_else(circuits: Notebook, ask: Ask) -> None:
    for cell in (RUN, "job.result()", "job.metrics()", "session.details()"):
        ask("POST", "/emulator/v1/faults/tokens")
        circuits.good(cell)
    ask("POST", "/emulator/v1/faults/tokens")
    assert main(["list"]) == 0
    assert circuits.good("%session list").value.rows


def test_an_expired_token_does_not_defeat_a_rule(notebook: Notebook, ask: Ask) -> None:
    notebook.good(CIRCUITS)
    line = "%%session --service local --backend aer --idle-close 1s"
    notebook.good(line, RUN, "job.result()")
    ask("POST", "/emulator/v1/faults/tokens")
    (only,) = ask("GET", "/workloads")["workloads"]
    wait_for(lambda: ask("GET", f"/sessions/{only['id']}")["state"] == "closed", "the close")


def test_an_expired_token_does_not_keep_it_open_at_exit(ask: Ask) -> None:
    with running_kernel() as kernel:
        kernel.run("%load_ext qsession_widgets")
        said, error = kernel.run("%%session --service local --backend aer\npass")
        assert not error, said
        ask("POST", "/emulator/v1/faults/tokens")
    (only,) = ask("GET", "/workloads")["workloads"]
    assert only["status"] == "completed"


def test_a_refused_connection_at_the_end_is_tried_again(
    circuits: Notebook, ask: Ask, emulator: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = BINDING.bound
    assert live is not None
    port = emulator.url.rpartition(":")[2]
    proxy = Proxy(int(port))
    live.monitor.stop()
    monkeypatch.setattr(
        live.target.client, "base_url", live.target.client.base_url.replace(port, str(proxy.port))
    )
    with ExitStack() as gone:
        gone.enter_context(proxy.gone())
        # the service is back before it is asked once more
        clock = SimpleNamespace(monotonic=time.monotonic, sleep=lambda _seconds: gone.close())
        monkeypatch.setattr(exit_hooks, "time", clock)
        # on the main thread that would leave this process deaf to SIGTERM
        ending = Thread(target=exit_hooks.close_all_at_exit)
        ending.start()
        ending.join()
    assert ask("GET", f"/sessions/{live.monitor.session_id}")["state"] == "closed"
    proxy.close()
