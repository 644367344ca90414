"""Timeouts and maximum times over HTTP, on a clock that the test moves."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime

import pytest
from emulator.conftest import Api


def seconds(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def test_interactive_timeout_and_coming_back(still: Api) -> None:
    session = still.open_session("fake_manila")
    still.advance(100)
    still.wait(still.submit("fake_manila", session_id=session))
    still.advance(59)
    assert still.get(f"/sessions/{session}")["state"] == "active"
    still.advance(2)
    answer = still.get(f"/sessions/{session}")
    assert answer["state"] == "inactive"
    assert answer["state_reason"] == "session_inactivated_by_interactive_ttl"
    assert answer["elapsed_time"] == 60
    still.advance(1000)
    still.wait(still.submit("fake_manila", session_id=session))
    still.advance(30)
    answer = still.get(f"/sessions/{session}")
    assert answer["state"] == "active"
    assert answer["elapsed_time"] == 90
    assert [entry["status"] for entry in answer["timestamps"]] == [
        "open",
        "active",
        "inactive",
        "active",
    ]
    started, activated = seconds(answer["started_at"]), seconds(answer["activated_at"])
    assert activated - started == pytest.approx(1061, abs=0.01)
    assert answer["active_ttl"] == 28800 - 1061 - 30


def test_maximum_time_fails_what_is_queued(still: Api) -> None:
    session = still.open_session("fake_manila", max_ttl=600)
    still.wait(still.submit("fake_manila", session_id=session))
    still.advance(50)
    still.fault("/queue", paused=True)
    job = still.submit("fake_manila", session_id=session)
    still.advance(600)
    failed = still.wait(job)
    assert failed["state"]["status"] == "Failed"
    assert failed["state"]["reason_code"] == 1217
    answer = still.get(f"/sessions/{session}")
    assert answer["state"] == "closed"
    assert seconds(answer["closed_at"]) == pytest.approx(seconds(answer["started_at"]) + 600)
    assert answer["active_ttl"] == 0


def test_empty_session_closes_after_half_an_hour(still: Api) -> None:
    session = still.open_session()
    still.advance(1799)
    assert still.get(f"/sessions/{session}")["state"] == "open"
    still.advance(1)
    answer = still.get(f"/sessions/{session}")
    assert answer["state"] == "closed"
    assert answer["elapsed_time"] == 0
    assert answer["started_at"] is None


def test_dates_are_the_services(still: Api) -> None:
    now = still.advance(86400)
    date = still("GET", "/versions").headers["date"]
    assert parsedate_to_datetime(date).timestamp() == int(now)
    job = still.wait(still.submit())
    assert seconds(job["created"]) == pytest.approx(now, abs=0.001)


def test_job_that_runs_too_long_is_stopped_and_charged(still: Api) -> None:
    # 25 entangled qubits keep a worker busy for longer than the test needs
    circuit = 'OPENQASM 3.0; include "stdgates.inc"; qubit[25] q; bit[25] c; ry(0.3) q;'
    circuit += "".join(f"cx q[{n}], q[{n + 1}]; ry(0.{n + 1}) q;" for n in range(24)) * 4
    circuit += " c = measure q;"
    # its time counts from when a worker has it, so there shall be one that is ready
    still.wait(still.submit())
    job = still.submit(
        params={"pubs": [[circuit, None, 10_000]], "version": 2}, cost=20, tags=["long"]
    )
    assert still.get(f"/jobs/{job}")["status"] == "Running"
    still.advance(19)
    assert still.get(f"/jobs/{job}")["status"] == "Running"
    still.advance(2)
    answer = still.get(f"/jobs/{job}")
    assert answer["status"] == "Cancelled - Ran too long"
    # the client waits for ever on a state that it does not know
    assert answer["state"]["status"] == "Cancelled"
    assert answer["state"]["reason_code"] == 1305
    assert answer["cost"] == 20
    assert answer["usage"] == {"qpu_charge_time_seconds": 20, "status": "complete"}
    # its worker was ended, so the next job gets another
    assert still.wait(still.submit())["status"] == "Completed"


def test_longest_job_is_three_hours(still: Api) -> None:
    still.fault("/queue", paused=True)
    asked = still.submit(cost=100_000)
    assert still.get(f"/jobs/{asked}")["cost"] == 10800
    assert still.get(f"/jobs/{still.submit()}")["cost"] == 10800


def test_session_goes_before_strangers(still: Api) -> None:
    session = still.open_session("fake_manila")
    still.wait(still.submit("fake_manila", session_id=session))
    stranger = still.submit("fake_manila")
    own = still.submit("fake_manila", session_id=session)
    assert still.wait(own)["status"] == "Completed"
    assert still.get(f"/jobs/{stranger}")["status"] == "Queued"
    devices = {item["name"]: item for item in still.get("/backends", include_mocks=True)["devices"]}
    assert devices["fake_manila"]["queue_length"] == 1
    still.advance(61)
    assert still.wait(stranger)["status"] == "Completed"
    waits = still.get("/backends", fields="wait_time_seconds", include_mocks=True)["devices"]
    wait = next(item for item in waits if item["name"] == "fake_manila")["wait_time_seconds"]
    assert wait["p95"] >= wait["p50"] >= 0
    assert wait["average"] == pytest.approx(20, abs=1)
