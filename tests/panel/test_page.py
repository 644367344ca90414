"""The panel in a real browser, fed with what the kernel's half really sends."""

from __future__ import annotations

import re
from dataclasses import replace

from playwright.sync_api import Page, expect

from qsession_widgets.model import JobRecord

from . import states
from .harness import Kernel, show


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
    expect(kernel.panel.get_by_text(f"1 job is not exact. {how}")).to_contain_text(
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
