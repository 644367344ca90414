"""A browser for the tests of the panel's page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from . import harness


@pytest.fixture(scope="package")
def browser(browser_path: str) -> Iterator[Browser]:
    """One browser for all these tests."""
    with harness.launched(browser_path) as running:
        yield running


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens the page with the options of a browser context; an error on it fails the test."""
    errors: list[str] = []
    contexts = []

    def open_page(**options: Any) -> Page:
        defaults = {"viewport": {"width": 1000, "height": 900}, "timezone_id": "Europe/Berlin"}
        context = browser.new_context(**{**defaults, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(harness.TIMEOUT)
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """The page, with a clock of its own that tests move."""
    opened = new_page()
    opened.clock.install()
    return harness.open_harness(opened)
