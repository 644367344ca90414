"""What reaches the panel from the notebook: the rules of a session, and jobs without one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qsession_widgets import SessionPanel, UserError
from qsession_widgets.sessions.binding import BINDING

from .cells import Notebook, wait_for
from .table import CIRCUITS

JOB = "job = SamplerV2().run([(measured,)]); _ = job.result()"


def test_job_mode_has_a_panel_that_follows_its_jobs(
    notebook: Notebook, account: Callable[[str | None], None]
) -> None:
    account("bob")
    notebook.good(CIRCUITS)
    ran = notebook.good("%%session --backend aer --expect 3", JOB)
    assert any("application/vnd.jupyter.widget-view+json" in data for data in ran.displayed)
    assert BINDING.job_mode is not None
    watch = BINDING.job_mode.monitor
    wait_for(lambda: all(job.exact for job in watch.snapshot.jobs), "exact times")
    (job,) = watch.snapshot.jobs
    assert (job.id, job.status, job.stray) == (notebook["job"].job_id(), "done", False)
    assert (watch.snapshot.mode, watch.snapshot.expected_jobs) == ("job", 3)
    assert watch.finished(), "with nothing pending nothing is asked"
    notebook.good(JOB)
    wait_for(lambda: len(watch.snapshot.jobs) == 2 and watch.finished(), "the second job")
    with pytest.raises(UserError, match="only jobs"):
        watch.command("close")


def test_the_rules_of_a_session_reach_its_panel(notebook: Notebook) -> None:
    notebook.good(
        "%%session --service local --backend aer --idle-close 5m --budget '$8' --strict", "pass"
    )
    snapshot = notebook["session"].snapshot
    assert (snapshot.idle_close, snapshot.strict) == (300.0, True)
    assert (snapshot.budget_seconds, snapshot.budget_dollars) == (10.0, 8.0)


def test_a_panel_is_made_of_the_session_itself(circuits: Notebook) -> None:
    session: Any = circuits["session"]
    panel = SessionPanel(session, price_per_second=0.5)
    try:
        assert panel.facts["session_id"] == session.session_id
        assert panel.facts["service"]["price_per_second"] == 0.5
    finally:
        panel.close()
    with pytest.raises(UserError, match=r"not a str: %session attach"):
        SessionPanel(session.session_id)
