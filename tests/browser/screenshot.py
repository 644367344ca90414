"""Takes the pictures of the README: JupyterLab with the quickstart, from a real run.

``make screenshots`` runs it. The pictures show what the run showed; nothing in them is arranged but
the size of the window and the theme.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / ".github" / "images"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


def main() -> None:
    """Run the quickstart's cells and save a picture for each theme."""
    home = tempfile.mkdtemp(prefix="qsession-screenshot-")
    os.environ["HOME"] = home
    for name in ("CONFIG", "DATA", "RUNTIME"):
        os.environ[f"JUPYTER_{name}_DIR"] = os.path.join(home, name.lower())
    sys.path.insert(0, str(ROOT))
    from playwright.sync_api import sync_playwright

    from qsession_widgets.emulator import launch
    from tests.browser.lab import Notebook, running_lab
    from tests.panel import harness

    browser_path = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    if browser_path is None:
        sys.exit("There is no Chromium here: install one (make chromium), then try again.")
    IMAGES.mkdir(parents=True, exist_ok=True)
    try:
        with (
            running_lab(Path(home) / "lab", ROOT / "notebooks" / "01_quickstart.ipynb") as lab,
            sync_playwright() as playwright,
        ):
            browser = harness.launch(playwright, browser_path)
            context = browser.new_context(
                viewport={"width": 1180, "height": 1010}, device_scale_factor=1.5
            )
            notebook = Notebook(context.new_page(), lab, "01_quickstart.ipynb")
            _take(notebook)
            browser.close()
    finally:
        launch.stop()
        shutil.rmtree(home, ignore_errors=True)


def _take(notebook: object) -> None:
    from tests.browser.lab import Notebook

    assert isinstance(notebook, Notebook)
    page = notebook.page
    notebook.command("application:toggle-left-area")
    problem, load, run = notebook.code_cells()[:3]
    notebook.run_cell(problem)
    notebook.run_cell(load)
    notebook.start_cell(run)
    notebook.panel.wait_for(timeout=90_000)
    notebook.panel.scroll_into_view_if_needed()
    # far enough to show a loop at work
    many = re.compile(r"(1\d|2\d) earlier jobs")
    notebook.panel.get_by_role("button", name=many).wait_for(timeout=90_000)
    notebook.panel.locator(".js-plotly-plot").wait_for(timeout=30_000)
    for name, theme in THEMES.items():
        notebook.command("apputils:change-theme", theme=theme)
        page.locator(f'body[data-jp-theme-name="{theme}"]').wait_for(state="attached")
        notebook.panel.evaluate("panel => panel.scrollIntoView({block: 'end'})")
        page.wait_for_function("() => document.getAnimations().length === 0")
        page.screenshot(path=IMAGES / f"quickstart-{name}.png")
    notebook.wait_executed(run)


if __name__ == "__main__":
    main()
