"""Every surface of the lab shows the same seconds and dollars, through a whole session."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from qsession_widgets.cli.main import main as qsession
from qsession_widgets.emulator.options import EmulatorOptions
from qsession_widgets.emulator.process import launcher

from ..server.conftest import Service
from .lab import Lab, Notebook
from .surfaces import READ, agree, timeouts_agree

NAME = "same-figures"
ON_PAGE = ["side", "popover", "status", "panel 1", "panel 2"]
ITTL = 15.0


@pytest.fixture
def service(lab: Lab) -> Iterator[Service]:
    """An emulator whose queue can be halted, and on which a job takes as long as on a device."""
    options = EmulatorOptions(faults=True, workers=1, seed=1, ittl=ITTL, job_time="device")
    running = Service(launcher.find_or_start(options, NAME))
    yield running
    running.http.close()
    launcher.stop(NAME)


@pytest.mark.timeout(300)
def test_at_every_instant_of_a_session_all_surfaces_show_the_same(
    service: Service,
    write_notebook: Callable[..., str],
    open_notebook: Callable[..., Notebook],
    capsys: pytest.CaptureFixture[str],
) -> None:
    session_id = service.open()
    attach = f"%load_ext qsession_widgets\n%session attach {session_id} --service local"
    name = write_notebook("same.ipynb", attach, "%session status", "import os\nprint(os.getpid())")
    notebook = open_notebook(name)
    page = notebook.page
    page.set_viewport_size({"width": 1280, "height": 2400})
    opened, status, who = notebook.code_cells()
    notebook.run_cell(opened)
    notebook.run_cell(status)
    process = int(notebook.run_cell(who))
    notebook.show_sessions()
    notebook.status.click()
    expect(notebook.popover).to_be_visible()

    def same(state: str, *, moves: bool) -> None:
        agree(page, session_id, state, ON_PAGE, moves=moves)

    def told(cell: str) -> str:
        return notebook.run_cell(notebook.add_cell(cell))

    def terminal(*words: str) -> str:
        assert qsession(words) == 0
        return capsys.readouterr().out

    # a first job waits, runs, and leaves the session idle
    service.fault("/queue", paused=True)
    for _ in range(12):
        service.submit(session_id)
    same("waiting in the queue", moves=False)
    service.fault("/queue", paused=False)
    same("active", moves=True)
    timeouts_agree(page, session_id, "active", ON_PAGE)
    for job in service("GET", "/jobs", params={"session_id": session_id})["jobs"]:
        if job["status"] == "Queued":
            service("POST", f"/jobs/{job['id']}/cancel")
    same("active, idle", moves=True)

    # deactivated, nothing moves: the kernel's and a terminal's words can be compared as well
    service.fault("/clock", advance=ITTL)
    same("deactivated", moves=False)
    figures = page.evaluate(READ, session_id)["panel 1"]
    words = [terminal("show", session_id), terminal("receipt", session_id)]
    for said in (told("print(session.receipt())"), *words):
        assert re.search("(?i)deactivated", said), said
        assert f"≈ {figures['used']}" in said, (figures, said)
        assert figures["cost"] in said, (figures, said)
    listed = told("print(get_ipython().run_line_magic('session', 'list'))")
    for said in (listed, terminal("list")):
        assert figures["cost"] in said, (figures, said)

    # in silence the usage grows up to the interactive timeout, and says that it is a bound
    service.submit(session_id)
    same("active, idle", moves=True)
    service.fault(path="/*", status=503, times=None)
    expect(notebook.panel.locator(".qs-usage-line")).to_contain_text("at most", timeout=60_000)
    same("active, idle", moves=False)
    service.heal()
    same("deactivated", moves=False)

    # without its kernel
    service.submit(session_id)
    same("active, idle", moves=True)
    os.kill(process, signal.SIGKILL)
    expect(notebook.status).to_contain_text("kernel gone", timeout=30_000)
    page.locator(".jp-Dialog").get_by_role("button", name="Ok").click(timeout=30_000)
    expect(notebook.panel).to_contain_text("checked by the Jupyter server", timeout=30_000)
    notebook.status.click()
    same("deactivated", moves=False)

    # and closed
    service("PATCH", f"/sessions/{session_id}", json={"accepting_jobs": False})
    expect(notebook.panel.locator(".qs-state")).to_have_text("Closed", timeout=30_000)
    agree(page, session_id, "closed", ["side", "panel 1", "panel 2"], moves=False)
    figures = page.evaluate(READ, session_id)["panel 1"]
    for action in ("show", "receipt"):
        said = terminal(action, session_id)
        assert f"≈ {figures['used']}" in said, (figures, said)
        assert figures["cost"] in said, (figures, said)
