"""``qsession watch``: live in a terminal, a line an event in a pipe, JSON for programs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

COMMAND = [
    sys.executable,
    "-c",
    "from qsession_widgets.cli import main; raise SystemExit(main())",
]


@pytest.fixture
def session_id(ask: Callable[..., Any]) -> str:
    opened = ask("POST", "/sessions", json={"mode": "dedicated", "backend": "aer"})
    return str(opened["id"])


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_terminal_shows_it_until_it_is_closed(ask: Callable[..., Any], session_id: str) -> None:
    import pexpect

    arguments = [*COMMAND[1:], "watch", session_id]
    terminal = pexpect.spawn(COMMAND[0], arguments, encoding="utf-8", timeout=60)
    try:
        terminal.expect("Open, no job yet")
        terminal.expect(r"Unused +[0-9:]+ until it is closed, unless a job comes")
        # drawn again while nothing but time changes
        terminal.expect(r"\x1b\[\d+F\x1b\[J")
        ask("DELETE", f"/sessions/{session_id}/close")
        terminal.expect("Cancelled")
        terminal.expect(pexpect.EOF)
    finally:
        terminal.close()
    assert terminal.exitstatus == 0


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_interrupting_it_leaves_the_session_and_says_so(
    ask: Callable[..., Any], session_id: str
) -> None:
    import pexpect

    arguments = [*COMMAND[1:], "watch", session_id]
    terminal = pexpect.spawn(COMMAND[0], arguments, encoding="utf-8", timeout=60)
    try:
        terminal.expect("Open, no job yet")
        terminal.sendintr()
        terminal.expect(f"The session goes on. qsession close {session_id} ends it.")
        terminal.expect(pexpect.EOF)
    finally:
        terminal.close()
    assert terminal.exitstatus == 130
    assert ask("GET", f"/sessions/{session_id}")["state"] == "open"


@pytest.mark.parametrize("words", [[], ["--json"]], ids=["text", "json"])
def test_a_program_reads_it_line_by_line(
    ask: Callable[..., Any], session_id: str, words: list[str]
) -> None:
    with subprocess.Popen(
        [*COMMAND, "watch", session_id, *words], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        ask("PATCH", f"/sessions/{session_id}", json={"accepting_jobs": False})
        rest = child.stdout.read().splitlines()
        assert child.wait(60) == 0
    if words:
        assert json.loads(first)["state"] == "open"
        last = json.loads(rest[-1])
        assert (last["session_id"], last["state"], last["jobs"]) == (session_id, "closed", [])
        assert last["closed_at"].endswith("+00:00")
    else:
        assert first.startswith(f"Session {session_id} on aer")
        assert "session on aer: closed; usage 0.0 s" in rest[-1]
