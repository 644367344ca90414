"""Submits whose answer is lost: the job is found, and none is paid for twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest

from qsession_widgets.client.rest import Answer, ServiceClient
from qsession_widgets.errors import OutcomeUnknown
from qsession_widgets.registry import submits

from .cells import Notebook, wait_for
from .conftest import CIRCUITS
from .fresh import running_kernel
from .lost_answers import (
    LOST,
    RUN,
    Ask,
    each_fault,
    jobs,
    spoil,
    unknown,
)

pytestmark = pytest.mark.usefixtures("asked_soon")


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
        kernel.run(f"{EIGHT}\nearlier = sampler.run([(measured,)])\nearlier.result()")
        assert submits.pending() == [], "the outcome of the first is known"
        (earlier,) = ask("GET", "/jobs", params={"tags": "a"})["jobs"]
        spoil(ask, "POST", "/jobs", delay=60.0, after=True, times=2)
        beside = "threading.Thread(target=sampler.run, args=([(measured,)],)).start()"
        kernel.start(f"import threading\n{beside}\n{RUN}")
        wait_for(lambda: len(jobs(ask)) == 4, "the jobs")
        kernel.manager.signal_kernel(9)
        wait_for(lambda: not kernel.manager.is_alive(), "the kernel's end")
    left, eight = sorted(submits.pending(), key=lambda one: one.untagged is not None)
    assert left.orphaned
    assert eight.orphaned
    (job,) = ask("GET", "/jobs", params={"tags": left.tag})["jobs"]
    one, other = ask("GET", "/jobs", params={"tags": "a"})["jobs"]
    (found,) = {one["id"], other["id"]} - {earlier["id"]}
    # another program's, with the same tags at the same time, which asks for something else
    sent = ask("GET", f"/jobs/{found}", params={"exclude_params": "false"})
    others_job(ask, {**sent, "params": {**sent["params"], "options": {"default_shots": 7}}})()
    said = notebook.good("%%session --service local --backend aer", "pass").out
    assert f"ended while it sent a sampler job in {left.session_id}, which was accepted" in said
    assert f"service.job('{job['id']}') takes it up" in said
    assert f"with eight tags of yours: job {found} may be that one" in said
    assert submits.pending() == []
    assert "takes it up" not in notebook.good("%%session --another", "pass").out


def test_a_submit_that_is_refused_is_sent_once(circuits: Notebook, ask: Ask) -> None:
    spoil(ask, "POST", "/jobs", status=400, message="Not today.", times=None)
    assert "Could not submit the sampler job: Not today" in circuits(RUN).sentence()
    assert jobs(ask) == []


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
