"""The panel without its kernel, its service or an answer: it says what it does not know."""

from __future__ import annotations

from dataclasses import replace

from playwright.sync_api import Page, expect

from qsession_widgets.model import Blocker

from . import states
from .harness import Kernel, show


def test_a_kernel_that_is_gone(page: Page) -> None:
    kernel = show(page, "steady")
    kernel.die()
    notice = kernel.panel.locator(".qs-notice")
    expect(notice).to_contain_text("The kernel is gone. Numbers as of 15:05:0")
    expect(notice).to_contain_text("may still be open and billing")
    found = kernel.panel.get_by_role("button", name="Close session")
    expect(found).to_have_accessible_description(
        "Not possible: the kernel that shows this panel is gone"
    )
    expect(kernel.panel.get_by_text("not updated now")).to_be_visible()
    expect(notice).to_contain_text(f"run qsession close {states.steady().session_id} in a terminal")


def test_without_a_way_to_close_it_nobody_is_told_to(page: Page) -> None:
    kernel = show(page, "idle")
    advice = kernel.panel.locator(".qs-advice")
    expect(advice).to_contain_text("Close now")
    kernel.die()
    expect(advice).to_contain_text("Median gap")
    expect(advice).not_to_contain_text("Close now")


def test_a_connection_that_comes_back(page: Page) -> None:
    kernel = show(page, "steady")
    page.evaluate("panels[0].model.fire('comm_live_update')")
    expect(kernel.panel.locator(".qs-notice")).to_have_count(0)
    assert len(kernel.sent("sync")) == 2


def test_without_the_jobs_nothing_wrong_is_said(page: Page) -> None:
    """After a reload in the middle of a cell, facts are here and jobs are not."""
    kernel = Kernel(page, states.steady(), answers=False)
    page.clock.run_for(4000)
    expect(kernel.panel).to_contain_text("The kernel does not answer")
    expect(kernel.panel.get_by_role("timer", name="Interactive timeout")).to_have_text("1:00")
    expect(kernel.panel).to_contain_text("12 jobs; waiting for the kernel to send the list")
    expect(kernel.panel).not_to_contain_text("nothing is pending")
    expect(kernel.panel.get_by_role("button", name="Close session")).to_have_accessible_description(
        "lets 1 running and 1 queued job finish"
    )


def test_a_service_that_stopped_answering(page: Page) -> None:
    kernel = show(page, "offline")
    expect(kernel.panel.locator(".qs-notice")).to_contain_text("stopped answering at 15:04:40")
    kernel.update(states.idle())
    expect(kernel.panel.locator(".qs-notice")).to_have_count(0)


def test_what_may_have_been_accepted_is_said_until_it_is_known(page: Page) -> None:
    kernel = show(page, "steady")
    notice = kernel.panel.locator(".qs-notice")
    kernel.update(replace(states.steady(), unknown=("submit",)))
    expect(notice).to_contain_text("1 job may have been accepted: the answer was lost")
    expect(notice).to_contain_text("Running the cell again looks first, and sends nothing twice")
    kernel.update(states.steady())
    expect(notice).to_have_count(0)
    blocker = Blocker("s-1", "A", "/home/ada/qaoa.ipynb", ends_at=states.NOW + 48.5)
    kernel.update(replace(states.steady(), blocker=blocker))
    expect(notice).to_contain_text("Waits for your session A of qaoa.ipynb, idle")
    expect(notice).to_contain_text("%session close A ends it")
    kernel.update(states.steady())
    expect(notice).to_have_count(0)
