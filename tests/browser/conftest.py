"""JupyterLab, Chromium and a look into the emulator, for the tests that need all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser

from qsession_widgets.emulator.process import launcher

from ..panel import harness
from .console import complaints
from .lab import Lab, Notebook, running_lab


@pytest.fixture(autouse=True)
def _no_complaints() -> Iterator[None]:
    """Let a test fail in which a page's console says something against our extension."""
    yield
    assert complaints() == []


@pytest.fixture(scope="package")
def browser(browser_path: str) -> Iterator[Browser]:
    """One browser for all these tests."""
    with harness.launched(browser_path) as running:
        yield running


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
        launcher.stop()


@pytest.fixture
def write_notebook(lab: Lab) -> Callable[..., str]:
    """Writes a notebook of some code cells into the lab; gives its name."""

    def write(name: str, *cells: str) -> str:
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell.strip()) for cell in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        nbformat.write(notebook, lab.root / name)
        return name

    return write


@pytest.fixture
def open_notebook(lab: Lab, browser: Browser) -> Iterator[Callable[..., Notebook]]:
    """Opens a notebook of the lab's in a page of its own, in JupyterLab or in Notebook 7."""
    contexts = []

    def open_one(name: str, front_end: str = "lab") -> Notebook:
        context = browser.new_context(viewport={"width": 1280, "height": 1000})
        contexts.append(context)
        return Notebook(context.new_page(), lab, name, front_end)

    yield open_one
    for context in contexts:
        context.close()
