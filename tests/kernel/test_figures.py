"""Figures right after something happened, and what is told of sessions elsewhere."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qsession_widgets.cli.main import main
from qsession_widgets.registry.entries import notes, write
from qsession_widgets.sessions import job_facts

from .cells import Notebook
from .conftest import CIRCUITS

LOCAL = "%%session --service local --backend aer"
JOB = "job = SamplerV2().run([(measured,)])"


@pytest.mark.parametrize("word", ["close", "cancel", "with"])
def test_right_after_the_end_all_agree_that_it_is_closed(notebook: Notebook, word: str) -> None:
    notebook.good(CIRCUITS)
    opened = "open_session('aer', service='local')"
    notebook.good("from qsession_widgets import current_session, open_session")
    if word == "with":
        notebook.good(f"with {opened} as own:", "    SamplerV2().run([(measured,)]).result()")
    else:
        notebook.good(f"own = {opened}", f"{JOB}; job.result()", f"own.{word}()")
    found = notebook.good("own.snapshot.state, own.status(), current_session()").value
    assert found == ("closed", "Closed", None)


def test_client_side_primitives_have_their_number_of_pubs(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted = job_facts.submitted

    def known_late(*args: Any) -> Any:
        # a poll lists the job before its run() has returned
        notebook["session"]._monitor.poll()
        return submitted(*args)

    monkeypatch.setattr(job_facts, "submitted", known_late)
    notebook.good(CIRCUITS)
    ran = notebook.good(
        f"{LOCAL} --say always",
        "from qiskit_ibm_runtime.executor_estimator import Estimator as ClientEstimator",
        "from qiskit_ibm_runtime.executor_sampler import Sampler as ClientSampler",
        "ClientSampler(session).run([(measured,), (measured,), (measured,)]).result()",
        "ClientEstimator(session).run([(flip, observable), (flip, observable)]).result()",
    )
    jobs = notebook["session"].snapshot.jobs
    assert [(job.program, job.pubs) for job in jobs] == [("sampler", 3), ("estimator", 2)]
    told = re.findall(r"\((.*?)\) is queued", notebook.good("pass").out + ran.out)
    assert sorted(told) == ["estimator, 2 PUBs", "sampler, 3 PUBs"]


def test_the_list_says_what_waits_what_closes_and_whose_kernel_is_gone(
    notebook: Notebook,
    ask: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)  # as wide as it is, for a program that reads it
    notebook.good(CIRCUITS)
    ask("POST", "/emulator/v1/faults/queue", json={"paused": True})
    notebook.good(f"{LOCAL} --name waits", JOB)
    waiting = notebook["session"].session_id
    closing = ask("POST", "/sessions", json={"mode": "dedicated", "backend": "fake_manila"})["id"]
    notebook.good("from qiskit import transpile", "other = session.service.backend('fake_manila')")
    notebook.good(
        "from qiskit_ibm_runtime import Session",
        f"there = Session.from_id({closing!r}, service=session.service)",
        "SamplerV2(mode=there).run([(transpile(measured, other),)])",
        "there.close()",
    )
    gone = replace(notes()[waiting], session_id=closing, name="", notebook="", process=_ended())
    write(closing, lambda _entry: gone)
    try:
        assert main(["list", "--json", "--service", "local"]) == 0
        rows = {row["id"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
        assert (rows[waiting]["phase"], rows[waiting]["name"]) == ("queued", "waits")
        assert rows[waiting]["opened_at"].endswith("+00:00")
        assert rows[closing]["phase"] == "closing"
        assert rows[closing]["opened_by"] == f"process {gone.process}, gone"
        assert main(["list", "--service", "local"]) == 0
        head, *lines = capsys.readouterr().out.splitlines()
        assert head.split()[:3] == ["id", "name", "kind"]
        assert any("Waiting in the queue" in line and "waits" in line for line in lines)
        assert any("Closing" in line for line in lines)
    finally:
        ask("POST", "/emulator/v1/faults/queue", json={"paused": False})


def _ended() -> int:
    """The id of a process that has ended."""
    child = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(child, 0)
    return child


def test_a_receipt_as_json_has_the_cost_and_its_parts(
    notebook: Notebook, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook.good(CIRCUITS)
    notebook.good(LOCAL, JOB, "job.result()", "session.close()")
    capsys.readouterr()
    assert main(["receipt", notebook["session"].session_id, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    usage, price = found["usage"], found["price"]
    assert price["words"] == "at $0.80/s, list price of Premium"
    assert found["cost"] == pytest.approx(0.8 * usage["total"], abs=0.006)
    parts = found["cost_by_cause"]
    assert sum(parts.values()) == pytest.approx(found["cost"], abs=0.02)
    assert found["reason"] == "session_closed_early"
    assert found["charged"] is False


def test_a_job_has_the_number_of_the_cell_that_sent_it(notebook: Notebook) -> None:
    notebook.good(CIRCUITS)
    notebook.good(LOCAL, JOB, "job.result()")
    number = notebook.shell.execution_count - 1
    assert [job.cell for job in notebook["session"].snapshot.jobs] == [number]


def test_tables_right_after_many_quick_jobs_have_exact_times(
    notebook: Notebook, tmp_path: Path
) -> None:
    notebook.good(CIRCUITS)
    notebook.good(
        "%%batch --service local --backend aer",
        "jobs = [SamplerV2().run([(measured,)], shots=8) for _ in range(30)]",
        "results = [job.result() for job in jobs]",
        "table = session.to_dataframe()",
    )
    table = notebook["table"]
    assert len(table) == 30
    assert table["exact"].all()
    assert (table["ran"] > 0).all()
    notebook.good(f"%session export {tmp_path / 'jobs.csv'}")
    with (tmp_path / "jobs.csv").open(newline="") as file:
        assert {row["exact"] for row in csv.DictReader(file)} == {"True"}
