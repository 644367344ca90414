"""The receipt that a notebook keeps in a panel's place, written once more at the session's end."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from qsession_widgets.magics.cell_hooks import page_shows_widgets
from qsession_widgets.views import display


class _Snapshot:
    """A snapshot that differs from each other one."""

    mode = "dedicated"


class _Over:
    """The monitor of a session that is over."""

    @property
    def snapshot(self) -> _Snapshot:
        return _Snapshot()

    def finished(self) -> bool:
        return True


def test_a_cell_ends_after_the_receipt_that_a_thread_is_writing() -> None:
    begun, go_on = threading.Event(), threading.Event()
    order: list[str] = []

    class Handle:
        def update(self, _panel: Any) -> None:
            begun.set()
            assert go_on.wait(60)
            order.append("written")

    shown: Any = display._Shown(lambda: None, Handle(), _Over())  # type: ignore[arg-type]
    display._waiting.append(shown)
    writing = threading.Thread(target=shown.write_again)
    writing.start()
    assert begun.wait(60)

    def end_cell() -> None:
        display.write_receipts()
        order.append("cell ended")

    ending = threading.Thread(target=end_cell)
    ending.start()
    # time enough for a cell's end that waits for nothing
    ending.join(0.5)
    go_on.set()
    for thread in (writing, ending):
        thread.join(60)
    assert order == ["written", "cell ended"]
    assert display._waiting == []


def test_voila_shows_widgets_though_a_program_executes_its_notebooks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("JPY_SESSION_NAME", "VSCODE_PID", "VOILA_APP_PORT"):
        monkeypatch.delenv(name, raising=False)
    shell = SimpleNamespace(user_ns={}, kernel=object())
    assert not page_shows_widgets(shell)
    monkeypatch.setenv("VOILA_APP_PORT", "8866")
    assert page_shows_widgets(shell)
