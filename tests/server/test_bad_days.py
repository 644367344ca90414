"""The service is down, slow, or says no: what was known stays, marked, and nothing freezes."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from qsession_widgets.emulator.options import EmulatorOptions
from qsession_widgets.emulator.process import launcher
from qsession_widgets.emulator.process.connection_file import Connection
from qsession_widgets.server.health import SLOW

from .conftest import Service
from .running import Page, find

FAILURES: dict[str, tuple[dict[str, Any], str]] = {
    "401": ({"status": 401, "code": 1201}, "The service does not accept these credentials."),
    "429": ({"status": 429, "code": 1202}, "There are too many requests."),
    "500": ({"status": 500}, "The service answers with an error (500): it is asked again soon."),
    "down": ({"drop": True}, "The service cannot be reached."),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failing_service(page: Page, service: Service, failure: str) -> None:
    fault, sentence = FAILURES[failure]
    session = service.open()
    page.until_listed(session)
    service.fault(times=None, **fault)
    known = page.until_problem("local", sentence)
    assert known["problem_since"] >= known["answered_at"] - 5
    entry = find(page.overview(), session)
    assert entry is not None, "what was known stays"
    assert entry["snapshot"]["state"] == "open"
    assert entry["snapshot"]["problem"] == known["problem"]
    answer = page.command("local", session, "close")
    assert answer.status_code == 502
    # what answers with an error of its own, or not at all, may have closed it all the same
    unknown = "It is not known whether the request to close the session"
    beginning = unknown if failure in ("500", "down") else "Could not close the session: "
    assert answer.json()["message"].startswith(beginning)
    service.heal()
    page.until_service("local", lambda one: one["problem"] is None)
    if failure not in ("500", "down"):  # there the request is made again until it is known
        page.until_listed(session, problem=None)


def test_a_failing_service_is_asked_less_and_less(page: Page, service: Service) -> None:
    page.until_listed(service.open())
    service.fault(times=None, status=500)
    page.until_problem("local", FAILURES["500"][1])
    before = service.requests
    waited = threading.Event()
    waited.wait(3)
    page.overview()
    # it would be asked more than once a second if all were well
    assert service.requests - before <= 4


def test_a_slow_service_freezes_nothing(page: Page, service: Service) -> None:
    session = service.open()
    page.until_listed(session)
    service.fault(times=None, delay=1.2)
    page.until_problem("local", SLOW)
    entry = find(page.overview(), session)
    assert entry is not None
    assert entry["snapshot"]["problem"] == SLOW
    # it takes its time, and does it
    answer = page.command("local", session, "close")
    assert (answer.status_code, answer.json()["message"]) == (200, "Session closed.")
    service.heal()
    page.until_service("local", lambda one: one["problem"] is None)


def test_one_workload_that_is_gone_says_nothing_of_the_service(
    page: Page, service: Service
) -> None:
    gone, stays = service.open(), service.open()
    page.until_listed(gone)
    page.until_listed(stays)
    service.fault(times=None, path=f"/sessions/{gone}", status=404)
    page.until(lambda document: find(document, gone) is None)
    page.until_listed(stays, problem=None)


@pytest.fixture
def second(places: dict[str, str], page: Page) -> Iterator[Connection]:
    """Another emulator, beside the one with the usual name."""
    yield launcher.find_or_start(EmulatorOptions(workers=1, seed=1, speed=60), "second")
    launcher.stop("second")


def test_an_emulator_of_another_name_that_ends(page: Page, second: Connection) -> None:
    other = Service(second)
    with other.http:
        session = other.open()
        entry = page.until_listed(session, "local:second")
        assert entry["snapshot"]["service"]["speed"] == 60
        assert page.api("GET", f"workloads/local%3Asecond/{session}").status_code == 200
    launcher.stop("second")
    page.until_problem("local:second", "This emulator has ended")
    assert find(page.overview(), session) is not None
    refused = page.command("local:second", session, "close")
    assert refused.status_code == 409
    assert refused.json()["message"].startswith("This emulator has ended")
    # its sessions are there again when it is
    again = Service(launcher.find_or_start(EmulatorOptions(workers=1, seed=1, speed=60), "second"))
    with again.http:
        page.until_service("local:second", lambda one: one["problem"] is None)
        page.until_listed(session, "local:second")
        assert page.command("local:second", session, "close").status_code == 200


def test_an_emulator_that_is_killed(page: Page, second: Connection) -> None:
    other = Service(second)
    with other.http:
        session = other.open()
    page.until_listed(session, "local:second")
    os.kill(second.pid, signal.SIGKILL)
    page.until_problem("local:second", "The service cannot be reached.")
    assert page.command("local:second", session, "close").status_code == 502
