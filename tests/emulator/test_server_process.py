"""The emulator as a process: found, started once, ended, killed, and never in anybody's way."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from emulator.conftest import Api
from filelock import Timeout

from qsession_widgets.emulator.options import EmulatorOptions
from qsession_widgets.emulator.process import connection_file, launcher
from qsession_widgets.emulator.process.connection_file import Connection, EmulatorError
from qsession_widgets.emulator.process.server import main
from qsession_widgets.files import file_lock

from ..support.waiting import wait_for

Connect = Callable[[Connection], Api]
SERVER = [sys.executable, "-m", "qsession_widgets.emulator.process.server"]
QUICK = EmulatorOptions(workers=1, faults=True)


def gone(pid: int) -> bool:
    """Whether a child of ours has ended."""
    launcher.find("nobody")  # asks after those that were started
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Directories of this test's own, and nothing left running in them."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    yield tmp_path
    launcher.stop()


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes HTTP clients, and closes them."""
    made: list[Api] = []

    def connect(connection: Connection) -> Api:
        made.append(Api(connection))
        return made[-1]

    yield connect
    for api in made:
        api.http.close()


@pytest.fixture
def running() -> Connection:
    return launcher.find_or_start(QUICK)


def serve(*words: str) -> subprocess.CompletedProcess[str]:
    """An emulator that cannot start."""
    return subprocess.run([*SERVER, *words], capture_output=True, text=True, timeout=60)


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
# Not being able to start


def test_second_emulator_on_the_same_data(running: Connection) -> None:
    result = serve("--name", "second", "--data-dir", running.data)
    assert result.returncode == 1
    assert result.stderr == (
        f"Another emulator, process {running.pid}, uses the data in {running.data}: stop it, or "
        "choose another --data-dir.\n"
    )
    assert launcher.find() == running


def test_used_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = serve("--port", str(port))
    assert result.returncode == 1
    assert result.stderr.startswith(f"Port {port} of 127.0.0.1 cannot be used")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--plan", "gold"], "There is no plan 'gold'"),
        (["--speed", "-1"], "--speed must be 0 or more"),
        (["--speed", "1e9"], "--speed must be 1000000 or less"),
        (["--ittl", "0"], "--ittl must be 0.1 or more"),
        (["--max-ttl", "nan"], "--max-ttl must be 1 or more"),
        (["--instance", "carol"], "NAME=PLAN"),
        (["--instance", "a=premium", "--instance", "a=open"], "a name of its own"),
        (["--instance", "owner=open"], "cannot be named owner"),
        (["--instance=-x=open"], "begins with a letter or digit"),
        (["--queue", "long"], "The queue is given as"),
        (["--job-time", "long"], "--job-time is one of"),
        (["--port", "70000"], "Port 70000"),
        (["--host", "no.such.host.invalid"], "no.such.host.invalid"),
        (["--data-dir", "/dev/null/x"], "cannot be used"),
        (["--data-dir", "x" * 300], "cannot be used"),
    ],
)
def test_option_that_makes_no_sense_is_one_sentence(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(words) == 1
    printed = capsys.readouterr().err
    assert said in printed
    assert printed.count("\n") == 1
    assert not connection_file.connection_file().exists()


def test_runtime_directory_that_cannot_be_used_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    taken = tmp_path / "runtime"
    taken.write_text("a file, and no directory")
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(taken))
    assert main(["--workers", "1"]) == 1
    printed = capsys.readouterr().err
    # not the data directory is to blame
    assert printed.startswith("Nobody can find this emulator")
    assert str(taken) in printed
    assert printed.count("\n") == 1


def test_data_of_a_newer_version_is_left_alone(running: Connection, connect: Connect) -> None:
    import sqlite3

    launcher.stop()
    path = Path(running.data, "emulator.sqlite")
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    before = path.read_bytes()
    with pytest.raises(EmulatorError, match="newer version"):
        launcher.find_or_start(QUICK)
    assert path.read_bytes() == before


def test_damaged_identity_is_said(running: Connection) -> None:
    launcher.stop()
    Path(running.data, "identity.json").write_text("{")
    with pytest.raises(EmulatorError, match=r"identity\.json"):
        launcher.find_or_start(QUICK)


# --------------------------------------------------------------------------------------------------
# Trouble while it runs


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_full_disk_is_said_and_nothing_is_accepted(connect: Connect) -> None:
    # no file of this process may grow beyond 2 MiB, which to SQLite is a full disk
    shell = f"ulimit -f 2048; exec {shlex.join([*SERVER, '--workers', '1', '--faults'])}"
    with subprocess.Popen(["bash", "-c", shell], stdout=subprocess.PIPE) as child:
        try:
            _fill_the_disk(child, connect)
        finally:
            child.terminate()


def _fill_the_disk(child: subprocess.Popen[bytes], connect: Connect) -> None:
    assert child.stdout is not None
    assert b"listens" in child.stdout.readline()
    connection = connection_file.read()
    assert connection is not None
    api = connect(connection)
    api.fault("/queue", paused=True)
    kept = api.submit()
    body = {"program_id": "sampler", "backend": "aer", "params": {"pubs": ["x" * 4_000_000]}}
    for _ in range(2):
        assert api.refused("POST", "/jobs", json=body)[0] == 507
    assert [job["id"] for job in api.get("/jobs")["jobs"]] == [kept]
    # what is smaller fits, and the service has gone on
    api.fault("/queue", paused=False)
    assert api.wait(kept)["status"] == "Completed"
    # the same with a job that would begin at once
    assert api.refused("POST", "/jobs", json=body)[0] == 507
    assert api.get("/jobs")["count"] == 1
    assert api.wait(api.submit())["status"] == "Completed"
    assert api.get("/emulator/v1/status")["failing"] is None
    # a result that does not fit is there all the same, until its job is deleted
    circuit = 'OPENQASM 3.0; include "stdgates.inc"; qubit[24] q; bit[24] c; h q; c = measure q;'
    large = api.submit(params={"pubs": [[circuit, None, 800_000]], "version": 2})
    assert api.wait(large)["status"] == "Completed"
    assert len(api("GET", f"/jobs/{large}/results").content) > 2048 * 1024
    assert "nothing was changed" in api.get("/emulator/v1/status")["failing"]
    assert api("DELETE", f"/jobs/{large}").status_code == 204
    assert api.get("/emulator/v1/status")["failing"] is None


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
    options = EmulatorOptions(workers=1, ittl=4, idle_exit=2)
    connection = launcher.find_or_start(options)
    api = connect(connection)
    session = api.open_session()
    assert api.wait(api.submit(session_id=session))["status"] == "Completed"
    # the session is active for four more seconds in which nobody asks for anything
    wait_for(lambda: gone(connection.pid))
    ended = time.time()
    api = connect(launcher.find_or_start(replace(options, idle_exit=60)))
    (deactivated,) = (
        entry["timestamp"]
        for entry in api.get(f"/sessions/{session}")["timestamps"]
        if entry["status"] == "inactive"
    )
    idle = ended - datetime.fromisoformat(deactivated.replace("Z", "+00:00")).timestamp()
    assert idle >= 1.9


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


# --------------------------------------------------------------------------------------------------
# Options at work


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


def test_file_lock_keeps_others_out(tmp_path: Path) -> None:
    with file_lock(tmp_path / "lock"), pytest.raises(Timeout), file_lock(tmp_path / "lock"):
        pass
    with file_lock(tmp_path / "lock"):
        pass
