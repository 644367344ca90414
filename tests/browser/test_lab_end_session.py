"""What the lab does for a panel whose kernel was killed: it ends the session without a kernel."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Error, expect

from .cells import OPEN, load_and_open
from .lab import Notebook

WHO = "import os\nprint(os.getpid(), session.session_id)"
END_SESSION = "qsession-widgets.end-session.2"

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def orphaned(
    write_notebook: Callable[..., str], open_notebook: Callable[..., Notebook]
) -> tuple[Notebook, str]:
    """A notebook whose kernel was killed while its session was open, and the session's id."""
    notebook = open_notebook(write_notebook("ender.ipynb", "%load_ext qsession_widgets", OPEN, WHO))
    load, run, who = notebook.code_cells()
    load_and_open(notebook, load, run)
    process, session_id = notebook.run_cell(who).split()
    os.kill(int(process), signal.SIGKILL)
    died = notebook.page.locator(".jp-Dialog").get_by_role("button", name="Ok")
    died.click(timeout=60_000)
    notebook.show_sessions()
    expect(notebook.row(session_id)).to_contain_text("kernel gone", timeout=60_000)
    return notebook, session_id


def test_a_click_on_the_panels_own_button_ends_its_session(
    orphaned: tuple[Notebook, str],
) -> None:
    notebook, session_id = orphaned
    notebook.panel.scroll_into_view_if_needed()
    notebook.panel.get_by_role("button", name="Close session").click()
    row = notebook.row(session_id)
    expect(row.get_by_role("button", name="Close session")).to_have_count(0, timeout=60_000)
    expect(row).to_contain_text("closed")
    # who has done it need not be told
    expect(notebook.page.get_by_text("Session on aer is closed")).to_have_count(0)


def test_what_is_put_on_the_page_says_what_came_of_it(orphaned: tuple[Notebook, str]) -> None:
    notebook, session_id = orphaned
    with pytest.raises(Error, match="knows of a session nobodys-…-own"):
        _end(notebook, "close", "nobodys-session-which-is-not-there-own")
    assert _end(notebook, "cancel", session_id)["code"] == "cancelled"
    assert _end(notebook, "close", session_id)["code"] == "already_closed"
    expect(notebook.row(session_id)).to_contain_text("cancelled", timeout=60_000)


def _end(notebook: Notebook, action: str, session_id: str) -> Any:
    return notebook.page.evaluate(
        "([key, action, id]) => globalThis[Symbol.for(key)](action, id)",
        [END_SESSION, action, session_id],
    )
