"""Why a session ended, as far as the service's own times and words tell."""

from __future__ import annotations

import pytest
from panel.states import session

from qsession_widgets.monitoring.end_reason import known


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"started_at": 10.0, "max_ttl": 60.0, "closed_at": 70.5}, "max_time"),
        ({"started_at": None, "closed_at": 1800.2}, "never_used"),
        (
            {"started_at": 10.0, "closed_at": 20.0, "state_reason": "session_closed_early"},
            "request",
        ),
        ({"started_at": 10.0, "closed_at": 20.0, "state_reason": "outage"}, None),
    ],
)
def test_what_the_service_ended_is_told_by_its_times(
    fields: dict[str, object], reason: str | None
) -> None:
    ended = session([], **{"state": "closed", "opened_at": 0.0, "accepting_jobs": False, **fields})
    assert known(ended, None).get("end_reason") == reason
