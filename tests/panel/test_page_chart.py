"""The chart and the list of jobs: bars, zoom, filters, colours, and many of everything."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from . import states
from .harness import Kernel, show


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


def test_reused_jobs_are_hatched_cost_nothing_and_are_counted(page: Page) -> None:
    kernel = show(page, "resumed")
    panel = kernel.panel
    kernel.wait_for_chart()
    bars = panel.locator(".qs-chart").evaluate(
        "el => el.data.filter(each => each.marker?.pattern).map(each => each.x.length)"
    )
    assert bars == [10]
    expect(panel.locator(".qs-legend")).to_contain_text("reused")
    expect(panel).to_contain_text("10 of 22 jobs reused, ≈ $125 not paid again.")
    # ten of the run before and ten of its own of the thirty that are expected
    expect(panel.get_by_role("progressbar", name="Jobs done")).to_have_attribute(
        "aria-valuenow", "20"
    )
    panel.get_by_role("button", name="and 18 done").click()
    rows = panel.locator("tr.qs-row", has_text="reused")
    rows.first.scroll_into_view_if_needed()
    expect(rows.first.locator(".qs-price-of")).to_have_text("$0.00")
