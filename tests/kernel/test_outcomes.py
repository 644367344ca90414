"""Answers that are lost or make no sense: what the service did is found out before it is told."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest

from qsession_widgets.cli.main import main
from qsession_widgets.client import absence, unknown_outcome
from qsession_widgets.client.rest import Answer, ServiceClient
from qsession_widgets.emulator.process.connection_file import Connection
from qsession_widgets.errors import OutcomeUnknown
from qsession_widgets.registry import openings, submits
from qsession_widgets.sessions import exit_hooks
from qsession_widgets.sessions.binding import BINDING

from ..support.proxy import Proxy
from .cells import Notebook, wait_for
from .conftest import CIRCUITS
from .fresh import running_kernel

Ask = Callable[..., Any]

LOST: dict[str, dict[str, Any]] = {
    "dropped": {"drop": True, "after": True},
    "half a body": {"half": True},
    "status 500": {"status": 500, "after": True},
    "status 503, HTML": {"status": 503, "after": True, "body": "html"},
    "status 408": {"status": 408, "after": True},
    "status 409": {"status": 409, "after": True},
    "malformed": {"body": "malformed"},
    "null": {"body": "null"},
    "empty": {"body": "empty"},
    "HTML": {"body": "html"},
    "object": {"body": "object"},
    "deep": {"body": "deep"},
}
"""Faults after which the request has taken effect, and nothing that came back says so."""
UNSENT: dict[str, dict[str, Any]] = {
    "dropped before": {"drop": True},
    "status 500 before": {"status": 500},
    "object before": {"status": 200, "body": "object"},
}
"""Faults that keep the request from taking effect."""

FAULTS = {**LOST, **UNSENT}
each_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
RUN = "job = SamplerV2().run([(measured,)])"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unknown_outcome, "LATE", 0.05)
    monkeypatch.setattr(unknown_outcome, "LOOK_TIMEOUT", 3.0)
    monkeypatch.setattr(unknown_outcome, "PAUSES", (0.05, 0.05, 0.05))
    monkeypatch.setattr(unknown_outcome, "LOOK_PAUSES", (0.0, 0.05, 0.05))
    monkeypatch.setattr(unknown_outcome, "ASK_AGAIN", (0.1, 0.2))
    monkeypatch.setattr(unknown_outcome, "ON_ITS_WAY", 0.5)
    forget_openings()


def forget_openings() -> None:
    """Let no request of an earlier test be under way, for the emulator knows it no more."""
    for one in openings.pending():
        openings.settle(one.key)


def spoil(ask: Ask, method: str, path: str, **fault: Any) -> None:
    ask("POST", "/emulator/v1/faults", json={"method": method, "path": path, **fault})


def unknown() -> tuple[str, ...]:
    """The requests about the bound session whose outcome is not known."""
    assert BINDING.bound is not None
    return BINDING.bound.monitor.snapshot.unknown


def jobs(ask: Ask) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask("GET", "/jobs")["jobs"]
    return found


@each_fault
def test_a_submit_whose_answer_is_lost_returns_its_job(
    circuits: Notebook, ask: Ask, fault: dict[str, Any]
) -> None:
    spoil(ask, "POST", "/jobs", **fault)
    circuits.good(RUN, "result = job.result()")
    (only,) = jobs(ask)
    assert circuits["job"].job_id() == only["id"]
    assert circuits["result"][0].data.meas.get_counts() == {"1": 4096}
    circuits.good(RUN, "job.result()")
    assert len(jobs(ask)) == 2, "one job a call"


def test_a_retry_loop_never_pays_twice(circuits: Notebook, ask: Ask) -> None:
    spoil(ask, "POST", "/jobs", drop=True, after=True)
    spoil(ask, "GET", "/jobs", status=503, times=None)
    ran = circuits(RUN)
    assert isinstance(ran.error, OutcomeUnknown)
    assert "may have been accepted" in ran.sentence()
    assert "a minute" in ran.sentence(), "what that would cost"
    assert "service.jobs(job_tags=['qsession-" in ran.sentence(), "how to find out"
    again = circuits(RUN)
    assert "Nothing was sent again" in again.sentence()
    ask("DELETE", "/emulator/v1/faults")
    said = [circuits.good(RUN, "job.result()").out]

    def is_told() -> bool:
        # where the look in the background was first, its thread may come to say so after the cell
        told = "had been accepted, as job" in "".join(said)
        return told or bool(said.append(circuits("pass").out))

    wait_for(is_told, "the sentence")
    (only,) = jobs(ask)
    assert circuits["job"].job_id() == only["id"]
    assert submits.pending() == []


def test_what_became_of_a_submit_is_told_when_the_service_says(
    circuits: Notebook, ask: Ask
) -> None:
    spoil(ask, "POST", "/jobs", drop=True, after=True)
    spoil(ask, "GET", "/jobs", body="nulls", times=20)
    assert isinstance(circuits(RUN).error, OutcomeUnknown)
    assert unknown() == ("submit",), "the panel shows it"
    wait_for(lambda: "had been accepted" in circuits("pass").out, "the sentence")
    assert unknown() == (), "and no longer"
    assert len(jobs(ask)) == 1


@pytest.mark.parametrize("answers", [True, False], ids=["service answers", "service is silent"])
def test_a_job_whose_submit_is_interrupted_is_found_and_taken_up(
    circuits: Notebook, ask: Ask, answers: bool
) -> None:
    spoil(ask, "POST", "/jobs", delay=60.0, after=True)

    def interrupt() -> None:
        wait_for(lambda: len(jobs(ask)) == 1, "the job")
        if not answers:
            spoil(ask, "GET", "/jobs", status=503, times=None)
        os.kill(os.getpid(), signal.SIGINT)

    thread = Thread(target=interrupt)
    thread.start()
    ran = circuits(RUN)
    thread.join()
    assert isinstance(ran.error, KeyboardInterrupt)
    if not answers:
        assert "may have been accepted: the service is asked" in ran.said + circuits("pass").said
        ask("DELETE", "/emulator/v1/faults")
    found = circuits.good(RUN, "job.result()")
    (only,) = jobs(ask)
    assert circuits["job"].job_id() == only["id"]
    assert f"had been accepted, as job {only['id']}" in ran.said + found.said
    assert submits.pending() == []
    assert unknown() == ()


EIGHT = "sampler = SamplerV2()\nsampler.options.environment.job_tags = list('abcdefgh')"


@pytest.mark.parametrize("after", [True, False], ids=["accepted", "not accepted"])
def test_a_job_that_can_have_no_tag_of_ours_is_found_by_its_contents(
    circuits: Notebook, ask: Ask, after: bool
) -> None:
    circuits.good(EIGHT, "earlier = sampler.run([(measured,)])", "earlier.result()")
    sent = ask("GET", f"/jobs/{circuits['earlier'].job_id()}", params={"exclude_params": "false"})
    spoil(ask, "POST", "/jobs", drop=True, after=after, delay=1.0)
    # another program's, in the same session with the same tags, which asks for something else
    other = others_job(ask, {**sent, "params": {**sent["params"], "options": {"default_shots": 7}}})
    said = circuits.good("job = sampler.run([(measured,)])", "job.result()").out
    known = {circuits["earlier"].job_id(), other()}
    (mine,) = {job["id"] for job in jobs(ask)} - known
    assert circuits["job"].job_id() == mine
    assert (f"Job {mine} is taken for it" in said) == after


def test_jobs_that_cannot_be_told_from_one_without_a_tag_of_ours_are_named(
    circuits: Notebook, ask: Ask
) -> None:
    circuits.good(EIGHT, "earlier = sampler.run([(measured,)])", "earlier.result()")
    sent = ask("GET", f"/jobs/{circuits['earlier'].job_id()}", params={"exclude_params": "false"})
    spoil(ask, "POST", "/jobs", drop=True, after=True, delay=1.0)
    other = others_job(ask, sent)
    run = "job = sampler.run([(measured,)])"
    first, second = circuits(run).sentence(), circuits(run).sentence()
    assert "a minute" in first, "what that would cost"
    for said in (first, second):
        assert "Nothing was sent again: service.job('" in said
        assert other() in said
    assert len(jobs(ask)) == 3, "the earlier, the other, and the one that was accepted"


def others_job(ask: Ask, like: dict[str, Any]) -> Callable[[], str]:
    """Send a job as another program while a fault holds up a request; gives its id."""
    body = {name: like[name] for name in ("backend", "params", "session_id", "tags")}
    found: list[str] = []

    def work() -> None:
        wait_for(lambda: not ask("GET", "/emulator/v1/faults")["faults"], "the request")
        found.append(ask("POST", "/jobs", json={"program_id": like["program"]["id"], **body})["id"])

    thread = Thread(target=work)
    thread.start()

    def job_id() -> str:
        thread.join()
        return found[0]

    return job_id


def test_a_job_is_found_that_was_accepted_while_its_kernel_died(
    notebook: Notebook, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ada/killed.ipynb")
    with running_kernel() as kernel:
        kernel.run(f"%load_ext qsession_widgets\n{CIRCUITS}")
        kernel.run(f"%%session --service local --backend aer\n{RUN}\njob.result()")
        assert submits.pending() == [], "the outcome of the first is known"
        spoil(ask, "POST", "/jobs", delay=60.0, after=True)
        kernel.start(RUN)
        wait_for(lambda: len(jobs(ask)) == 2, "the job")
        kernel.manager.signal_kernel(9)
        wait_for(lambda: not kernel.manager.is_alive(), "the kernel's end")
    (left,) = submits.pending()
    assert left.orphaned
    (job,) = ask("GET", "/jobs", params={"tags": left.tag})["jobs"]
    said = notebook.good("%%session --service local --backend aer", "pass").out
    assert f"ended while it sent a sampler job in {left.session_id}, which was accepted" in said
    assert f"service.job('{job['id']}') takes it up" in said
    assert submits.pending() == []
    assert "takes it up" not in notebook.good("%%session --another", "pass").out


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


def test_a_submit_that_is_refused_is_sent_once(circuits: Notebook, ask: Ask) -> None:
    spoil(ask, "POST", "/jobs", status=400, message="Not today.", times=None)
    assert "Could not submit the sampler job: Not today" in circuits(RUN).sentence()
    assert jobs(ask) == []


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


def meanwhile(ask: Ask, *sessions: dict[str, Any]) -> Callable[[], list[str]]:
    """Open sessions as another program while a fault holds up a request; gives their ids."""
    found: list[str] = []

    def work() -> None:
        wait_for(lambda: not ask("GET", "/emulator/v1/faults")["faults"], "the request")
        found.extend(ask("POST", "/sessions", json=fields)["id"] for fields in sessions)

    thread = Thread(target=work)
    thread.start()

    def ids() -> list[str]:
        thread.join()
        return found

    return ids


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


def test_jobs_that_do_not_carry_its_tag_are_left_alone(
    circuits: Notebook, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service, or what is before it, that does not know the filter lists other jobs, too."""
    ask("POST", "/emulator/v1/faults/queue", json={"paused": True})
    circuits.good(RUN, RUN)
    known = {job["id"] for job in jobs(ask)}
    listed = ServiceClient._list

    def unfiltered(self: ServiceClient, path: str, name: str, query: dict[str, Any]) -> Answer:
        return listed(self, path, name, {key: query[key] for key in query if key != "tags"})

    monkeypatch.setattr(ServiceClient, "_list", unfiltered)
    spoil(ask, "POST", "/jobs", **LOST["dropped"])
    circuits.good(RUN)
    states = {job["id"]: job["status"] for job in jobs(ask)}
    assert states.keys() == known | {circuits["job"].job_id()}
    assert set(states.values()) == {"Queued"}


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
