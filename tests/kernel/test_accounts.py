"""Several saved accounts, and several instances of one: what is open is found on all of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from qiskit_ibm_runtime.accounts import management

from qsession_widgets.cli.main import main
from qsession_widgets.client.accounts import accounts_file
from qsession_widgets.discovery import fan_out
from qsession_widgets.emulator.process.connection_file import Connection
from qsession_widgets.registry import entries

from .cells import Notebook
from .conftest import end_kernel

Save = Callable[..., None]


@pytest.fixture
def save(emulator: Connection, monkeypatch: pytest.MonkeyPatch) -> Iterator[Save]:
    """Saves accounts that lead to instances of the emulator; anything else stays as it is."""
    leading = emulator.environment()
    for name in ("IAM_URL", "GLOBAL_SEARCH_URL", "GLOBAL_CATALOG_URL", "NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, leading[name])
    path = accounts_file()
    path.parent.mkdir(exist_ok=True)
    # the client made up its mind when it was imported
    monkeypatch.setattr(management, "_DEFAULT_ACCOUNT_CONFIG_JSON_FILE", str(path))

    def write(**holders: str | None) -> None:
        saved = {}
        for name, holder in holders.items():
            variables = emulator.environment(holder)
            saved[name] = {
                "channel": "ibm_quantum_platform",
                "url": emulator.api,
                "token": variables["QISKIT_IBM_TOKEN"],
                # one key for all instances has none of its own
                "instance": variables["QISKIT_IBM_INSTANCE"] if holder else None,
            }
        path.write_text(json.dumps(saved))

    yield write
    path.unlink(missing_ok=True)


@pytest.fixture
def bobs(emulator: Connection, ask: Callable[..., Any]) -> Callable[..., Any]:
    """Asks the emulator about the other instance, with the key that reaches all of them."""
    crn = emulator.environment("bob")["QISKIT_IBM_INSTANCE"]
    headers = {"Authorization": f"apikey {emulator.key}", "Service-CRN": crn}

    def request(method: str, path: str, **kwargs: Any) -> Any:
        answer = httpx.request(method, f"{emulator.api}{path}", headers=headers, **kwargs)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    return request


def _listed(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["list", "--json", *words]) == 0
    return {row["id"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}


def test_what_was_opened_with_another_account_is_found_and_ended(
    notebook: Notebook,
    save: Save,
    bobs: Callable[..., Any],
    emulator: Connection,
    capsys: pytest.CaptureFixture[str],
) -> None:
    save(other="bob")
    opening = "%%batch --account other --backend aer --name far --on-exit leave"
    notebook.good(opening, "far = session.session_id")
    far = notebook["far"]
    note = entries.notes()[far]
    bob = emulator.environment("bob")
    assert (note.account, note.instance) == ("other", bob["QISKIT_IBM_INSTANCE"])
    assert all(key["key"] not in repr(note) for key in emulator.instances)
    # another kernel, and a terminal, with one account more
    end_kernel(notebook)
    notebook.good("%load_ext qsession_widgets")
    save(other="bob", another=None)
    (row,) = notebook.good("%session list").value.rows
    assert row.snapshot.session_id == far
    assert set(_listed(capsys)) == {far}
    assert set(_listed(capsys, "--account", "other")) == {far}
    assert set(_listed(capsys, "--instance", emulator.crn, "--account", "another")) == set()
    assert set(_listed(capsys, "--service", "local")) == set()
    # what ends many at once leaves accounts alone that were not named
    said = notebook.good("%session close --all --everywhere --yes").out
    assert f"{far} on aer: left open, for it is another account's" in said
    assert "Attached to the batch on aer" in notebook.good(f"%session attach {far}").out
    assert entries.notes()[far].account == "other"
    assert main(["close", far]) == 0
    assert "Batch closed" in capsys.readouterr().out
    assert bobs("GET", f"/sessions/{far}")["state"] == "closed"


def test_every_instance_of_one_account_is_asked_and_called_by_its_name(
    save: Save,
    bobs: Callable[..., Any],
    ask: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    save(one=None, again=None)
    body = {"mode": "batch", "backend": "aer"}
    here, there = (
        ask("POST", "/sessions", json=body)["id"],
        bobs("POST", "/sessions", json=body)["id"],
    )
    # the same key saved twice is one account
    rows = _listed(capsys)
    assert set(rows) == {here, there}
    assert rows[there]["service"] == "local emulator · bob · no charge"
    assert rows[here]["service"] == "local emulator · no charge"
    assert main(["cancel", there]) == 0
    assert "Batch cancelled" in capsys.readouterr().out
    assert bobs("GET", f"/sessions/{there}")["state"] == "closed"


def test_a_session_has_the_plan_of_the_instance_that_the_client_chose(
    notebook: Notebook, save: Save, emulator: Connection
) -> None:
    save(one=None)
    path = accounts_file()
    saved = json.loads(path.read_text())
    saved["one"]["plans_preference"] = ["open"]
    path.write_text(json.dumps(saved))
    notebook.good("%%batch --account one --backend aer", "pass")
    bob = emulator.environment("bob")["QISKIT_IBM_INSTANCE"]
    assert notebook["session"]._instance == bob
    service = notebook["session"].snapshot.service
    assert (service.label, service.plan) == ("local emulator · bob · no charge", "open")
    notebook.good("%session close")


def test_an_account_that_is_gone_is_told_with_what_it_left(
    notebook: Notebook, save: Save, bobs: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    save(other="bob")
    notebook.good("%%batch --account other --backend aer --on-exit leave", "pass")
    far = notebook["session"].session_id
    save(another=None)
    listing = notebook.good("%session list").value
    # it is connected to this kernel still
    assert {row.snapshot.session_id for row in listing.rows} == {far}
    (problem,) = listing.problems
    assert problem.startswith(
        f"The saved account 'other' is not there any more, and with it was opened {far}"
    )
    notebook.good("%session close")


def test_an_account_that_does_not_answer_hides_no_other(
    save: Save,
    ask: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    save(other="bob")
    near = ask("POST", "/sessions", json={"mode": "dedicated", "backend": "aer"})["id"]
    monkeypatch.setattr(fan_out, "TIMEOUT", 4.0)
    ask("POST", "/emulator/v1/faults", json={"path": "/identity/token", "delay": 60, "times": None})
    assert main(["list"]) == 1
    printed = capsys.readouterr()
    assert near in printed.out
    assert "IBM Quantum with the saved account did not answer in time" in printed.out
    assert "more may be open than is listed" in printed.err
    # where it is found at once, nobody else is asked
    assert main(["close", near]) == 0
    assert capsys.readouterr().out == "Session closed.\n"
    assert main(["close", "no-such-id"]) == 1
    said = capsys.readouterr().err
    assert "There is no session, batch or job 'no-such-id' on this machine" in said
    assert "did not answer in time" in said


def test_more_than_a_page_is_listed(
    ask: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    body = {"mode": "batch", "backend": "aer"}
    entries = {ask("POST", "/sessions", json=body)["id"] for _ in range(53)}
    assert set(_listed(capsys)) == entries
