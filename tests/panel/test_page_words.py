"""Words of the panel in another language: every sentence of it stands in the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from playwright.sync_api import Page

from . import harness
from .marked import MARKED, SHOWN, untranslated

STATES = ["queueing", "guarded", "failed", "stray", "cancelled", "not-opened", "job-mode", "silent"]
"""Those that together say what a panel has to say."""


def test_every_word_is_in_the_catalogue(new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.add_init_script(MARKED)
    page.clock.install()
    left: dict[str, set[str]] = {}
    for name in STATES:
        # a panel that is out of sight is not drawn anew
        harness.open_harness(page)
        kernel = harness.show(page, name)
        said = kernel.panel.evaluate(SHOWN)
        assert any("⟦" in each for each in said), name
        left[name] = untranslated(said, asdict(kernel.told))
    assert {name: words for name, words in left.items() if words} == {}
