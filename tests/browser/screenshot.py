"""Takes a still picture of JupyterLab with the quickstart, from a real run.

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
    with quickstart(1180, 1010, 1.5) as notebook:
        problem, load, run = notebook.code_cells()[:3]
        notebook.run_cell(problem)
        notebook.run_cell(load)
        notebook.start_cell(run)
        panel = notebook.panel
        panel.wait_for(timeout=90_000)
        panel.scroll_into_view_if_needed()
        # far enough to show a loop at work
        many = re.compile(r"(1\d|2\d) earlier jobs")
        panel.get_by_role("button", name=many).wait_for(timeout=90_000)
        panel.locator(".js-plotly-plot").wait_for(timeout=30_000)
        for name in THEMES:
            set_theme(notebook, name)
            panel.evaluate("panel => panel.scrollIntoView({block: 'end'})")
            notebook.page.wait_for_function("() => document.getAnimations().length === 0")
            notebook.page.screenshot(path=IMAGES / f"quickstart-{name}.png")
        notebook.wait_executed(run)


if __name__ == "__main__":
    main()
