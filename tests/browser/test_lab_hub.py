"""The lab behind a JupyterHub: below its user's address, and when the hub ends the server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, expect

from qsession_widgets.emulator.process import launcher

from .hub import Hub, running_hub
from .lab import Notebook

USER = "alice"
OPEN = """%%session --backend aer --service local --max-time 10m --on-exit leave
print(session.session_id)"""

pytestmark = [pytest.mark.hub, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub whose users have an emulator beside that of other tests; it ends with the hub."""
    pytest.importorskip("jupyterhub")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DATA", "RUNTIME"):
            patch.setenv(f"JUPYTER_{name}_DIR", str(tmp_path_factory.mktemp(name.lower())))
        try:
            with running_hub(tmp_path_factory.mktemp("hub")) as running:
                yield running
        finally:
            launcher.stop()


@pytest.fixture
def notebook(hub: Hub, browser: Browser) -> Iterator[Notebook]:
    """A notebook of somebody who has logged in, with the side panel."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    lab = hub.lab(USER)
    _write(lab.root / "hub.ipynb")
    hub.log_in(page, USER)
    notebook = Notebook(page, lab, "hub.ipynb")
    notebook.show_sessions()
    yield notebook
    context.close()


def test_a_session_is_shown_and_closed(notebook: Notebook) -> None:
    session = _open_session(notebook)
    row = notebook.row(session)
    expect(row).to_contain_text("kernel idle, new primitives run in it", timeout=30_000)
    expect(row).to_contain_text("hub.ipynb")
    notebook.status.click()
    notebook.popover.get_by_role("button", name="Close session").click()
    expect(notebook.popover.get_by_role("status").first).to_have_text("Closed", timeout=30_000)
    expect(row).to_contain_text("closed", timeout=30_000)


def test_left_open_by_a_server_that_the_hub_has_ended(hub: Hub, notebook: Notebook) -> None:
    session = _open_session(notebook)
    row = notebook.row(session)
    expect(row).to_contain_text("kernel idle, new primitives run in it", timeout=30_000)
    hub.stop(USER)
    problem = notebook.side_panel.locator("> .qs-lab-problem")
    expect(problem).to_contain_text("JupyterHub has stopped this Jupyter server", timeout=60_000)
    expect(problem).to_contain_text("What is shown is as of")
    expect(row).to_be_visible()
    hub.start(USER)
    # the new server does not know the page any more: it has to log in again
    notebook.reload()
    notebook.show_sessions()
    expect(row).to_contain_text("kernel gone", timeout=60_000)
    row.get_by_role("button", name="Close session").click()
    expect(row).to_contain_text("closed", timeout=30_000)


def _open_session(notebook: Notebook) -> str:
    notebook.run_cell(notebook.add_cell("%load_ext qsession_widgets"))
    printed = notebook.run_cell(notebook.add_cell(OPEN))
    opened = printed.split()[-1]
    assert re.fullmatch(r"[0-9a-f-]{36}", opened), printed
    expect(notebook.status).to_contain_text("aer · open, no job yet", timeout=30_000)
    return opened


def _write(path: Path) -> None:
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    cells = [nbformat.v4.new_code_cell("pass")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)
