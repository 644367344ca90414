"""The kernel's half of the parts: one model carries code and data, and each part has traits."""

from __future__ import annotations

import json

import comm
import pytest

from qsession_widgets.views.parts import JobTable, SessionClocks

from . import states
from .test_panel import Watcher, WritingComm


def test_parts_share_one_panel_and_carry_few_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comm, "create_comm", WritingComm)
    watcher = Watcher(states.active())
    clocks, table = SessionClocks(watcher), JobTable(watcher)
    assert clocks.panel is table.panel
    assert len(json.dumps(clocks.get_state())) < 2_000
    assert clocks.phase == "active"
    phases: list[str] = []
    clocks.observe(lambda change: phases.append(change["new"]), "phase")
    watcher.tell(states.closed())
    assert phases == ["closed"]
    assert clocks.cost > 0
    assert clocks.pending == 0
    table.close()
    watcher.tell(states.active())
    assert (clocks.phase, table.phase) == ("active", "closed")
    clocks.close()
    clocks.panel.close()
    assert watcher.listeners == []
