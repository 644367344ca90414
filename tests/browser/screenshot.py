"""Takes the README's still picture: JupyterLab's status bar and side panel, from a real run.

``make screenshots`` runs it. The pictures show what the run showed; nothing in them is arranged but
the size of the window and the theme.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.browser.stage import IMAGES, THEMES, quickstart, set_theme


def main() -> None:
    """Run the quickstart's cells and save a picture for each theme."""
    with quickstart(1120, 760, 1.25) as notebook:
        page = notebook.page
        problem, load, run = notebook.code_cells()[:3]
        notebook.run_cell(problem)
        notebook.run_cell(load)
        notebook.start_cell(run)
        notebook.show_sessions()
        status = page.locator(".qs-lab-status > button")
        # far enough to show a loop at work
        status.filter(has_text=re.compile(r"\b\d\d jobs")).wait_for(timeout=90_000)
        status.click()
        page.locator(".jp-toast, .Toastify__toast").first.wait_for(state="hidden", timeout=30_000)
        for name in THEMES:
            set_theme(notebook, name)
            notebook.panel.evaluate("panel => panel.scrollIntoView({block: 'start'})")
            page.wait_for_function("() => document.getAnimations().length === 0")
            page.screenshot(path=IMAGES / f"lab-{name}.png")
        notebook.wait_executed(run)


if __name__ == "__main__":
    main()
