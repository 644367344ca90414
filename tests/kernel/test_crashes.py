"""Processes that die without a chance to act: another process closes their sessions."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from qsession_widgets.client.handover import packed, unpacked
from qsession_widgets.emulator.process.connection_file import Connection
from qsession_widgets.options.open_options import OpenOptions
from qsession_widgets.platform_support import KILL_SIGNAL, process_start
from qsession_widgets.registry import kernel_status
from qsession_widgets.registry.entries import entry_of
from qsession_widgets.sessions.crash_policy import on_crash

from .cells import Notebook, wait_for

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes are killed otherwise there")

SCRIPT = """
import os, sys
import qsession_widgets.watchdog.owner as owner
from qsession_widgets import open_session
owner.DELAY, owner.LOOK = 0.0, 0.05
for line in sys.stdin:
    exec(line)
    print(session.session_id, owner.WATCHDOG.process or 0, flush=True)
"""
"""Does what it is told, line by line, and names its session and its watchdog process."""

OPEN = "session = open_session('aer', service='local'{})"


class Script:
    """A running `SCRIPT`."""

    def __init__(self, process: subprocess.Popen[str]):
        self.process = process

    def __call__(self, line: str) -> tuple[str, int]:
        """Run a line; the id of the session, and of the watchdog process, or 0."""
        self.start(line)
        assert self.process.stdout is not None
        session_id, watchdog = self.process.stdout.readline().split()
        return session_id, int(watchdog)

    def start(self, line: str) -> None:
        """Begin a line that does not come to its end."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()


@pytest.fixture
def script(emulator: Connection) -> Iterator[Script]:
    with _running(emulator) as script:
        yield script


@contextmanager
def _running(emulator: Connection) -> Iterator[Script]:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "MY_COPY": emulator.key, "QISKIT_IBM_TOKEN": emulator.key},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Script(process)
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def _accepts(ask: Callable[..., Any], session_id: str) -> bool:
    return bool(ask("GET", f"/sessions/{session_id}")["accepting_jobs"])


def _wait_for_end(process: int) -> None:
    wait_for(lambda: not process_start(process), "the end of the watchdog process")


ENDS = {
    "left": "import ctypes; ctypes.CDLL(None)._exit(1)",
    "segfault": "import ctypes; ctypes.string_at(0)",
}
"""Ends of a process in which nothing of Python's runs any more."""


@pytest.mark.parametrize("end", ENDS.values(), ids=list(ENDS))
def test_a_crash_closes_the_session(ask: Callable[..., Any], script: Script, end: str) -> None:
    session_id, watchdog = script(OPEN.format(""))
    script("import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0))")
    assert _accepts(ask, session_id)
    script.start(end)
    _wait_for_end(watchdog)
    assert not _accepts(ask, session_id)
    # what receipts, panels and the Jupyter server read
    entry = entry_of(session_id)
    assert entry is not None
    assert (entry.end_reason, entry.events[-1].kind) == ("crash", "guard")


def test_the_watchdog_imports_no_client_library() -> None:
    source = (
        "import sys\n"
        "import qsession_widgets.watchdog.process\n"
        "print('requests' in sys.modules)\n"
        "import qsession_widgets.watchdog.closing, qsession_widgets.client.handover\n"
        "heavy = ('qiskit', 'qiskit_ibm_runtime', 'ibm_cloud_sdk_core', 'numpy', 'IPython')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    ran = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n[]\n"


MARIMO = """
import marimo

app = marimo.App()


@app.cell
def _():
    {}
    return
"""

NBCLIENT = """
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

NotebookClient(new_notebook(cells=[new_code_cell(open({!r}).read())])).execute()
"""


@pytest.mark.parametrize("program", ["marimo", "nbclient"])
def test_a_notebook_without_a_page_that_crashes_leaves_nothing_open(
    ask: Callable[..., Any], tmp_path: Path, program: str
) -> None:
    lines = [
        "import os, qsession_widgets.watchdog.owner as owner",
        "from qsession_widgets import open_session",
        "owner.DELAY = 0.0",
        OPEN.format(""),
        "os.kill(os.getpid(), 9)",
    ]
    cell = tmp_path / "cell.py"
    cell.write_text("\n".join(lines), encoding="utf-8")
    command = ["-c", NBCLIENT.format(str(cell))]
    if program == "marimo":
        pytest.importorskip("marimo")
        app = tmp_path / "app.py"
        app.write_text(MARIMO.format("\n    ".join(lines)), encoding="utf-8")
        command = ["-m", "marimo", "export", "html", str(app), "-o", f"{app}.html"]
    # marimo does not notice that the process of its cells is gone, and waits for it
    process = subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for(lambda: ask("GET", "/workloads")["workloads"], "the session")
        (only,) = ask("GET", "/workloads")["workloads"]
        wait_for(lambda: not _accepts(ask, only["id"]), "the close")
    finally:
        os.killpg(process.pid, KILL_SIGNAL)
        process.wait()


def test_the_watchdog_is_light_holds_no_credential_in_sight_and_waits_for_one_that_is_stopped(
    ask: Callable[..., Any], script: Script, emulator: Connection
) -> None:
    first, ended = script(OPEN.format(""))
    script("session.close()")
    _wait_for_end(ended)
    session_id, watchdog = script(OPEN.format(""))
    assert session_id != first
    place = Path("/proc", str(watchdog))
    # that of its parent until it has begun to run its own program
    wait_for(lambda: b"watchdog" in (place / "cmdline").read_bytes(), "the program")
    for name in ("cmdline", "environ"):
        assert emulator.key.encode() not in (place / name).read_bytes()
    assert b"QISKIT_IBM_TOKEN" not in (place / "environ").read_bytes()
    script.process.send_signal(signal.SIGSTOP)
    looked = _status(watchdog, "voluntary_ctxt_switches:") + 40
    wait_for(lambda: _status(watchdog, "voluntary_ctxt_switches:") > looked, "forty looks")
    assert _status(watchdog, "VmRSS:") < 60_000
    assert _accepts(ask, session_id)
    # while it is stopped, as a debugger or the system does
    script.process.send_signal(KILL_SIGNAL)
    _wait_for_end(watchdog)
    assert not _accepts(ask, session_id)


def _status(process: int, field: str) -> int:
    words = Path("/proc", str(process), "status").read_text().split()
    return int(words[words.index(field) + 1])


def test_a_session_that_another_kernel_has_taken_up_stays_open(
    ask: Callable[..., Any], script: Script, notebook: Notebook
) -> None:
    session_id, watchdog = script(OPEN.format(""))
    notebook.good(f"%session attach {session_id}")
    # the first one writes its entry anew, and the other kernel stays in it
    script("open_session('aer', service='local', strict=True)")
    script.process.kill()
    _wait_for_end(watchdog)
    assert _accepts(ask, session_id)
    notebook.good("%session close")


def test_on_exit_leave_leaves_it_open_unless_on_crash_says_close_and_it_crashes(
    ask: Callable[..., Any], script: Script
) -> None:
    assert script(OPEN.format(", on_exit='leave'"))[1] == 0
    session_id, watchdog = script(OPEN.format(", on_crash='close'"))
    assert watchdog
    script.start("raise SystemExit")
    _wait_for_end(watchdog)
    assert _accepts(ask, session_id)


def test_a_program_that_takes_the_place_of_its_process_is_waited_for(
    ask: Callable[..., Any], script: Script
) -> None:
    session_id, watchdog = script(OPEN.format(""))
    script.start("os.execv(sys.executable, [sys.executable, '-c', 'input()'])")
    place = Path("/proc", str(script.process.pid), "cmdline")
    wait_for(lambda: b"input()" in place.read_bytes(), "the other program")
    looked = _status(watchdog, "voluntary_ctxt_switches:") + 20
    wait_for(lambda: _status(watchdog, "voluntary_ctxt_switches:") > looked, "twenty looks")
    assert _accepts(ask, session_id)
    script.process.kill()
    _wait_for_end(watchdog)
    assert not _accepts(ask, session_id)


def test_a_service_that_is_away_is_asked_until_it_answers(
    ask: Callable[..., Any], script: Script
) -> None:
    session_id, watchdog = script(OPEN.format(""))
    fault = {"method": "GET", "path": "/sessions/*", "status": 503}
    ask("POST", "/emulator/v1/faults", json=fault)
    ask("POST", "/emulator/v1/faults/tokens")
    script.process.kill()
    _wait_for_end(watchdog)
    assert not ask("GET", "/emulator/v1/faults")["faults"]
    assert not _accepts(ask, session_id)


def test_a_client_that_was_handed_over_renews_its_token(
    ask: Callable[..., Any], circuits: Notebook
) -> None:
    live = circuits["session"]._live
    client = unpacked(json.loads(json.dumps(packed(live.target.client))))
    for _ in range(2):
        assert client.session(live.monitor.session_id).data["state"] == "open"
        ask("POST", "/emulator/v1/faults/tokens")
    client.close()


def test_only_pages_of_a_jupyter_server_tell_that_a_kernel_is_gone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert on_crash(OpenOptions()) == "close"
    monkeypatch.setattr(kernel_status, "kernel_id", lambda: "7f")
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("JPY_PARENT_PID", "17")
    assert on_crash(OpenOptions()) == "close"
    (tmp_path / "jpserver-17.json").touch()
    assert on_crash(OpenOptions()) == "leave"
    assert on_crash(OpenOptions(on_crash="close")) == "close"
