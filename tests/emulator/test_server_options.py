"""Options of an emulator at work: timeouts, clocks, queues, lanes and quotas."""

from __future__ import annotations

import json
import time
from datetime import datetime
from email.utils import parsedate_to_datetime

import pytest
from emulator.conftest import Connect

from qsession_widgets.emulator.options import EmulatorOptions
from qsession_widgets.emulator.process import launcher

from ..support.waiting import wait_for

pytestmark = pytest.mark.usefixtures("place")


def test_timeouts_and_times_as_asked_for(connect: Connect) -> None:
    options = EmulatorOptions(
        workers=1, ittl=7, max_ttl=120, speed=0, job_time="device", faults=True, queue="30", seed=3
    )
    api = connect(launcher.find_or_start(options))
    session = api.open_session("fake_manila")
    answer = api.get(f"/sessions/{session}")
    assert (answer["interactive_ttl"], answer["max_ttl"]) == (7, 120)
    assert api.refused("POST", "/sessions", json={"backend": "aer", "max_ttl": 121})[0] == 400

    job = api.submit("fake_manila", session_id=session)
    created = api.get(f"/jobs/{job}")
    assert created["status"] == "Queued"
    api.advance(29)
    assert api.get(f"/jobs/{job}")["status"] == "Queued"
    assert len(api.get("/emulator/v1/queue/fake_manila")["others"]) > 1
    api.advance(2)
    # it has its turn now, and takes what a device would take
    wait_for(lambda: api.get(f"/jobs/{job}")["status"] == "Running")
    api.advance(1)
    assert api.get(f"/jobs/{job}")["status"] == "Running"
    api.advance(3)
    assert api.wait(job)["usage"]["qpu_charge_time_seconds"] == pytest.approx(2.004, abs=0.001)
    assert api.get("/emulator/v1/status")["queue"] == "30"


def test_quota_that_is_used_up_lets_no_job_in(connect: Connect) -> None:
    options = EmulatorOptions(workers=1, quota=90, speed=0, faults=True)
    api = connect(launcher.find_or_start(options))
    session = api.open_session("fake_manila")
    api.wait(api.submit("fake_manila", session_id=session))
    api.advance(50)
    api.wait(api.submit("fake_manila", session_id=session))
    usage = api.get("/instances/usage")
    assert (usage["usage_consumed_seconds"], usage["usage_limit_reached"]) == (50, False)
    api.advance(40)
    assert api.get("/instances/usage")["usage_limit_reached"] is True
    assert api.get("/instance")["usage_allocation_seconds"] == "90"
    body = {"program_id": "sampler", "backend": "aer", "params": {}}
    for where in ({}, {"session_id": session, "backend": "fake_manila"}):
        status, error = api.refused("POST", "/jobs", json={**body, **where})
        assert status == 409
        assert "Usage exceeds instance limit" in error["message"]
    # what was used four weeks ago does not count any more
    api.advance(29 * 86400)
    assert api.wait(api.submit())["status"] == "Completed"


def test_lanes_are_how_many_jobs_a_device_runs_at_once(connect: Connect) -> None:
    options = EmulatorOptions(workers=1, lanes=2, speed=0, job_time="device", faults=True)
    api = connect(launcher.find_or_start(options))
    jobs = [api.submit("fake_manila") for _ in range(3)]
    statuses = [api.get(f"/jobs/{job}")["status"] for job in jobs]
    assert statuses == ["Running", "Running", "Queued"]


def test_the_device_time_of_a_running_job_is_told_while_it_runs(connect: Connect) -> None:
    options = EmulatorOptions(workers=1, speed=0, job_time="device", faults=True)
    api = connect(launcher.find_or_start(options))
    session = api.open_session()
    job = api.submit(session_id=session)
    wait_for(lambda: api.get(f"/sessions/{session}")["emulator"]["running_device_seconds"])
    told = api.get(f"/sessions/{session}")["emulator"]
    # ten executions
    assert told["running_device_seconds"] == pytest.approx(2.0035, abs=1e-3)
    assert told["device_seconds"] == 0
    api.advance(3)
    assert api.wait(job)["emulator"]["device_seconds"] == told["running_device_seconds"]
    told = api.get(f"/sessions/{session}")["emulator"]
    assert (told["running_device_seconds"], told["busy_since"]) == (None, None)


def test_fast_clock_is_fast_everywhere(connect: Connect) -> None:
    api = connect(launcher.find_or_start(EmulatorOptions(workers=1, speed=600)))
    session = api.open_session()
    job = api.wait(api.submit(session_id=session))
    assert job["status"] == "Completed"
    wait_for(lambda: api.get(f"/sessions/{session}")["state"] == "inactive")
    # a tenth of a second later, and exactly when a minute was over
    entered = {
        entry["status"]: datetime.fromisoformat(entry["timestamp"].replace("Z", "+00:00"))
        for entry in api.get(f"/sessions/{session}")["timestamps"]
    }
    completed = api.get(f"/sessions/{session}")["last_job_completed"]
    completed = datetime.fromisoformat(completed.replace("Z", "+00:00"))
    assert (entered["inactive"] - completed).total_seconds() == pytest.approx(60, abs=0.002)
    assert api.get(f"/jobs?session_id={session}")["count"] == 1
    date = parsedate_to_datetime(api("GET", "/versions").headers["date"]).timestamp()
    assert date - time.time() > 60


def test_options_survive_the_command_line() -> None:
    from qsession_widgets.emulator.options import parse

    options = EmulatorOptions(
        plan="open",
        instances=(("a", "premium"), ("b", "open")),
        ittl=5,
        max_ttl=100.5,
        speed=60,
        job_time="device",
        queue="wait=5",
        lanes=2,
        workers=3,
        memory=0.5,
        cluster="tcp://127.0.0.1:8786",
        seed=4,
        faults=True,
        idle_exit=0,
    )
    assert parse(options.arguments()) == options
    assert EmulatorOptions.from_json(json.loads(json.dumps(options.to_json()))) == options
    assert EmulatorOptions().arguments() == []
