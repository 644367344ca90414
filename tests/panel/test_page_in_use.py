"""The panel while somebody uses it: nothing jumps, loses the focus or is cut off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import Locator, Page, expect

from qsession_widgets.snapshot import JobRecord

from . import states
from .harness import Kernel, open_harness, show

ACTIVE = "(el => el.getAttribute('aria-label') ?? el.textContent)(document.activeElement)"


def cut_off(texts: Locator) -> list[str]:
    """What of these texts does not fit its place."""
    found: list[str] = texts.evaluate_all(
        "els => els.filter(e => e.clientWidth && e.scrollWidth > e.clientWidth)"
        ".map(e => e.textContent)"
    )
    return found


def test_picking_a_job_in_sight_unfolds_nothing(page: Page) -> None:
    kernel = show(page, "steady")
    kernel.panel.get_by_role("button", name="Details of job").first.click()
    expect(kernel.panel.locator(".qs-detail")).to_be_visible()
    expect(kernel.panel.locator("tr.qs-row")).to_have_count(4)


def test_a_list_that_is_read_stays_where_it_is(page: Page) -> None:
    snapshot = states.many(500)
    kernel = Kernel(page, snapshot)
    kernel.wait_for_chart()
    kernel.panel.get_by_role("button", name="earlier jobs").click()
    window = kernel.panel.get_by_role("region", name="All jobs")
    window.evaluate("el => el.scrollTop = 2000")
    read = kernel.panel.get_by_title(kernel.wire._seen[-66].id)
    expect(read).to_be_visible()
    before = read.bounding_box()
    for number in range(3):
        new = JobRecord(f"d3knew{number}", "sampler", "queued", states.NOW + number)
        snapshot = replace(snapshot, jobs=(*snapshot.jobs, new))
        kernel.update(snapshot)
        page.clock.run_for(300)
    expect(kernel.panel.get_by_role("button", name="all 504")).to_be_visible()
    assert read.bounding_box() == before
    # another order is another list, and that is read from its beginning
    kernel.panel.get_by_role("button", name="Ran").click()
    expect(window).to_have_js_property("scrollTop", 0)


def test_the_focus_stays_in_the_panel(page: Page) -> None:
    kernel = show(page, "steady")
    cancel = kernel.panel.locator("tr.qs-row", has_text="Queued").get_by_role("button").last
    cancel.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert len(kernel.sent("command")) == 1
    assert page.evaluate(ACTIVE).startswith("Details of job")
    kernel.panel.get_by_role("button", name="Close session").click()
    kernel.deliver({"type": "ack", "id": kernel.sent("command")[-1]["id"], "stage": "done"})
    kernel.panel.get_by_role("button", name="Dismiss").focus()
    page.keyboard.press("Enter")
    expect(kernel.panel.locator(".qs-notice")).to_have_count(0)
    assert page.evaluate(ACTIVE) == "Close session"


def test_a_command_to_a_kernel_that_went_is_not_said_to_wait(page: Page) -> None:
    kernel = show(page, "steady")
    kernel.panel.get_by_role("button", name="Close session").click()
    page.clock.run_for(3000)
    kernel.die()
    said = kernel.panel.locator(".qs-notice").first
    expect(said).to_contain_text("the kernel went before it answered")
    expect(said).not_to_contain_text("busy")


def test_the_time_is_asked_for_after_sleep_in_sight(page: Page) -> None:
    kernel = show(page, "steady")
    page.clock.run_for(2000)
    assert len(kernel.sent("sync")) == 1
    page.clock.fast_forward("30:00")
    page.clock.run_for(2000)
    assert len(kernel.sent("sync")) == 2


def test_the_chart_is_asked_for_again_soon_and_then_less_often(page: Page) -> None:
    kernel = Kernel(page, states.idle(), answers=False)
    page.wait_for_function("panels[0].model.sent.some(m => m.type === 'asset')")
    page.clock.run_for(7000)
    assert len(kernel.sent("asset")) == 2
    page.clock.run_for(120_000)
    assert 4 <= len(kernel.sent("asset")) <= 7


@pytest.mark.parametrize("width", [600, 680, 760, 960])
def test_every_column_has_room(new_page: Callable[..., Page], width: int) -> None:
    page = open_harness(new_page(viewport={"width": width, "height": 900}))
    for name in ("active", "requeued", "cancelled", "job-mode"):
        kernel = show(page, name)
        assert cut_off(kernel.panel.locator("th, td")) == [], name
        page.evaluate("panels.pop().remove()")


@pytest.mark.parametrize("width", [320, 700, 1100])
def test_names_of_any_length(new_page: Callable[..., Page], width: int) -> None:
    page = open_harness(new_page(viewport={"width": width, "height": 900}))
    long = "a_name_that_somebody_chose_without_a_thought_of_panels" * 3
    snapshot = states.steady()
    jobs = tuple(replace(job, id=long + job.id, program=long) for job in snapshot.jobs)
    service = replace(snapshot.service, label=long)
    kernel = Kernel(
        page, replace(snapshot, backend=long, name=long, service=service, jobs=jobs, problem=long)
    )
    kernel.wait_for_chart()
    kernel.panel.get_by_role("button", name="Details of job").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    panel = kernel.panel.bounding_box()
    assert panel is not None
    for button in kernel.panel.get_by_role("button").all():
        box = button.bounding_box()
        assert box is not None
        assert panel["x"] <= box["x"]
        assert box["x"] + box["width"] <= panel["x"] + panel["width"]


def test_larger_letters_are_larger_everywhere(page: Page) -> None:
    """JupyterLab's own setting for the size of its letters."""
    page.evaluate("document.body.style.setProperty('--jp-ui-font-size1', '18px')")
    kernel = show(page, "active")
    sizes = "els => [...new Set(els.map(e => parseFloat(getComputedStyle(e).fontSize)))]"
    texts = kernel.panel.locator(".qs-note, .qs-figure, td, .qs-button, .qs-chart text")
    assert min(texts.evaluate_all(sizes)) >= 15
    rows = kernel.panel.locator(".qs-timeline").bounding_box()
    chart = kernel.panel.locator(".qs-chart .main-svg").first.bounding_box()
    assert rows is not None
    assert chart is not None
    assert abs(rows["height"] - chart["height"]) <= 2
    assert cut_off(kernel.panel.locator("th, td")) == []


def test_english_words_in_a_page_that_is_read_from_the_right(page: Page) -> None:
    page.evaluate("document.documentElement.dir = 'rtl'")
    kernel = show(page, "active")
    state = kernel.panel.locator(".qs-state").bounding_box()
    close = kernel.panel.get_by_role("button", name="Close session").bounding_box()
    assert state is not None
    assert close is not None
    assert state["x"] < close["x"]


def test_a_job_beside_the_session_is_none_of_its_timeline(page: Page) -> None:
    kernel = show(page, "stray")
    expect(kernel.panel.locator("tr.qs-row", has_text="outside")).to_have_count(1)
    # the wait and the run of the session's own job; the stray one waits, too
    expect(kernel.panel.locator(".qs-live-bar")).to_have_count(2)


@pytest.mark.parametrize("width", [340, 460, 580, 700, 800, 870, 900, 1010, 1230])
def test_a_loop_of_jobs_moves_nothing(new_page: Callable[..., Page], width: int) -> None:
    """A second between two jobs changes the words; everything stays where it is."""
    page = open_harness(new_page(viewport={"width": width, "height": 900}))
    # however long the page takes, it is still that second
    page.clock.set_fixed_time(states.NOW)
    idle = states.idle()
    between = replace(idle, last_job_completed=states.NOW - 1)
    kernel = Kernel(page, between)
    kernel.wait_for_chart()
    parts = kernel.panel.locator(".qs-state, .qs-backend, .qs-cell, .qs-timeline, .qs-table")
    places = "els => els.map(e => JSON.stringify(e.getBoundingClientRect()))"
    expect(kernel.panel).to_contain_text("then deactivated")
    before = parts.evaluate_all(places)
    new = JobRecord("d3knew", "estimator", "queued", states.NOW, pubs=1)
    kernel.update(replace(between, jobs=(*idle.jobs, new)))
    expect(kernel.panel).to_contain_text("paused while a job is pending")
    assert parts.evaluate_all(places) == before
