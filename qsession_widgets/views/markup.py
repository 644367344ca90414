"""Text from anywhere as HTML that a notebook shows as it is."""

from __future__ import annotations

from html import escape

# a notebook typesets what stands between two dollars as a formula, but not across elements
DOLLAR = "<span>$</span>"


def as_html(text: str) -> str:
    """A text for HTML: nothing in it is markup, and nothing a formula."""
    return escape(text).replace("$", DOLLAR)
