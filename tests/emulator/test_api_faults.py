"""Faults happen to whom they were meant for, as often as was asked, and to nobody else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from emulator.conftest import Api

from qsession_widgets.emulator.http.fault_injection import HTML

from ..support.waiting import wait_for

if TYPE_CHECKING:
    from qiskit_ibm_runtime import QiskitRuntimeService


def test_status_hits_the_next_calls_of_a_route(api: Api) -> None:
    api.fault(path="/sessions/*", method="GET", status=503, code=1999, times=2)
    session = api.open_session()
    assert api("GET", "/jobs").status_code == 200
    for _ in range(2):
        status, error = api.refused("GET", f"/sessions/{session}")
        assert (status, error["code"]) == (503, 1999)
    assert api.get(f"/sessions/{session}")["state"] == "open"
    assert api.get("/emulator/v1/faults")["faults"] == []


def test_client_retries_what_the_service_calls_temporary(
    api: Api, service: QiskitRuntimeService
) -> None:
    api.fault(path="/instances/usage", status=503, times=1)
    assert service.usage()["usage_consumed_seconds"] == 0


def test_answer_can_be_lost_after_the_request_took_effect(api: Api) -> None:
    api.fault(path="/sessions", method="POST", status=500, after=True)
    assert api.refused("POST", "/sessions", json={"mode": "batch", "backend": "aer"})[0] == 500
    assert len(api.get("/workloads")["workloads"]) == 1


def test_connection_is_dropped(api: Api) -> None:
    api.fault(path="/versions", drop=True)
    with pytest.raises(httpx.RemoteProtocolError):
        api("GET", "/versions")
    assert api("GET", "/versions").status_code == 200


def test_half_a_body(api: Api) -> None:
    api.fault(path="/versions", half=True)
    with pytest.raises(httpx.RemoteProtocolError):
        api("GET", "/versions")
    assert api("GET", "/versions").status_code == 200


@pytest.mark.parametrize(
    ("body", "answered"),
    [
        ("malformed", b'{"id":'),
        ("list", b"[]"),
        ("null", b"null"),
        ("empty", b""),
        ("html", HTML),
        ("object", b"{}"),
        ("number", b'{"id":' + b"9" * 5000 + b"}"),
    ],
)
def test_a_body_that_makes_no_sense(api: Api, body: str, answered: bytes) -> None:
    api.fault(path="/sessions", body=body)
    response = api("POST", "/sessions", json={"mode": "batch", "backend": "aer"})
    assert (response.status_code, response.content) == (200, answered)
    (opened,) = api.get("/workloads")["workloads"]
    api.fault(path="/sessions/*", method="PATCH", body=body)
    response = api("PATCH", f"/sessions/{opened['id']}", json={"accepting_jobs": False})
    assert (response.status_code, response.content) == (200, answered)
    assert api.get(f"/sessions/{opened['id']}")["state"] == "closed"


def test_a_truncated_body_is_whole_for_http(api: Api) -> None:
    whole = api("GET", "/versions").content
    api.fault(path="/versions", body="truncated")
    assert api("GET", "/versions").content == whole[: len(whole) // 2]


def test_each_value_of_an_answer_may_be_null(api: Api) -> None:
    session = api.open_session()
    api.fault(path="/workloads", body="nulls")
    (row,) = api.get("/workloads")["workloads"]
    assert (row["id"], row["usage_seconds"]) == (None, None)
    api.fault(path="/sessions/*", status=200, body="object")
    api("PATCH", f"/sessions/{session}", json={"accepting_jobs": False})
    assert api.get(f"/sessions/{session}")["accepting_jobs"], "it had no effect"


def test_an_error_may_say_when_to_ask_again_and_have_another_body(api: Api) -> None:
    api.fault(path="/versions", status=429, retry_after=7)
    response = api("GET", "/versions")
    assert (response.status_code, response.headers["retry-after"]) == (429, "7")
    assert response.json()["errors"][0]["code"] == 429
    api.fault(path="/versions", status=503, body="html")
    response = api("GET", "/versions")
    assert (response.status_code, response.content) == (503, HTML)
    assert response.headers["content-type"] == "text/html"


def test_an_answer_may_be_late_after_the_effect(api: Api) -> None:
    api.fault(path="/sessions", method="POST", delay=30, after=True)
    with pytest.raises(httpx.ReadTimeout):
        api("POST", "/sessions", json={"mode": "batch", "backend": "aer"}, timeout=0.5)
    assert len(api.get("/workloads")["workloads"]) == 1


@pytest.mark.parametrize("answer", [{"drop": True}, {"status": 504}], ids=str)
def test_the_effect_may_be_late_after_the_answer(api: Api, answer: dict[str, Any]) -> None:
    api.fault(path="/sessions", method="POST", late=0.5, **answer)
    try:
        assert api("POST", "/sessions", json={"mode": "batch", "backend": "aer"}).is_error
    except httpx.RemoteProtocolError:
        assert "drop" in answer
    assert api.get("/workloads")["workloads"] == []
    wait_for(lambda: len(api.get("/workloads")["workloads"]) == 1, "the effect")


def test_delay(api: Api) -> None:
    api.fault(path="/versions", delay=0.3)
    before = time.monotonic()
    assert api("GET", "/versions").status_code == 200
    assert time.monotonic() - before >= 0.3


def test_probability_is_repeatable(api: Api) -> None:
    def hits() -> list[int]:
        api.fault("/seed", seed=5)
        api.fault(path="/versions", status=500, times=None, probability=0.5)
        found = [api("GET", "/versions").status_code for _ in range(20)]
        api("DELETE", "/emulator/v1/faults")
        return found

    first = hits()
    assert set(first) == {200, 500}
    assert hits() == first


def test_one_fault_can_be_taken_back(api: Api) -> None:
    number = api.fault(path="/versions", status=500, times=None).json()["id"]
    assert api("GET", "/versions").status_code == 500
    assert api("DELETE", f"/emulator/v1/faults/{number}").status_code == 204
    assert api("GET", "/versions").status_code == 200
    assert api.refused("DELETE", f"/emulator/v1/faults/{number}")[0] == 404


def test_fault_that_does_nothing_is_refused(api: Api) -> None:
    assert api.refused("POST", "/emulator/v1/faults", json={"path": "/jobs"})[0] == 400
    for body in ({"advance": -1}, {"advance": float("1e300")}, {"back": 1}):
        assert api.refused("POST", "/emulator/v1/faults/clock", json=body)[0] == 400


def test_reset_forgets_everything(api: Api) -> None:
    api.fault("/queue", paused=True)
    session = api.open_session()
    job = api.submit(session_id=session)
    api.submit()
    api.reset()
    assert api.refused("GET", f"/jobs/{job}")[0] == 404
    assert api.refused("GET", f"/sessions/{session}")[0] == 404
    assert api.get("/workloads")["workloads"] == []
    assert api.wait(api.submit())["status"] == "Completed"
