"""Which session a name or an id means: closing ones, ended ones, other notebooks' and kernels'."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter

from qsession_widgets.cli.main import main
from qsession_widgets.registry import entries
from qsession_widgets.registry.schema import RegistryEntry
from qsession_widgets.sessions.binding import BINDING
from qsession_widgets.sessions.exit_hooks import close_all_at_exit

from .cells import Notebook, wait_for
from .conftest import end_kernel
from .table import CIRCUITS

LOCAL = "%%session --service local --backend aer"
JOB = "job = SamplerV2().run([(measured,)])"


@pytest.fixture
def paused(ask: Callable[..., Any]) -> Any:
    """An emulator that starts no job."""
    ask("POST", "/emulator/v1/faults/queue", json={"paused": True})
    yield
    ask("POST", "/emulator/v1/faults/queue", json={"paused": False})


@pytest.mark.usefixtures("paused")
def test_what_a_close_left_in_the_queue_is_cancelled_by_what_it_says(
    notebook: Notebook, ask: Callable[..., Any]
) -> None:
    notebook.good(CIRCUITS)
    notebook.good(f"{LOCAL} --name one", JOB)
    notebook.good(f"{LOCAL} --name two", JOB)
    said = notebook.good("%session close one").out
    assert (
        "1 job finishes first. %session cancel one also cancels those that are still queued."
        in said
    )
    assert "1 queued job cancelled" in notebook.good("%session cancel one").out
    # and not the one that is bound
    bound = notebook["session"].session_id
    assert ask("GET", f"/sessions/{bound}")["accepting_jobs"] is True
    assert "1 job finishes first" in notebook.good("%session close").out
    assert "1 queued job cancelled" in notebook.good("%session cancel").out
    assert "No session is bound" in notebook("%session cancel").sentence()


def test_a_name_closes_no_session_of_another_notebook(
    notebook: Notebook, ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = ask("POST", "/sessions", json={"mode": "dedicated", "backend": "aer"})["id"]
    where = "/home/somebody/other.ipynb"
    note = RegistryEntry(theirs, "", where, os.getpid(), name="theirs", opened_at=time.time())
    entries.write(theirs, lambda _known: note)
    sentence = notebook("%session close theirs").sentence()
    assert "The session named 'theirs' was opened by other.ipynb, not here" in sentence
    assert f"%session close {theirs} ends it all the same" in sentence
    assert ask("GET", f"/sessions/{theirs}")["state"] == "open"
    # an earlier kernel of this notebook had it
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/me/mine.ipynb")
    entries.write(theirs, lambda _known: replace(note, notebook="/home/me/mine.ipynb"))
    assert "Session closed" in notebook.good("%session close theirs").out
    assert ask("GET", f"/sessions/{theirs}")["state"] == "closed"


def test_the_extension_is_reloaded_and_nothing_of_its_session_is_lost(
    notebook: Notebook, ask: Callable[..., Any]
) -> None:
    notebook.good(CIRCUITS)
    notebook.good(f"{LOCAL} --name kept --budget 1h", JOB, "job.result()")
    guard = BINDING.bound.guard
    ran = notebook.good("%reload_ext qsession_widgets")
    assert "The session on aer stays open and is closed when this kernel ends." in ran.out
    assert "belong to the session on aer again" in ran.out
    assert BINDING.bound.guard is guard
    notebook.good(JOB)
    assert notebook["job"].session_id == notebook["session"].session_id
    notebook.good("job.result()")
    assert "Session closed" in notebook.good("%session close kept").out


def test_any_session_can_be_looked_back_at(notebook: Notebook, ask: Callable[..., Any]) -> None:
    notebook.good(CIRCUITS)
    notebook.good(f"{LOCAL} --name one", JOB, "job.result()", "first = session.session_id")
    notebook.good("%session close")
    notebook.good("%%session --service local --backend fake_manila --name two", "pass")

    def receipt(which: str) -> str:
        (shown,) = notebook.good(f"%session receipt {which}").displayed
        return str(shown["text/plain"])

    first = notebook["first"]
    for which in ("one", first, notebook["job"].job_id()):
        assert first in receipt(which)
    assert "fake_manila" in receipt("")
    assert notebook.good("%session timeline one").value.data
    assert (
        "No open session has the name or id 'three'"
        in notebook("%session receipt three").sentence()
    )


def test_a_session_named_by_a_mode_is_kept_to_its_rules_too(
    notebook: Notebook, ask: Callable[..., Any]
) -> None:
    notebook.good(CIRCUITS)
    notebook.good(f"{LOCAL} --name one --on-error close", "one = session")
    notebook.good("%%session --service local --backend fake_manila --name two", "pass")
    ran = notebook("SamplerV2(mode=one).run([(measured,)]).result()", "1 / 0")
    assert "The cell failed (--on-error close)." in ran.out
    assert ask("GET", f"/sessions/{notebook['one'].session_id}")["accepting_jobs"] is False
    assert BINDING.bound is not None


def test_a_cell_within_a_cell_does_not_end_it(notebook: Notebook, ask: Callable[..., Any]) -> None:
    notebook.good(
        f"{LOCAL} --once", "get_ipython().run_cell('1 + 1')", "inside = session.snapshot.state"
    )
    wait_for(lambda: notebook["session"].snapshot.state == "closed", "the close")
    assert notebook["inside"] == "open"


def test_tab_asks_nobody(circuits: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    live = BINDING.bound
    connected = live.target.connected
    connected = replace(connected, info=replace(connected.info, kind="ibm"))
    live.target = replace(live.target, connected=connected)
    monkeypatch.setattr(type(connected.service), "backends", None)
    line = "%%session --backend "
    with provisionalcompleter():
        found = [one.text for one in circuits.shell.Completer.completions(line, len(line))]
    assert "aer" in found


def test_a_name_still_leads_to_a_session_that_was_closed(
    notebook: Notebook, ask: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    notebook.good(CIRCUITS)
    notebook.good(f"{LOCAL} --name done", JOB, "job.result()", "first = session.session_id")
    first = notebook["first"]
    notebook.good("%session close")
    assert "closed already" in notebook.good("%session close done").out
    # from a terminal, and from another kernel
    end_kernel(notebook)
    assert main(["receipt", "done"]) == 0
    assert first in capsys.readouterr().out
    assert main(["close", "done"]) == 0
    assert "closed already" in capsys.readouterr().out
    notebook.good("%load_ext qsession_widgets")
    (shown,) = notebook.good("%session receipt done").displayed
    assert first in shown["text/plain"]
    # one that is opened under this name is what it means from now on
    notebook.good(f"{LOCAL} --name done", "pass")
    assert main(["close", "done"]) == 0
    assert ask("GET", f"/sessions/{notebook['session'].session_id}")["state"] == "closed"


@pytest.mark.usefixtures("paused")
def test_a_list_has_the_name_after_the_opener_has_ended(
    notebook: Notebook, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)  # as wide as it is, for a program that reads it
    notebook.good(CIRCUITS)
    notebook.good(f"{LOCAL} --name waits", JOB)
    # the interpreter's end closes it, and it lives on until its job has run; on the main thread
    # that would leave this process deaf to SIGTERM
    ending = threading.Thread(target=close_all_at_exit)
    ending.start()
    ending.join()
    assert main(["list", "--json"]) == 0
    (row,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert row["name"] == "waits"
    assert main(["list"]) == 0
    assert "  waits  " in capsys.readouterr().out


def test_a_terminal_takes_the_open_one_of_a_name(
    notebook: Notebook, ask: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    def noted() -> str:
        session = ask("POST", "/sessions", json={"mode": "dedicated", "backend": "aer"})["id"]
        note = RegistryEntry(session, "", f"/nb/{session[:4]}.ipynb", os.getpid(), name="twice")
        entries.write(session, lambda _known: note)
        return str(session)

    first, second = noted(), noted()
    assert main(["close", "twice"]) == 1
    said = capsys.readouterr().err
    assert "Several sessions are named 'twice'" in said
    assert f"{first} (opened by {first[:4]}.ipynb)" in said
    ask("PATCH", f"/sessions/{second}", json={"accepting_jobs": False})
    assert main(["close", "twice"]) == 0
    assert ask("GET", f"/sessions/{first}")["state"] == "closed"
