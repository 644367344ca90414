"""Questions on the panel: no change of the data and no slip of the hand answers or hides one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from qsession_widgets.model import JobRecord, SessionSnapshot

from . import states
from .harness import Kernel, show, stand_still

AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
AS_QUEUED = (1, 0, 2, 0, 1)
"""Queued jobs at the moments of a loop."""


def moments(snapshot: SessionSnapshot) -> Iterator[tuple[int, SessionSnapshot]]:
    """A loop's session again and again: what was queued is done, and others are queued."""
    at = states.NOW
    for step, count in enumerate(AS_QUEUED):
        jobs = tuple(
            replace(job, status="done", started=at - 2, finished=at - 1)
            if job.status == "queued"
            else job
            for job in snapshot.jobs
        )
        new = (JobRecord(f"d3kq{step}{i}", "sampler", "queued", at) for i in range(count))
        snapshot = replace(snapshot, jobs=(*jobs, *new))
        yield count, snapshot


def ask(kernel: Kernel) -> Locator:
    """Click *Cancel session*; its question."""
    kernel.panel.get_by_role("button", name="Cancel session").click()
    asked = kernel.panel.get_by_role("group", name="Cancel this session?")
    expect(asked).to_be_focused()
    return asked


def center(button: Locator) -> tuple[float, float]:
    box = button.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def queued_row(kernel: Kernel) -> tuple[str, Locator]:
    """A queued job's id and its row."""
    job = next(job for job in kernel.wire._seen if job.status == "queued")
    row = kernel.panel.locator("tr.qs-row").filter(has=kernel.page.get_by_title(job.id))
    return job.id, row


def test_jobs_that_come_and_go_neither_hide_a_question_nor_give_it_the_focus(page: Page) -> None:
    kernel = show(page, "steady")
    asked = ask(kernel)
    page.evaluate("document.body.append(document.createElement('textarea'))")
    elsewhere = page.locator("textarea")
    elsewhere.click()
    for count, snapshot in moments(kernel.told):
        kernel.update(snapshot)
        said = {0: "no job is queued", 1: "1 queued job is lost", 2: "2 queued jobs are lost"}
        expect(asked).to_contain_text(f"Ends the session; {said[count]}, 1 running job finishes.")
        page.clock.run_for(700)
        page.keyboard.type("a b ")
    expect(elsewhere).to_be_focused()
    expect(elsewhere).to_have_value("a b " * len(AS_QUEUED))
    assert kernel.sent("command") == []
    asked.get_by_role("button", name="Keep session").click()
    expect(asked).to_have_count(0)
    expect(kernel.panel.get_by_role("button", name="Cancel session")).to_be_focused()
    assert kernel.sent("command") == []


def test_it_asks_whatever_is_queued_at_that_moment(page: Page) -> None:
    kernel = show(page, "idle")
    asked = ask(kernel)
    expect(asked).to_contain_text("Ends the session; no job is queued.")
    confirm = asked.get_by_role("button", name="Cancel session")
    expect(confirm).to_be_enabled()
    stand_still(page)
    # that one is lost is to be read before it is answered
    ran = replace(kernel.told.jobs[-1], id="d3knew")
    queued = JobRecord("d3knew", "sampler", "queued", states.NOW)
    another = replace(queued, id="d3knewer")
    before = kernel.told
    kernel.update(replace(before, jobs=(*before.jobs, queued)))
    expect(asked).to_contain_text("Ends the session; 1 queued job is lost.")
    confirm.press("Enter")
    assert kernel.sent("command") == []
    page.clock.run_for(600)
    # but not again and again
    kernel.update(replace(before, jobs=(*before.jobs, ran)))
    expect(asked).to_contain_text("no job is queued")
    page.clock.run_for(300)
    kernel.update(replace(before, jobs=(*before.jobs, ran, another)))
    page.clock.run_for(300)
    expect(asked).to_contain_text("1 queued job is lost")
    confirm.press("Enter")
    assert [each["action"] for each in kernel.sent("command")] == ["cancel"]


@pytest.mark.parametrize("width", [1300, 1000, 600, 320])
def test_a_double_click_confirms_nothing(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    kernel = show(page, "steady")
    cancel = kernel.panel.get_by_role("button", name="Cancel session")
    expect(cancel).to_be_enabled()
    there = center(cancel)
    page.mouse.dblclick(*there)
    asked = kernel.panel.get_by_role("group", name="Cancel this session?")
    confirm = asked.get_by_role("button", name="Cancel session")
    expect(confirm).to_be_enabled()
    assert kernel.sent("command") == []
    box = confirm.bounding_box()
    assert box is not None
    inside = (
        box["x"] <= there[0] <= box["x"] + box["width"]
        and box["y"] <= there[1] <= box["y"] + box["height"]
    )
    assert not inside, "it is not where the button was that asked"


def test_an_answer_takes_no_click_in_its_first_half_second(page: Page) -> None:
    kernel = show(page, "steady")
    expect(kernel.panel.get_by_role("button", name="Cancel session")).to_be_enabled()
    stand_still(page)
    asked = ask(kernel)
    for name in ("Cancel session", "Keep session"):
        answer = asked.get_by_role("button", name=name)
        page.mouse.click(*center(answer))
        answer.press("Enter")
        answer.press("Space")
    expect(asked).to_be_visible()
    page.clock.run_for(600)
    assert kernel.sent("command") == []
    page.mouse.click(*center(asked.get_by_role("button", name="Cancel session")))
    assert [each["action"] for each in kernel.sent("command")] == ["cancel"]


def test_keys_answer_only_where_they_are_meant_to(page: Page) -> None:
    kernel = show(page, "steady")
    cancel = kernel.panel.get_by_role("button", name="Cancel session")
    expect(cancel).to_be_enabled()
    cancel.focus()
    page.keyboard.press("Enter")
    asked = kernel.panel.get_by_role("group", name="Cancel this session?")
    expect(asked).to_be_focused()
    expect(asked).to_have_accessible_description(
        "Ends the session; 1 queued job is lost, 1 running job finishes."
    )
    page.clock.run_for(600)
    for key in ("Enter", "Space", "Enter"):
        page.keyboard.press(key)
    assert kernel.sent("command") == []
    page.keyboard.press("Escape")
    expect(cancel).to_be_focused()
    page.clock.run_for(600)
    page.keyboard.press("Enter")
    expect(asked).to_be_focused()
    page.keyboard.press("Tab")
    confirm = asked.get_by_role("button", name="Cancel session")
    expect(confirm).to_be_focused()
    expect(confirm).to_be_enabled()
    page.keyboard.press("Enter")
    assert [each["action"] for each in kernel.sent("command")] == ["cancel"]
    expect(kernel.panel.get_by_role("button", name="Cancel session")).to_be_focused()


@pytest.mark.parametrize("reason", ["session_closed_early", "session_cancelled"])
def test_a_session_that_ended_meanwhile_can_only_be_dismissed(page: Page, reason: str) -> None:
    kernel = show(page, "steady")
    asked = ask(kernel)
    confirm = asked.get_by_role("button", name="Cancel session")
    confirm.focus()
    kernel.update(replace(states.closed(), state_reason=reason))
    how = "was cancelled" if reason == "session_cancelled" else "has ended"
    expect(asked).to_contain_text(f"The session {how} meanwhile: there is nothing left to cancel.")
    page.clock.run_for(600)
    expect(confirm).to_be_disabled()
    expect(confirm).to_be_focused()
    page.keyboard.press("Enter")
    expect(asked).to_be_visible()
    asked.get_by_role("button", name="Dismiss").click()
    expect(asked).to_have_count(0)
    assert kernel.sent("command") == []


def test_a_question_about_a_job_stays_while_its_row_goes(page: Page) -> None:
    kernel = show(page, "steady")
    job, row = queued_row(kernel)
    row.get_by_role("button", name="Cancel job").dblclick()
    asked = kernel.panel.get_by_role("group", name="Cancel job")
    expect(asked).to_contain_text("It is queued, and will not run")
    snapshot = kernel.told
    for number in range(5):
        # before it in the queue
        new = JobRecord(f"d3knew{number}", "sampler", "queued", states.NOW - 50 - number)
        snapshot = replace(snapshot, jobs=(*snapshot.jobs, new))
        kernel.update(snapshot)
        page.clock.run_for(300)
    page.mouse.move(0, 0)
    expect(row).to_have_count(0)
    assert kernel.sent("command") == []
    confirm = asked.get_by_role("button", name="Cancel job")
    expect(confirm).to_be_enabled()
    stand_still(page)
    running = tuple(
        replace(each, status="running", started=states.NOW) if each.id == job else each
        for each in snapshot.jobs
    )
    kernel.update(replace(snapshot, jobs=running))
    expect(asked).to_contain_text("It is running, and its result is lost")
    confirm.press("Enter")
    assert kernel.sent("command") == [], "what it loses has only just changed"
    page.clock.run_for(600)
    confirm.press("Enter")
    (command,) = kernel.sent("command")
    assert (command["action"], command["job"]) == ("cancel_job", job)
    expect(asked).to_have_count(0)


def test_a_job_that_is_done_meanwhile_is_not_cancelled(page: Page) -> None:
    kernel = show(page, "steady")
    job, row = queued_row(kernel)
    row.get_by_role("button", name="Cancel job").click()
    asked = kernel.panel.get_by_role("group", name="Cancel job")
    snapshot = kernel.told
    done = tuple(
        replace(each, status="done", started=states.NOW - 2, finished=states.NOW - 1)
        if each.id == job
        else each
        for each in snapshot.jobs
    )
    kernel.update(replace(snapshot, jobs=done))
    expect(asked).to_contain_text("cannot be cancelled: it is done meanwhile")
    expect(asked.get_by_role("button", name="Cancel job")).to_be_disabled()
    asked.get_by_role("button", name="Dismiss").click()
    expect(asked).to_have_count(0)
    assert kernel.sent("command") == []


def test_no_row_moves_away_from_under_the_pointer(page: Page) -> None:
    kernel = show(page, "steady")
    _, row = queued_row(kernel)
    cancel = row.get_by_role("button", name="Cancel job")
    cancel.hover()
    before = cancel.bounding_box()
    snapshot = kernel.told
    new = JobRecord("d3knew", "sampler", "running", states.NOW, states.NOW)
    kernel.update(replace(snapshot, jobs=(*snapshot.jobs, new)))
    page.clock.run_for(600)
    assert cancel.bounding_box() == before
    page.mouse.move(0, 0)
    expect(kernel.panel.get_by_title("d3knew")).to_be_visible()
    assert cancel.bounding_box() != before


def test_a_row_that_has_just_moved_takes_no_click(page: Page) -> None:
    kernel = show(page, "steady")
    _, row = queued_row(kernel)
    cancel = row.get_by_role("button", name="Cancel job")
    expect(cancel).to_be_enabled()
    stand_still(page)
    page.clock.run_for(600)
    snapshot = kernel.told
    new = JobRecord("d3knew", "sampler", "running", states.NOW, states.NOW)
    kernel.update(replace(snapshot, jobs=(*snapshot.jobs, new)))
    expect(kernel.panel.get_by_title("d3knew")).to_be_visible()
    asked = kernel.panel.get_by_role("group", name="Cancel job")
    page.mouse.click(*center(cancel))
    page.clock.run_for(600)
    expect(asked).to_have_count(0)
    page.mouse.click(*center(cancel))
    expect(asked).to_be_focused()


def test_a_button_that_can_do_something_again_does_not_do_it_at_once(page: Page) -> None:
    kernel = show(page, "steady")
    close = kernel.panel.get_by_role("button", name="Close session")
    expect(close).to_be_enabled()
    stand_still(page)
    close.click()
    page.clock.run_for(600)
    (command,) = kernel.sent("command")
    kernel.deliver({"type": "ack", "id": command["id"], "stage": "failed", "message": "No."})
    expect(kernel.panel.locator(".qs-notice")).to_contain_text("Close failed.")
    page.mouse.click(*center(close))
    assert len(kernel.sent("command")) == 1
    page.clock.run_for(600)
    page.mouse.click(*center(close))
    assert len(kernel.sent("command")) == 2


def test_several_queued_jobs_are_cancelled_with_one_question(page: Page) -> None:
    kernel = show(page, "queueing")
    expect(kernel.panel.get_by_role("group", name="Chosen jobs")).to_have_count(0)
    kernel.panel.get_by_role("button", name="and 5 queued").click()
    boxes = kernel.panel.get_by_role("checkbox", name="Choose job")
    expect(boxes).to_have_count(6)
    boxes.nth(1).focus()
    page.keyboard.press("Space")
    bar = kernel.panel.get_by_role("group", name="Chosen jobs")
    expect(bar).to_contain_text("1 job chosen")
    bar.get_by_role("button", name="None").click()
    expect(bar).to_have_count(0)
    for at in (0, 2, 3):
        boxes.nth(at).check()
    queued = [job.id for job in kernel.told.jobs if job.status == "queued"]
    cancel = bar.get_by_role("button", name="Cancel 3 jobs")
    expect(cancel).to_have_accessible_description("they will not run; the session stays open")
    page.clock.run_for(600)
    cancel.click()
    asked = kernel.panel.get_by_role("group", name="Cancel 3 jobs?")
    expect(asked).to_be_focused()
    expect(asked).to_contain_text("Cancel 3 jobs? They are queued, and will not run.")
    # one of them begins to run meanwhile, and goes on
    jobs = tuple(
        replace(job, status="running", started=states.NOW) if job.id == queued[0] else job
        for job in kernel.told.jobs
    )
    kernel.update(replace(kernel.told, jobs=jobs))
    expect(asked).to_contain_text("Cancel 2 jobs? They are queued, and will not run. 1 other has")
    page.clock.run_for(600)
    assert kernel.sent("command") == []
    asked.get_by_role("button", name="Cancel jobs").click()
    commands = kernel.sent("command")
    assert [(each["action"], each["job"]) for each in commands] == [
        ("cancel_job", queued[2]),
        ("cancel_job", queued[3]),
    ]
    expect(asked).to_have_count(0)
    expect(bar).to_have_count(0)
    expect(kernel.panel.get_by_title(queued[0], exact=True)).to_be_focused()


def test_a_question_about_jobs_that_all_have_left_the_queue(page: Page) -> None:
    kernel = show(page, "queueing")
    kernel.panel.get_by_role("checkbox", name="Choose job").check()
    bar = kernel.panel.get_by_role("group", name="Chosen jobs")
    bar.get_by_role("button", name="All 6 queued").click()
    page.clock.run_for(600)
    bar.get_by_role("button", name="Cancel 6 jobs").click()
    asked = kernel.panel.get_by_role("group", name="Cancel 6 jobs?")
    jobs = tuple(
        replace(job, status="cancelled", finished=states.NOW) if job.status == "queued" else job
        for job in kernel.told.jobs
    )
    kernel.update(replace(kernel.told, jobs=jobs))
    expect(asked).to_contain_text("Nothing to cancel: none of them is queued any more.")
    expect(asked.get_by_role("button", name="Cancel jobs")).to_be_disabled()
    asked.get_by_role("button", name="Dismiss").click()
    expect(asked).to_have_count(0)
    assert kernel.sent("command") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_questions_are_accessible(page: Page, scheme: Any) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: run `npm ci` in js")
    page.emulate_media(color_scheme=scheme)
    kernel = show(page, "queueing")
    kernel.panel.get_by_role("checkbox", name="Choose job").check()
    page.clock.run_for(600)
    kernel.panel.locator(".qs-pick").first.click()
    asked = ask(kernel)
    expect(asked.get_by_role("button", name="Cancel session")).to_be_enabled()
    page.evaluate(AXE.read_text(encoding="utf-8"))
    running = page.evaluate_handle("() => ({found: axe.run('.qs-panel')})")
    page.clock.run_for(2000)
    found = running.evaluate("r => r.found.then(f => f.violations.map(v => v.id))")
    assert found == []
