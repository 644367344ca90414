"""What is said when what was waited for did not happen."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from panel.states import session

from qsession_widgets.errors import UserError
from qsession_widgets.model import SessionSnapshot
from qsession_widgets.monitoring import waiting
from qsession_widgets.monitoring.waiting import wait_for

OPEN = session([], answered_at=1000.0)


class Monitor:
    """Knows one snapshot, and for how long nothing was answered."""

    def __init__(self, snapshot: SessionSnapshot, silent: float = 0.0):
        self.snapshot = snapshot
        self._now = snapshot.answered_at + silent

    def now(self) -> float:
        return self._now

    def subscribe(self, _callback: Callable[[SessionSnapshot], object]) -> Callable[[], None]:
        return lambda: None

    def wake(self) -> None:
        """There is nobody to ask."""

    def finished(self, _snapshot: SessionSnapshot | None = None) -> bool:
        return False


def gave_up(monitor: Any, timeout: float = 0.0) -> str:
    with pytest.raises(UserError) as failed:
        wait_for(monitor, None, timeout)
    return str(failed.value)


def test_who_waits_for_an_end_that_nobody_asked_for_is_told_so() -> None:
    assert "still open" in gave_up(Monitor(OPEN))
    assert "Close it first" in gave_up(Monitor(OPEN))


def test_a_service_that_cannot_be_reached_is_named_instead() -> None:
    lost = replace(OPEN, problem="The service cannot be reached.")
    said = gave_up(Monitor(lost))
    assert ", as far as is known. The service cannot be reached. What it said last: " in said
    assert "Close it first" not in said
    assert said.endswith("Wait longer with timeout=.")


def test_a_service_that_says_nothing_all_the_while_is_named_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting, "SILENCE", 0.0)
    assert "has not answered for 7.0 s. What" in gave_up(Monitor(OPEN, silent=7.0))
    assert "still open" in gave_up(Monitor(OPEN, silent=0.0))


@pytest.mark.parametrize("timeout", [-1, -0.5, math.nan, "1m", None, True])
def test_a_timeout_is_a_number_of_seconds(timeout: Any) -> None:
    said = gave_up(Monitor(OPEN), timeout)
    assert said.startswith("timeout is a number of seconds, 0 or more")
    assert said.endswith(f"not {timeout!r}.")
