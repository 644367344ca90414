"""A saved notebook as people without a kernel, or without JavaScript, see it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter, LatexExporter
from playwright.sync_api import Page, expect

from qsession_widgets.views import receipt

from . import states


def saved(name: str) -> nbformat.NotebookNode:
    """A notebook with one panel in it, as a front end saves it."""
    snapshot = states.STATES[name]()
    view = {"model_id": "0" * 32, "version_major": 2, "version_minor": 1}
    bundle = {
        "application/vnd.jupyter.widget-view+json": view,
        "text/html": receipt.to_html(snapshot),
        "text/plain": receipt.to_text(snapshot),
    }
    shown = nbformat.v4.new_output("display_data", data=bundle)
    cell = nbformat.v4.new_code_cell("%session", outputs=[shown], execution_count=1)
    return nbformat.v4.new_notebook(cells=[cell])


def test_an_exported_page_shows_the_receipt_without_javascript(
    new_page: Callable[..., Page], tmp_path: Path
) -> None:
    html, _ = HTMLExporter().from_notebook_node(saved("closed"))
    page = new_page(java_script_enabled=False)
    page.route("**/*", lambda route: route.abort())
    page.set_content(html)
    shown = page.locator(".qsession-receipt")
    expect(shown).to_be_visible()
    for words in (states.closed().session_id, "2 m 37 s", "$251", "ibm_fez", "10"):
        expect(shown).to_contain_text(words)
    picture = shown.get_by_role("img", name="Timeline of 10 jobs")
    expect(picture).to_be_visible()
    box = picture.bounding_box()
    assert box is not None
    assert box["height"] > 40


def test_paper_shows_the_receipt_as_text() -> None:
    tex, _ = LatexExporter().from_notebook_node(saved("closed"))
    assert states.closed().session_id in tex
    assert "QPU 59 s" in tex


@pytest.mark.parametrize("name", list(states.STATES))
def test_a_receipt_is_small_and_names_what_it_is_about(name: str) -> None:
    snapshot = states.STATES[name]()
    html, text = receipt.to_html(snapshot), receipt.to_text(snapshot)
    assert len(html.encode()) + len(text.encode()) <= 60_000
    for form in (html, text):
        assert any(
            words in form
            for words in (snapshot.session_id or "each job", "opens with the first new job")
        )
        assert snapshot.backend in form
    assert "<script" not in html
