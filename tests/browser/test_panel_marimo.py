"""The panel in marimo, which is no Jupyter: the plain ``SessionPanel(session)``."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import httpx
import pytest
from playwright.sync_api import Browser, expect

from qsession_widgets.emulator.process import launcher

from ..processes import STARTING, running
from .lab import wait_until

pytest.importorskip("marimo")

APP = """
import marimo

app = marimo.App()


@app.cell
def _():
    from qsession_widgets import SessionPanel, open_session

    session = open_session("aer", service="local", max_time="10m")
    SessionPanel(session)
    return (session,)


@app.cell
def _(session):
    from qiskit import QuantumCircuit
    from qiskit.transpiler import generate_preset_pass_manager
    from qiskit_ibm_runtime.executor_sampler import Sampler

    bell = QuantumCircuit(2)
    bell.h(0)
    bell.cx(0, 1)
    bell.measure_all()
    isa = generate_preset_pass_manager(target=session._backend.target, optimization_level=1)
    result = Sampler(mode=session).run([isa.run(bell)]).result()
    result[0].data.meas.num_shots
    return
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Where marimo serves the notebook as an app, and its process."""
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path / "log"
    command = [
        sys.executable,
        *("-m", "marimo", "-q", "run", "app.py", "--headless", "--no-token"),
        *("--host=127.0.0.1", f"--port={port}"),
    ]
    url = f"http://127.0.0.1:{port}/"
    try:
        with running(command, log, folder=tmp_path) as process:

            def answers() -> bool:
                assert process.poll() is None, log.read_text()
                try:
                    return bool(urlopen(url + "health", timeout=5).status == 200)
                except (URLError, OSError):
                    return False

            wait_until(answers, "marimo", STARTING)
            yield url, process
    finally:
        launcher.stop()


@pytest.mark.timeout(600)
def test_marimo_shows_a_session_and_closes_it(
    server: tuple[str, subprocess.Popen[bytes]], browser: Browser
) -> None:
    address, _ = server
    page = browser.new_page(viewport={"width": 1100, "height": 900})
    try:
        page.goto(address)
        panel = page.locator("section.qs-panel")
        expect(panel.locator(".qs-state")).to_have_text("Active, idle", timeout=90_000)
        expect(panel.locator("tbody tr.qs-row")).to_have_count(1)
        expect(panel.locator(".qs-chart .main-svg").first).to_be_attached()
        expect(panel.get_by_role("timer", name="Interactive timeout")).to_be_visible()
        panel.get_by_role("button", name="Close session").click()
        expect(panel.locator(".qs-state")).to_have_text("Closed")
    finally:
        page.close()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGQUIT])
def test_a_server_of_apps_that_is_told_to_end_closes_their_sessions(
    server: tuple[str, subprocess.Popen[bytes]], browser: Browser, told: signal.Signals
) -> None:
    # an app's cells run in a thread beside the server, which hears the signal
    address, process = server
    page = browser.new_page()
    try:
        page.goto(address)
        state = page.locator("section.qs-panel .qs-state")
        expect(state).to_have_text("Active, idle", timeout=90_000)
        process.send_signal(told)
        process.wait(60)
    finally:
        page.close()
    emulator = launcher.find_or_start()
    headers = {"Authorization": f"apikey {emulator.key}", "Service-CRN": emulator.crn}
    with httpx.Client(base_url=f"{emulator.url}/api/v1", headers=headers) as http:
        listed = http.get("/workloads", params={"sort": "-createdAt"}).json()["workloads"]
        session = http.get(f"/sessions/{listed[0]['id']}").json()
        # a job that the app's second cell has sent by then is finished first
        assert not session["accepting_jobs"], session
