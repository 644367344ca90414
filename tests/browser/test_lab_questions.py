"""The question before a session is cancelled, in side panel and popover, while jobs come and go."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, expect

from qsession_widgets.emulator.options import EmulatorOptions
from qsession_widgets.emulator.process import launcher

from ..server.conftest import Service
from .lab import Lab, Notebook

AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
NAME = "questions"
SOON = 30_000
ASKED = "Cancel this session?"
PRESS = """words => new Promise((done) => {
    const look = () => {
        const dialog = document.querySelector(".jp-Dialog");
        if (!dialog?.textContent.includes(words)) return;
        watch.disconnect();
        const confirm = dialog.querySelector(".jp-mod-warn");
        confirm.focus();
        const enter = { key: "Enter", bubbles: true, cancelable: true };
        confirm.dispatchEvent(new KeyboardEvent("keydown", enter));
        done();
    };
    const watch = new MutationObserver(look);
    watch.observe(document.body, { childList: true, characterData: true, subtree: true });
})"""
"""Presses Enter on the button that confirms, in the instant in which the dialog says some words."""

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def service(lab: Lab) -> Iterator[Service]:
    """An emulator whose queue can be halted."""
    connection = launcher.find_or_start(
        EmulatorOptions(faults=True, workers=1, seed=1, ittl=600), NAME
    )
    running = Service(connection)
    yield running
    running.http.close()
    launcher.stop(NAME)


@pytest.fixture(scope="module")
def notebook(lab: Lab, browser: Browser, service: Service) -> Iterator[Notebook]:
    """A notebook with an empty cell to type in, and the side panel."""
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    cells = [nbformat.v4.new_code_cell("%load_ext qsession_widgets"), nbformat.v4.new_code_cell()]
    written = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
    nbformat.write(written, lab.root / "questions.ipynb")
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    notebook = Notebook(context.new_page(), lab, "questions.ipynb")
    notebook.run_cell(0)
    notebook.show_sessions()
    yield notebook
    context.close()


@pytest.fixture
def session(service: Service) -> Iterator[str]:
    """A session in which a job has run."""
    session_id = service.open()
    service.submit(session_id)
    yield session_id
    service.fault("/queue", paused=False)
    if service("GET", f"/sessions/{session_id}")["state"] != "closed":
        service("DELETE", f"/sessions/{session_id}/close")


@pytest.fixture(params=["side panel", "popover"])
def place(request: pytest.FixtureRequest, notebook: Notebook, session: str) -> Iterator[Locator]:
    """Where the session's buttons are."""
    expect(notebook.row(session)).to_contain_text("Active, idle", timeout=SOON)
    if request.param == "side panel":
        yield notebook.row(session)
        return
    attach = notebook.add_cell(f"%session attach {session} --service local")
    notebook.run_cell(attach)
    expect(notebook.status).to_contain_text("aer · active", timeout=SOON)
    notebook.status.click()
    expect(notebook.popover).to_be_focused()
    yield notebook.popover
    notebook.page.keyboard.press("Escape")
    if notebook.popover.count():
        notebook.popover.get_by_role("button", name="Close this window").click()
    notebook.run_cell(notebook.add_cell("%session unbind"))


def ask(place: Locator, click: Callable[[Locator], None] = Locator.click) -> Locator:
    cancel = place.get_by_role("button", name="Cancel session")
    expect(cancel).to_be_enabled()
    click(cancel)
    asked = place.get_by_role("group", name=ASKED)
    expect(asked).to_be_visible()
    return asked


def is_open(service: Service, session: str) -> bool:
    return bool(service("GET", f"/sessions/{session}")["accepting_jobs"])


def test_a_loop_of_jobs_neither_hides_it_nor_gives_it_the_focus(
    notebook: Notebook, service: Service, session: str, place: Locator
) -> None:
    service.fault("/queue", paused=True)
    service.submit(session)
    expect(place).to_contain_text("1 queued", timeout=SOON)
    asked = ask(place)
    expect(asked).to_be_focused()
    editor = notebook.cell(1).locator(".cm-content")
    # a click beside the popover would dismiss it
    editor.focus()
    expect(editor).to_be_focused()
    for _ in range(2):
        expect(asked).to_contain_text("1 queued job is lost", timeout=SOON)
        notebook.page.keyboard.type("of d d ")
        service.fault("/queue", paused=False)
        expect(asked).to_contain_text("no job is queued", timeout=SOON)
        notebook.page.keyboard.type("x x ")
        service.fault("/queue", paused=True)
        service.submit(session)
    expect(asked).to_contain_text("1 queued job is lost", timeout=SOON)
    notebook.page.keyboard.type(" ")
    expect(editor).to_be_focused()
    assert is_open(service, session)
    asked.get_by_role("button", name="Keep session").click()
    expect(asked).to_have_count(0)
    expect(place.get_by_role("button", name="Cancel session")).to_be_focused()
    assert is_open(service, session)


def test_a_double_click_asks_and_keys_confirm(
    notebook: Notebook, service: Service, session: str, place: Locator
) -> None:
    asked = ask(place, Locator.dblclick)
    asked.focus()
    page = notebook.page
    confirm = asked.get_by_role("button", name="Cancel session")
    expect(confirm).to_be_enabled()
    # neither do keys on the question itself, nor do they reach the notebook
    cells = notebook.code_cells()
    for key in ("Enter", "Space", "d", "d", "a"):
        page.keyboard.press(key)
    assert notebook.code_cells() == cells
    expect(asked).to_be_focused()
    assert is_open(service, session)
    page.keyboard.press("Tab")
    expect(confirm).to_be_focused()
    page.keyboard.press("Enter")
    expect(place).to_contain_text(re.compile("[Cc]ancelled"), timeout=SOON)
    assert not is_open(service, session)


def test_what_ended_meanwhile_is_said_where_it_was_asked(
    notebook: Notebook, service: Service, session: str, place: Locator
) -> None:
    asked = ask(place)
    confirm = asked.get_by_role("button", name="Cancel session")
    confirm.focus()
    service("PATCH", f"/sessions/{session}", json={"accepting_jobs": False})
    expect(asked).to_contain_text("The session has ended meanwhile", timeout=SOON)
    expect(confirm).to_be_focused()
    expect(confirm).to_be_disabled()
    asked.get_by_role("button", name="Dismiss").click()
    expect(asked).to_have_count(0)


def test_the_dialog_takes_no_key_in_the_half_second_in_which_it_is_new(
    notebook: Notebook, service: Service, session: str
) -> None:
    page = notebook.page
    expect(notebook.row(session)).to_contain_text("Active, idle", timeout=SOON)
    page.evaluate(f"() => {{ window.pressed = ({PRESS})('no job is queued'); }}")
    page.evaluate(
        "args => { void window.jupyterapp.commands.execute('qsession:cancel', args); }",
        {"id": session, "service": f"local:{NAME}"},
    )
    page.evaluate("window.pressed")
    dialog = page.locator(".jp-Dialog")
    confirm = dialog.get_by_role("button", name="Cancel session")
    expect(confirm).to_be_enabled()
    # that a job is lost is to be read before it is answered
    page.evaluate(f"() => {{ window.pressed = ({PRESS})('1 queued job is lost'); }}")
    service.fault("/queue", paused=True)
    service.submit(session)
    page.evaluate("window.pressed")
    expect(confirm).to_be_focused()
    assert is_open(service, session)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert is_open(service, session)


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_the_question_is_accessible(notebook: Notebook, theme: str, place: Locator) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: run `npm ci` in js")
    page = notebook.page
    notebook.command("apputils:change-theme", theme=theme)
    page.locator(f'body[data-jp-theme-name="{theme}"]').wait_for(state="attached")
    asked = ask(place)
    expect(asked.get_by_role("button", name="Cancel session")).to_be_enabled()
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run('[role=group]').then(r => r.violations.map(v => v.id))")
    assert found == []
    asked.get_by_role("button", name="Keep session").click()
