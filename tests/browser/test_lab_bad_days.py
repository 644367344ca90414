"""Sessions in the lab on bad days: nothing freezes, nothing lies, nothing is closed unasked."""

from __future__ import annotations

import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, expect

from qsession_widgets.emulator.options import EmulatorOptions
from qsession_widgets.emulator.process import launcher

from ..server.conftest import Service
from .lab import Lab, Notebook, running_lab, wait_until

NAME = "bad-days"
AN_HOUR_WRONG = "(() => { const real = Date.now; Date.now = () => real() + 3_600_000; })()"
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def service(lab: Lab) -> Iterator[Service]:
    """An emulator that can be told to fail, beside the one that the notebooks use."""
    # long enough for sessions to stay idle on a slow machine
    options = EmulatorOptions(faults=True, workers=1, seed=1, ittl=600)
    connection = launcher.find_or_start(options, NAME)
    running = Service(connection)
    yield running
    running.http.close()
    launcher.stop(NAME)


@pytest.fixture(scope="module")
def notebook(lab: Lab, browser: Browser, service: Service) -> Iterator[Notebook]:
    """A lab's page with the side panel, on a machine whose clock is an hour wrong."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    context.add_init_script(AN_HOUR_WRONG)
    _write(lab.root / "bad-days.ipynb")
    notebook = Notebook(context.new_page(), lab, "bad-days.ipynb")
    notebook.show_sessions()
    yield notebook
    context.close()


@pytest.fixture
def session(service: Service) -> Iterator[str]:
    """A session that somebody else has opened, in which a job has run."""
    session_id = service.open()
    service.submit(session_id)
    yield session_id
    service.heal()
    service("PATCH", f"/sessions/{session_id}", json={"accepting_jobs": False})


@pytest.mark.parametrize(
    ("status", "words"),
    [(500, "error"), (429, "request"), (401, "accept")],
    ids=["500", "429", "401"],
)
def test_a_service_that_fails_is_named_and_what_was_known_stays(
    notebook: Notebook, service: Service, session: str, status: int, words: str
) -> None:
    row = notebook.row(session)
    expect(row).to_contain_text("Active, idle", timeout=30_000)
    problem = notebook.trouble
    service.fault(path="/*", status=status, times=None)
    expect(problem).to_contain_text("What is listed is the last that is known.", timeout=30_000)
    expect(row).to_be_visible()
    service.heal()
    expect(problem).to_have_count(0, timeout=30_000)
    expect(row).to_contain_text("Active, idle")


def test_a_clock_that_is_an_hour_wrong_counts_right(notebook: Notebook, session: str) -> None:
    row = notebook.row(session)
    timer = row.get_by_role("timer", name="Interactive timeout")
    expect(timer).to_have_text(re.compile(r"^([5-9]:\d\d|10:00)$"), timeout=30_000)
    expect(row).to_contain_text("opened elsewhere")


def test_what_is_closed_elsewhere_is_told_and_listed(notebook: Notebook, service: Service) -> None:
    # of two that are alike the ids are told
    another, session_id = service.open(), service.open()
    row = notebook.row(session_id)
    expect(row).to_contain_text("Open, no job yet", timeout=30_000)
    expect(notebook.row(another)).to_contain_text("Open, no job yet", timeout=30_000)
    service("PATCH", f"/sessions/{session_id}", json={"accepting_jobs": False})
    told = re.compile(rf"Session on aer \({session_id[:8]}….* is closed: on request\. Usage 0.0 s")
    expect(notebook.page.get_by_text(told)).to_be_visible(timeout=30_000)
    expect(row.get_by_role("button", name="Close session")).to_have_count(0)
    expect(row).to_contain_text("closed")
    expect(row).to_contain_text("no jobs")
    service("PATCH", f"/sessions/{another}", json={"accepting_jobs": False})


def test_a_session_of_an_emulator_with_a_name_of_its_own_is_attached(
    notebook: Notebook, session: str
) -> None:
    row = notebook.row(session)
    expect(row).to_contain_text("opened elsewhere", timeout=30_000)
    row.get_by_role("button", name="Attach").click()
    expect(row).to_contain_text("kernel idle, new primitives run in it", timeout=60_000)
    expect(row).to_contain_text("bad-days.ipynb")
    notebook.wait_idle()
    notebook.run_cell(notebook.add_cell("%session unbind"))
    expect(row).not_to_contain_text("in use", timeout=30_000)


def test_what_happens_is_told_with_something_to_do(notebook: Notebook) -> None:
    # an interactive timeout of three seconds: the second notice comes by itself
    connection = launcher.find_or_start(EmulatorOptions(ittl=3, workers=1, seed=1), "short-timeout")
    service = Service(connection)
    try:
        another, session_id = service.open(), service.open()
        row = notebook.row(session_id)
        expect(row).to_contain_text("Open, no job yet", timeout=30_000)
        expect(notebook.row(another)).to_contain_text("Open, no job yet", timeout=30_000)
        expect(row).to_contain_text("emulator “short-timeout”")
        broken = {"program_id": "sampler", "backend": "aer", "session_id": session_id}
        service(
            "POST", "/jobs", json={**broken, "params": {"pubs": [["no circuit"]], "version": 2}}
        )
        name = rf"session on aer \({session_id[:8]}…{session_id[-4:]}\)"
        for told in (
            rf"A job of the {name} failed",
            rf"S{name[1:]} is deactivated",
        ):
            expect(notebook.page.get_by_text(re.compile(told))).to_be_visible(timeout=30_000)
        # the queue took no time
        expect(notebook.page.get_by_text("the first job has left the queue")).to_have_count(0)
        toast = notebook.page.locator(".Toastify__toast", has_text="is deactivated")
        toast.get_by_role("button", name="Close session").click()
        expect(row).to_contain_text("closed", timeout=30_000)
        # an emulator that ends with it open would be listed on
        service("PATCH", f"/sessions/{another}", json={"accepting_jobs": False})
        expect(notebook.row(another)).to_contain_text("closed", timeout=30_000)
    finally:
        service.http.close()
        launcher.stop("short-timeout")


def test_close_all_leaves_alone_what_others_have_opened(
    notebook: Notebook, service: Service, session: str
) -> None:
    expect(notebook.row(session)).to_contain_text("Active, idle", timeout=30_000)
    notebook.side_panel.get_by_role("button", name="Close all…").click()
    dialog = notebook.page.locator(".jp-Dialog")
    box = dialog.locator("li", has_text="opened elsewhere").get_by_role("checkbox").first
    expect(box).not_to_be_checked()
    dialog.get_by_role("button", name="Close selected").click()
    expect(dialog).to_have_count(0)
    assert service("GET", f"/sessions/{session}")["accepting_jobs"]

    notebook.side_panel.get_by_role("button", name="Close all…").click()
    dialog.locator("li", has_text=session[:8]).get_by_role("checkbox").check()
    expect(dialog.get_by_role("status")).to_contain_text(re.compile(r"^1 of \d+ will be closed"))
    dialog.get_by_role("button", name="Close selected").click()
    wait_until(lambda: service("GET", f"/sessions/{session}")["state"] == "closed", "the close")


def test_a_server_below_a_base_url_that_goes_and_comes_back(
    browser: Browser, service: Service, session: str, tmp_path: Path
) -> None:
    below, port = ("--ServerApp.base_url=/user/alice/",), _free_port()
    with running_lab(tmp_path, extra=below, port=port) as lab:
        notebook = _open(browser, lab)
        row = notebook.row(session)
        expect(row).to_contain_text("Active, idle")
        lab.process.send_signal(signal.SIGKILL)
        lab.process.wait()
        problem = notebook.side_panel.locator("> .qs-lab-problem")
        expect(problem).to_contain_text("The Jupyter server does not answer", timeout=60_000)
        expect(problem).to_contain_text("What is shown is as of")
        expect(row).to_be_visible()
        refused = notebook.side_panel.get_by_role("button", name="Close all…")
        expect(refused).to_have_attribute("aria-disabled", "true")
    with running_lab(tmp_path / "again", extra=below, port=port, token=lab.token):
        expect(problem).to_have_count(0)
        expect(row).to_contain_text("Active, idle")
    notebook.page.context.close()


def test_of_the_pages_of_one_browser_one_asks(lab: Lab, browser: Browser, service: Service) -> None:
    _write(lab.root / "pages.ipynb")
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    first = Notebook(context.new_page(), lab, "pages.ipynb")
    first.show_sessions().locator(".qs-lab-totals").wait_for()
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    second = Notebook(page, lab, "pages.ipynb")
    second.show_sessions()
    session = service.open()
    expect(second.row(session)).to_contain_text("Open, no job yet", timeout=30_000)
    assert not [url for url in asked if "qsession/api/overview" in url]

    # the one that asked is closed: the other takes its place
    first.page.close()
    service("PATCH", f"/sessions/{session}", json={"accepting_jobs": False})
    expect(second.row(session)).to_contain_text("closed", timeout=30_000)
    assert [url for url in asked if "qsession/api/overview" in url]
    context.close()


def test_without_the_server_extension_the_panel_says_what_is_off(
    browser: Browser, tmp_path: Path
) -> None:
    off = "--ServerApp.jpserver_extensions={'qsession_widgets.server': False}"
    with running_lab(tmp_path, extra=(off,)) as lab:
        notebook = _open(browser, lab)
        said = notebook.side_panel.get_by_role("status")
        expect(said).to_contain_text("The Jupyter server extension is not enabled", timeout=30_000)
        expect(said).to_contain_text("jupyter server extension enable qsession_widgets.server")
        expect(said).to_contain_text("the panel in the notebook works without it")
        expect(notebook.status).to_be_hidden()
        notebook.page.context.close()


def _open(browser: Browser, lab: Lab) -> Notebook:
    """A page of another lab, with the side panel."""
    _write(lab.root / "elsewhere.ipynb")
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    notebook = Notebook(context.new_page(), lab, "elsewhere.ipynb")
    notebook.show_sessions()
    return notebook


def _write(path: Path) -> None:
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    cells = [nbformat.v4.new_code_cell("pass")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
