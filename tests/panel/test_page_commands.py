"""What the panel's buttons send to the kernel, and what it says of the answers."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from . import states
from .harness import show, stand_still


def test_closing_shows_what_was_asked_and_what_was_answered(page: Page) -> None:
    kernel = show(page, "steady")
    close = kernel.panel.get_by_role("button", name="Close session")
    expect(close).to_have_accessible_description("lets 1 running and 1 queued job finish")
    close.click()
    (command,) = kernel.sent("command")
    assert command["action"] == "close"
    said = kernel.panel.locator(".qs-notice")
    expect(said).to_have_text("Close requested …")
    kernel.deliver({"type": "ack", "id": command["id"], "stage": "acknowledged"})
    expect(said).to_contain_text("acknowledged")
    kernel.deliver(
        {"type": "ack", "id": command["id"], "stage": "done", "message": "2 jobs finish."}
    )
    expect(said.locator("span")).to_have_text("2 jobs finish.")
    assert said.locator("xpath=ancestor::*[@role='status']").count() == 1
    close.click(force=True)
    assert len(kernel.sent("command")) == 1, "a request on its way is not sent twice"
    said.get_by_role("button", name="Dismiss").click()
    expect(said).to_have_count(0)


def test_a_failure_gives_the_button_back(page: Page) -> None:
    kernel = show(page, "steady")
    close = kernel.panel.get_by_role("button", name="Close session")
    close.click()
    (command,) = kernel.sent("command")
    kernel.deliver(
        {"type": "ack", "id": command["id"], "stage": "failed", "message": "No answer from IBM."}
    )
    expect(kernel.panel.locator(".qs-notice")).to_contain_text("Close failed. No answer from IBM.")
    close.click()
    assert len(kernel.sent("command")) == 2


def test_says_when_the_button_waits_for_the_cell(page: Page) -> None:
    kernel = show(page, "idle")
    stand_still(page)
    kernel.panel.get_by_role("button", name="Close session").click()
    page.clock.run_for(1500)
    expect(kernel.panel.locator(".qs-notice")).to_have_text("Close requested …")
    page.clock.run_for(1000)
    said = kernel.panel.locator(".qs-notice")
    expect(said).to_contain_text("Kernel ▸ Interrupt")
    expect(said).to_contain_text(f"run qsession close {states.idle().session_id} in a terminal")
    (command,) = kernel.sent("command")
    kernel.deliver({"type": "ack", "id": command["id"], "stage": "acknowledged"})
    expect(said).not_to_contain_text("Interrupt")


def test_cancel_asks_once(page: Page) -> None:
    kernel = show(page, "steady")
    cancel = kernel.panel.get_by_role("button", name="Cancel session")
    expect(cancel).to_have_accessible_description("cancels 1 queued job; 1 running job finishes")
    cancel.click()
    assert kernel.sent("command") == []
    asked = kernel.panel.get_by_role("group", name="Cancel this session?")
    expect(asked).to_contain_text("Ends the session; 1 queued job is lost, 1 running job finishes.")
    expect(asked.get_by_role("button", name="Keep session")).to_be_visible()
    asked.get_by_role("button", name="Cancel session").click()
    assert [each["action"] for each in kernel.sent("command")] == ["cancel"]


def test_one_job_is_cancelled_after_asking(page: Page) -> None:
    kernel = show(page, "steady")
    row = kernel.panel.locator("tr.qs-row", has_text="Queued")
    row.get_by_role("button", name="Cancel job").click()
    assert kernel.sent("command") == []
    asked = kernel.panel.get_by_role("group", name="Cancel job")
    asked.get_by_role("button", name="Cancel job").click()
    (command,) = kernel.sent("command")
    queued = next(job for job in kernel.wire._seen if job.status == "queued")
    assert (command["action"], command["job"]) == ("cancel_job", queued.id)
    expect(row).to_contain_text("requested")


def test_everything_by_keyboard(page: Page) -> None:
    kernel = show(page, "steady")
    names = []
    for _ in range(12):
        page.keyboard.press("Tab")
        names.append(
            page.evaluate(
                "(el => el.getAttribute('aria-label') ?? el.textContent)(document.activeElement)"
            )
        )
    assert names[0].startswith("Copy the id")
    assert names[1:3] == ["Close session", "Cancel session"]
    assert sum(name.startswith("Details of job") for name in names) == 4
    assert sum(name.startswith("Cancel job") for name in names) == 2
    assert "and 8 done ▸" in names

    cancel = kernel.panel.get_by_role("button", name="Cancel session")
    cancel.focus()
    page.keyboard.press("Enter")
    # how its answers are reached is in test_page_questions.py
    expect(kernel.panel.get_by_role("group", name="Cancel this session?")).to_be_focused()


@pytest.mark.parametrize("name", ["closed", "cancelled"])
def test_an_ended_session_has_no_dead_buttons_and_says_once_how_it_ended(
    page: Page, name: str
) -> None:
    kernel = show(page, name)
    actions = kernel.panel.locator(".qs-actions")
    expect(actions.get_by_role("button")).to_have_text(["Receipt"])
    expect(
        kernel.panel.get_by_text(name.capitalize(), exact=True).and_(
            kernel.panel.locator(":not(.qs-table *)")
        )
    ).to_have_count(1)
    # the kernel makes the files; nobody else's answer is taken
    actions.get_by_role("button", name="Receipt").click()
    (asked,) = kernel.sent("export")
    assert asked["ending"] == "html"
    with page.expect_popup() as opened:
        page.evaluate(DELIVER, [kernel.index, {**asked, "id": "another's"}, "x.html", "not this"])
        page.evaluate(DELIVER, [kernel.index, asked, "session.html", "<h1>The receipt</h1>"])
    expect(opened.value.get_by_role("heading")).to_have_text("The receipt")
    actions.get_by_role("combobox", name="Export").select_option("csv")
    asked = kernel.sent("export")[1]
    assert asked["ending"] == "csv"
    with page.expect_download() as saved:
        page.evaluate(DELIVER, [kernel.index, asked, "session.csv", "id"])
    assert saved.value.suggested_filename == "session.csv"
    # without a kernel there are none
    kernel.die()
    expect(actions.get_by_role("button")).to_have_count(0)
    expect(actions.get_by_role("combobox")).to_have_count(0)
    assert kernel.sent("command") == []


DELIVER = """([i, asked, name, text]) => {
    const bytes = new DataView(new TextEncoder().encode(text).buffer);
    panels[i].model.deliver({ type: "files", id: asked.id, names: [name] }, [bytes]);
}"""
