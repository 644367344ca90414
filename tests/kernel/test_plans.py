"""Plans without sessions, and prices that are configured."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from qsession_widgets import attach_session, compare, current_session
from qsession_widgets.cli.main import main
from qsession_widgets.client import prices
from qsession_widgets.discovery.kept_jobs import kept_jobs
from qsession_widgets.sessions import routed_circuits

from .cells import Notebook, wait_for
from .conftest import CIRCUITS, end_kernel

JOB = "job = SamplerV2().run([(measured,)])"

SPREAD = """
from qiskit import QuantumCircuit, generate_preset_pass_manager
from qiskit.transpiler import CouplingMap

spread = QuantumCircuit(3)
spread.cx(0, 1)
spread.cx(0, 2)
spread.measure_all()
spread = generate_preset_pass_manager(
    0, coupling_map=CouplingMap.from_line(9), basis_gates=["rz", "sx", "cx"],
    initial_layout=[0, 4, 8], seed_transpiler=1,
).run(spread)
"""


def test_a_plan_without_sessions_runs_in_job_mode_and_says_so(
    notebook: Notebook,
    account: Callable[[str | None], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    account("bob")
    notebook.good(CIRCUITS)
    ran = notebook.good("%%session --backend aer --name scan --say auto", JOB)
    assert "This plan has no sessions (the service said 1352)" in ran.out
    assert "run on aer in job mode" in ran.out
    assert notebook["job"].session_id is None
    assert notebook["backend"].name == "aer"
    assert "Job mode on aer" in notebook.good("%session").out
    monkeypatch.setattr(routed_circuits, "LONG_SECONDS", 0.0)
    notebook.good(SPREAD)
    # the same cell as in a session: its jobs are a group with labels, values and views
    ran = notebook.good(
        "with session.label('R=0.75'):",
        "    grouped = Sampler(mode=session).run([spread], shots=30)",
        "grouped.result()",
        "session.log(energy=-1.13)",
        "session.wait_for()",
    )
    printed = [ran.said]
    wait_for(
        lambda: (
            printed.append(notebook.good("pass").said)
            or "active qubits where 3 are needed" in "".join(printed)
        ),
        "that routing has made a circuit wider",
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

    # a later kernel has the group by its name, or by one of its jobs, and only looks at it
    end_kernel(notebook)
    later = attach_session("scan")
    assert attach_session(notebook["job"].job_id()) is later
    assert current_session() is None
    assert {job.id: job.label for job in later.snapshot.jobs} == labels
    table = later.to_dataframe()
    assert table[["label", "status", "shots", "exact"]].to_numpy().tolist() == [
        ["", "done", 4096, True],
        ["R=0.75", "done", 30, True],
    ]
    assert later.metrics()["value"].tolist() == [-1.13]
    assert "R=0.75: 1 job · QPU " in repr(later.receipt())
    written, _ = later.export(tmp_path / "scan.csv")
    assert "R=0.75" in written.read_text()
    # a terminal finds it alike, also by the beginning of its id
    kept = kept_jobs("scan")
    assert kept is not None
    beginning = kept.session_id[:13]
    assert attach_session(beginning) is later
    for action, called in (("receipt", "scan"), ("show", beginning)):
        assert main([action, called]) == 0
        assert "R=0.75" in capsys.readouterr().out
    assert main(["close", "scan"]) == 1
    assert "In job mode there is no session" in capsys.readouterr().err
    notebook.good("%load_ext qsession_widgets")
    assert "R=0.75" in notebook.good("%session receipt scan").displayed[0]["text/plain"]
    assert "2 jobs that an earlier kernel has sent" in notebook.good("%session attach scan").out
    refused = notebook("Sampler(mode=session).run([measured])").sentence()
    assert "of an earlier kernel and can only be looked at" in refused


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
