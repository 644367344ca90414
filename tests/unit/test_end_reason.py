"""Why a session ended, as far as the service's own times and words tell."""

from __future__ import annotations

import pytest
from panel.states import session

from qsession_widgets.monitoring import end_reason
from qsession_widgets.monitoring.end_reason import known
from qsession_widgets.registry.schema import RegistryEntry


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


@pytest.mark.parametrize(
    ("notebook", "by", "process", "reason", "named"),
    [
        ("", "vqe.py", 1, "notebook", "vqe.py"),
        ("", "close.py", 2, "elsewhere", "close.py"),
        ("", "vqe.py", 2, "elsewhere", "vqe.py"),
        ("a.ipynb", "a.ipynb", 2, "notebook", ""),
        ("a.ipynb", "b.ipynb", 2, "elsewhere", "b.ipynb"),
        ("a.ipynb", "", 1, "notebook", ""),
        ("", "b.ipynb", 2, "elsewhere", "b.ipynb"),
    ],
)
def test_an_end_by_another_process_is_none_of_its_own_also_where_a_script_opened_it(
    monkeypatch: pytest.MonkeyPatch,
    notebook: str,
    by: str,
    process: int,
    reason: str,
    named: str,
) -> None:
    facts = {"ended_by": by, "ended_process": process}
    entry = RegistryEntry("s", "", notebook, 1, end_reason="notebook", end_facts=facts)
    monkeypatch.setattr(end_reason, "entry_of", lambda _: entry)
    found = known(session([], state="closed", accepting_jobs=False), None)
    assert (found["end_reason"], found["ended_by"]) == (reason, named)
