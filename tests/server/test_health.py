"""How long a service is left alone, which takes too long to be waited for."""

from __future__ import annotations

import pytest

from qsession_widgets.client.rest import Answer
from qsession_widgets.errors import ServiceError
from qsession_widgets.model import ServiceInfo
from qsession_widgets.monitoring.service_clock import ServiceClock
from qsession_widgets.server.health import BACKOFF, LONGEST_REST, Health


class Service:
    info = ServiceInfo("ibm", "IBM Quantum")
    clock = ServiceClock()


ANSWER = Answer({}, None, 0.0, 0.0)


@pytest.fixture
def health() -> Health:
    return Health(Service(), slow_after=8.0)


def fail(health: Health, **error: object) -> None:
    with health.asking():
        health.record(ServiceError("No.", **error))  # type: ignore[arg-type]


def test_what_the_service_asks_for_is_granted(health: Health) -> None:
    fail(health, status=429, retry_after=40.0)
    assert 30 < health.rest() <= 40
    fail(health, status=429, retry_after=86400.0)
    assert health.rest() <= LONGEST_REST


def test_each_failure_lengthens_the_rest(health: Health) -> None:
    rests = []
    for _ in range(12):
        fail(health, status=500)
        rests.append(health.rest())
    assert rests[0] <= 1.0
    assert BACKOFF["ibm"] - 5 < rests[-1] <= BACKOFF["ibm"]
    with health.asking():
        health.record(ANSWER)
    assert health.recovered
    assert health.problem is None
    fail(health, status=500)
    assert health.rest() <= 1.0


def test_what_concerns_one_workload_is_no_problem_of_the_service(health: Health) -> None:
    for status in (400, 404, 409):
        fail(health, status=status)
        assert health.problem is None
        assert health.rest() == 0


def test_refused_credentials_are_told_apart(health: Health) -> None:
    fail(health, status=401)
    assert health.refused
    fail(health, status=500)
    assert not health.refused
