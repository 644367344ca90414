import pytest

from qsession_widgets.client.connected_service import longest
from qsession_widgets.messages.outcomes import quota_warning


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
