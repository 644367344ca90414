"""Plans without sessions, and prices that are configured."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from qsession_widgets import compare
from qsession_widgets.cli.main import main
from qsession_widgets.client import prices

from .cells import Notebook
from .conftest import CIRCUITS

JOB = "job = SamplerV2().run([(measured,)])"


def test_a_plan_without_sessions_runs_in_job_mode_and_says_so(
    notebook: Notebook, account: Callable[[str | None], None]
) -> None:
    account("bob")
    notebook.good(CIRCUITS)
    ran = notebook.good("%%session --backend aer", JOB)
    assert "This plan has no sessions (the service said 1352)" in ran.out
    assert "run on aer in job mode" in ran.out
    assert notebook["job"].session_id is None
    assert notebook["backend"].name == "aer"
    assert "Job mode on aer" in notebook.good("%session").out
    # the same cell as in a session: its jobs are a group with labels, values and views
    notebook.good(
        "with session.label('R=0.75'):",
        "    grouped = Sampler(mode=session).run([measured], shots=30)",
        "grouped.result()",
        "session.log(energy=-1.13)",
        "session.wait_for()",
    )
    group = notebook["session"]
    labels = {job.id: job.label for job in group.snapshot.jobs}
    assert labels == {notebook["job"].job_id(): "", notebook["grouped"].job_id(): "R=0.75"}
    assert group.metrics()["value"].tolist() == [-1.13]
    assert "R=0.75: 1 job · QPU " in repr(group.receipt())
    assert [each.jobs for each in compare(group, group.snapshot, group).each] == [2, 2, 2]
    assert "In job mode there is no session" in notebook("session.close()").sentence()
    notebook.good("%session unbind")
    assert "open one with %%session" in notebook("SamplerV2()").sentence()


def test_a_plan_without_sessions_falls_back_to_a_batch_when_asked(
    notebook: Notebook, account: Callable[[str | None], None]
) -> None:
    account("bob")
    notebook.good(CIRCUITS)
    ran = notebook.good("%%session --backend aer --fallback batch", JOB)
    assert "a batch was opened in its place" in ran.out
    assert notebook["job"].session_id == notebook["session"].session_id
    again = notebook.good("%%session --backend aer --fallback batch", "pass")
    assert "This batch is open already" in again.out


def test_a_configured_price_is_the_sessions_in_every_process(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prices, "_configured", "")
    notebook.good("%config SessionMagics.price = '$39/min'")
    notebook.good("%%session --service local --backend aer --budget '$6.50'", "pass")
    snapshot = notebook["session"].snapshot
    assert snapshot.budget_seconds == pytest.approx(10.0)
    # a terminal has no such configuration: the session's own price is noted with it
    for action in ("show", "receipt"):
        assert main([action, snapshot.session_id, "--json"]) == 0
        price = json.loads(capsys.readouterr().out)["price"]
        assert (price["per_second"], price["source"]) == (pytest.approx(0.65), "config")
    assert main(["receipt", snapshot.session_id]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "at $0.65/s, your price (SessionMagics.price)" in said
    # a number is dollars a second, and nonsense is told
    notebook.good("%config SessionMagics.price = 0.5")
    notebook.good("%%session --another --service local --backend aer", "pass")
    assert notebook["session"].snapshot.service.price_per_second == 0.5
    notebook.good("%session close --all")
    notebook.good("%config SessionMagics.price = 'cheap'")
    sentence = notebook("%%session --service local --backend aer", "pass").sentence()
    assert "SessionMagics.price makes no sense. 'cheap' is no price" in sentence


def test_a_price_that_makes_no_sense_keeps_no_session_open(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = []
    for name in ("one", "two"):
        notebook.good(f"%%session --service local --backend aer --name {name}", "pass")
        ids.append(notebook["session"].session_id)
    first, second = ids
    monkeypatch.setenv("QSESSION_PRICE", "cheap")
    wrong = "The variable QSESSION_PRICE cannot be used. 'cheap' is no price"
    listed = repr(notebook.good("%session list").value)
    assert first in listed
    assert " ".join(listed.split()).count(wrong) == 1
    assert main(["close", first]) == 0
    assert main(["close", "--all"]) == 1
    assert wrong in " ".join(capsys.readouterr().err.split())
    said = notebook.good(f"%session attach {second}\n%session close --all").said
    assert f"{second} on aer: Session closed." in said
    assert "could be" not in said
    assert main(["list"]) == 0
    assert "No session is open" in capsys.readouterr().out
