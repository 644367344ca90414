"""Closing from the panel where its kernel cannot: JupyterLab's extension has the server do it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from qsession_widgets.server.serializers import to_json

from . import states
from .harness import Kernel, show

# an expression that is a function would be called
OFFER = """
void (globalThis[Symbol.for("qsession-widgets.end-session.2")] = (action, id) =>
    new Promise((done, failed) => (window.asked = { action, id, done, failed })));
"""


@pytest.fixture
def offered(page: Page) -> Page:
    """A page with the extension, whose server answers when the test says so."""
    page.evaluate(OFFER)
    return page


def asked(page: Page) -> dict[str, Any]:
    """What the extension was asked for; waits until it is."""
    page.wait_for_function("window.asked")
    found: dict[str, Any] = page.evaluate("({ action: asked.action, id: asked.id })")
    return found


def close(kernel: Kernel) -> None:
    kernel.panel.get_by_role("button", name="Close session").click()


def test_a_kernel_that_is_gone_leaves_the_buttons(offered: Page) -> None:
    kernel = show(offered, "idle")
    kernel.die()
    notice = kernel.panel.locator(".qs-notice")
    expect(notice).to_contain_text("click Close session (the Jupyter server does it)")
    expect(kernel.panel.locator(".qs-advice")).to_contain_text("Close now")
    close(kernel)
    assert asked(offered) == {"action": "close", "id": states.idle().session_id}
    assert kernel.sent("command") == []
    expect(notice.first).to_contain_text("The kernel is gone, so the Jupyter server is asked …")
    offered.evaluate("asked.done({ code: 'closed' })")
    expect(kernel.panel.locator(".qs-state")).to_have_text("Closed")
    expect(kernel.panel.locator(".qs-cell").first).to_contain_text("from JupyterLab")
    expect(kernel.panel.get_by_text("Close requested")).to_have_count(0)
    expect(kernel.panel).not_to_contain_text("may still be open")
    expect(kernel.panel.get_by_role("timer")).to_have_count(0)


def test_what_is_pending_is_waited_for(offered: Page) -> None:
    kernel = show(offered, "steady")
    kernel.die()
    close(kernel)
    asked(offered)
    offered.evaluate("asked.done({ code: 'closing', finishing: 2 })")
    notice = kernel.panel.locator(".qs-notice").first
    expect(notice.locator("span")).to_have_text(
        "The kernel is gone, so the Jupyter server was asked. Session closing: no more jobs are "
        "accepted; 2 jobs finish first."
    )
    expect(kernel.panel.locator(".qs-state")).to_have_text("Closing")
    expect(kernel.panel.locator(".qs-cell").first).to_contain_text("2 jobs")
    close_button = kernel.panel.get_by_role("button", name="Close session")
    expect(close_button).to_have_accessible_description(
        "Not possible: the session is closing already"
    )


def test_what_is_closed_already_is_not_waited_for(offered: Page) -> None:
    kernel = show(offered, "steady")
    kernel.die()
    close(kernel)
    asked(offered)
    # the kernel had more to tell of its jobs than it came to
    offered.evaluate("asked.done({ code: 'already_closed' })")
    expect(kernel.panel.locator(".qs-state")).to_have_text("Closed")


def test_a_server_that_cannot_gives_the_buttons_back(offered: Page) -> None:
    kernel = show(offered, "steady")
    kernel.die()
    close(kernel)
    asked(offered)
    offered.evaluate("asked.failed(new Error('The server has no account for it.'))")
    notice = kernel.panel.locator(".qs-notice").first
    expect(notice).to_contain_text("Close failed. The kernel is gone, and the Jupyter server")
    expect(notice).to_contain_text("The server has no account for it.")
    expect(notice).to_contain_text(f"run qsession close {states.steady().session_id}")
    expect(kernel.panel.get_by_role("button", name="Close session")).to_have_attribute(
        "aria-disabled", "false"
    )


def test_a_busy_kernel_is_not_waited_for(offered: Page) -> None:
    kernel = show(offered, "idle")
    close(kernel)
    offered.clock.run_for(1500)
    notice = kernel.panel.locator(".qs-notice")
    expect(notice).to_have_text("Close requested …")
    offered.clock.run_for(1000)
    asked(offered)
    offered.evaluate("asked.done({ code: 'closed' })")
    expect(notice.first.locator("span")).to_have_text(
        "The kernel did not answer, so the Jupyter server closed the session."
    )
    # its cell has ended, and it finds the session closed
    kernel.update(states.closed())
    (command,) = kernel.sent("command")
    for stage in ("acknowledged", "failed"):
        kernel.deliver({"type": "ack", "id": command["id"], "stage": stage, "message": "No."})
    expect(kernel.panel.locator(".qs-state")).to_have_text("Closed")
    expect(notice).to_have_count(0)


FEED = """
void (globalThis[Symbol.for("qsession-widgets.follow-session.1")] = (id, tell) => {
    window.tell = (snapshot, now) => tell(snapshot && { snapshot, now: () => now });
    return () => {};
});
"""


def test_what_the_server_knows_is_shown_when_the_kernel_is_gone(offered: Page) -> None:
    offered.evaluate(FEED)
    kernel = show(offered, "steady")
    first = kernel.panel.locator(".qs-cell").first
    tell = "([snapshot, now]) => tell(snapshot, now)"
    # as long as the kernel answers it tells how the session is, by the clock that both have
    idle = states.steady()
    done = replace(idle.jobs[-1], status="done", started=states.NOW - 2, finished=states.NOW)
    jobs = (*idle.jobs[:-2], replace(idle.jobs[-2], status="done", finished=states.NOW - 2), done)
    idle = replace(idle, jobs=jobs, last_job_completed=states.NOW)
    offered.evaluate(tell, [to_json(idle), states.NOW + 30])
    expect(kernel.panel.locator(".qs-state")).to_have_text("Active")
    kernel.die()
    expect(kernel.panel.locator(".qs-state")).to_have_text("Active, idle")
    timer = kernel.panel.get_by_role("timer", name="Interactive timeout")
    expect(timer).to_have_text("0:30")
    notice = kernel.panel.locator(".qs-notice")
    expect(notice).to_contain_text("The Jupyter server tells how it is. The session 7b695108")
    expect(notice).to_contain_text("is open and billing")
    # what the service does not tell the server is told
    trouble = replace(idle, problem="It is being maintained.", problem_since=states.NOW)
    offered.evaluate(tell, [to_json(trouble), states.NOW + 31])
    expect(notice).to_contain_text("The service stopped answering at 15:05:02: It is being")
    # and the end, without anything left to say
    offered.evaluate(tell, [to_json(states.closed()), states.NOW + 32])
    expect(kernel.panel.locator(".qs-state")).to_have_text("Closed")
    expect(first).to_contain_text("from its notebook")
    expect(notice).to_have_count(0)
