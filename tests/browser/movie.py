"""Films the quickstart in JupyterLab for the README: a cell runs, its jobs appear, a click ends it.

``make screenshots`` runs it. It is a real run, shown a few times as fast where jobs run and where
nothing happens; nothing else is arranged but the size of the window, the theme and the arrow, which
a browser without a screen does not draw.

The film is a WebP without losses: the same frames made a GIF of seven times the size, and a WebP
with losses of more than twice.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.browser.stage import IMAGES, THEMES, quickstart, set_theme

if TYPE_CHECKING:
    from PIL.Image import Image

    from tests.browser.lab import Notebook

WIDTH, HEIGHT, SCALE = 1000, 740, 1.25
FRAMES = 4
"""Frames a second of the film where something goes on."""
LIMIT = 600_000
"""Bytes a picture may have."""

ARROW = """
    const arrow = document.createElement('div');
    arrow.id = 'film-arrow';
    arrow.style = 'position:fixed;z-index:99999;pointer-events:none;left:0;top:0;';
    arrow.innerHTML = '<svg width="22" height="22" viewBox="0 0 22 22"><path fill="#111" ' +
        'd="M3 2v15l4-3.6 2.6 6 2.6-1.1-2.6-5.8h5.4z" stroke="#fff" stroke-width="1.3"/></svg>';
    document.body.append(arrow);
    addEventListener('mousemove', event => {
        arrow.style.transform = `translate(${event.clientX - 3}px, ${event.clientY - 2}px)`;
    }, true);
"""


class Film:
    """Frames of a page, and how long each is shown.

    Parameters
    ----------
    notebook : Notebook
        What is filmed.
    """

    def __init__(self, notebook: Notebook):
        self.notebook = notebook
        self.frames: list[bytes] = []
        self.shown: list[float] = []
        self.arrow = (WIDTH * 0.55, HEIGHT * 0.93)
        notebook.page.evaluate(ARROW)
        notebook.page.mouse.move(*self.arrow)

    def still(self, seconds: float) -> None:
        """Take one picture and show it for so long."""
        self._show(self.notebook.page.screenshot(), seconds)

    def _show(self, picture: bytes, seconds: float) -> None:
        if self.frames and picture == self.frames[-1]:
            self.shown[-1] += seconds
        else:
            self.frames.append(picture)
            self.shown.append(seconds)

    def roll(self, until: Callable[[], bool], seconds: float) -> None:
        """Film until something is so, and show that in so many seconds, whatever it took."""
        begin = time.monotonic()
        taken: list[tuple[float, bytes]] = []
        while not taken or not until():
            taken.append((time.monotonic() - begin, self.notebook.page.screenshot()))
        took = time.monotonic() - begin
        count = round(seconds * FRAMES)
        for number in range(count):
            at = took * number / count
            self._show(
                [frame for time, frame in taken if time <= at or frame is taken[0][1]][-1],
                seconds / count,
            )

    def move(self, x: float, y: float, seconds: float = 0.5, steps: int = 5) -> None:
        """Move the arrow, slower towards the end."""
        at = self.arrow
        for step in range(1, steps + 1):
            part = 1 - (1 - step / steps) ** 2
            here = (at[0] + (x - at[0]) * part, at[1] + (y - at[1]) * part)
            self.notebook.page.mouse.move(*here)
            self.still(seconds / steps)
        self.arrow = (x, y)

    def save(self, path: Path) -> None:
        """Write it as an animated WebP that begins again at its end."""
        from PIL import Image

        pictures = [Image.open(io.BytesIO(frame)).convert("RGB") for frame in self.frames]
        kept, shown = _without_repeats(pictures, self.shown)
        durations = [max(20, round(1000 * seconds)) for seconds in shown]
        kept[0].save(
            path,
            save_all=True,
            append_images=kept[1:],
            duration=durations,
            loop=0,
            lossless=True,
            quality=70,
            method=6,
        )
        size = path.stat().st_size
        print(f"{path.name}: {len(kept)} frames, {sum(durations) / 1000:.1f} s, {size} bytes")
        if size > LIMIT:
            sys.exit(f"{path} has {size} bytes, and {LIMIT} are allowed.")


def _without_repeats(pictures: list[Image], shown: list[float]) -> tuple[list[Image], list[float]]:
    from PIL import ImageChops

    kept, durations = [pictures[0]], [shown[0]]
    for picture, seconds in zip(pictures[1:], shown[1:], strict=True):
        if ImageChops.difference(picture, kept[-1]).getbbox() is None:
            durations[-1] += seconds
        else:
            kept.append(picture)
            durations.append(seconds)
    return kept, durations


def film(notebook: Notebook) -> Film:
    """Run the quickstart and close its session with a click."""
    page, panel = notebook.page, notebook.panel
    problem, load, run = notebook.code_cells()[:3]
    notebook.run_cell(problem)
    notebook.run_cell(load)
    notebook.select(run)
    cell = notebook.cell(run)
    cell.evaluate("cell => cell.scrollIntoView({block: 'start'})")
    made = Film(notebook)
    made.still(1.3)
    notebook.start_cell(run)
    panel.wait_for(timeout=90_000)
    made.still(0.5)
    panel.locator(".js-plotly-plot").wait_for(timeout=90_000)
    panel.evaluate("panel => panel.scrollIntoView({block: 'start', behavior: 'smooth'})")
    made.roll(lambda: notebook.execution_count(run) is not None, 4.6)
    until = time.monotonic() + 3
    made.roll(lambda: time.monotonic() > until, 1.8)
    button = panel.get_by_role("button", name="Close session")
    box = button.bounding_box()
    assert box is not None
    made.move(box["x"] + box["width"] * 0.55, box["y"] + box["height"] * 0.6)
    page.mouse.down()
    page.mouse.up()
    closed = panel.locator(".qs-state", has_text="Closed")
    made.roll(closed.is_visible, 0.5)
    made.move(WIDTH * 0.68, HEIGHT * 0.36, 0.4, 4)
    # the status bar asks the service by itself
    asked = time.monotonic()
    page.locator(".qs-lab-status", has_text="active").wait_for(state="hidden", timeout=60_000)
    print(f"The status bar knew {time.monotonic() - asked:.1f} s later.")
    page.wait_for_function("() => document.getAnimations().length === 0")
    made.still(2.2)
    return made


def main() -> None:
    """Make a film for each theme, or for the one that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("themes", nargs="*", default=list(THEMES))
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the frames, to look at")
    options = parser.parse_args()
    for theme in options.themes:
        with quickstart(WIDTH, HEIGHT, SCALE) as notebook:
            set_theme(notebook, theme)
            made = film(notebook)
        if options.keep:
            options.keep.mkdir(parents=True, exist_ok=True)
            for number, frame in enumerate(made.frames):
                (options.keep / f"{theme}-{number:03}.png").write_bytes(frame)
        made.save(IMAGES / f"quickstart-{theme}.webp")


if __name__ == "__main__":
    main()
