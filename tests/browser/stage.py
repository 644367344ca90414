"""JupyterLab with the quickstart, ready to be filmed: what the pictures of the README share."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.browser.lab import Notebook

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / ".github" / "images"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
NOTEBOOK = "01_quickstart.ipynb"


@contextmanager
def quickstart(width: int, height: int, scale: float) -> Iterator[Notebook]:
    """Open the quickstart in a JupyterLab with a home of its own; everything ends with the block.

    Parameters
    ----------
    width, height : int
        Size of the window in the page's pixels.
    scale : float
        Pixels of a picture for each of the page's.
    """
    home = tempfile.mkdtemp(prefix="qsession-pictures-")
    os.environ["HOME"] = home
    for name in ("CONFIG", "DATA", "RUNTIME"):
        os.environ[f"JUPYTER_{name}_DIR"] = os.path.join(home, name.lower())
    sys.path.insert(0, str(ROOT))
    from playwright.sync_api import sync_playwright

    from qsession_widgets.emulator.process import launcher
    from tests.browser.lab import Notebook, running_lab
    from tests.panel import harness

    browser_path = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    if browser_path is None:
        sys.exit("There is no Chromium here: install one (make chromium), then try again.")
    IMAGES.mkdir(parents=True, exist_ok=True)
    try:
        with (
            running_lab(Path(home) / "lab", ROOT / "notebooks" / NOTEBOOK) as lab,
            sync_playwright() as playwright,
        ):
            browser = harness.launch(playwright, browser_path)
            context = browser.new_context(
                viewport={"width": width, "height": height}, device_scale_factor=scale
            )
            notebook = Notebook(context.new_page(), lab, NOTEBOOK)
            notebook.command("application:toggle-left-area")
            for side in ("left", "right"):
                notebook.command("application:toggle-side-tabbar", side=side)
            yield notebook
            browser.close()
    finally:
        launcher.stop()
        shutil.rmtree(home, ignore_errors=True)


def set_theme(notebook: Notebook, name: str) -> None:
    """Change the lab's theme and wait until the page has it."""
    theme = THEMES[name]
    notebook.command("apputils:change-theme", theme=theme)
    found = notebook.page.locator(f'body[data-jp-theme-name="{theme}"]')
    found.wait_for(state="attached")
