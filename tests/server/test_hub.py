"""One emulator for a JupyterHub: the configuration of the how-to page, and two users of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from ..browser.hub import Hub, free_port, running_hub
from ..support.waiting import wait_for

pytestmark = [pytest.mark.hub, pytest.mark.timeout(600)]

USERS = ("ana", "ben")

OPEN = """
%load_ext qsession_widgets
from qiskit import QuantumCircuit
from qiskit_ibm_runtime import SamplerV2
from qsession_widgets import open_session
import os
circuit = QuantumCircuit(1)
circuit.x(0)
circuit.measure_all()
with open_session("aer", max_time="10m", on_exit="leave") as session:
    job = SamplerV2().run([circuit], shots=10)
    assert job.result()[0].data.meas.get_counts() == {"1": 10}
print("FOUND", session.session_id, job.job_id(), os.environ["QISKIT_IBM_TOKEN"])
"""

LOOK = """
from qiskit_ibm_runtime import QiskitRuntimeService
from qsession_widgets import attach_session
service = QiskitRuntimeService()
print("JOBS", [job.job_id() for job in service.jobs()])
for look in (lambda: service.job({job!r}), lambda: attach_session({session!r})):
    try:
        look()
        print("SEEN")
    except Exception as error:
        print("REFUSED", str(error).splitlines()[0])
"""


@pytest.fixture(scope="module")
def address() -> str:
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("emulator")


@pytest.fixture(scope="module")
def hub(
    tmp_path_factory: pytest.TempPathFactory, repository: Path, address: str, data: Path
) -> Iterator[Hub]:
    """The page's configuration, with a port and a folder of the test's."""
    pytest.importorskip("jupyterhub")
    page = (repository / "docs/how-to/jupyterhub.md").read_text("utf-8")
    (shown,) = re.findall(r"```python\n(.*?)```", page, re.S)
    typed = shown.replace("8790", address.rpartition(":")[2]).replace("/srv/qsession", str(data))
    with pytest.MonkeyPatch.context() as patch:
        # the page's command is that of the environment of this test
        folder = Path(sys.executable).parent
        patch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        with running_hub(tmp_path_factory.mktemp("hub"), more=typed) as running:
            for user in USERS:
                running.ask("POST", f"/users/{user}")
                running.start(user)
            yield running


def qsession(data: Path, *words: str) -> list[dict[str, Any]]:
    """What a command of the administrator's prints, as JSON."""
    command = [str(Path(sys.executable).parent / "qsession"), *words, "--json"]
    kept = {k: v for k, v in os.environ.items() if not k.startswith("JUPYTER_")}
    environment = {**kept, "JUPYTER_DATA_DIR": str(data)}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in ran.stdout.splitlines()]


def status_of(address: str, key: str) -> int:
    grant = {"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "apikey": key}
    return httpx.post(f"{address}/identity/token", data=grant, trust_env=False).status_code


def test_each_user_of_a_hub_has_an_instance_alone(hub: Hub, address: str, data: Path) -> None:
    (connection,) = qsession(data, "emulator", "list")
    assert psutil.Process(connection["pid"]).memory_info().rss < 120 * 2**20
    ran = hub.run("ana", OPEN)
    assert "FOUND" in ran, ran
    session, job, token = ran.rpartition("FOUND ")[2].split()
    looked = hub.run("ben", LOOK.format(job=job, session=session))
    assert "JOBS []" in looked, looked
    assert looked.count("REFUSED") == 2, looked
    assert f"JOBS ['{job}']" in hub.run("ana", LOOK.format(job=job, session=session))
    listed = {user["name"]: user["jobs"] for user in qsession(data, "emulator", "users")}
    assert (listed["ana"], listed["ben"]) == (1, 0)
    # the instance of one, with the key of the other
    both = [hub.run(user, "import os; print(os.environ['QISKIT_IBM_TOKEN'])") for user in USERS]
    mine, other = (key.strip() for key in both)
    assert mine == token != other
    (identity,) = data.rglob("identity.json")
    crn = json.loads(identity.read_text())["invited"][0]["crn"]
    for key, expected in ((mine, 200), (other, 404)):
        headers = {"Authorization": f"apikey {key}", "Service-CRN": crn}
        found = httpx.get(f"{address}/api/v1/jobs", headers=headers, trust_env=False)
        assert found.status_code == expected, found.text


def test_tokens_that_may_not_use_it_are_no_keys(hub: Hub, address: str) -> None:
    narrow = {"scopes": ["read:users:name!user=ben"]}
    token = hub.ask("POST", "/users/ben/tokens", json=narrow).json()["token"]
    assert status_of(address, token) == 401
    assert status_of(address, "nobody") == 401


def test_a_key_ends_with_the_server_and_with_the_user(hub: Hub, address: str, data: Path) -> None:
    key = hub.run("ben", "import os; print(os.environ['QISKIT_IBM_TOKEN'])").strip()
    assert status_of(address, key) == 200
    hub.stop("ben")
    wait_for(lambda: status_of(address, key) == 401, "the end of the key")
    qsession(data, "emulator", "revoke", "ana")
    refused = hub.run("ana", LOOK.format(job="none", session="none"))
    assert "API key" in refused, refused
