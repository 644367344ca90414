"""The panel while somebody uses it: nothing jumps, loses the focus or is cut off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from qsession_widgets.model import JobRecord, SessionSnapshot

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
    kernel.panel.get_by_role("button", name="and 497 done").click()
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
    expect(cancel).to_be_enabled()  # it takes no key in its first half second
    cancel.press("Enter")
    confirm = kernel.panel.get_by_role("group", name="Cancel job").get_by_role("button").first
    expect(confirm).to_be_enabled()
    page.keyboard.press("Tab")
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
    expect(said).to_contain_text("the kernel ended before it answered")
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
    rows = kernel.panel.locator(".qs-jobs-chart").bounding_box()
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


def idle_for(seconds: float) -> SessionSnapshot:
    """A session with every rule, whose last job ended so long ago."""
    return replace(states.guarded(), last_job_completed=states.NOW - seconds)


def with_a_job(snapshot: SessionSnapshot) -> SessionSnapshot:
    new = JobRecord("d3knew", "estimator", "queued", states.NOW, pubs=1)
    return replace(snapshot, jobs=(*snapshot.jobs, new), poll_interval=0.2)


@pytest.mark.parametrize("width", [340, 460, 580, 700, 750, 800, 870, 900, 1010, 1230])
def test_a_job_after_a_while_moves_nothing(new_page: Callable[..., Page], width: int) -> None:
    """It changes the words; everything stays where it is."""
    page = open_harness(new_page(viewport={"width": width, "height": 900}))
    # however long the page takes, it is still that second
    page.clock.set_fixed_time(states.NOW)
    idle = idle_for(4)
    kernel = Kernel(page, idle)
    kernel.wait_for_chart()
    parts = kernel.panel.locator(".qs-header, .qs-button, .qs-cell, .qs-timeline, .qs-table")
    places = "els => els.map(e => JSON.stringify(e.getBoundingClientRect()))"
    expect(kernel.panel).to_contain_text("then the next job queues again")
    before = parts.evaluate_all(places)
    kernel.update(with_a_job(idle))
    expect(kernel.panel).to_contain_text("counts while no job is pending")
    assert parts.evaluate_all(places) == before


def test_a_loop_of_jobs_says_nothing_new_with_each_of_them(page: Page) -> None:
    """What changes several times a second cannot be read."""
    page.clock.set_fixed_time(states.NOW)
    between = idle_for(1)
    # its last job has just ended: nothing has been pending for a second
    last = between.jobs[-1]
    shift = states.NOW - 1 - (last.finished or 0)
    moved = replace(
        last,
        created=last.created + shift,
        started=(last.started or 0) + shift,
        finished=states.NOW - 1,
    )
    between = replace(between, jobs=(*between.jobs[:-1], moved), poll_interval=15.0)
    kernel = Kernel(page, between)
    kernel.wait_for_chart()
    said = kernel.panel.locator(".qs-state, .qs-clock .qs-note, .qs-rules, .qs-foot")
    before = said.all_text_contents()
    assert "up to date" in before[-1]
    kernel.update(with_a_job(between))
    expect(kernel.panel.locator("tr.qs-row", has_text="Queued")).to_have_count(1)
    assert said.all_text_contents() == before


@pytest.mark.parametrize("width", [320, 480, 900])
def test_the_header_is_as_high_whatever_the_state(
    new_page: Callable[..., Page], width: int
) -> None:
    page = open_harness(new_page(viewport={"width": width, "height": 900}))
    heights = {}
    for name in ("open", "waiting", "idle", "deactivated", "requeued", "failed", "closed"):
        kernel = show(page, name)
        box = kernel.panel.locator(".qs-header").bounding_box()
        assert box is not None
        heights[name] = box["height"]
        page.evaluate("panels.pop().remove()")
    assert len(set(heights.values())) == 1, heights


@pytest.mark.parametrize("width", [320, 730, 900])
def test_why_a_job_failed_can_be_read_without_a_click(
    new_page: Callable[..., Page], width: int
) -> None:
    page = open_harness(new_page(viewport={"width": width, "height": 900}))
    kernel = show(page, "failed")
    why = kernel.panel.get_by_text(states.NOT_ISA)
    expect(why).to_have_text(f"{states.NOT_ISA} (1517)")
    assert why.evaluate("e => e.scrollWidth <= e.clientWidth && e.scrollHeight <= e.clientHeight")
    # one height for all rows of a long list: there it is cut, and told whole by a click
    kernel.panel.get_by_role("button", name=" done").click()
    expect(kernel.panel.locator(".qs-why")).to_have_count(0)
    expect(kernel.panel.locator(".qs-row .qs-error")).to_have_count(1)


@pytest.mark.parametrize("width", [718, 800, 872])
def test_three_columns_as_long_as_they_have_room(new_page: Callable[..., Page], width: int) -> None:
    page = open_harness(new_page(viewport={"width": width, "height": 900}))
    for name in ("idle", "many", "closed"):
        kernel = show(page, name)
        tops = kernel.panel.locator(".qs-cell").evaluate_all(
            "els => els.map(e => e.getBoundingClientRect().top)"
        )
        assert len(tops) == 3
        assert len(set(tops)) == 1, name
        cells = kernel.panel.locator(".qs-figure, .qs-cost, .qs-label, .qs-note")
        assert cut_off(cells) == [], name
        page.evaluate("panels.pop().remove()")


def test_a_session_that_is_closing_has_no_timeout(page: Page) -> None:
    kernel = show(page, "closing")
    expect(kernel.panel.get_by_role("timer", name="Interactive timeout")).to_have_count(0)
    expect(kernel.panel.locator(".qs-cell").first).to_contain_text("Closes after2 jobs")


def test_jobs_beside_the_session_are_counted_beside_it(page: Page) -> None:
    closed = states.closed()
    jobs = (*closed.jobs, states.job("queued", 180.0, stray=True))
    kernel = Kernel(page, replace(closed, jobs=jobs))
    expect(kernel.panel.locator(".qs-clocks")).to_contain_text("10 done · 1 outside")
    expect(kernel.panel.get_by_text("and 7 done")).to_be_visible()


def test_less_than_a_second_is_told_in_milliseconds(page: Page) -> None:
    jobs = [states.job("done", 280.0, 280.03, 280.075, qpu_seconds=0.045)]
    periods = (states.since(280.03, None),)
    kernel = Kernel(page, states.session(jobs, active_periods=periods))
    row = kernel.panel.locator("tr.qs-row")
    for words in ("30 ms", "45 ms"):
        expect(row).to_contain_text(words)
    expect(kernel.panel.locator(".qs-usage .qs-note")).to_contain_text("QPU\u00a0<1\u00a0s")


def test_nothing_is_wider_than_its_place(new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.clock.install()
    open_harness(page)
    for name in states.STATES:
        page.set_viewport_size({"width": 320, "height": 900})
        kernel = show(page, name)
        parts = kernel.panel.locator(".qs-figure, .qs-note, .qs-button, .qs-state")
        for width in (320, 560, 1050):
            page.set_viewport_size({"width": width, "height": 900})
            # the chart is drawn anew in the frame after
            page.wait_for_function("w => document.documentElement.scrollWidth <= w", arg=width)
            clipped = parts.evaluate_all(
                "els => els.filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth)"
                ".map(e => e.textContent)"
            )
            assert clipped == [], (name, width)
        page.evaluate("panels.pop().remove()")


def test_layout_does_not_move(page: Page) -> None:
    """Neither when the chart arrives nor when an idle session's words change."""
    kernel = Kernel(page, states.idle())
    kernel.panel.get_by_text("and 6 done").wait_for()
    before = kernel.panel.bounding_box()
    kernel.wait_for_chart()
    assert kernel.panel.bounding_box() == before
    busy = replace(states.idle(), last_job_completed=states.NOW)
    kernel.update(busy)
    page.clock.run_for(1000)
    assert kernel.panel.bounding_box() == before


LINE = 20
"""Pixels of a line of text, and some."""

PARTS = """i => {
    const panel = document.querySelectorAll("section.qs-panel")[i];
    const { top, height } = panel.getBoundingClientRect();
    const at = (part) => panel.querySelector(part).getBoundingClientRect().top - top;
    return [at(".qs-clocks"), at(".qs-rules"), at(".qs-timeline"), at(".qs-jobs"), height];
}"""


@pytest.mark.parametrize("width", [320, 900])
def test_nothing_moves_by_more_than_a_line_when_the_state_changes(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    places = {}
    for name in (
        "open",
        "waiting",
        "steady",
        "idle",
        "offline",
        "deactivated",
        "closing",
        "closed",
    ):
        snapshot = states.STATES[name]()
        # the values of an estimator's jobs have a lane of their own
        jobs = tuple(replace(job, program="sampler") for job in snapshot.jobs)
        rules: dict[str, Any] = {"budget_seconds": 200.0, "expected_jobs": None}
        kernel = Kernel(page, replace(snapshot, jobs=jobs, **rules))
        expect(kernel.panel.locator(".js-plotly-plot")).to_be_visible()
        places[name] = page.evaluate(PARTS, kernel.index)
        if name == "steady":
            kernel.panel.get_by_role("button", name="Close session").click()
            expect(kernel.panel.get_by_text("Close requested")).to_be_visible()
            places["asked"] = page.evaluate(PARTS, kernel.index)
        page.evaluate("panels.pop().remove()")
    for part in zip(*places.values(), strict=True):
        assert max(part) - min(part) <= LINE, places
