"""The family of magics: what each does, and what it says."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qsession_widgets.sessions.binding import BINDING

from .cells import Notebook, wait_for
from .conftest import CIRCUITS

LOCAL = "%%session --service local --backend aer"
JOB = "job = SamplerV2().run([(measured,)])"


def _open_ids(ask: Callable[..., Any]) -> set[str]:
    query = {"status": ["pending", "in_progress"]}
    return {item["id"] for item in ask("GET", "/workloads", params=query)["workloads"]}


def test_the_cell_runs_and_has_session_and_backend_as_names(notebook: Notebook) -> None:
    ran = notebook.good(LOCAL, "here = (session, backend.name)", "6 * 7")
    assert "Using the local emulator: asked for by --service local." in ran.out
    assert ran.value == 42
    assert notebook["here"] == (notebook["session"], "aer")
    assert any("application/vnd.jupyter.widget-view+json" in shown for shown in ran.displayed)


def test_the_names_can_be_chosen(notebook: Notebook) -> None:
    notebook.good(f"{LOCAL} --bind-as s,b", "pass")
    assert notebook["b"].name == "aer"
    assert notebook["s"].session_id
    assert "session" not in notebook


def test_the_same_cell_again_goes_on_in_its_session(
    notebook: Notebook, ask: Callable[..., Any]
) -> None:
    notebook.good(LOCAL, "pass")
    first = notebook["session"].session_id
    ran = notebook.good(LOCAL, "pass")
    assert "open already and goes on" in ran.out
    assert notebook["session"].session_id == first
    # an emulator that answers badly for a while has the session still
    fault = {"method": "GET", "path": f"/sessions/{first}", "status": 500, "times": 4}
    ask("POST", "/emulator/v1/faults", json=fault)
    assert "open already and goes on" in notebook.good(LOCAL, "pass").out
    assert _open_ids(ask) == {first}


def test_less_than_was_asked_for_goes_on_too(notebook: Notebook, ask: Callable[..., Any]) -> None:
    notebook.good(f"{LOCAL} --max-time 10m --name vqe --bind-as s,b", "pass")
    for again in ("%%session --name vqe", "%%session", "%%session --service local"):
        ran = notebook(again, "pass")
        assert "This session is open already and goes on." in ran.out, ran.said
    assert "session" not in notebook
    assert len(_open_ids(ask)) == 1
    sentence = notebook("%%session --name vqe --max-time 20m", "pass").sentence()
    assert "another one (--max-time 1200): %session use vqe goes on in it" in sentence


def test_a_session_is_kept_to_the_rules_of_the_line_that_ran_last(
    notebook: Notebook, tmp_path: Path
) -> None:
    notebook.good(LOCAL, "pass")
    path = tmp_path / "events.jsonl"
    ran = notebook.good(f"{LOCAL} --budget '$5' --strict --expect 4 --events {path}", "pass")
    assert "From now on with --expect, --strict, --budget, --events as given here." in ran.out
    snapshot = notebook["session"].snapshot
    assert (snapshot.budget_dollars, snapshot.strict, snapshot.expected_jobs) == (5.0, True, 4)
    assert "as given here" not in notebook.good(LOCAL, "pass").out
    assert notebook["session"].snapshot.budget_dollars == 5.0
    for typed in ("$20", '"$20"', "'$20'", "20$"):
        notebook.good(f"{LOCAL} --budget {typed}", "pass")
        assert notebook["session"].snapshot.budget_dollars == 20.0
        notebook.good("%session attach {session.session_id} --budget $21")
        assert notebook["session"].snapshot.budget_dollars == 21.0
    # a default is for what is opened, and who attaches what is open here wants no other end of it
    notebook.good("%config SessionMagics.budget = '$30'", "%config SessionMagics.backend = 'no'")
    notebook.good("%%session", "pass")
    assert notebook["session"].snapshot.budget_dollars == 21.0
    assert BINDING.bound is not None
    assert BINDING.bound.options.on_exit == "close"
    notebook.good("%config SessionMagics.budget = ''", "%config SessionMagics.backend = ''")
    assert "--budget 'x' is not" in notebook(f"{LOCAL} --budget x", "pass").sentence()
    assert "Session closed." in notebook.good(f"{LOCAL} --once", "pass").out
    assert "closed" in path.read_text()


def test_an_emulator_is_joined_by_its_name(notebook: Notebook) -> None:
    ran = notebook.good("%%session --local-name default --backend aer", "pass")
    assert "Using the local emulator: asked for by --local-name default." in ran.out
    notebook.good("%session close")
    assert "at most 100 letters" in notebook("%%session --local-name a/b", "pass").sentence()
    other = notebook("%%session --local-name default --local-speed 3", "pass").sentence()
    assert "is running with --local-speed 1, which is not what was asked for" in other
    notebook.good("%%session --local-name default --local-faults --backend aer", "pass")
    notebook.good("%session close")


def test_another_session_says_what_to_do(notebook: Notebook, ask: Callable[..., Any]) -> None:
    notebook.good(LOCAL, "pass")
    ran = notebook("%%session --service local --backend fake_manila", "reached = True")
    sentence = ran.sentence()
    assert "A session on aer is open already" in sentence
    assert "another one (--backend fake_manila)" in sentence
    assert "%session close" in sentence
    assert "--name" in sentence
    assert "reached" not in notebook
    assert len(_open_ids(ask)) == 1


def test_nothing_is_bound(notebook: Notebook) -> None:
    for action in ("close", "cancel", "unbind"):
        sentence = notebook(f"%session {action}").sentence()
        assert "No session is bound: open one with %%session above a cell." in sentence
    for action in ("status", "receipt", "timeline", "export x.json"):
        sentence = notebook(f"%session {action}").sentence()
        assert "There is no session yet" in sentence


def test_close_and_cancel_say_what_comes_of_it(circuits: Notebook, ask: Callable[..., Any]) -> None:
    assert "Session closed" in circuits.good("%session close").out
    assert ask("GET", f"/sessions/{circuits['session'].session_id}")["state"] == "closed"
    assert "No session is bound" in circuits("%session close").sentence()
    circuits.good(LOCAL, "pass")
    assert "Session cancelled" in circuits.good("%session cancel").out
    circuits.good(LOCAL, "result = SamplerV2().run([(measured,)]).result()")
    said = circuits.good("%session close").out
    assert said.startswith("Session closed. It used ")
    assert "; the same work on IBM would cost ≈ $" in said
    assert _open_ids(ask) == set()


def test_a_batch(notebook: Notebook, ask: Callable[..., Any]) -> None:
    notebook.good(CIRCUITS)
    notebook.good("%%batch --service local --backend aer", JOB)
    session_id = notebook["session"].session_id
    assert ask("GET", f"/sessions/{session_id}")["mode"] == "batch"
    assert notebook["job"].session_id == session_id
    assert "A batch on aer is open already" in notebook(LOCAL, "pass").sentence()


def test_once_closes_at_the_end_of_the_cell(notebook: Notebook, ask: Callable[..., Any]) -> None:
    notebook.good(CIRCUITS)
    ran = notebook.good(f"{LOCAL} --once", JOB)
    assert "Session clos" in ran.out
    assert notebook["job"].session_id == notebook["session"].session_id
    assert ask("GET", f"/sessions/{notebook['session'].session_id}")["accepting_jobs"] is False
    assert BINDING.bound is None


def test_tags_reach_every_job(notebook: Notebook, ask: Callable[..., Any]) -> None:
    notebook.good(CIRCUITS)
    notebook.good(
        f"{LOCAL} --tags vqe,h2",
        "sampler = SamplerV2()",
        "sampler.options.environment.job_tags = ['mine']",
        "job = sampler.run([(measured,)])",
        "other = Sampler().run([(measured,)])",
    )
    *tags, own = ask("GET", f"/jobs/{notebook['job'].job_id()}")["tags"]
    assert tags == ["mine", "vqe", "h2"]
    *tags, other = ask("GET", f"/jobs/{notebook['other'].job_id()}")["tags"]
    assert tags == ["vqe", "h2"]
    # by these a job is found whose answer was lost
    assert own != other
    assert own.startswith("qsession-")


def test_several_sessions_by_name(notebook: Notebook, ask: Callable[..., Any]) -> None:
    notebook.good(CIRCUITS)
    notebook.good(f"{LOCAL} --name one", "first = session")
    notebook.good("%%session --service local --backend fake_manila --name two", "second = session")
    assert notebook["session"] is notebook["second"]
    notebook.good("%session use one", JOB)
    assert notebook["session"] is notebook["first"]
    assert notebook["backend"].name == "aer"
    assert notebook["job"].session_id == notebook["first"].session_id
    assert "A session named 'two' is open" in notebook(f"{LOCAL} --name two", "pass").sentence()
    notebook.good("%%session --service local --backend fake_manila --name two", "pass")
    assert notebook["session"] is notebook["second"]
    notebook.good("%session close one")
    # its job finishes first
    wait_for(lambda: _open_ids(ask) == {notebook["second"].session_id}, "the first one's end")
    assert BINDING.bound is not None
    assert "did you mean two?" in notebook("%session use tow").sentence()


def test_the_list_shows_what_is_open_and_close_all_ends_it(
    notebook: Notebook, ask: Callable[..., Any]
) -> None:
    notebook.good(CIRCUITS)
    notebook.good(f"{LOCAL} --name vqe", JOB, "job.result()")
    elsewhere = ask("POST", "/sessions", json={"mode": "batch", "backend": "fake_manila"})["id"]
    listing = notebook.good("%session list").value
    rows = {cells[0]: cells for cells in (row.cells() for row in listing.rows)}
    assert set(rows) == {notebook["session"].session_id, elsewhere}
    here = rows[notebook["session"].session_id]
    assert here[1:4] == ("vqe", "session", "aer")
    assert here[4].startswith("Active")
    assert here[6] != ""
    assert here[7].endswith(" on IBM")
    assert here[8] == "this notebook, bound"
    assert rows[elsewhere][1:5] == ("", "batch", "fake_manila", "Open, no job yet")
    assert elsewhere in repr(listing)
    assert elsewhere in listing._repr_html_()
    asked = notebook("%session close --all --everywhere")
    assert "This ends 2 sessions or batches, with 0 pending jobs" in asked.sentence()
    assert "--all --everywhere --yes ends them" in asked.sentence()
    assert len(_open_ids(ask)) == 2
    said = notebook.good("%session close --all").out
    assert "1 more is open elsewhere" in said
    assert _open_ids(ask) == {elsewhere}, "this notebook's only"
    said += notebook.good("%session close --all --everywhere --yes").out
    assert (said.count("Session closed."), said.count("Batch closed.")) == (1, 1)
    assert _open_ids(ask) == set()
    assert BINDING.bound is None
    assert "No session is open" in repr(notebook.good("%session list").value)


def test_a_session_from_elsewhere_is_attached_by_its_id_or_a_jobs(
    notebook: Notebook, ask: Callable[..., Any], account: Callable[[str | None], None]
) -> None:
    account(None)
    notebook.good(CIRCUITS)
    first = ask("POST", "/sessions", json={"mode": "dedicated", "backend": "aer"})["id"]
    ran = notebook.good(f"%session attach {first} --name taken", JOB)
    assert "Attached to the session on aer" in ran.out
    assert "left open when this kernel ends" in ran.out
    assert notebook["job"].session_id == first
    assert "open already and goes on" in notebook.good(f"%session attach {first}").out
    by_job = notebook.good(f"%session attach {notebook['job'].job_id()}").out
    assert "open already and goes on" in by_job
    batch = ask("POST", "/sessions", json={"mode": "batch", "backend": "aer"})["id"]
    assert "Attached to the batch on aer" in notebook.good(f"%session attach {batch}").out
    ask("DELETE", f"/sessions/{batch}/close")
    closed = ask("POST", "/sessions", json={"mode": "dedicated", "backend": "aer"})["id"]
    ask("DELETE", f"/sessions/{closed}/close")
    # one that has ended is read-only, and what is bound stays bound
    ran = notebook.good(f"%session attach {closed}")
    assert f"The session {closed} on aer has ended: it was c" in ran.out
    assert "--bind-as ended,backend gives it a name of its own" in ran.out
    assert notebook["session"].session_id == batch
    notebook.good(f"%session attach {closed} --bind-as ended,backend")
    assert notebook["ended"].session_id == closed
    assert notebook["session"].session_id == batch
    sentence = notebook("%session attach 00000000-0000-4000-8000-000000000000").sentence()
    assert "There is no session, batch or job '00000000-0000-4000-8000-000000000000'" in sentence


def test_two_kernels_in_one_session_both_stay_right(
    notebook: Notebook, ask: Callable[..., Any]
) -> None:
    notebook.good(CIRCUITS)
    notebook.good(LOCAL, "pass")
    session_id = notebook["session"].session_id
    job = {"program_id": "sampler", "backend": "aer", "session_id": session_id}
    pub = 'OPENQASM 3.0; include "stdgates.inc"; bit[1] c; qubit[1] q; c = measure q;'
    sent = ask("POST", "/jobs", json={**job, "params": {"pubs": [[pub, None, 10]], "version": 2}})
    seen = notebook["session"]
    wait_for(lambda: [job.id for job in seen.snapshot.jobs] == [sent["id"]], "the other's job")
    notebook.good(JOB)
    assert notebook["job"].session_id == session_id


def test_it_is_written_down_in_every_form(circuits: Notebook, tmp_path: Path) -> None:
    circuits.good(JOB, "job.result()")
    for suffix in ("json", "csv", "html"):
        ran = circuits.good(f"%session export {tmp_path}/run.{suffix}")
        assert ran.out.strip() == f"Written to {tmp_path}/run.{suffix}."
    snapshot = json.loads((tmp_path / "run.json").read_text())
    assert snapshot["session_id"] == circuits["session"].session_id
    with open(tmp_path / "run.csv", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["id"] == circuits["job"].job_id()
    assert circuits["session"].session_id in (tmp_path / "run.html").read_text()
    assert (
        "end it in .json, .csv, .html, .svg, .pdf, .png"
        in circuits("%session export run.xls").sentence()
    )
    # the second leads into what is a file
    for place in ("nowhere", "run.json"):
        sentence = circuits(f"%session export {tmp_path}/{place}/run.json").sentence()
        assert "Cannot write" in sentence
    assert "Name a folder that exists" in sentence
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".csv", ".html", ".json"]


def test_defaults_can_be_configured(notebook: Notebook) -> None:
    notebook.good("%config SessionMagics.backend = 'aer'", "%config SessionMagics.service='local'")
    notebook.good("%%session", "pass")
    assert notebook["backend"].name == "aer"
    notebook.good("%session close")
    notebook.good("%%session --backend fake_manila", "pass")
    assert notebook["backend"].name == "fake_manila"


def test_opening_from_python_is_the_same(notebook: Notebook) -> None:
    notebook.good(CIRCUITS, "from qsession_widgets import current_session, open_session")
    notebook.good("mine = open_session('aer', service='local', max_time='10m', tags=['t'])", JOB)
    assert notebook["job"].session_id == notebook["mine"].session_id
    assert notebook["mine"].snapshot.max_ttl == 600
    assert notebook.good("current_session() is mine").value is True
    sentence = notebook("open_session('aer', max_time=-1)").sentence()
    assert "max_time must be at least 1 s" in sentence
