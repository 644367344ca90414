"""Times of receipts and timelines in the zone of the page that shows the panel."""

from __future__ import annotations

from dataclasses import replace

import pytest
from panel import states

from qsession_widgets import local_time
from qsession_widgets.local_time import set_zone
from qsession_widgets.views.receipt import to_text
from qsession_widgets.views.timeline import timeline


@pytest.fixture(autouse=True)
def _zone_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_time, "_zones", [])


@pytest.mark.parametrize(
    ("zone", "opened"),
    [
        ("America/New_York", "2026-03-02 09:00:00 UTC-5"),
        ("Asia/Kolkata", "2026-03-02 19:30:00 UTC+5:30"),
        ("UTC", "2026-03-02 14:00:00 UTC"),
    ],
)
def test_receipt_and_timeline_are_in_the_pages_zone_and_name_it(zone: str, opened: str) -> None:
    set_zone(zone)
    snapshot = replace(states.closed(), opened_at=states.OPENED)
    assert f"Opened   {opened}" in to_text(snapshot)
    layout = timeline(snapshot).layout
    assert opened in layout.title.text
    assert layout.xaxis.title.text == f"time ({opened.split()[2]})"
    assert layout.xaxis.range[1].strftime("%H") == opened.split()[1][:2]


@pytest.mark.parametrize("name", ["Nowhere/Town", "../../etc/passwd", "", None, 3])
def test_a_zone_that_is_none_changes_nothing(name: object) -> None:
    set_zone("Asia/Kolkata")
    set_zone(name)
    assert local_time.zone_name(states.NOW) == "UTC+5:30"
