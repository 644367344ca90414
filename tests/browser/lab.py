"""A real JupyterLab, and a hand on its notebook, for browser tests and screenshots."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page

from ..processes import jupyter_address, running
from .console import listen

FOR_TESTS = (
    "--LabApp.expose_app_in_browser=True",
    "--JupyterNotebookApp.expose_app_in_browser=True",
    # a test asks nobody outside this machine for news or updates
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.news_url=None",
)
"""Options of the lab's and of Notebook's."""
KERNEL = 120_000
"""Milliseconds within which a cell of the tests has to end, on a busy machine."""


@dataclass
class Lab:
    """A running JupyterLab.

    Attributes
    ----------
    url : str
        Its address, with a slash at the end.
    token : str
        Its token, made up for this run.
    root : Path
        The folder its notebooks are in.
    """

    url: str
    token: str
    root: Path
    process: subprocess.Popen[bytes] = field(repr=False)


@contextmanager
def running_lab(
    folder: Path,
    *notebooks: Path,
    extra: tuple[str, ...] = (),
    port: int = 0,
    token: str = "",
) -> Iterator[Lab]:
    """Start JupyterLab on copies of some notebooks; it and its kernels end with the block.

    One that takes another's place gets the other's port and token.
    """
    root = folder / "notebooks"
    root.mkdir(parents=True)
    for notebook in notebooks:
        shutil.copy(notebook, root)
    token = token or secrets.token_hex(16)
    log = folder / "lab.log"
    command = [
        sys.executable,
        *("-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--allow-root"),
        f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={root}",
        *FOR_TESTS,
        *extra,
    ]
    with running(command, log, environment(), root) as process:
        runtime = Path(os.environ["JUPYTER_RUNTIME_DIR"])
        yield Lab(jupyter_address(process, log, runtime), token, root, process)


def environment() -> dict[str, str]:
    """Variables with which a lab loads this checkout's halves, whatever was installed and when."""
    _put_what_is_built()
    _ask_for_no_news()
    # a virtual environment's own files would go before those that were put there
    return {**os.environ, "JUPYTER_PREFER_ENV_PATH": "0"}


def _put_what_is_built() -> None:
    package = Path(__file__).resolve().parents[2] / "qsession_widgets"
    extension = Path(os.environ["JUPYTER_DATA_DIR"]) / "labextensions" / "qsession-widgets"
    server = Path(os.environ["JUPYTER_CONFIG_DIR"]) / "jupyter_server_config.d" / "qsession.json"
    if not extension.exists():
        shutil.copytree(package / "labextension", extension)
    server.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(package / "server" / "jupyter_server_config.json", server)


def _ask_for_no_news() -> None:
    """Answer the lab's question about news beforehand, or it would lie over the page."""
    folder = Path(os.environ["JUPYTER_CONFIG_DIR"]) / "lab" / "user-settings"
    settings = folder / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))


class Notebook:
    """One notebook, open in a page.

    Parameters
    ----------
    page : Page
        A fresh page of the browser.
    lab : Lab
        Where the notebook is.
    name : str
        Its file name.
    front_end : {"lab", "notebook"}
        JupyterLab, or Notebook 7, which the same server has.
    """

    def __init__(self, page: Page, lab: Lab, name: str, front_end: str = "lab"):
        self.page = page
        listen(page)
        # a workspace of its own: the lab would open what other pages have open
        workspace = f"lab/workspaces/page-{secrets.token_hex(4)}/tree"
        path = {"lab": workspace, "notebook": "notebooks"}[front_end]
        page.goto(f"{lab.url}{path}/{name}?token={lab.token}")
        self._ready()

    def reload(self) -> None:
        """Load the page again, as with F5."""
        self.page.reload()
        self._ready()

    def _ready(self) -> None:
        page = self.page
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        page.wait_for_function("() => window.jupyterapp !== undefined", timeout=60_000)
        self.wait_idle()

    @property
    def panel(self) -> Locator:
        """The first panel of the notebook."""
        return self.page.locator(".qs-panel").first

    @property
    def status(self) -> Locator:
        """The session's line in the status bar, or where Notebook 7 has it."""
        return self.page.locator(".qs-lab-status button")

    @property
    def popover(self) -> Locator:
        """What a click on the status bar's line opens."""
        return self.page.locator(".qs-lab-popover")

    @property
    def side_panel(self) -> Locator:
        """The side panel with all sessions."""
        return self.page.locator(".qs-lab-panel")

    @property
    def trouble(self) -> Locator:
        """What the side panel says of services that do not answer as they should."""
        return self.side_panel.locator(".qs-lab-trouble .qs-lab-problem")

    def show_sessions(self) -> Locator:
        """Open the side panel."""
        self.command("qsession:show-panel")
        self.side_panel.wait_for()
        return self.side_panel

    def row(self, session_id: str) -> Locator:
        """A session's row in the side panel, open or closed."""
        return self.side_panel.locator("article, li").filter(
            has=self.page.locator(f'[title="{session_id}"]')
        )

    def command(self, name: str, **arguments: Any) -> None:
        """Run a command of the lab's."""
        self.page.evaluate(
            "([name, args]) => window.jupyterapp.commands.execute(name, args)", [name, arguments]
        )

    def cell(self, index: int) -> Locator:
        """A cell by its place in the notebook; may be outside of what is shown."""
        return self.page.locator(f'.jp-Cell[data-windowed-list-index="{index}"]')

    def code_cells(self) -> list[int]:
        """Places of the code cells."""
        found = self.page.evaluate(
            """() => {
                const model = window.jupyterapp.shell.currentWidget.content.model;
                return Array.from({length: model.cells.length}, (_, i) => i)
                    .filter(i => model.cells.get(i).type === 'code');
            }"""
        )
        return list(found)

    def select(self, index: int) -> None:
        """Make a cell the active one."""
        self.page.evaluate(
            "i => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = i; }", index
        )

    def start_cell(self, index: int) -> None:
        """Begin to run a cell, without waiting for its end."""
        self.select(index)
        self.page.evaluate(
            "() => { window.jupyterapp.commands.execute('notebook:run-cell'); }",
        )

    def run_cell(self, index: int) -> str:
        """Run a cell to its end; what it printed."""
        before = self.execution_count(index)
        self.start_cell(index)
        self.wait_executed(index, before)
        return self.printed(index)

    def execution_count(self, index: int) -> int | None:
        """The number in front of a cell; None while it runs or before it ran."""
        found = self.page.evaluate(
            """i => window.jupyterapp.shell.currentWidget.content.model
                .cells.get(i).executionCount""",
            index,
        )
        return None if found is None else int(found)

    def wait_executed(self, index: int, before: int | None = None) -> None:
        """Wait until a cell has run and the kernel is idle."""
        self.page.wait_for_function(
            """([i, before]) => {
                const cell = window.jupyterapp.shell.currentWidget.content.model.cells.get(i);
                return cell.executionCount !== null && cell.executionCount !== before;
            }""",
            arg=[index, before],
            timeout=KERNEL,
        )
        self.wait_idle()

    def wait_idle(self) -> None:
        """Wait until the kernel has nothing to do."""
        self.page.wait_for_function(
            """() => window.jupyterapp.shell.currentWidget?.sessionContext
                ?.kernelDisplayStatus === 'idle'""",
            timeout=KERNEL,
        )

    def printed(self, index: int) -> str:
        """The text a cell put out: streams and errors."""
        return str(
            self.page.evaluate(
                """i => {
                    const outputs = window.jupyterapp.shell.currentWidget.content.model
                        .cells.get(i).outputs.toJSON();
                    const text = o => Array.isArray(o) ? o.join('') : (o ?? '');
                    return outputs.map(o => text(o.text) + text(o.evalue)).join('');
                }""",
                index,
            )
        )

    def add_cell(self, source: str) -> int:
        """Put a new code cell at the end; its place."""
        place = self.page.evaluate(
            """source => {
                const content = window.jupyterapp.shell.currentWidget.content;
                content.model.sharedModel.addCell({cell_type: 'code', source});
                return content.model.cells.length - 1;
            }""",
            source,
        )
        return int(place)


def wait_until(condition: Callable[[], Any], what: str, seconds: float = 90.0) -> Any:
    """Wait for something to become true and give it back, or fail with a sentence."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen within {seconds:g} s")
