"""The watchdog's look at its owner."""

from __future__ import annotations

import json
import os

import pytest

from qsession_widgets.watchdog import closing, process


def test_an_owner_that_is_not_seen_for_a_moment_keeps_its_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = iter(["", "start", "start"])
    closed: list[str] = []

    def start(_process: int) -> str:
        # the owner ends in order as soon as it was looked at again
        found = next(seen, None)
        if found is None and not writing.closed:
            writing.write(json.dumps({"drop": "a session"}) + "\n")
            writing.close()
        return found if found is not None else "start"

    monkeypatch.setattr(process, "process_start", start)
    monkeypatch.setattr(closing, "close_left_open", lambda session, _: closed.append(session))
    read, write = os.pipe()
    writing = os.fdopen(write, "w")
    watched = {"session_id": "a session", "delay": 0.0, "retry_timeout": 0.0, "service": {}}
    for line in ({"process": 1, "start": "start", "look": 0.01}, {"watch": watched}):
        writing.write(json.dumps(line) + "\n")
    writing.flush()
    with os.fdopen(read, "rb") as pipe:
        process.WatchdogProcess(pipe).run()
        ended_in_order = writing.closed
        writing.close()
    assert ended_in_order
    assert closed == []
