"""Closing and cancelling with no kernel involved: what was asked, what the service answered."""

from __future__ import annotations

import time

from .conftest import Service
from .running import Page, find
from .test_overview import counts


def test_close_lets_queued_jobs_run(page: Page, service: Service) -> None:
    session = service.open()
    service.fault("/queue", paused=True)
    service.submit(session)
    page.until_listed(session, counts=counts(queued=1))
    answer = page.command("local", session, "close")
    assert answer.status_code == 200
    body = answer.json()
    assert body["message"] == "Session closing: no more jobs are accepted; 1 job finishes first."
    assert (body["code"], body["finishing"]) == ("closing", 1)
    assert body["snapshot"]["accepting_jobs"] is False
    # what the answer says, the next overview says too
    known = find(page.overview(), session)
    assert known is not None
    assert known["snapshot"]["accepting_jobs"] is False
    service.fault("/queue", paused=False)
    page.until_listed(session, state="closed", counts=counts(done=1))


def test_cancel_takes_queued_jobs_along(page: Page, service: Service) -> None:
    session = service.open()
    service.fault("/queue", paused=True)
    service.submit(session)
    page.until_listed(session, counts=counts(queued=1))
    body = page.command("local", session, "cancel").json()
    assert body["message"] == "Session cancelled: 1 queued job cancelled."
    assert (body["code"], body["cancelled"]) == ("cancelled", 1)
    page.until_listed(session, state="closed", counts=counts(cancelled=1))
    assert service("GET", f"/sessions/{session}")["state_reason"] == "session_cancelled"


def test_one_job_is_cancelled_and_the_others_wait(page: Page, service: Service) -> None:
    session = service.open()
    service.fault("/queue", paused=True)
    unwanted, wanted = service.submit(session), service.submit(session)
    page.until_listed(session, counts=counts(queued=2))
    answer = page.command("local", session, "jobs", unwanted, "cancel")
    assert answer.json()["message"] == f"Job {unwanted} is cancelled."
    page.until_listed(session, counts=counts(queued=1, cancelled=1))
    # the service refuses, and a look tells that it is so
    again = page.command("local", session, "jobs", unwanted, "cancel")
    assert again.json()["message"] == answer.json()["message"]
    service.fault("/queue", paused=False)
    page.until_listed(session, counts=counts(done=1, cancelled=1))
    late = page.command("local", session, "jobs", wanted, "cancel")
    assert late.status_code == 409
    assert late.json()["message"].startswith(f"Could not cancel job {wanted}: ")
    unknown = page.command("local", session, "jobs", "nobody", "cancel")
    assert unknown.status_code == 404


def test_all_that_the_page_names_are_closed_and_nothing_else(page: Page, service: Service) -> None:
    named, unseen = [service.open(), service.open("batch")], service.open()
    ids = [["local", session] for session in named]
    answer = page.api("POST", "close-all", json={"ids": [*ids, ["local", "nobody"], ["ibm", "x"]]})
    results = answer.json()["results"]
    assert [result["ok"] for result in results] == [True, True, False, False]
    assert [result["id"] for result in results] == [*named, "nobody", "x"]
    assert results[2]["message"].startswith("There is no session or batch 'nobody' on ")
    for session in named:
        assert service("GET", f"/sessions/{session}")["state"] == "closed"
    assert service("GET", f"/sessions/{unseen}")["state"] == "open"


def test_all_must_be_named(page: Page) -> None:
    for body in (None, [], {"ids": "local"}, {"ids": [["local"]]}, {"ids": [["local", 1]]}):
        answer = page.api("POST", "close-all", json=body)
        assert answer.status_code == 400, body
        assert "Name what to close" in answer.json()["message"]
    deep = b'{"ids":' + b"[" * 2000 + b"]" * 2000 + b"}"
    assert page.api("POST", "close-all", content=deep).status_code == 400
    many = {"ids": [["local", str(number)] for number in range(201)]}
    assert page.api("POST", "close-all", json=many).status_code == 400


def test_what_was_closed_elsewhere_is_said_to_be(page: Page, service: Service) -> None:
    """A popover may still show a session that somebody else has closed."""
    session = service.open()
    page.until_listed(session)
    service("PATCH", f"/sessions/{session}", json={"accepting_jobs": False})
    answer = page.command("local", session, "close")
    assert answer.status_code == 200
    assert answer.json()["snapshot"]["state"] == "closed"
    again = page.command("local", session, "close")
    assert again.json()["message"] == "It is closed already."
    assert again.json()["code"] == "already_closed"


def test_what_is_not_there_is_not_found(page: Page, service: Service) -> None:
    session = service.open()
    for key, one in (("local", "nobody"), ("ibm", session), ("local:none", session)):
        answer = page.command(key, one, "close")
        assert answer.status_code == 404, (key, one)
        assert answer.json()["code"] == "not_found"
        assert answer.json()["message"].startswith("There is no ")
    assert page.command("local", session, "explode").status_code == 404
    assert service("GET", f"/sessions/{session}")["state"] == "open"


def test_the_service_refuses(page: Page, service: Service) -> None:
    session = service.open()
    page.until_listed(session)
    fault = {"method": "PATCH", "path": "/sessions/*", "times": None}
    service.fault(**fault, status=500, message="The pumps are down.")
    answer = page.command("local", session, "close")
    assert answer.status_code == 502
    assert answer.json()["message"].startswith("Could not close the session: The pumps are down.")
    known = find(page.overview(), session)
    assert known is not None
    assert known["snapshot"]["accepting_jobs"] is True, "nothing is claimed that was not done"


def test_the_walkthroughs_are_copied(page: Page) -> None:
    answer = page.api("POST", "tutorials")
    assert answer.status_code == 200, answer.text
    notebook = answer.json()["notebook"]
    assert notebook.startswith(answer.json()["path"] + "/01_")
    assert page.http.get(f"api/contents/{notebook}").json()["type"] == "notebook"


def test_a_form_gets_devices_and_the_cell_it_writes_and_opens_nothing(
    page: Page, service: Service
) -> None:
    page.until_service("local", lambda one: one["answered_at"] is not None)
    devices = page.api("GET", "services/local/devices").json()["devices"]
    (aer,) = [device for device in devices if device["name"] == "aer"]
    assert (aer["works"], aer["queue"]) == (True, 0)
    told = page.api("GET", "services/local/devices/fake_manila").json()
    assert 0 < told["calibrated"] < time.time()
    before = {one["id"] for one in service("GET", "/workloads")["workloads"]}
    wanted = {"backend": "fake_manila", "max_time": "1h 30m", "budget": "$20", "idle_close": ""}
    answer = page.api("POST", "services/local/cell", json=wanted)
    assert answer.json()["source"].splitlines()[0] == (
        "%%session --service local --backend fake_manila --max-time '1h 30m' --budget '$20'"
    )
    assert {one["id"] for one in service("GET", "/workloads")["workloads"]} == before
    refused = page.api("POST", "services/local/cell", json={**wanted, "max_time": "soon"})
    assert refused.status_code == 409
    assert "--max-time" in refused.json()["message"]
    for key, body in (("nowhere", wanted), ("local", [])):
        assert page.api("POST", f"services/{key}/cell", json=body).status_code == 400
    assert page.api("GET", "services/nowhere/devices").status_code == 404
