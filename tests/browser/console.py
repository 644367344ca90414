"""What a page's console says against our extension: a test in which it says anything fails.

The rest of what is written there is other people's: Notebook writes a dozen lines by itself.
"""

from __future__ import annotations

import re

from playwright.sync_api import ConsoleMessage, Error, Page

OURS = re.compile(r"qsession-widgets|qsession:|_QSESSION|qs-lab|qsession/api")
"""Names that only our own files, plugins, commands and routes have."""
SHARED = re.compile(r"shared (singleton )?module")
ELSEWHERE = re.compile(r"/extensions/(?!qsession-widgets/)")
"""Where other extensions are: which versions of shared modules they ask for is their affair."""
SLOW = re.compile(r"^Plugin .* (took [\d.]+ms|is taking too long) to activate\.$")
"""What JupyterLab says of plugins of ours that wait for a server on a busy machine."""
FAULTY = re.compile(r"status of (400|500)\b")
"""No answer, none of ours and one to nobody we know are part of some tests; these never are."""

_said: list[str] = []


def listen(page: Page) -> None:
    """Hear what the page says from now on."""
    page.on("console", _written)
    page.on("pageerror", _thrown)


def complaints() -> list[str]:
    """What was said against our extension, in any page, since this was asked last."""
    found = _said.copy()
    _said.clear()
    return found


def _written(message: ConsoleMessage) -> None:
    if message.type in ("warning", "error") and concerns_us(message.text, message.location["url"]):
        _said.append(f"{message.type}: {message.text} ({message.location['url']})")


def _thrown(error: Error) -> None:
    told = error.stack or str(error)
    if OURS.search(told):
        _said.append(f"uncaught: {told}")


def concerns_us(text: str, url: str) -> bool:
    """Whether a warning or an error is about our extension, or about modules it shares."""
    if text.startswith("Failed to load resource") and "qsession/api/" in url:
        return FAULTY.search(text) is not None
    if SHARED.search(text):
        return ELSEWHERE.search(url) is None
    return OURS.search(text + url) is not None and not SLOW.search(text)
