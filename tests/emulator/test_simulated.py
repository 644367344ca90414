"""How a job was simulated is in the service's answer, and ``strict`` refuses what has no effect."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from emulator.conftest import CIRCUIT, Api

from qsession_widgets.emulator.rules.records import EmulatedJob
from qsession_widgets.emulator.storage.store import Store

IGNORED = {"execution": {"init_qubits": False}}


def simulate(api: Api, session: str, **wishes: Any) -> None:
    path = f"/emulator/v1/sessions/{session}/simulation"
    assert api("PUT", path, json=wishes).status_code == 204


def run(api: Api, session: str, options: dict[str, Any] | None = None) -> dict[str, Any]:
    params = {"pubs": [[CIRCUIT, None, 10]], "version": 2, "options": options or {}}
    return api.wait(api.submit("fake_manila", session_id=session, params=params))


def test_a_job_says_how_it_was_simulated(api: Api) -> None:
    session = api.open_session("fake_manila")
    exact = run(api, session)["emulator"]
    assert exact["method"]
    assert (exact["approximation"], exact["options_without_effect"]) == (None, [])
    simulate(api, session, noise="pauli")
    twirled = run(api, session, IGNORED)["emulator"]
    assert "gate noise twirled to Pauli channels" in twirled["approximation"]
    assert twirled["options_without_effect"] == ["execution.init_qubits"]
    # in a list as well, and summed up
    listed = api.get("/jobs", session_id=session)["jobs"]
    assert twirled in [job["emulator"] for job in listed]
    total = api.get("/emulator/v1/summary")
    assert total["approximated"] == {twirled["approximation"]: 1}
    assert total["options_without_effect"] == ["execution.init_qubits"]


def test_strict_refuses_an_option_without_effect(api: Api) -> None:
    session = api.open_session("fake_manila")
    simulate(api, session, strict=True)
    refused = run(api, session, IGNORED)
    assert refused["status"] == "Failed"
    assert "execution.init_qubits = False has no effect" in refused["state"]["reason"]
    assert "--strict refuses" in refused["state"]["reason"]
    # it was not simulated, and counts as no more than the least of a job
    assert refused["emulator"]["method"] is None
    assert refused["emulator"]["device_seconds"] <= 2
    assert run(api, session)["status"] == "Completed"


def test_a_folder_of_before_is_still_read(tmp_path: Path) -> None:
    path = tmp_path / "data.sqlite"
    how = {"methods": ("stabilizer",), "approximations": ("Twirled.",), "no_effect": ("a", "b")}
    new = EmulatedJob("j", "sampler", "aer", "crn", 1.0, tags=("t",), **how)  # type: ignore[arg-type]
    store = Store(path)
    store.save(jobs=[new])
    store.close()
    store = Store(path)
    assert store.load()[1] == [new]
    store.close()
    with sqlite3.connect(path) as connection:
        ((text,),) = connection.execute("SELECT record FROM jobs").fetchall()
        old = {name: value for name, value in json.loads(text).items() if name not in how}
        connection.execute("UPDATE jobs SET record = ?", (json.dumps(old),))
    connection.close()
    store = Store(path)
    assert store.load()[1] == [EmulatedJob("j", "sampler", "aer", "crn", 1.0, tags=("t",))]
    store.close()
