"""The emulator as a process: found, started once, ended, killed, and back again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from emulator.conftest import QUICK, SERVER, Api, Connect
from filelock import Timeout

from qsession_widgets.emulator.options import EmulatorOptions
from qsession_widgets.emulator.process import connection_file, launcher
from qsession_widgets.emulator.process.connection_file import Connection, EmulatorError
from qsession_widgets.files import file_lock

from ..support.waiting import wait_for

pytestmark = pytest.mark.usefixtures("place")


def gone(pid: int) -> bool:
    """Whether a child of ours has ended."""
    launcher.find("nobody")  # asks after those that were started
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


# --------------------------------------------------------------------------------------------------
# Being found


def test_connection_file_is_its_owners(running: Connection) -> None:
    path = connection_file.connection_file()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(connection_file.log_file().stat().st_mode) == 0o600
    saved = json.loads(path.read_text())
    assert saved["url"].startswith("http://127.0.0.1:")
    assert saved["pid"] == running.pid
    assert stat.S_IMODE(Path(running.data, "identity.json").stat().st_mode) == 0o600
    # neither a log nor a printed connection gives the key away
    assert running.key not in repr(running)
    assert running.key not in connection_file.log_file().read_text()


def test_found_again_and_started_once(running: Connection) -> None:
    assert launcher.find() == running
    assert launcher.find_or_start() == running
    assert launcher.find_or_start(QUICK) == running
    assert launcher.find("another") is None


def test_two_kernels_at_once_start_one() -> None:
    found: list[Connection] = []

    def kernel() -> None:
        found.append(launcher.find_or_start(QUICK))

    kernels = [threading.Thread(target=kernel) for _ in range(4)]
    for thread in kernels:
        thread.start()
    for thread in kernels:
        thread.join(60)
    assert len(found) == 4
    assert len({connection.pid for connection in found}) == 1


def test_running_one_that_behaves_differently_is_not_taken(running: Connection) -> None:
    with pytest.raises(EmulatorError, match=r"running with --plan premium"):
        launcher.find_or_start(EmulatorOptions(plan="open", faults=True))


def test_file_of_a_killed_emulator_is_removed(running: Connection) -> None:
    os.kill(running.pid, signal.SIGKILL)
    wait_for(lambda: gone(running.pid))
    assert launcher.find() is None
    assert not connection_file.connection_file().exists()


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        b'HTTP/1.1 404 No\r\nContent-Length: 15\r\n\r\n{"errors": "x"}',
        b'HTTP/1.1 404 No\r\nContent-Length: 23\r\n\r\n{"errors": {"a": "no"}}',
    ],
)
def test_file_that_leads_to_somebody_else_is_removed(running: Connection, said: bytes) -> None:
    launcher.stop()
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer() -> None:
            connection, _ = other.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        stale = {**running.to_json(), "url": f"http://127.0.0.1:{other.getsockname()[1]}"}
        connection_file.connection_file().write_text(json.dumps(stale))
        assert launcher.find() is None
        thread.join(10)
    assert not connection_file.connection_file().exists()


def test_environment_names_everything_the_client_reads(
    running: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "example.org")
    variables = running.environment()
    assert variables["QISKIT_IBM_URL"].startswith(running.url)
    assert "experimental" in variables["QISKIT_IBM_URL"]
    assert variables["USAGE_DATA_OPT_OUT"] == "True"
    assert variables["NO_PROXY"] == "example.org,127.0.0.1"
    with pytest.raises(EmulatorError, match="no instance 'carol'"):
        running.environment("carol")


def test_looking_for_one_imports_nothing_heavy() -> None:
    code = (
        "import sys, qsession_widgets.emulator.process.launcher\n"
        "heavy = {'qiskit', 'qiskit_ibm_runtime', 'numpy', 'fastapi', 'pydantic', 'uvicorn'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_serving_imports_no_qiskit(running: Connection) -> None:
    code = (
        "import sys, qsession_widgets.emulator.process.server\n"
        "heavy = {'qiskit', 'qiskit_ibm_runtime', 'qiskit_aer', 'numpy'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


# --------------------------------------------------------------------------------------------------
# Ending


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_and_leaves_no_file(running: Connection, number: signal.Signals) -> None:
    os.kill(running.pid, number)
    wait_for(lambda: gone(running.pid))
    assert not connection_file.connection_file().exists()
    assert "Traceback" not in connection_file.log_file().read_text()


def test_interrupting_the_kernel_does_not_reach_it(running: Connection) -> None:
    assert os.getsid(running.pid) != os.getsid(0)


def test_it_ends_when_nothing_uses_it() -> None:
    connection = launcher.find_or_start(EmulatorOptions(workers=1, idle_exit=0.5))
    wait_for(lambda: not connection_file.connection_file().exists())
    wait_for(lambda: gone(connection.pid))


def test_it_ends_early_when_nobody_can_find_it_any_more() -> None:
    connection = launcher.find_or_start(EmulatorOptions(workers=1, idle_exit=45))
    shutil.rmtree(connection_file.connection_file().parent)
    wait_for(lambda: gone(connection.pid))


def test_it_stays_while_a_session_is_open(running: Connection, connect: Connect) -> None:
    session = connect(running).open_session()
    launcher.stop()
    api = connect(launcher.find_or_start(EmulatorOptions(workers=1, idle_exit=0.2)))
    # several times as long as it would stay without one
    before = time.monotonic()
    wait_for(lambda: time.monotonic() > before + 1.0)
    assert api.get(f"/sessions/{session}")["state"] == "open"
    api("DELETE", f"/sessions/{session}/close")
    wait_for(lambda: not connection_file.connection_file().exists())


def test_it_waits_from_the_end_of_what_used_it(connect: Connect) -> None:
    options = EmulatorOptions(workers=1, ittl=2, idle_exit=1)
    connection = launcher.find_or_start(options)
    api = connect(connection)
    session = api.open_session()
    assert api.wait(api.submit(session_id=session))["status"] == "Completed"
    # the session is active for two more seconds in which nobody asks for anything
    wait_for(lambda: gone(connection.pid))
    ended = time.time()
    api = connect(launcher.find_or_start(replace(options, idle_exit=60)))
    (deactivated,) = (
        entry["timestamp"]
        for entry in api.get(f"/sessions/{session}")["timestamps"]
        if entry["status"] == "inactive"
    )
    idle = ended - datetime.fromisoformat(deactivated.replace("Z", "+00:00")).timestamp()
    assert idle >= 0.95


def test_instance_that_was_left_out_once_comes_back_as_it_was(connect: Connect) -> None:
    classroom = EmulatorOptions(workers=1, instances=(("alice", "premium"),))
    first = launcher.find_or_start(classroom)
    api = Api(first, "alice")
    job = api.submit()
    api.http.close()
    launcher.stop()
    assert [item["name"] for item in launcher.find_or_start(QUICK).instances] == ["default"]
    launcher.stop()
    again = launcher.find_or_start(classroom)
    assert again.instances == first.instances
    api = Api(again, "alice")
    assert api.wait(job)["status"] == "Completed"
    api.http.close()


def test_keys_and_records_outlive_the_process(running: Connection, connect: Connect) -> None:
    api = connect(running)
    session = api.open_session("fake_manila")
    job = api.submit("fake_manila", session_id=session, tags=["kept"])
    result = api.wait(job) and api("GET", f"/jobs/{job}/results").text
    api.fault("/queue", paused=True)
    queued = api.submit("fake_manila", session_id=session)
    private = api.submit(private=True)
    before = api.get(f"/sessions/{session}")
    os.kill(running.pid, signal.SIGKILL)
    wait_for(lambda: gone(running.pid))

    again = launcher.find_or_start(QUICK)
    assert again.pid != running.pid
    # so that a client that was made before goes on
    assert (again.url, again.key, again.crn) == (running.url, running.key, running.crn)
    api = connect(again)
    assert api("GET", f"/jobs/{job}/results").text == result
    assert api.get(f"/jobs/{job}")["tags"] == ["kept"]
    # the fault was not written down, so what waited runs
    assert api.wait(queued)["status"] == "Completed"
    assert api.wait(private)["status"] == "Completed"
    after = api.get(f"/sessions/{session}")
    assert (after["id"], after["started_at"]) == (session, before["started_at"])
    assert [entry["id"] for entry in api.get("/workloads")["workloads"]] == [session, private]


def test_job_that_was_running_runs_again(running: Connection, connect: Connect) -> None:
    api = connect(running)
    circuit = 'OPENQASM 3.0; include "stdgates.inc"; qubit[22] q; bit[22] c; ry(0.3) q;'
    circuit += "".join(f"cx q[{n}], q[{n + 1}]; ry(0.{n + 1}) q;" for n in range(21)) * 2
    circuit += " c = measure q;"
    job = api.submit(params={"pubs": [[circuit, None, 10]], "version": 2})
    assert api.get(f"/jobs/{job}")["status"] == "Running"
    launcher.stop()
    api = connect(launcher.find_or_start(QUICK))
    assert api.wait(job)["status"] == "Completed"
    assert api.get("/jobs")["count"] == 1


def test_port_of_the_process_before_may_be_taken(running: Connection, connect: Connect) -> None:
    launcher.stop()
    with socket.create_server(("127.0.0.1", int(running.url.rpartition(":")[2]))):
        again = launcher.find_or_start(QUICK)
    assert again.url != running.url
    assert connect(again).get("/jobs")["count"] == 0


def test_token_of_the_process_before_is_still_good(place: Path) -> None:
    import httpx

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    headers = {}
    for _ in range(2):
        child = subprocess.Popen([*SERVER, "--port", port], stdout=subprocess.PIPE)
        with child:
            assert child.stdout is not None
            assert b"listens" in child.stdout.readline()
            connection = connection_file.read()
            assert connection is not None
            if not headers:
                form = {
                    "grant_type": "urn:ibm:params:oauth:grant-type:apikey",
                    "apikey": connection.key,
                }
                answer = httpx.post(f"{connection.url}/identity/token", data=form).json()
                headers = {"Authorization": f"Bearer {answer['access_token']}"}
                headers["Service-CRN"] = connection.crn
            assert httpx.get(f"{connection.api}/jobs", headers=headers).status_code == 200
            child.terminate()
            assert child.wait(30) == 0


def test_file_lock_keeps_others_out(tmp_path: Path) -> None:
    with file_lock(tmp_path / "lock"), pytest.raises(Timeout), file_lock(tmp_path / "lock"):
        pass
    with file_lock(tmp_path / "lock"):
        pass
