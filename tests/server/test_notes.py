"""The notes that kernels leave: what they keep, and what their readers bear."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from qsession_widgets.model.events import KINDS
from qsession_widgets.registry import entries


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    return tmp_path / "qsession-sessions"


def leave(folder: Path, session_id: str, **fields: object) -> None:
    folder.mkdir(exist_ok=True)
    known = {"session_id": session_id, "url": "", "notebook": "", "process": os.getpid()}
    (folder / f"{session_id}.json").write_text(json.dumps({**known, **fields}))


def test_the_newest_events_are_kept_and_counted_on(folder: Path) -> None:
    leave(folder, "one")
    for number in range(25):
        entries.add_event("one", "guard_warned", f"{number} of 25")
    entries.add_event("one", "stray", "x" * 10_000)
    events = entries.notes()["one"].events
    assert [event.seq for event in events] == list(range(7, 27))
    assert [event.kind for event in events[-2:]] == ["budget", "stray"]
    assert len(events[-1].text) == entries.MOST_TEXT


def test_only_what_concerns_a_reader_is_noted(folder: Path) -> None:
    leave(folder, "one")
    entries.add_event("one", "job_done", "a job")
    entries.add_event("nobody", "stray", "no note")
    assert entries.notes()["one"].events == ()
    assert set(entries.notes()) == {"one"}


def test_one_session_of_a_kernel_is_bound(folder: Path) -> None:
    leave(folder, "one", bound=True)
    leave(folder, "two")
    leave(folder, "others", process=os.getpid() + 1, bound=True)
    entries.tell_bound("two")
    assert {key for key, note in entries.notes().items() if note.bound} == {"two", "others"}
    entries.tell_bound(None)
    assert {key for key, note in entries.notes().items() if note.bound} == {"others"}


def test_a_later_version_may_write_more(folder: Path) -> None:
    event = {"seq": 1, "at": 0.0, "kind": "stray", "text": "t", "colour": "red"}
    leave(folder, "one", mood="good", events=[event])
    (note,) = entries.notes().values()
    assert note.events[0].text == "t"


def test_events_are_named_as_the_kernel_names_them() -> None:
    assert set(KINDS) >= set(entries.NOTED)


def test_notes_on_what_ended_long_ago_are_swept_away(folder: Path) -> None:
    leave(folder, "old")
    leave(folder, "new")
    long_ago = time.time() - entries.LONGEST - 60
    os.utime(folder / "old.json", (long_ago, long_ago))
    entries.sweep()
    assert set(entries.notes()) == {"new"}
