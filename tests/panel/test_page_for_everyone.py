"""The panel for people who see, move or zoom differently, and in pages that allow little."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from . import harness, states
from .harness import open_harness, show
from .test_wire import lives


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forced_colours_leave_everything_to_be_seen(
    new_page: Callable[..., Page], scheme: str
) -> None:
    page = open_harness(new_page(forced_colors="active", color_scheme=scheme))
    kernel = show(page, "failed")
    canvas = "rgb(255, 255, 255)" if scheme == "light" else "rgb(0, 0, 0)"
    squares = kernel.panel.locator(".qs-square").evaluate_all(
        "els => els.map(e => getComputedStyle(e).backgroundColor)"
    )
    assert len(squares) == 4
    # running, done and failed: each another colour, and none the colour of the page
    assert canvas not in squares
    assert len(set(squares)) == 3
    # a failed one has a pattern, too: two of the reader's colours may be much alike
    image = "e => getComputedStyle(e).backgroundImage"
    assert "gradient" in kernel.panel.locator(".qs-square-failed").first.evaluate(image)
    assert kernel.panel.locator(".qs-square-running").first.evaluate(image) == "none"
    bars = kernel.panel.locator(".qs-chart .bars path").evaluate_all(
        "els => [...new Set(els.map(e => getComputedStyle(e).fill))]"
    )
    assert canvas not in bars
    assert len(bars) == 3, "waited, done, failed"
    assert sum("url(" in fill for fill in bars) == 1, "the pattern of failed ones"


def test_nothing_moves_for_those_who_asked_for_less_motion(new_page: Callable[..., Page]) -> None:
    moving = "e => getComputedStyle(e).transitionDuration !== '0s'"
    usual = show(open_harness(new_page()), "idle")
    assert usual.panel.locator(".qs-arc-quick").evaluate(moving)
    still = show(open_harness(new_page(reduced_motion="reduce")), "idle")
    assert not still.panel.locator(".qs-arc-quick").evaluate(moving)
    assert still.page.evaluate("document.getAnimations().length") == 0


@pytest.mark.parametrize("width", [1280, 640])
def test_twice_as_large(new_page: Callable[..., Page], width: int) -> None:
    """A window zoomed to 200 % has half as many pixels to lay out, each drawn by two."""
    page = new_page(viewport={"width": width // 2, "height": 500}, device_scale_factor=2)
    open_harness(page)
    for name in ("guarded", "failed", "closed", "job-mode"):
        kernel = show(page, name)
        assert page.evaluate("document.documentElement.scrollWidth") <= width // 2, name
        for button in kernel.panel.get_by_role("button").all():
            box = button.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width // 2
        page.evaluate("panels.pop().remove()")


def test_works_under_a_strict_content_security_policy(new_page: Callable[..., Page]) -> None:
    """As in VS Code's web views: no eval, nothing from elsewhere, no globals of JupyterLab."""
    policy = (
        "default-src 'none'; script-src 'self' 'unsafe-inline' blob:; connect-src 'self'; "
        "style-src 'self' 'unsafe-inline'; img-src data:; font-src 'none'"
    )
    page = new_page()
    refused: list[str] = []
    page.on(
        "console",
        lambda said: refused.append(said.text) if "Content Security" in said.text else None,
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.route(
        "**/*",
        lambda route: harness._serve(route),
    )
    page.route(
        harness.ORIGIN + "/",
        lambda route: route.fulfill(
            body=(harness.HERE / "harness.html").read_bytes(),
            headers={"content-type": "text/html", "content-security-policy": policy},
        ),
    )
    page.goto(harness.ORIGIN + "/")
    page.wait_for_function("window.ready")
    assert page.evaluate("window.jupyterapp === undefined && window.require === undefined")
    kernel = show(page, "active")
    expect(kernel.panel.locator(".qs-chart .bars path").first).to_be_attached()
    assert refused == []
    assert all(url.startswith((harness.ORIGIN, "blob:")) for url in asked), asked


def test_the_price_stays_for_the_page_and_counts_at_once(page: Page) -> None:
    kernel = show(page, "idle")
    expect(kernel.panel).to_contain_text(re.compile(r"≈ \$28\d at \$1\.60/s"))
    kernel.panel.get_by_role("button", name="at $1.60/s").click()
    field = kernel.panel.get_by_label("$ per second")
    expect(field).to_be_focused()
    field.fill("cheap")
    field.press("Enter")
    expect(kernel.panel.get_by_role("alert")).to_contain_text("a number")
    field.fill("0,8")
    field.press("Enter")
    expect(kernel.panel).to_contain_text(re.compile(r"≈ \$14\d at your \$0\.80/s"))
    # a cell that runs again makes another panel of the same session
    again = show(page, "idle")
    expect(again.panel).to_contain_text("at your $0.80/s")
    again.panel.get_by_role("button", name="at your $0.80/s").click()
    again.panel.get_by_label("$ per second").fill("")
    again.panel.get_by_label("$ per second").press("Enter")
    expect(again.panel).to_contain_text("at $1.60/s")
    # and what is changed in one of them is changed in all
    expect(kernel.panel).to_contain_text("at $1.60/s")
    assert kernel.sent("command") == []


def test_rules_count_down_and_say_what_they_do(page: Page) -> None:
    kernel = show(page, "guarded")
    rules = kernel.panel.get_by_role("list", name="Rules of this session")
    left = rules.get_by_role("timer", name="Idle close")
    before = left.text_content() or ""
    expect(left).to_have_text(re.compile(r"^1:(1\d|0\d)$"))
    page.clock.run_for(5000)
    expect(left).not_to_have_text(before)
    used = rules.get_by_role("progressbar", name="Budget used")
    expect(used).to_have_attribute("aria-valuetext", re.compile(r"≈ \$\d+ of \$320"))
    expect(rules).to_contain_text("then it ends and queued jobs are cancelled")
    expect(rules).to_contain_text("Closes after 40 jobs.")
    kernel.update(replace(kernel.told, max_jobs=11))
    expect(rules.locator(".qs-warn")).to_contain_text(["10 of 11 jobs, then it closes."])
    expect(rules).to_contain_text("Strict: jobs that would run outside the session are refused.")
    kernel.die()
    expect(rules).to_contain_text("The kernel that keeps these rules is gone.")


def test_job_mode_says_what_it_is_and_offers_no_session_to_close(page: Page) -> None:
    kernel = show(page, "job-mode")
    expect(kernel.panel).to_have_attribute("aria-label", "Job mode on ibm_fez")
    expect(kernel.panel.get_by_role("status").first).to_have_text("Job mode, running")
    expect(kernel.panel).to_contain_text("this plan has no sessions; a batch is possible")
    expect(kernel.panel).to_contain_text("2 done · 1 running · 1 queued")
    assert kernel.panel.get_by_role("button", name="Close").count() == 0
    assert kernel.panel.get_by_role("timer").count() == 0
    kernel.panel.get_by_role("button", name="Cancel job").first.click()
    asked = kernel.panel.get_by_role("group", name="Cancel job")
    asked.get_by_role("button", name="Cancel job").click()
    assert [each["action"] for each in kernel.sent("command")] == ["cancel_job"]


def test_a_session_that_is_not_open_counts_nothing_down(page: Page) -> None:
    kernel = show(page, "not-opened")
    expect(kernel.panel).to_have_attribute("aria-label", "Session on ibm_fez")
    expect(kernel.panel.get_by_role("status").first).to_have_text("Not opened")
    expect(kernel.panel).to_contain_text("opens with the first new job, or the first use of its id")
    expect(kernel.panel).to_contain_text("10 of 10 jobs reused, ≈ $125 not paid again.")
    assert kernel.panel.get_by_role("button", name="Close").count() == 0
    assert kernel.panel.get_by_role("timer").count() == 0


def test_what_runs_now_can_be_pointed_at_and_picked(page: Page) -> None:
    kernel = show(page, "steady")
    running = next(job for job in kernel.wire._seen if job.status == "running")
    bar = kernel.panel.locator(".qs-live-running")
    bar.hover()
    tip = kernel.panel.locator(".qs-live-tip")
    expect(tip).to_contain_text(running.id)
    expect(tip).to_contain_text("R=0.75")
    row = kernel.panel.locator("tr.qs-row").filter(has=page.get_by_title(running.id))
    expect(row.locator(".qs-what")).to_have_text(re.compile("^R=0.75estimator 1 pub · . 0.02$"))
    before = bar.bounding_box()
    page.clock.run_for(10_000)
    after = bar.bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] > before["width"], "it grows without a word from the kernel"
    bar.click()
    expect(kernel.panel.locator(".qs-detail")).to_contain_text(running.id)
    expect(kernel.panel.locator(".qs-detail")).to_contain_text("label R=0.75")


def test_the_past_is_drawn_again_only_when_a_pixel_of_it_changes(page: Page) -> None:
    snapshot = states.many(3000)
    kernel = harness.Kernel(page, snapshot)
    kernel.wait_for_chart()
    page.clock.run_for(500)
    page.evaluate(
        """() => {
            window.drawn = 0;
            new MutationObserver(() => drawn++).observe(
                document.querySelector(".qs-chart .barlayer"), {subtree: true, childList: true,
                attributes: true});
        }"""
    )
    queued, running, done, _ = lives(snapshot)
    for step in (queued, running):
        kernel.update(step)
        page.clock.run_for(300)
    row = kernel.panel.locator("tr.qs-row").filter(has=page.get_by_title(running.jobs[-1].id))
    expect(row).to_contain_text("Running")
    assert page.evaluate("drawn") == 0
    kernel.update(replace(done, jobs=(*done.jobs[:-1], replace(done.jobs[-1], status="failed"))))
    page.clock.run_for(300)
    expect(row).to_contain_text("Failed")
    page.wait_for_function("drawn > 0")


AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.mark.parametrize("scheme", ["light", "dark", "forced"])
def test_every_state_is_accessible(new_page: Callable[..., Page], scheme: str) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: run `npm ci` in js")
    look = {"forced_colors": "active"} if scheme == "forced" else {"color_scheme": scheme}
    page = new_page(**look, reduced_motion="reduce")
    page.clock.install()
    open_harness(page)
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
