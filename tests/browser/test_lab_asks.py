"""What the lab tells of a notebook's own session, and what it asks before one is left behind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, expect

from qsession_widgets.emulator.process import launcher

from ..server.conftest import Service
from .lab import Lab, Notebook, wait_until

AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
SETTINGS = "qsession-widgets:plugin"
OPEN = "%%session --backend aer --service local --max-time 10m{}\nprint(session.session_id)"

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def notebook(lab: Lab, browser: Browser) -> Iterator[Notebook]:
    """A notebook in JupyterLab, with the side panel, that opens sessions."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    _write(lab.root / "asks.ipynb")
    notebook = Notebook(context.new_page(), lab, "asks.ipynb")
    notebook.show_sessions()
    yield notebook
    context.close()


@pytest.fixture
def session(notebook: Notebook) -> str:
    """The id of a session that the notebook has just opened."""
    return _open_session(notebook)


def test_closed_elsewhere_while_its_popover_is_open(notebook: Notebook, session: str) -> None:
    notebook.status.click()
    state = notebook.popover.get_by_role("status").first
    expect(state).to_have_text("Open, no job yet")
    _ask("PATCH", session, json={"accepting_jobs": False})
    expect(state).to_have_text("Closed", timeout=30_000)
    expect(notebook.popover.get_by_role("button", name="Close session")).to_have_count(0)
    notebook.page.keyboard.press("Escape")
    expect(notebook.popover).to_have_count(0)
    expect(notebook.page.locator(".jp-NotebookPanel *:focus")).to_have_count(1)


def test_staying_leaves_the_kernel_as_it_is(notebook: Notebook, session: str) -> None:
    kernel = _kernel(notebook)
    _begin(notebook, "notebook:restart-kernel")
    dialog = _dialog(notebook, "Restart the kernel? Its session is still open.")
    dialog.get_by_role("button", name="Keep kernel").click()
    expect(notebook.page.locator(".jp-Dialog")).to_have_count(0)
    assert notebook.run_cell(notebook.add_cell("print(session.session_id)")).strip() == session

    _begin(notebook, "notebook:shutdown-kernel")
    _dialog(notebook, "Shut down the kernel?").get_by_role("button", name="Keep kernel").click()
    expect(notebook.page.locator(".jp-Dialog")).to_have_count(0)
    assert _kernel(notebook) == kernel
    expect(notebook.row(session)).to_contain_text("new primitives run in it")


def test_left_open_it_survives_a_restart_that_would_close_it(
    notebook: Notebook, session: str
) -> None:
    _begin(notebook, "notebook:restart-kernel")
    dialog = _dialog(notebook, "Restart the kernel?")
    dialog.get_by_role("button", name="Restart, leave session open").click()
    # JupyterLab's own question is asked as ever
    _dialog(notebook, "Restart Kernel?").get_by_role("button", name="Confirm").click()
    row = notebook.row(session)
    expect(row).to_contain_text("kernel gone", timeout=60_000)
    assert _ask("GET", session)["accepting_jobs"]
    notebook.wait_idle()
    notebook.run_cell(notebook.add_cell("pass"))

    # the palette's command takes it up again, by a cell that everybody can see, and that can be run
    notebook.command("notebook:insert-cell-below")
    notebook.command("notebook:change-cell-to-markdown")
    notebook.command("qsession:attach")
    expect(row).to_contain_text("kernel idle, new primitives run in it", timeout=30_000)
    notebook.wait_idle()
    _begin(notebook, "notebook:restart-kernel")
    dialog = _dialog(notebook, "Restart the kernel?")
    expect(dialog).to_contain_text(re.compile(r"costs nothing .* closes by itself in \d+:\d\d"))
    dialog.get_by_role("button", name="Close session and restart").click()
    _dialog(notebook, "Restart Kernel?").get_by_role("button", name="Confirm").click()
    expect(row).to_contain_text("closed", timeout=30_000)


def test_switched_off_nothing_is_asked_or_told(notebook: Notebook) -> None:
    switches = ("notifyClosed", "askBeforeShutdown")
    for switch in switches:
        _set(notebook, switch, False)
    session = _open_session(notebook, "quiet")
    told = notebook.page.get_by_text("Session “quiet” is closed")
    _begin(notebook, "notebook:restart-kernel")
    # only JupyterLab's own; the kernel closes its session as it ends
    _dialog(notebook, "Restart Kernel?").get_by_role("button", name="Confirm").click()
    expect(notebook.row(session)).to_contain_text("closed", timeout=60_000)
    expect(told).to_have_count(0)
    for switch in switches:
        _set(notebook, switch, True)


def test_a_renamed_notebook_is_found_and_a_deleted_one_is_not_offered(
    notebook: Notebook, lab: Lab, session: str
) -> None:
    row = notebook.row(session)
    expect(row.get_by_role("button", name="asks.ipynb")).to_be_visible(timeout=30_000)
    _rename(notebook, "renamed.ipynb")
    expect(row.get_by_role("button", name="renamed.ipynb")).to_be_visible(timeout=30_000)
    expect(notebook.status).to_contain_text("aer · open, no job yet")
    # Jupyter's listing of a folder is refused whole if a file vanishes from under it
    notebook.page.add_locator_handler(
        notebook.page.get_by_role("dialog", name="Directory not found"),
        lambda dialog: dialog.get_by_role("button").last.click(),
    )
    (lab.root / "renamed.ipynb").unlink()
    expect(row.get_by_role("button", name="renamed.ipynb")).to_have_count(0, timeout=30_000)
    expect(row).to_contain_text("renamed.ipynb")
    notebook.command("docmanager:save")
    _rename(notebook, "asks.ipynb")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_what_is_shown_is_accessible(notebook: Notebook, theme: str) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: run `npm ci` in js")
    session = _open_session(notebook)
    page = notebook.page
    notebook.command("apputils:change-theme", theme=theme)
    page.locator(f'body[data-jp-theme-name="{theme}"]').wait_for(state="attached")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    notebook.row(session).wait_for()
    notebook.side_panel.get_by_role("button", name="New…").click()
    notebook.side_panel.get_by_role("form", name="New session").wait_for()
    notebook.side_panel.get_by_text("History", exact=True).click()
    notebook.status.click()
    notebook.popover.wait_for()
    for place in (".qs-lab-panel", ".qs-lab-popover", ".qs-lab-status"):
        assert _violations(notebook, place) == [], place
    notebook.side_panel.get_by_role("button", name="New…").click()
    notebook.side_panel.get_by_text("History", exact=True).click()
    notebook.status.click()
    # by keyboard: closed from the popover, and back to where the reader was
    close = notebook.popover.get_by_role("button", name="Close session")
    expect(close).to_be_enabled()  # it takes no key in its first half second
    close.press("Enter")
    expect(notebook.popover.get_by_role("status").first).to_have_text("Closed", timeout=30_000)
    page.keyboard.press("Escape")
    expect(notebook.popover).to_have_count(0)


def test_a_tab_is_closed_after_both_questions(notebook: Notebook, session: str) -> None:
    tabs = notebook.page.locator(".jp-NotebookPanel")
    _begin(notebook, "application:close")
    dialog = _dialog(notebook, "Close the tab? Its session is still open.")
    dialog.get_by_role("button", name="Close session and tab").click()
    # JupyterLab asks whether to save; as long as that is open, nothing is closed
    saving = _dialog(notebook, "Save your work")
    assert _ask("GET", session)["accepting_jobs"]
    saving.get_by_role("button", name="Discard").click()
    expect(tabs).to_have_count(0)
    wait_until(lambda: _ask("GET", session)["state"] == "closed", "the close")


def test_notebook_7_has_it_beside_the_menu(lab: Lab, browser: Browser) -> None:
    _write(lab.root / "asks-7.ipynb")
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    notebook = Notebook(context.new_page(), lab, "asks-7.ipynb", "notebook")
    session = _open_session(notebook)
    notebook.show_sessions()
    expect(notebook.row(session)).to_be_visible(timeout=30_000)
    expect(notebook.side_panel.locator("h3").first).to_have_text("This notebook")
    notebook.status.click()
    notebook.popover.get_by_role("button", name="Close session").click()
    expect(notebook.popover.get_by_role("status").first).to_have_text("Closed", timeout=30_000)
    context.close()


def _open_session(notebook: Notebook, name: str = "") -> str:
    """Open one in a new cell, in whatever state the kernel is."""
    notebook.wait_idle()
    notebook.run_cell(notebook.add_cell("%load_ext qsession_widgets"))
    printed = notebook.run_cell(notebook.add_cell(OPEN.format(f" --name {name}" if name else "")))
    opened = printed.split()[-1]
    assert re.fullmatch(r"[0-9a-f-]{36}", opened), printed
    expect(notebook.status).to_contain_text("aer · open, no job yet · closes in", timeout=30_000)
    return opened


def _ask(method: str, session: str, **kwargs: Any) -> Any:
    """Ask the service about a session, as somebody else would."""
    connection = launcher.find()
    assert connection is not None
    service = Service(connection)
    try:
        return service(method, f"/sessions/{session}", **kwargs)
    finally:
        service.http.close()


def _begin(notebook: Notebook, command: str) -> None:
    """Start a command that will ask, without waiting for its end."""
    notebook.page.evaluate(
        "name => { window.jupyterapp.commands.execute(name).catch(() => undefined); }", command
    )


def _dialog(notebook: Notebook, title: str) -> Locator:
    dialog = notebook.page.locator(".jp-Dialog").filter(has_text=title)
    dialog.wait_for()
    return dialog


def _kernel(notebook: Notebook) -> str:
    return str(
        notebook.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.id"
        )
    )


def _rename(notebook: Notebook, name: str) -> None:
    notebook.page.evaluate(
        "name => window.jupyterapp.shell.currentWidget.context.rename(name)", name
    )


def _set(notebook: Notebook, switch: str, value: bool) -> None:
    """Flip a switch, as the settings editor does."""
    notebook.page.evaluate(
        """async ([plugin, name, value]) => {
            const { ISettingRegistry } = window._QSESSION_SHARED['@jupyterlab/settingregistry'];
            const registry = await window.jupyterapp.resolveRequiredService(ISettingRegistry);
            await registry.set(plugin, name, value);
        }""",
        [SETTINGS, switch, value],
    )


def _violations(notebook: Notebook, place: str) -> list[Any]:
    found: list[dict[str, Any]] = notebook.page.evaluate(
        "place => axe.run(place).then(r => r.violations)", place
    )
    return [(each["id"], [node["html"][:160] for node in each["nodes"]]) for each in found]


def _write(path: Path) -> None:
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    cells = [nbformat.v4.new_code_cell("pass")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)
