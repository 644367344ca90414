"""Pictures of every state, light, dark and in high contrast, narrow and wide, to look at.

    python -m panel.screens            (in tests/, or with tests/ on the path)

They go to ``.artifacts/screens``, one for each state, theme and width. Words name states and
numbers widths: ``python -m panel.screens idle failed 320`` takes those only.
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from .harness import launch, open_harness, show
from .measure import chromium
from .states import STATES

OUT = Path(__file__).resolve().parents[2] / ".artifacts" / "screens"
WIDTHS = (320, 700, 1100)


def main(names: list[str], widths: tuple[int, ...] = WIDTHS) -> None:
    """Take the pictures of the named states, of all of them when none is named."""
    OUT.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = launch(playwright, chromium())
        for scheme in ("light", "dark", "contrast"):
            for width in widths:
                page = browser.new_page(
                    viewport={"width": width, "height": 900},
                    color_scheme="dark" if scheme == "dark" else "light",
                    forced_colors="active" if scheme == "contrast" else "none",
                    timezone_id="Europe/Berlin",
                    reduced_motion="reduce",
                )
                page.clock.install()
                open_harness(page)
                for name in names or list(STATES):
                    kernel = show(page, name)
                    page.screenshot(path=OUT / f"{name}-{scheme}-{width}.png", full_page=True)
                    page.evaluate("i => panels[i].remove()", kernel.index)
                    page.evaluate("panels.length = 0")
                page.close()
        browser.close()


if __name__ == "__main__":
    widths = tuple(int(word) for word in sys.argv[1:] if word.isdigit())
    main([word for word in sys.argv[1:] if not word.isdigit()], widths or WIDTHS)
