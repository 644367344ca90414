"""Jupyter servers that share the asking."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from qsession_widgets.registry import watchers


def test_servers_that_watch_are_counted_and_others_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchers, "folder", lambda: tmp_path)
    assert watchers.share() == 1
    (tmp_path / "watching" / "another-1").touch()
    assert watchers.share() == 2
    os.utime(tmp_path / "watching" / "another-1", (0, 0))
    assert watchers.share() == 1
    assert len(list((tmp_path / "watching").iterdir())) == 1


def test_where_nothing_can_be_written_one_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(watchers, "folder", lambda: tmp_path / "file")
    assert watchers.share() == 1
