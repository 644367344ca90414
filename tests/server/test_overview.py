"""What a page is told: everything that is open, at once when it changes, for the price of one."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest
from panel import states

from qsession_widgets.model import SessionSnapshot, usage
from qsession_widgets.registry.history import history
from qsession_widgets.server.serializers import to_json

from ..support.waiting import wait_for
from .conftest import QUOTA, Service
from .running import Page, find


def test_what_is_open_is_listed_without_a_kernel(page: Page, service: Service) -> None:
    session, batch = service.open(), service.open("batch")
    entry = page.until_listed(session)
    assert entry["opened_by"] is None
    assert entry["events"] == []
    assert page.until_listed(batch)["snapshot"]["mode"] == "batch"
    snapshot = SessionSnapshot.from_json(entry["snapshot"])
    assert (snapshot.state, snapshot.backend, snapshot.service.kind) == ("open", "aer", "local")
    local = page.until_service("local", lambda one: one["problem"] is None)
    assert local["info"]["label"] == snapshot.service.label
    assert local["answered_at"] == pytest.approx(snapshot.answered_at, abs=60)
    local = page.until_service("local", lambda one: one["quota_left"] is not None)
    assert 0 < local["quota_left"] <= QUOTA


def test_a_page_that_waits_is_told_of_a_change(page: Page, service: Service) -> None:
    session = service.open()
    page.until_listed(session)
    document = page.overview()
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(page.overview, document["revision"], 25)
        service.submit(session)
        told = waiting.result()
    assert told["revision"] > document["revision"]
    done = page.until_listed(session, counts=counts(done=1))
    (job,) = done["snapshot"]["jobs"]
    assert job["status"] == "done"
    # of the emulator's jobs the time that a device would take for them, as the kernel says it
    assert job["qpu_seconds"] == job["device_seconds"] > 2


def test_nothing_new_is_said_as_such(page: Page, service: Service) -> None:
    page.until_listed(service.open())
    document = page.overview()
    while (again := page.overview(document["revision"], 2.5))["revision"] != document["revision"]:
        # its kernel, or the one before, was still settling
        document = again
    assert [entry["snapshot"]["session_id"] for entry in again["workloads"]] == [
        entry["snapshot"]["session_id"] for entry in document["workloads"]
    ]
    assert again["now"] > document["now"]


def test_closed_today_is_listed_with_its_usage(page: Page, service: Service) -> None:
    session = service.open()
    service.submit(session)
    page.until_listed(session, state="active", counts=counts(done=1))
    service("PATCH", f"/sessions/{session}", json={"accepting_jobs": False})
    snapshot = page.until_listed(session, state="closed", usage_final=True)["snapshot"]
    assert snapshot["usage_seconds"] > 0
    assert snapshot["closed_at"] is not None
    fresh = service.open()
    document = page.until(lambda document: find(document, fresh))
    listed = [entry["snapshot"]["session_id"] for entry in document["workloads"]]
    assert listed.index(fresh) < listed.index(session), "what is open comes first"


def test_closed_yesterday_is_not_listed_and_counts_in_the_sums(
    page: Page, service: Service
) -> None:
    """And a service whose clock is far from this machine's is taken by its own clock."""
    session = service.open()
    service.submit(session)
    page.until_listed(session, counts=counts(done=1))
    service("PATCH", f"/sessions/{session}", json={"accepting_jobs": False})
    told = page.until_listed(session, state="closed", usage_final=True)["snapshot"]
    snapshot = SessionSnapshot.from_json({**told, "jobs": []})
    cost = usage(snapshot, snapshot.closed_at or 0.0).cost
    assert cost
    wait_for(lambda: session in history(), "its record")
    begun = time.time()
    service.fault("/clock", advance=25 * 3600)
    document = page.until(lambda document: find(document, session) is None and document["spent"])
    (entry,) = [entry for entry in document["spent"] if entry[1] == pytest.approx(cost, abs=1e-6)]
    # by this machine's clock it was just now
    assert entry[0] == pytest.approx(begun, abs=120)
    assert entry[2] is False
    # the history has it, and forgets it for good when it is told to
    rows = page.api("GET", "history").json()["sessions"]
    (row,) = [row for row in rows if row["snapshot"]["session_id"] == session]
    assert (row["at"], row["snapshot"]["counts"]["done"]) == (entry[0], 1)
    listed = service.open()
    service("PATCH", f"/sessions/{listed}", json={"accepting_jobs": False})
    wait_for(lambda: page.until_listed(listed, state="closed") and listed in history(), "another")
    assert page.api("DELETE", "history").json()["deleted"] == len(rows) + 1
    page.until(lambda document: document["spent"] == [] and find(document, listed))
    assert page.api("GET", "history").json() == {"sessions": []}
    fresh = service.open()
    opened = page.until_listed(fresh)["snapshot"]["opened_at"]
    ahead = page.until_service("local", lambda one: one["clock_offset"] > 24 * 3600)
    now = page.overview()["now"] + ahead["clock_offset"]
    # the service's clock is known from its answers, to the second
    assert -2 <= now - opened < 600


def test_one_workload_with_all_its_jobs(page: Page, service: Service) -> None:
    session = service.open()
    service.fault("/queue", paused=True)
    jobs = {service.submit(session) for _ in range(23)}
    entry = page.until_listed(session, counts=counts(queued=23))
    assert len(entry["snapshot"]["jobs"]) == 20
    answer = page.api("GET", f"workloads/local/{session}")
    assert {job["id"] for job in answer.json()["snapshot"]["jobs"]} == jobs
    assert page.api("GET", "workloads/local/nobody").status_code == 404
    assert page.api("GET", f"workloads/local%3Anone/{session}").status_code == 404


def test_fifty_pages_cost_the_service_no_more_than_one(page: Page, service: Service) -> None:
    session = service.open()
    page.until_listed(session)

    def requests_per_second(pages: int) -> float:
        """Measured until four requests came, while so many pages wait to be told something new."""
        enough = threading.Event()

        def look_on() -> None:
            document = page.overview()
            while not enough.is_set():
                document = page.overview(document["revision"], 2.5)
                assert find(document, session)

        with ThreadPoolExecutor(pages) as pool:
            watching = [pool.submit(look_on) for _ in range(pages)]
            begun, before, came, counted = time.monotonic(), service.requests, 0, 0
            try:
                while came < 4:
                    assert time.monotonic() - begun < 60, "nobody asks"
                    enough.wait(0.2)
                    counted += 1
                    # each look at the count is a request itself
                    came = service.requests - before - counted
                rate = came / (time.monotonic() - begun)
            finally:
                enough.set()
            for looker in watching:
                looker.result()
        return rate

    assert requests_per_second(50) < 3 * requests_per_second(1)


def test_twenty_sessions_more_cost_the_service_little_more_than_five(
    page: Page, service: Service
) -> None:
    def requests_per_second() -> float:
        """Measured until 60 requests came, while a page looks on."""
        begun, before, came, counted = time.monotonic(), service.requests, 0, 0
        while came < 60:
            assert time.monotonic() - begun < 60, "nobody asks"
            page.overview()
            counted += 1
            # each look at the count is a request itself
            came = service.requests - before - counted
        return came / (time.monotonic() - begun)

    for session in [service.open() for _ in range(5)]:
        page.until_listed(session)
    few = requests_per_second()
    for session in [service.open() for _ in range(20)]:
        page.until_listed(session)
    # by their number it would be at least twice as many where ten were open, five times where five
    assert requests_per_second() < 1.8 * few


def test_nobody_is_asked_when_no_page_asks(page: Page, service: Service) -> None:
    page.until_listed(service.open())

    def leave_while_waiting() -> None:
        """What a page does that is closed: it asks again after each answer, until it is gone."""
        query = {"since": page.overview()["revision"], "wait": 25}
        while True:
            answer = page.api("GET", "overview", params=query, timeout=0.7)
            query["since"] = answer.json()["revision"]

    with pytest.raises(httpx.ReadTimeout):
        leave_while_waiting()
    quiet = threading.Event()
    for _ in range(15):
        before = service.requests
        # longer than the longest pause between two questions
        quiet.wait(2.5)
        if service.requests == before + 1:
            return
    raise AssertionError("The service is still asked.")


def test_what_a_page_asks_for_must_make_sense(page: Page) -> None:
    for query in ({"since": "yesterday"}, {"since": "1", "wait": "long"}, {"wait": "nan"}):
        answer = page.api("GET", "overview", params=query)
        assert answer.status_code == 400
        assert answer.json()["message"].endswith(".")


def counts(**known: int) -> dict[str, int]:
    return {**dict.fromkeys(("queued", "running", "done", "cancelled", "failed"), 0), **known}


def test_a_session_that_waits_names_the_session_it_waits_for(page: Page, service: Service) -> None:
    body = {"mode": "dedicated", "backend": "fake_manila"}
    first, second = (service("POST", "/sessions", json=body)["id"] for _ in range(2))
    service.submit(first, "fake_manila")
    page.until_listed(first, state="active")
    service.submit(second, "fake_manila")
    waiting = find(
        page.until(lambda d: (e := find(d, second)) and e["snapshot"]["blocker"]), second
    )
    assert waiting is not None
    assert waiting["snapshot"]["blocker"]["session_id"] == first
    active = find(page.overview(), first)
    assert active is not None
    assert active["snapshot"]["blocker"] is None
    for session_id in (first, second):
        service("DELETE", f"/sessions/{session_id}/close")


def test_the_qpu_time_of_jobs_that_are_left_out_is_told_with_those_that_are_named() -> None:
    jobs = tuple(states.job("done", i, i + 0.5, i + 0.9, qpu_seconds=0.25) for i in range(30))
    stray = states.job("done", 0.0, 0.5, 0.9, qpu_seconds=9.0, stray=True)
    told = to_json(replace(states.batch(), jobs=(stray, *jobs)))
    assert len(told["jobs"]) == 20
    assert told["earlier_qpu"] == 2.5
