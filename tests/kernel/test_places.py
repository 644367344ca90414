"""Sessions are found wherever they are: on the shared emulator, on a rehearsal's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from qsession_widgets.cli.main import main
from qsession_widgets.client.emulators import emulator_name
from qsession_widgets.emulator.options import EmulatorOptions
from qsession_widgets.emulator.process import launcher
from qsession_widgets.options.parsing import parse_open
from qsession_widgets.views.receipt import to_text

from .cells import Notebook, wait_for
from .conftest import CIRCUITS, end_kernel

SCANT = "--service local --backend aer --local-quota 900 --local-cap --local-max-ttl 600 "
SCANT += "--local-workers 1"


@pytest.fixture(scope="module", autouse=True)
def _rehearsals_end(emulator: object) -> Iterator[None]:
    yield
    launcher.stop(emulator_name(EmulatorOptions(**parse_open(SCANT).local)), 60)


def test_a_quota_that_would_not_last_and_a_shortened_maximum_time_are_said(
    notebook: Notebook,
) -> None:
    ran = notebook.good(f"%%session {SCANT} --max-time 1h", "pass")
    assert (
        "This instance has 15 m 0 s left of its quota, and this session asks for up to" in ran.out
    )
    assert ran.out.index("left of its quota") < ran.out.index("Using the local emulator")
    assert "The service granted 10 m 0 s instead of 1 h 0 m." in ran.out
    session = notebook["session"]
    assert session.snapshot.max_ttl == 600
    # the panel's forecast is held against what is left, and the receipt says it
    wait_for(lambda: session.snapshot.quota is not None)
    assert session.snapshot.quota == (900.0, 900.0)
    assert "Quota    ≈ 15 m 0 s left" in to_text(session.snapshot)
    notebook.good("%session close")
    ran = notebook.good(f"%%session {SCANT} --max-time 5m", "pass")
    assert "quota" not in ran.out
    assert "granted" not in ran.out
    notebook.good("%session close")


def test_a_rehearsals_session_is_listed_found_and_ended_from_everywhere(
    notebook: Notebook, ask: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    notebook.good(CIRCUITS)
    notebook.good(f"%%session {SCANT} --name r --on-exit leave", "first = session.session_id")
    notebook.good("job = SamplerV2().run([(measured,)])", "job.result()")
    first = notebook["first"]
    shared = ask("POST", "/sessions", json={"mode": "batch", "backend": "aer"})["id"]
    # another kernel knows of neither
    end_kernel(notebook)
    notebook.good("%load_ext qsession_widgets")
    listing = notebook.good("%session list").value
    assert {row.snapshot.session_id for row in listing.rows} == {first, shared}

    def listed() -> dict[str, Any]:
        assert main(["list", "--json"]) == 0
        return {row["id"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}

    # a list tells the time by the service's answers, in whole seconds
    wait_for(lambda: listed()[first]["usage_seconds"] > 0, "usage")
    rows = listed()
    assert set(rows) == {first, shared}
    assert (rows[first]["charged"], rows[shared]["mode"]) == (False, "batch")
    # by the id of a job, too
    assert main(["show", notebook["job"].job_id()]) == 0
    assert first in capsys.readouterr().out
    assert "Attached to the session on aer" in notebook.good(f"%session attach {first}").out
    listing = notebook.good("%session list").value
    row = next(row for row in listing.rows if row.snapshot.session_id == first)
    assert row.opened_by.endswith("attached here, bound")
    assert main(["close", first]) == 0
    assert capsys.readouterr().out == "Session closed.\n"
    # noticed before the next job is sent
    assert "takes no more jobs: it was closed" in notebook("SamplerV2().run([(measured,)])").said
    for action, word in (("cancel", "Batch cancelled"), ("close", "is closed already")):
        assert main([action, shared]) == 0
        assert word in capsys.readouterr().out
    assert main(["close", "no-such-id"]) == 1
    assert "There is no session, batch or job 'no-such-id'" in capsys.readouterr().err


def test_a_list_may_be_of_one_kind_of_service(notebook: Notebook) -> None:
    notebook.good("%%session --service local --backend aer", "pass")
    (row,) = notebook.good("%session list --service local").value.rows
    assert row.opened_by == "this notebook, bound"
    assert "No IBM account is saved" in notebook("%session list --service ibm").sentence()


def test_listing_starts_no_emulator(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", f"{tmp_path}/runtime")
    monkeypatch.setenv("JUPYTER_DATA_DIR", f"{tmp_path}/data")
    for words in (["list"], ["list", "--service", "local"]):
        assert main(words) == 0
        assert "No session is open (no emulator runs here" in capsys.readouterr().out
    assert main(["show", "an-id"]) == 1
    assert "no emulator runs here and no IBM account" in capsys.readouterr().err


def test_a_magic_below_the_first_line_says_where_it_belongs(notebook: Notebook) -> None:
    ran = notebook("before = 1", "%%session --service local", "after = 2")
    assert "%%session belongs on the first line of its cell" in ran.sentence()
    assert "after" not in notebook
    kept = notebook.good("text = '''\n%%session\n'''", "text").value
    assert kept == "\n%%session\n"
