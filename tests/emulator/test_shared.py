"""Several users of one emulator: none of them waits for what another one simulates."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from emulator.conftest import Api
from engine import jobs
from qiskit import QuantumCircuit

from qsession_widgets.emulator.options import EmulatorOptions
from qsession_widgets.emulator.process import launcher
from qsession_widgets.emulator.process.connection_file import Connection

DEVICE = "fake_algiers"


@pytest.fixture(scope="module")
def shared() -> Iterator[Connection]:
    options = EmulatorOptions(
        instances=(("alice", "premium"), ("bob", "premium")), workers=2, job_limit=120
    )
    yield launcher.find_or_start(options, "shared")
    launcher.stop("shared")


@pytest.fixture
def users(shared: Connection) -> Iterator[tuple[Api, Api]]:
    made = Api(shared, "alice"), Api(shared, "bob")
    yield made
    for user in made:
        user.http.close()


def heavy() -> dict[str, object]:
    """The parameters of a job of many minutes."""
    circuit = QuantumCircuit(27, 13)
    for _ in range(20):
        for first in range(12):
            circuit.sx(first)
        for a, b in [(0, 1), (1, 2), (2, 3), (3, 5), (5, 8), (8, 11), (11, 14)]:
            circuit.cx(a, b)
        circuit.measure(0, 0)
    circuit.measure(range(13), range(13))
    params: dict[str, object] = json.loads(jobs.sampler_params([(circuit, None, 500_000)]))
    return params


def status(user: Api, job_id: str) -> str:
    return str(user.get(f"/jobs/{job_id}", exclude_params=True)["status"])


def test_a_light_job_runs_beside_another_users_heavy_ones(users: tuple[Api, Api]) -> None:
    alice, bob = users
    mine = [alice.submit(DEVICE, params=heavy()) for _ in range(2)]
    mine.append(alice.submit("aer", params=heavy()))
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    light = json.loads(jobs.sampler_params([(circuit, None, 10)]))
    try:
        for backend in (DEVICE, "aer"):
            assert bob.wait(bob.submit(backend, params=light))["status"] == "Completed"
        session = bob.open_session(DEVICE)
        job = bob.submit(DEVICE, params=light, session_id=session)
        assert bob.wait(job)["status"] == "Completed"
        assert status(alice, mine[0]) == "Running"
        # on a device she has one lane; the simulator has as many as she has jobs
        assert status(alice, mine[1]) == "Queued"
    finally:
        for job in mine:
            alice("POST", f"/jobs/{job}/cancel")
        bob("DELETE", f"/sessions/{session}/close")
