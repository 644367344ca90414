"""The objective on the page: a lane above the jobs, words, and what can be chosen."""

from __future__ import annotations

from dataclasses import replace

from playwright.sync_api import Page, expect

from qsession_widgets.model import READ_SERIES, SeriesPoint

from . import states
from .harness import Kernel, show


def test_a_value_appears_when_it_is_read(page: Page) -> None:
    snapshot = states.active()
    kernel = Kernel(page, snapshot)
    lane = kernel.panel.locator(".qs-objective")
    expect(lane).to_contain_text("no value read yet")
    height = lane.bounding_box()
    first, second = snapshot.jobs[3:5]
    point = SeriesPoint(READ_SERIES, -1.1512, states.NOW - 2, 0.019, job_id=first.id)
    kernel.update(replace(snapshot, points=(point,)))
    words = kernel.panel.locator(".qs-objective-words")
    expect(words).to_have_text(
        "expectation value -1.151 ± 0.019 · best (minimum) -1.151 ± 0.019 at job 4"
    )
    worse = replace(point, value=-1.02, time=states.NOW - 1, job_id=second.id)
    kernel.update(replace(snapshot, points=(point, worse)))
    expect(words).to_have_text(
        "expectation value -1.020 ± 0.019 · best (minimum) -1.151 ± 0.019 at job 4, "
        "picked from noise"
    )
    expect(kernel.panel.get_by_role("img", name="2 values: the latest -1.020")).to_be_visible()
    after = lane.bounding_box()
    assert height is not None
    assert after is not None
    assert after["height"] == height["height"]
    # by the line of its words at most
    assert after["y"] - height["y"] <= 20


def test_a_value_leads_to_its_job_and_the_best_to_its(page: Page) -> None:
    kernel = show(page, "valued")
    hit = kernel.panel.locator(".qs-lane-hit")
    box = hit.bounding_box()
    assert box is not None
    marks = kernel.panel.locator(".qs-lane-value")
    path = marks.get_attribute("d") or ""
    x, y = (float(number) for number in path.split("M")[3].removesuffix("h0").split())
    page.mouse.move(box["x"] + x, box["y"] + y)
    expect(kernel.panel.locator(".qs-live-tip")).to_contain_text("expectation value -")
    third = kernel.told.points[2].job_id
    page.mouse.click(box["x"] + x, box["y"] + y)
    detail = kernel.panel.locator(".qs-detail b")
    expect(detail).to_have_text(third or "")
    best = kernel.panel.get_by_title("Show its job")
    best.focus()
    page.keyboard.press("Enter")
    lowest = min(kernel.told.points, key=lambda point: point.value)
    expect(detail).to_have_text(lowest.job_id or "")


def test_a_series_and_its_best_can_be_chosen(page: Page) -> None:
    kernel = show(page, "queueing")
    words = kernel.panel.locator(".qs-objective-words")
    chooser = kernel.panel.get_by_label("Series shown as the objective")
    # what the user logs says what the objective is
    expect(chooser).to_have_value("energy")
    chooser.select_option(READ_SERIES)
    expect(kernel.panel.get_by_role("img", name="expectation value, 9 values")).to_be_visible()
    kernel.panel.get_by_role("button", name="The best is the minimum: change").click()
    highest = max(
        (point for point in kernel.told.points if point.series == READ_SERIES),
        key=lambda point: point.value,
    )
    expect(words).to_contain_text(f"best (maximum) {highest.value:.3f} ± 0.020")


def test_values_that_were_missed_are_asked_for(page: Page) -> None:
    kernel = show(page, "valued")
    snapshot = kernel.told
    last = replace(snapshot.points[-1], value=-4.5)
    missed = replace(snapshot, points=(*snapshot.points, last))
    kernel.wire.update(missed, states.NOW)
    asked = len(kernel.sent("sync"))
    kernel.update(replace(missed, points=(*missed.points, replace(last, value=-4.6))))
    page.wait_for_function(
        "([i, n]) => panels[i].model.sent.filter(m => m.type === 'sync').length > n",
        arg=[kernel.index, asked],
    )
    question = kernel.sent("sync")[-1]
    kernel.deliver(kernel.wire.since(question["revision"], states.NOW, question["points"]))
    expect(kernel.panel.locator(".qs-objective-words")).to_contain_text("-4.600 ± 0.020 · best")
    expect(
        kernel.panel.get_by_role("img", name=f"{len(snapshot.points) + 2} values")
    ).to_be_visible()


def test_a_series_that_was_chosen_says_when_it_has_nearly_stopped(page: Page) -> None:
    kernel = Kernel(page, states.many(100))
    advice = kernel.panel.locator(".qs-advice")
    expect(advice).to_contain_text("Median gap")
    # a value that is read by itself may be no objective at all
    expect(advice).not_to_contain_text("nearly stopped")
    kernel.panel.get_by_role("button", name="The best is the minimum: change").click()
    stopped = "“expectation value” has nearly stopped: each further job costs ≈"
    expect(advice).to_contain_text(stopped)
    expect(advice).to_contain_text("Its last 8 steps (16 values) changed it by 0.0")
    last = kernel.told.points[-1]
    lower = tuple(replace(last, value=-6 - 0.1 * i) for i in range(8))
    kernel.update(replace(kernel.told, points=(*kernel.told.points, *lower)))
    expect(advice).not_to_contain_text("nearly stopped")
