"""Two hundred students at once, over TLS: everybody is served, and nobody by another's patience.

``make test-class`` runs it. Most students are light clients of the REST API; some are the real
client library, each in a process of its own.
"""

from __future__ import annotations

import asyncio
import csv
import os
import ssl
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from emulator.conftest import CIRCUIT
from support.certificates import Authority

from qsession_widgets.cli import main
from qsession_widgets.emulator.options import EmulatorOptions
from qsession_widgets.emulator.process import launcher
from qsession_widgets.emulator.process.connection_file import Connection
from qsession_widgets.emulator.process.listening import Listening

pytestmark = [pytest.mark.crowd, pytest.mark.timeout(300)]

NAME = "crowd"
LIGHT, REAL = 197, 3
JOBS = 2
GREEDY = 100
"""Jobs of the one who sends everything first."""

POLL = 4.0
"""Seconds between two looks of a light client at its jobs: all of them are on this machine, too."""

STUDENT = """
import sys
from qiskit import QuantumCircuit
from qiskit_ibm_runtime.executor_sampler import Sampler
from qsession_widgets import open_session

circuit = QuantumCircuit(1)
circuit.x(0)
circuit.measure_all()
with open_session("aer", service="class") as session:
    for _ in range(2):
        assert Sampler().run([circuit], shots=10).result()[0].data.meas.get_counts() == {"1": 10}
"""


@dataclass
class Student:
    """One light client, and what became of its jobs."""

    name: str
    http: httpx.AsyncClient
    jobs: list[str] = field(default_factory=list)

    async def ask(self, method: str, path: str, **rest: Any) -> Any:
        answer = await self.http.request(method, path, **rest)
        assert answer.status_code < 300, f"{self.name}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def come(self) -> None:
        found = await self.ask("POST", "/v3/resources/search", json={})
        (item,) = found["items"]
        self.http.headers["Service-CRN"] = item["crn"]

    async def submit(self, session: str | None = None) -> None:
        params = {"pubs": [[CIRCUIT, None, 10]], "version": 2}
        body = {"program_id": "sampler", "backend": "aer", "params": params}
        if session is not None:
            body["session_id"] = session
        self.jobs.append((await self.ask("POST", "/api/v1/jobs", json=body))["id"])

    async def wait(self) -> None:
        while True:
            listed = await self.ask("GET", "/api/v1/jobs?limit=200&exclude_params=true")
            jobs = listed["jobs"]
            # nobody is shown what is another's
            assert {job["id"] for job in jobs} == set(self.jobs)
            if all(job["status"] == "Completed" for job in jobs):
                return
            assert not [job for job in jobs if job["status"] in ("Failed", "Cancelled")]
            await asyncio.sleep(POLL)

    async def enter(self) -> str:
        """Open a session and send its jobs; returns its id."""
        opened = {"mode": "dedicated", "backend": "aer"}
        session = (await self.ask("POST", "/api/v1/sessions", json=opened))["id"]
        for _ in range(JOBS):
            await self.submit(session)
        return str(session)

    async def leave(self, session: str) -> None:
        """Wait for the jobs, and close their session."""
        await self.wait()
        await self.ask("DELETE", f"/api/v1/sessions/{session}/close")

    async def finished(self) -> list[float]:
        metrics = [await self.ask("GET", f"/api/v1/jobs/{one}/metrics") for one in self.jobs]
        return sorted(_seconds(one["timestamps"]["finished"]) for one in metrics)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("crowd"))


@pytest.fixture(scope="module")
def crowd(authority: Authority) -> Iterator[Connection]:
    certificate, key = authority.sign()
    where = Listening(tls_cert=certificate, tls_key=key).checked()
    options = EmulatorOptions(workers=2, lanes=2, seed=1, faults=True)
    yield launcher.find_or_start(options, NAME, listening=where)
    launcher.stop(NAME)


def test_two_hundred_students_are_served_fairly(
    crowd: Connection, authority: Authority, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "keys.csv"
    words = ["invite", "--name", NAME, "--count", str(LIGHT + REAL), "--csv", str(file)]
    assert main(["emulator", *words]) == 0
    with file.open(newline="", encoding="utf-8") as opened:
        keys = {row["name"]: row["key"] for row in csv.DictReader(opened)}
    names = list(keys)
    real = [_real(crowd, authority, keys[name], tmp_path / name) for name in names[LIGHT:]]
    greedy, others = asyncio.run(_lesson(crowd, authority, names[:LIGHT], keys))
    for process in real:
        said = process.communicate(timeout=120)[0]
        assert process.returncode == 0, said
    means = sorted(statistics.mean(one) for one in others)
    before = sum(one[0] < greedy[-1] for one in others) / len(others)
    with capsys.disabled():
        print(
            f"\n{len(others)} light and {REAL} real clients with {JOBS} jobs each, sent behind "
            f"{GREEDY} of one: mean time to a result {means[0]:.1f} s (shortest), "
            f"{statistics.median(means):.1f} s (median), {means[-1]:.1f} s (longest), "
            f"{greedy[-1]:.1f} s until the last of the {GREEDY}; {before:.0%} had a result before."
        )
    # in the order they were sent, nobody would have one before
    assert before > 0.5
    assert means[-1] < 3 * statistics.median(means)


async def _lesson(
    crowd: Connection, authority: Authority, names: list[str], keys: dict[str, str]
) -> tuple[list[float], list[list[float]]]:
    """Seconds from the start of the queue to each result: of the greedy one, and of each other."""
    context = ssl.create_default_context(cafile=str(authority.file))
    students = [
        Student(
            name,
            httpx.AsyncClient(
                base_url=crowd.public_url,
                headers={"Authorization": f"apikey {keys[name]}"},
                verify=context,
                timeout=120,
            ),
        )
        for name in names
    ]
    try:
        await asyncio.gather(*(student.come() for student in students))
        greedy, *rest = students
        crowd.request("POST", "/emulator/v1/faults/queue", body={"paused": True})
        for _ in range(GREEDY):
            await greedy.submit()
        sessions = await asyncio.gather(*(student.enter() for student in rest))
        crowd.request("POST", "/emulator/v1/faults/queue", body={"paused": False})
        start = crowd.status()["now"]
        leaving = [student.leave(session) for student, session in zip(rest, sessions, strict=True)]
        await asyncio.gather(greedy.wait(), *leaving)
        finished = [await student.finished() for student in students]
        first, *others = [[at - start for at in one] for one in finished]
        return first, others
    finally:
        for student in students:
            await student.http.aclose()


def _real(crowd: Connection, authority: Authority, key: str, home: Path) -> subprocess.Popen[str]:
    """The real client library, in a process and a home of its own, after joining."""

    variables = {**os.environ, "JUPYTER_DATA_DIR": str(home)}
    join = "import sys; from qsession_widgets.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", join, "join", crowd.public_url, "--ca", str(authority.file)]
    subprocess.run(command, input=key, text=True, env=variables, check=True, capture_output=True)
    return subprocess.Popen(
        [sys.executable, "-c", STUDENT],
        env=variables,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
