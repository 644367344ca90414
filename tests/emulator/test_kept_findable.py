"""A running emulator stays findable, private, and is kept alive only by those who have a key."""

from __future__ import annotations

import http.client
import json
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from qsession_widgets.emulator.options import EmulatorOptions
from qsession_widgets.emulator.process import connection_file, launcher
from qsession_widgets.emulator.process.cli import main
from qsession_widgets.emulator.process.connection_file import Connection, EmulatorError

from ..support.waiting import wait_for

QUICK = EmulatorOptions(workers=1)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Directories of this test's own, and nothing left running in them."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "above" / "runtime"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "above" / "data"))
    yield tmp_path
    launcher.stop()


def ask(connection: Connection, path: str, host: str | None = None) -> tuple[int, bytes]:
    """The answer to a request without a key, under any name for the host."""
    address = urlsplit(connection.url)
    asked = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    try:
        asked.request("GET", path, headers={"Host": host or f"127.0.0.1:{address.port}"})
        answer = asked.getresponse()
        return answer.status, answer.read()
    finally:
        asked.close()


@pytest.mark.parametrize("damage", [None, "", "[]", '{"url": "::"}', '{"url": 7, "pid": "x"}'])
def test_a_lost_or_damaged_connection_file_is_written_again(damage: str | None) -> None:
    running = launcher.find_or_start(QUICK)
    path = connection_file.connection_file()
    if damage is None:
        path.unlink()
    else:
        path.write_text(damage)
    # whoever looks for it waits until it is back
    assert launcher.find_or_start(QUICK) == running
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.unlink()
    assert launcher.stop()
    assert not path.exists()


def test_a_process_that_cannot_write_its_file_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    running = launcher.find_or_start(QUICK)
    monkeypatch.setattr(launcher, "WRITTEN_AGAIN", 0.2)
    os.kill(running.pid, signal.SIGSTOP)
    try:
        connection_file.connection_file().unlink()
        for action in ("start", "stop", "status"):
            assert main(["emulator", action]) == 1
            assert f"runs as process {running.pid}" in capsys.readouterr().err
        assert main(["emulator", "list"]) == 0
        assert f"process {running.pid} " in capsys.readouterr().out
    finally:
        os.kill(running.pid, signal.SIGCONT)
    wait_for(connection_file.connection_file().exists)
    assert launcher.find() == running


@pytest.mark.parametrize("url", ["::", "http://", "http://127.0.0.1:port", "ftp://127.0.0.1:1", 7])
def test_a_file_with_a_broken_address_is_no_running_emulator(
    place: Path, capsys: pytest.CaptureFixture[str], url: object
) -> None:
    path = connection_file.connection_file()
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"name": "default", "url": url, "key": "k", "crn": "c", "pid": 1}))
    assert main(["emulator", "status"]) == 1
    assert capsys.readouterr().err == (
        "No emulator is running: start one with qsession emulator start.\n"
    )
    assert main(["emulator", "list"]) == 0
    assert capsys.readouterr().out == "No emulator is running.\n"


def test_folders_above_are_private_whatever_the_umask(place: Path) -> None:
    before = os.umask(0)
    try:
        running = launcher.find_or_start(QUICK)
    finally:
        os.umask(before)
    folders = [place / "above", connection_file.connection_file().parent, Path(running.data)]
    for folder in (*folders, Path(running.data).parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
    for path in (
        *Path(running.data).iterdir(),
        *connection_file.connection_file().parent.iterdir(),
    ):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


def test_a_log_is_not_written_through_a_link(place: Path) -> None:
    target = place / "precious"
    target.write_text("precious")
    log = connection_file.log_file()
    log.parent.mkdir(parents=True)
    log.symlink_to(target)
    with pytest.raises(EmulatorError, match="is a link, which is not followed: remove it"):
        launcher.find_or_start(QUICK)
    assert target.read_text() == "precious"


def test_only_its_own_names_are_answered() -> None:
    running = launcher.find_or_start(QUICK)
    port = urlsplit(running.url).port
    for host in ("127.0.0.1", f"127.0.0.1:{port}", f"localhost:{port}", "[::1]:80", "192.168.0.7"):
        assert ask(running, "/api/v1/versions", host)[0] == 200, host
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "[", "a b"):
        status, body = ask(running, "/api/v1/versions", host)
        assert status in (400, 421), host
        assert b"versions" not in body


def test_who_has_no_key_does_not_keep_it_running() -> None:
    running = launcher.find_or_start(QUICK)
    before = running.status()
    for path in ("/api/v1/versions", "/openapi.json", "/api/v1/jobs", "/emulator/v1/status"):
        ask(running, path)
    after = running.status()
    # the question about its status is the only one that counts
    assert after["requests"] == before["requests"] + 1


def test_no_worker_runs_before_somebody_prepares_a_job() -> None:
    import psutil

    running = launcher.find_or_start(QUICK)
    process = psutil.Process(running.pid)
    assert not process.children()
    assert process.memory_info().rss < 120 * 2**20
    from emulator.conftest import Api

    api = Api(running)
    try:
        api.open_session()
        wait_for(process.children)
    finally:
        api.http.close()
