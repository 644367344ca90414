"""A session on a service that is not itself for a moment: what its notebook makes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qsession_widgets import UserError
from qsession_widgets.sessions.binding import BINDING

from .cells import Notebook, wait_for

Ask = Callable[..., Any]


def spoil(ask: Ask, **fault: Any) -> None:
    body = {"method": "GET", "path": "/sessions/*", **fault}
    ask("POST", "/emulator/v1/faults", json=body)


def test_a_session_that_the_service_knows_not_yet_is_opened_all_the_same(
    notebook: Notebook, ask: Ask
) -> None:
    spoil(ask, status=404, times=2)
    notebook.good("%%session --service local --backend aer", "pass")
    (opened,) = ask("GET", "/workloads")["workloads"]
    assert opened["status"] == "pending"
    assert BINDING.bound is not None
    assert BINDING.bound.monitor.snapshot.problem is None


def test_a_session_that_the_service_forgets_for_a_moment_goes_on(
    circuits: Notebook, ask: Ask
) -> None:
    assert BINDING.bound is not None
    monitor = BINDING.bound.monitor
    problems: list[str | None] = []
    monitor.subscribe(lambda snapshot: problems.append(snapshot.problem))
    path = f"/sessions/{monitor.session_id}"
    spoil(ask, path=path, status=404, message="Session not found.")
    wait_for(lambda: problems, "the problem")
    wait_for(lambda: problems[-1] is None, "its end")
    assert set(problems) == {"Session not found: it is asked again.", None}
    circuits.good("SamplerV2().run([(measured,)]).result()", "%session close")


def test_who_waits_is_told_that_the_service_does_not_answer(circuits: Notebook, ask: Ask) -> None:
    session = circuits["session"]
    spoil(ask, drop=True, times=None)
    wait_for(lambda: session.snapshot.problem, "the problem")
    with pytest.raises(UserError, match=r"known\. The service cannot be reached"):
        session.wait_for(timeout=0.1)
    ask("DELETE", "/emulator/v1/faults")
