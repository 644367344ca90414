"""A command reaches the service at once, whatever becomes of the monitor's own questions."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from qsession_widgets.client.rest import ServiceClient
from qsession_widgets.errors import UserError
from qsession_widgets.model import EndResult, ServiceInfo, SessionSnapshot
from qsession_widgets.monitoring import commands
from qsession_widgets.monitoring.monitor import Monitor
from qsession_widgets.monitoring.poller import SessionPoller

from ..support.waiting import wait_for

IBM = ServiceInfo("ibm", "IBM Quantum", "premium", 1.6)
DEADLINE = 60.0


class Service:
    """A session over HTTP, whose questions may hang and whose commands never do."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {"id": "s", "state": "active", "accepting_jobs": True}
        self.jobs: list[dict[str, Any]] = []
        self.free = threading.Event()
        self.free.set()
        self.hanging = threading.Semaphore(0)
        self.commands: list[str] = []
        self.refuses = 0
        service = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                """Say nothing."""

            def do_GET(self) -> None:
                jobs = {"jobs": service.jobs, "count": len(service.jobs)}
                data = jobs if "/jobs" in self.path else service.fields
                # what hangs was answered when it came in, and is old when it arrives
                body = json.dumps(data).encode()
                if not service.free.is_set():
                    service.hanging.release()
                    service.free.wait(DEADLINE)
                self.answer(200, body)

            def do_PATCH(self) -> None:
                service.commands.append(self.path)
                if not service.refuses:
                    service.fields = {"id": "s", "state": "closed", "accepting_jobs": False}
                self.answer(service.refuses or 204, b"")

            def answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def client(self) -> ServiceClient:
        return ServiceClient.with_key(f"http://127.0.0.1:{self.server.server_port}", "key", "crn")

    def close(self) -> None:
        self.free.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


@pytest.fixture
def monitor(service: Service) -> Iterator[Monitor]:
    client = service.client()
    monitor = Monitor(SessionPoller(client, "s", IBM))
    yield monitor
    service.free.set()
    monitor.stop()
    wait_for(lambda: not threads())
    client.close()


def threads() -> list[threading.Thread]:
    names = ("qsession-monitor-s", "qsession-look-s")
    return [thread for thread in threading.enumerate() if thread.name in names]


def test_a_close_does_not_wait_for_a_poll_that_hangs(
    service: Service, monitor: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "TIMEOUT", 0.1)
    service.free.clear()
    poll = threading.Thread(target=monitor.poll)
    poll.start()
    assert service.hanging.acquire(timeout=DEADLINE)
    result = monitor.command("close")
    assert service.commands == ["/sessions/s"]
    assert poll.is_alive(), "the poll still hangs"
    assert result == EndResult("accepted", "close")
    known = monitor.snapshot
    assert (known.state, known.accepting_jobs) == ("active", False), "what was acknowledged"
    heard: list[bool] = []
    monitor.subscribe(lambda snapshot: heard.append(snapshot.accepting_jobs))
    service.free.set()
    poll.join(DEADLINE)
    wait_for(lambda: monitor.snapshot.state == "closed")
    assert not any(heard), "an answer from before the close opens nothing again"


def test_a_close_tells_what_the_service_says_then(service: Service, monitor: Monitor) -> None:
    assert monitor.command("close") == EndResult("closed", "close")
    assert monitor.snapshot.state == "closed"


def test_a_second_close_makes_no_request(service: Service, monitor: Monitor) -> None:
    monitor.command("close")
    assert monitor.command("close") == EndResult("already_closed", "close")
    assert service.commands == ["/sessions/s"]


def test_a_poller_without_a_thread_is_closed_alike(service: Service) -> None:
    client = service.client()
    poller = SessionPoller(client, "s", IBM)
    assert commands.run(poller, "close") == EndResult("closed", "close")
    assert poller.snapshot.state == "closed"
    client.close()
    assert not threads()


def test_a_close_that_is_refused_is_said_and_changes_nothing(
    service: Service, monitor: Monitor
) -> None:
    service.refuses = 500
    with pytest.raises(UserError, match="Could not close the session"):
        monitor.command("close")
    assert monitor.snapshot.accepting_jobs


def test_a_job_whose_result_was_read_is_shown_as_done_before_a_poll_says_so(
    service: Service, monitor: Monitor
) -> None:
    service.jobs = [{"id": "j", "status": "Running", "created": "2026-01-01T00:00:00Z"}]
    monitor.poller.list_jobs()
    assert monitor.snapshot.pending()
    told: list[SessionSnapshot] = []
    monitor.subscribe(lambda snapshot: told.append(monitor.shown(snapshot)))
    monitor.result_read("j", {})
    wait_for(lambda: told)
    (job,) = told[-1].jobs
    assert job.status == "done"
    # the clock of the interactive timeout runs from the end of the job that is shown
    assert job.finished == told[-1].last_job_completed
    # what is counted, noted and told of a job is the service's
    monitor.poller.list_jobs()
    assert monitor.snapshot.jobs[0].status == "running"
    assert monitor.shown(monitor.snapshot).jobs == told[-1].jobs
    service.jobs[0] |= {"status": "Completed", "usage": {"quantum_seconds": 2}}
    monitor.poller.list_jobs()
    assert monitor.shown(monitor.snapshot) is monitor.snapshot
    assert monitor.snapshot.jobs[0].qpu_seconds == 2
