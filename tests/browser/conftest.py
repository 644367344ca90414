"""JupyterLab, Chromium and a look into the emulator, for the tests that need all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from qsession_widgets.emulator import launch

from ..panel import harness
from .lab import Lab, Notebook, running_lab


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser for all these tests."""
    with sync_playwright() as playwright:
        running = harness.launch(playwright, chromium)
        yield running
        running.close()


@pytest.fixture(scope="package")
def lab(
    browser: Browser, repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    """JupyterLab with the notebooks; the emulator that its kernels start ends with it."""
    folder = tmp_path_factory.mktemp("lab")
    notebooks = sorted((repository / "notebooks").glob("*.ipynb"))
    try:
        with running_lab(folder, *notebooks) as running:
            yield running
    finally:
        launch.stop()


@pytest.fixture
def open_notebook(lab: Lab, browser: Browser) -> Iterator[Callable[[str], Notebook]]:
    """Opens a notebook of the lab's in a page of its own."""
    contexts = []

    def open_one(name: str) -> Notebook:
        context = browser.new_context(viewport={"width": 1280, "height": 1000})
        contexts.append(context)
        return Notebook(context.new_page(), lab, name)

    yield open_one
    for context in contexts:
        context.close()
