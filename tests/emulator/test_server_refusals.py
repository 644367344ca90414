"""Emulators that cannot start, and one whose disk is full."""

from __future__ import annotations

import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from emulator.conftest import QUICK, SERVER, Connect

from qsession_widgets.emulator.process import connection_file, launcher
from qsession_widgets.emulator.process.connection_file import Connection, EmulatorError
from qsession_widgets.emulator.process.server import main

pytestmark = pytest.mark.usefixtures("place")


def serve(*words: str) -> subprocess.CompletedProcess[str]:
    """An emulator that cannot start."""
    return subprocess.run([*SERVER, *words], capture_output=True, text=True, timeout=60)


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
