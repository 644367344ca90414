"""Waiting, in a cell, until a session has come to some point."""

from __future__ import annotations

import pytest

from qsession_widgets import UserError

from .cells import Notebook


def test_a_cell_waits_for_what_it_asks_for(circuits: Notebook) -> None:
    circuits.good(
        "job = SamplerV2().run([(measured,)])",
        "seen = session.wait_for(lambda seen: seen.jobs and seen.jobs[0].final)",
    )
    assert circuits["seen"].jobs[0].id == circuits["job"].job_id()
    circuits.good("%session close", "last = session.wait_for()")
    last = circuits["last"]
    assert (last.state, last.usage_final, last.jobs[0].exact) == ("closed", True, True)


def test_what_does_not_happen_is_said_with_what_the_session_does(circuits: Notebook) -> None:
    session = circuits["session"]
    with pytest.raises(UserError, match=r"within 0.1 s: the session is open, no job yet, 0 jobs"):
        session.wait_for(lambda seen: seen.state == "closed", timeout=0.1)
    with pytest.raises(UserError, match=r"still open .* Close it first: %session close"):
        session.wait_for(timeout=0.1)
