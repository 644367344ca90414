from dataclasses import replace
from typing import cast

import pytest

from qsession_widgets.client.connected_service import longest
from qsession_widgets.client.rest import ServiceClient
from qsession_widgets.messages.labels import quota_words
from qsession_widgets.messages.outcomes import quota_warning
from qsession_widgets.model import JobRecord, ServiceInfo, SessionSnapshot
from qsession_widgets.monitoring import quota
from qsession_widgets.monitoring.quota import QuotaWatch


@pytest.mark.parametrize("ran", [False, True], ids=["from the start", "asked only now"])
def test_what_is_left_is_by_the_meter_of_the_usage_beside_it(
    monkeypatch: pytest.MonkeyPatch, ran: bool
) -> None:
    """Of 600 s, the emulator counts 0.2 s for a job that a device takes 3.4 s for."""
    job = JobRecord("a", "sampler", "done", 1000.0, 1000.0, 1000.2, True, 0.2, device_seconds=3.4)
    info = ServiceInfo("local", "local emulator", "open", charged=False)
    before = SessionSnapshot("s", "batch", "fake_fez", info, "active", 1000.0, device_time=(0, 0))
    after = replace(before, jobs=(job,), device_time=(3.4, 0.2))
    monkeypatch.setattr(quota, "quota_left", lambda _client: 599.8 if ran else 600.0)
    watch = QuotaWatch(60.0)
    client = cast("ServiceClient", None)
    watch.look(client, before, 1000.0)
    found = watch.look(client, after if ran else before, 1001.0)
    assert quota_words(replace(after, quota=found), 1001.0) == "≈ 9 m 56 s left"
    assert quota_words(replace(after, quota=None), 1001.0) == "free; what is left is not known"
    paid = replace(after, service=replace(info, plan="premium"))
    assert quota_words(paid, 1001.0) == ""


@pytest.mark.parametrize(
    ("left", "max_time", "plan"),
    [(None, None, "premium"), (30000, None, "premium"), (600, 600, "payg"), (600, None, "open")],
)
def test_what_lasts_needs_no_warning(left: float | None, max_time: int | None, plan: str) -> None:
    assert quota_warning(left, max_time, "session", longest(plan)) == ""


def test_what_does_not_last_is_said_with_the_way_out() -> None:
    said = quota_warning(90.0, 1800, "session", longest("payg"))
    assert said.startswith("This instance has 1 m 30 s left of its quota, and this session asks")
    assert "--max-time 90 or --budget 90 keeps it within that" in said
    said = quota_warning(599.0, None, "batch", longest("open"))
    assert "a batch without --max-time may use more" in said
    assert "has used up its quota" in quota_warning(0.0, 60, "session", longest("payg"))
