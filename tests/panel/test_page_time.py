"""Countdowns in a real browser: right, and free of messages."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import Locator, Page, expect

from . import states
from .harness import Kernel, open_harness, show, stand_still


def seconds(timer: Locator) -> int:
    """What a countdown reads, in seconds."""
    parts = [int(part) for part in (timer.text_content() or "").split(":")]
    return sum(part * 60**power for power, part in enumerate(reversed(parts)))


def timer(kernel: Kernel, name: str) -> Locator:
    return kernel.panel.get_by_role("timer", name=name)


def test_counts_down_without_any_message(page: Page) -> None:
    stand_still(page)
    kernel = Kernel(page, states.idle())
    page.clock.run_for(500)
    interactive, maximum = timer(kernel, "Interactive timeout"), timer(kernel, "Maximum time")
    before, most = seconds(interactive), seconds(maximum)
    assert 10 <= before <= 12
    sent = kernel.sent()
    page.clock.run_for(5000)
    assert before - seconds(interactive) == 5
    assert most - seconds(maximum) == 5
    assert kernel.sent() == sent


def test_no_second_is_shown_twice_or_left_out(page: Page) -> None:
    kernel = show(page, "idle")
    page.evaluate(
        """() => {
            const el = document.querySelector('[role=timer]');
            window.readings = [el.textContent];
            new MutationObserver(() => readings.push(el.textContent))
                .observe(el, {characterData: true, childList: true, subtree: true});
        }"""
    )
    page.clock.run_for(8000)
    readings = page.evaluate("readings")
    assert len(readings) >= 8
    numbers = [int(text.split(":")[1]) for text in readings]
    assert numbers == list(range(numbers[0], numbers[0] - len(numbers), -1))
    assert timer(kernel, "Interactive timeout").count() == 1


@pytest.mark.parametrize("wrong", [-3600, 3600])
def test_right_with_a_clock_an_hour_wrong(new_page: Callable[..., Page], wrong: int) -> None:
    page = new_page()
    page.clock.install(time=states.NOW + wrong)
    open_harness(page)
    # neither the kernel's host nor this machine knows what time it is; the message does
    stand_still(page)
    kernel = Kernel(page, states.idle(), clock_known=False)
    page.clock.run_for(500)
    assert 10 <= seconds(timer(kernel, "Interactive timeout")) <= 12
    expect(kernel.panel).to_contain_text("ends 17:02:05")


def test_right_after_sleep(page: Page) -> None:
    kernel = show(page, "steady")
    stand_still(page)
    maximum = timer(kernel, "Maximum time")
    before = seconds(maximum)
    page.clock.fast_forward("30:00")
    expect(maximum).not_to_have_text(re.compile("^1:57"))
    assert abs(before - 1800 - seconds(maximum)) <= 3


def test_stays_at_zero_and_says_what_follows(page: Page) -> None:
    kernel = show(page, "idle")
    page.clock.run_for(20_000)
    expect(timer(kernel, "Interactive timeout")).to_have_text("0:00")
    expect(kernel.panel).to_contain_text("passed: the service deactivates it")
    kernel.update(
        replace(
            states.idle(),
            state="inactive",
            active_periods=((states.idle().started_at or 0, states.NOW + 12),),
        ),
        states.NOW + 20,
    )
    expect(kernel.panel.get_by_role("status").first).to_have_text("Deactivated")
    expect(kernel.panel).to_contain_text("the next job queues again")


def test_before_the_kernel_answers_the_known_offset_is_used(page: Page) -> None:
    stand_still(page)
    kernel = Kernel(page, states.idle(), answers=False)
    assert 10 <= seconds(timer(kernel, "Interactive timeout")) <= 12


def test_a_late_message_does_not_turn_the_clock_back(page: Page) -> None:
    kernel = show(page, "idle")
    page.clock.run_for(6000)
    before = seconds(timer(kernel, "Interactive timeout"))
    kernel.deliver({"type": "facts", "facts": {"queue_length": 1}, "at": states.NOW})
    page.clock.run_for(300)
    assert seconds(timer(kernel, "Interactive timeout")) <= before


def test_sped_up_service_counts_at_its_own_speed(page: Page) -> None:
    fast = replace(states.LOCAL, speed=60.0)
    snapshot = replace(states.steady(), service=fast)
    kernel = Kernel(page, snapshot)
    kernel.wait_for_chart()
    stand_still(page)
    maximum = timer(kernel, "Maximum time")
    before = seconds(maximum)
    page.clock.run_for(10_000)
    # the page's clock ticks each quarter of a second: fifteen seconds of the service's
    assert 585 <= before - seconds(maximum) <= 615


def test_times_are_the_readers_whatever_the_locale(new_page: Callable[..., Page]) -> None:
    for zone, ends in (("America/New_York", "11:02:05"), ("Asia/Kolkata", "21:32:05")):
        page = new_page(timezone_id=zone, locale="de-DE")
        open_harness(page)
        kernel = show(page, "idle")
        expect(kernel.panel).to_contain_text(f"ends {ends}")
        expect(kernel.panel).to_contain_text("$1.60/s")
        ticks = kernel.panel.locator(".xtick text").all_text_contents()
        hour = ends[:2]
        assert any(tick.startswith(f"{int(hour) - 2:02d}:") for tick in ticks), ticks
        kernel.page.context.close()


def test_nothing_is_drawn_out_of_sight(page: Page) -> None:
    kernel = show(page, "idle")
    page.evaluate("document.body.style.paddingTop = '3000px'")
    page.clock.run_for(1500)
    maximum = timer(kernel, "Maximum time")
    for _ in range(20):
        still = maximum.text_content()
        page.clock.run_for(5000)
        if maximum.text_content() == still:
            break  # the observer, which has a clock of its own, has told the panel by now
    assert maximum.text_content() == still
    page.evaluate("document.body.style.paddingTop = ''")
    expect(maximum).not_to_have_text(still or "")


def test_a_closed_session_needs_no_timer(page: Page) -> None:
    kernel = show(page, "closed")
    expect(kernel.panel.get_by_role("timer")).to_have_count(0)
    page.evaluate(
        """() => {
            window.changes = 0;
            const all = {subtree: true, childList: true, characterData: true};
            const panel = document.querySelector('.qs-panel');
            new MutationObserver(() => changes++).observe(panel, all);
        }"""
    )
    page.clock.run_for(5000)
    assert page.evaluate("changes") == 0
