"""The panel in a real browser, fed with what the kernel's half really sends."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from qsession_widgets.model import Blocker, JobRecord

from . import states
from .harness import Kernel, open_harness, show, stand_still

AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.mark.parametrize("scheme", ["light", "dark", "forced"])
def test_every_state_is_accessible(new_page: Callable[..., Page], scheme: str) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: run `npm ci` in js")
    look = {"forced_colors": "active"} if scheme == "forced" else {"color_scheme": scheme}
    page = open_harness(new_page(**look, reduced_motion="reduce"))
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for name in states.STATES:
        kernel = show(page, name)
        if name == "steady":
            kernel.panel.get_by_role("button", name="and 8 done").click()
            kernel.panel.get_by_role("button", name="Details of job").first.click()
            kernel.panel.get_by_role("button", name="Cancel session").click()
        if name == "guarded":
            kernel.panel.get_by_role("button", name="at $1.60/s").click()
        found: list[dict[str, Any]] = page.evaluate("axe.run('.qs-panel').then(r => r.violations)")
        said = [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found]
        assert said == [], name
        page.evaluate("panels.pop().remove()")


@pytest.mark.parametrize("width", [320, 560, 1050])
def test_nothing_is_wider_than_its_place(new_page: Callable[..., Page], width: int) -> None:
    page = open_harness(new_page(viewport={"width": width, "height": 900}))
    for name in states.STATES:
        kernel = show(page, name)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, name
        clipped = kernel.panel.locator(".qs-figure, .qs-note, .qs-button, .qs-state").evaluate_all(
            "els => els.filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth)"
            ".map(e => e.textContent)"
        )
        assert clipped == [], name
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


def test_says_what_it_shows(page: Page) -> None:
    kernel = show(page, "active")
    panel = kernel.panel
    expect(panel.get_by_role("status").first).to_have_text("Active")
    expect(panel).to_contain_text("local emulator · simulated queue · no charge")
    expect(panel).to_contain_text("7b695108…f50a")
    # the page has the time: it may be some seconds later by now
    expect(panel).to_contain_text(re.compile(r"would be ≈ \$\d{3}\b"))
    expect(panel.get_by_role("button", name="Close session")).to_have_accessible_description(
        "lets 1 running job finish"
    )
    expect(panel.get_by_role("button", name="Cancel session")).to_have_accessible_description(
        "nothing is queued; 1 running job finishes"
    )
    assert panel.get_by_role("timer").count() == 2
    for timer in panel.get_by_role("timer").all():
        assert timer.get_attribute("aria-live") == "off"


def test_a_new_job_appears_and_finishes(page: Page) -> None:
    snapshot = states.idle()
    kernel = Kernel(page, snapshot)
    kernel.wait_for_chart()
    expect(kernel.panel.get_by_text("and 6 done")).to_be_visible()
    new = JobRecord("d3knew0000000000qqq", "sampler", "queued", states.NOW, pubs=3)
    kernel.update(replace(snapshot, jobs=(*snapshot.jobs, new)))
    row = kernel.panel.get_by_role("row", name="sampler")
    expect(row).to_contain_text("sampler 3 pubs")
    expect(row).to_contain_text("Queued")
    expect(kernel.panel.get_by_role("timer", name="Interactive timeout")).to_have_text("1:00")
    new = replace(new, status="running", started=states.NOW + 1)
    kernel.update(replace(snapshot, jobs=(*snapshot.jobs, new)))
    expect(row).to_contain_text("Running")
    new = replace(
        new, status="done", started=states.NOW + 1, finished=states.NOW + 3.5, qpu_seconds=1.5
    )
    kernel.update(replace(snapshot, jobs=(*snapshot.jobs, new)))
    expect(row).to_contain_text("Done")
    expect(row).to_contain_text("2.5 s")
    assert len(kernel.sent("sync")) == 1


def test_a_result_that_is_not_exact_is_marked(page: Page) -> None:
    snapshot = states.idle()
    kernel = Kernel(page, snapshot)
    kernel.wait_for_chart()
    done = JobRecord("d3knew", "sampler", "done", states.NOW, states.NOW, states.NOW + 1, pubs=3)
    exact = replace(done, method="exact")
    kernel.update(replace(snapshot, jobs=(*snapshot.jobs, exact)))
    row = kernel.panel.get_by_role("row", name="sampler")
    expect(row).to_contain_text("Done")
    row.click()
    expect(kernel.panel.get_by_text("simulated exactly")).to_be_visible()
    expect(kernel.panel.get_by_text("not exact")).to_have_count(0)
    how = "Simulated by stabilizer simulation, gate noise twirled to Pauli channels."
    told = replace(done, method="stabilizer", approximation=how, no_effect=("execution.rep_delay",))
    kernel.update(replace(snapshot, jobs=(*snapshot.jobs, told)))
    expect(row).to_contain_text("stabilizer")
    expect(kernel.panel.get_by_text(f"1 job not exact. {how}")).to_contain_text(
        "Options without effect in the emulator: execution.rep_delay."
    )
    expect(kernel.panel.get_by_text("without effect: execution.rep_delay")).to_be_visible()


def test_a_missed_message_is_asked_for(page: Page) -> None:
    snapshot = states.idle()
    kernel = Kernel(page, snapshot)
    kernel.wait_for_chart()
    for number in range(3):
        new = JobRecord(f"d3knew{number}", "sampler", "queued", states.NOW + number)
        snapshot = replace(snapshot, jobs=(*snapshot.jobs, new))
        message = kernel.wire.update(snapshot, states.NOW)
        assert message is not None
        if number != 0:
            kernel.deliver(message)
    # asked again on a machine so busy that the answer is late; always from where the hole is
    first, *later = kernel.sent("sync")
    assert first["revision"] == -1
    assert {message["revision"] for message in later} == {1}
    kernel.deliver(kernel.wire.since(1, states.NOW))
    # the next in the queue, and three that are done
    expect(kernel.panel.get_by_role("row", name="sampler")).to_have_count(1)
    expect(kernel.panel.get_by_text("and 2 queued, 7 done")).to_be_visible()


# ---------------------------------------------------------------------------------------------
# Commands


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
    expect(kernel.panel.get_by_text("not being checked")).to_be_visible()
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


# ---------------------------------------------------------------------------------------------
# Chart, and many of everything


def test_panels_share_one_chart_library(page: Page) -> None:
    first = show(page, "active")
    second = show(page, "idle")
    third = show(page, "failed")
    assert page.evaluate("assetsSent") == 1
    asked = [len(kernel.sent("asset")) for kernel in (first, second, third)]
    assert asked == [1, 0, 0]


def test_another_panel_asks_when_the_first_is_gone(page: Page) -> None:
    Kernel(page, states.idle(), answers=False)
    page.wait_for_function("panels[0].model.sent.some(m => m.type === 'asset')")
    page.evaluate("panels[0].remove()")
    kernel = Kernel(page, states.active())
    kernel.panel = page.locator("section.qs-panel")
    assert kernel.sent("asset") == []
    page.clock.run_for(26_000)
    kernel.wait_for_chart()


def test_twenty_panels(page: Page) -> None:
    for _ in range(20):
        Kernel(page, states.active())
    expect(page.locator("section.qs-panel")).to_have_count(20)
    page.locator(".qs-chart .main-svg").first.wait_for(state="attached")
    assert page.evaluate("assetsSent") == 1
    page.evaluate("panels.forEach(p => p.remove())")
    expect(page.locator("section.qs-panel")).to_have_count(0)
    assert page.evaluate("panels.every(p => p.model.listeners.length === 0)")


def test_ten_thousand_jobs_draw_what_a_pixel_can_show(page: Page) -> None:
    few = show(page, "active")
    drawn_few = few.panel.locator(".qs-chart .bars path").count()
    page.evaluate("panels.pop().remove()")
    kernel = show(page, "many")
    width = kernel.panel.locator(".qs-chart").bounding_box()["width"]  # type: ignore[index]
    drawn = kernel.panel.locator(".qs-chart .bars path").count()
    assert 0 < drawn <= width
    assert drawn_few >= 20
    failed = kernel.panel.locator(".qs-chart .bars path").evaluate_all(
        "(els, color) => els.filter(e => getComputedStyle(e).fill === color).length",
        "rgb(218, 30, 40)",
    )
    assert failed == 2, "two of ten thousand failed, and both can be seen"
    kernel.panel.get_by_role("button", name="and 9,995 done, 2 failed").click()
    expect(kernel.panel.get_by_role("table", name="Jobs")).to_have_attribute(
        "aria-rowcount", "10002"
    )
    assert kernel.panel.get_by_role("row").count() < 60
    kernel.panel.get_by_role("region", name="All jobs").evaluate("el => el.scrollTop = 1e9")
    last = kernel.wire._seen[0].id
    expect(kernel.panel.get_by_title(last)).to_be_visible()
    assert kernel.panel.get_by_role("row").count() < 60


def test_filter_and_sort(page: Page) -> None:
    kernel = show(page, "many")
    kernel.panel.get_by_role("button", name="and 9,995 done").click()
    kernel.panel.get_by_role("button", name="failed or cancelled 2").click()
    expect(kernel.panel.locator("tr.qs-row")).to_have_count(2)
    kernel.panel.get_by_role("button", name="all 10,001").click()
    kernel.panel.get_by_role("button", name="Ran").click()
    expect(kernel.panel.get_by_role("columnheader", name="Ran")).to_have_attribute(
        "aria-sort", "descending"
    )
    text = kernel.panel.locator("tr.qs-row .qs-ran").nth(1).text_content() or ""
    longest = max(j.finished - j.started for j in kernel.wire._seen if j.finished and j.started)
    assert text == f"{longest:.1f} s"


def test_a_bar_leads_to_its_job(page: Page) -> None:
    kernel = show(page, "failed")
    failed = next(job for job in kernel.wire._seen if job.status == "failed")
    bar = kernel.panel.locator(".qs-chart .bars path").last.bounding_box()
    assert bar is not None
    page.mouse.move(bar["x"] + bar["width"] / 2, bar["y"] + bar["height"] / 2)
    expect(kernel.panel.locator(".hovertext")).to_contain_text("transpile it first")
    page.mouse.down()
    page.mouse.up()
    page.clock.run_for(1000)
    detail = kernel.panel.locator(".qs-detail")
    expect(detail).to_contain_text(failed.id)
    expect(detail).to_contain_text("transpile it first. (code 1517)")
    expect(kernel.panel.locator("tr.qs-row.qs-selected")).to_have_count(1)


def test_zoom_and_back(page: Page) -> None:
    kernel = show(page, "active")
    box = kernel.panel.locator(".qs-chart").bounding_box()
    assert box is not None
    before = kernel.panel.locator(".xtick text").all_text_contents()
    page.mouse.move(box["x"] + 300, box["y"] + 70)
    page.mouse.down()
    page.mouse.move(box["x"] + 330, box["y"] + 70, steps=4)
    page.mouse.move(box["x"] + 400, box["y"] + 70, steps=4)
    page.mouse.up()
    back = kernel.panel.get_by_role("button", name="Follow now")
    expect(back).to_be_visible()
    assert kernel.panel.locator(".xtick text").all_text_contents() != before
    back.click()
    expect(back).to_have_count(0)
    expect(kernel.panel.locator(".xtick text").first).to_have_text(before[0])


def test_colours_follow_the_page(page: Page) -> None:
    page.evaluate("document.body.dataset.jpThemeLight = 'true'")
    kernel = show(page, "idle")
    expect(kernel.panel).to_have_attribute("data-theme", "light")
    bars = kernel.panel.locator(".qs-chart .bars path")
    fills = "els => [...new Set(els.map(e => getComputedStyle(e).fill))]"
    assert "rgb(26, 154, 107)" in bars.evaluate_all(fills)
    page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    expect(kernel.panel).to_have_attribute("data-theme", "dark")
    page.wait_for_function(
        "color => [...document.querySelectorAll('.bars path')]"
        ".some(e => getComputedStyle(e).fill === color)",
        arg="rgb(62, 207, 154)",
    )


def test_hostile_texts_stay_texts(page: Page) -> None:
    bad = '<img src=x onerror="window.owned=1"><b>b</b>'
    snapshot = states.session(
        [states.job("failed", 1.0, 2.0, 3.0, error=bad, program=bad)],
        backend=bad,
        name=bad,
        problem=bad,
        active_periods=(states.since(2.0, None),),
    )
    kernel = Kernel(page, snapshot)
    kernel.wait_for_chart()
    bar = kernel.panel.locator(".qs-chart .bars path").last.bounding_box()
    assert bar is not None
    page.mouse.move(bar["x"] + bar["width"] / 2, bar["y"] + bar["height"] / 2)
    expect(kernel.panel.locator(".hovertext")).to_contain_text("<img")
    assert page.evaluate("window.owned") is None
    assert kernel.panel.locator("img").count() == 0


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


def test_reused_jobs_are_hatched_cost_nothing_and_are_counted(page: Page) -> None:
    kernel = show(page, "resumed")
    panel = kernel.panel
    kernel.wait_for_chart()
    bars = panel.locator(".qs-chart").evaluate(
        "el => el.data.filter(each => each.marker?.pattern).map(each => each.x.length)"
    )
    assert bars == [10]
    expect(panel.locator(".qs-legend")).to_contain_text("reused")
    expect(panel).to_contain_text("10 of 22 jobs reused, ≈ $126 not paid again.")
    # ten of the run before and ten of its own of the thirty that are expected
    expect(panel.get_by_role("progressbar", name="Jobs done")).to_have_attribute(
        "aria-valuenow", "20"
    )
    panel.get_by_role("button", name="and 18 done").click()
    rows = panel.locator("tr.qs-row", has_text="reused")
    rows.first.scroll_into_view_if_needed()
    expect(rows.first.locator(".qs-price-of")).to_have_text("$0.00")
