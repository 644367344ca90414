"""Who opened what: a real kernel's sessions, whatever becomes of the kernel and its notebook."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient

from qsession_widgets.registry import entries as notes

from .conftest import Service
from .running import Document, Page, find, running_server

STRAY = """
from qiskit import QuantumCircuit
from qiskit_ibm_runtime import SamplerV2
circuit = QuantumCircuit(1)
circuit.measure_all()
SamplerV2(mode=backend).run([circuit]).job_id()
"""


def start_notebook(page: Page, name: str) -> tuple[str, str]:
    """A notebook with a kernel, as a page opens it: ids of Jupyter's session and of the kernel."""
    notebook = {"type": "notebook", "format": "json", "content": EMPTY}
    assert page.http.put(f"api/contents/{name}", json=notebook).status_code == 201
    body = {"path": name, "name": name, "type": "notebook", "kernel": {"name": "python3"}}
    answer = page.http.post("api/sessions", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"], answer.json()["kernel"]["id"]


EMPTY = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@contextmanager
def talking(runtime: str, kernel_id: str) -> Iterator[BlockingKernelClient]:
    """A client of a kernel."""
    client = BlockingKernelClient(connection_file=str(Path(runtime, f"kernel-{kernel_id}.json")))
    client.load_connection_file()
    # what is sent before the kernel listens waits for it
    client.start_channels(hb=False)
    yield client
    client.stop_channels()


@contextmanager
def connected(runtime: str, kernel_id: str) -> Iterator[Callable[[str], None]]:
    """Something that runs cells in a kernel."""
    with talking(runtime, kernel_id) as client:

        def run(cell: str) -> None:
            reply = client.execute(cell, reply=True, timeout=90)
            assert reply["content"]["status"] == "ok", reply["content"]

        yield run


def test_a_session_outlives_its_kernel_and_its_server(
    variables: dict[str, str], service: Service, tmp_path: Path
) -> None:
    """As it goes in real life: opened, renamed, strayed from, killed, and found again."""
    runtime = variables["JUPYTER_RUNTIME_DIR"]
    root = tmp_path / "root"
    with running_server(root, variables) as page:
        mine, kernel_id = start_notebook(page, "vqe.ipynb")
        with connected(runtime, kernel_id) as run:
            run("%load_ext qsession_widgets")
            run("%%session --service local --backend aer --name vqe --on-exit leave\npass")

            opened = until_opened(page, lambda by: by["kernel"] == "idle")
            assert opened["snapshot"]["name"] == "vqe"
            assert opened["opened_by"] == {
                "notebook": "vqe.ipynb",
                "label": "vqe.ipynb",
                "kernel_id": kernel_id,
                "kernel": "idle",
                "bound": True,
                "name": "vqe",
                "on_exit": "leave",
            }
            session = opened["snapshot"]["session_id"]
            assert page.overview()["kernels"] == {kernel_id: {"state": "idle", "path": "vqe.ipynb"}}

            page.http.patch("api/contents/vqe.ipynb", json={"path": "ansatz.ipynb"})
            page.http.patch(f"api/sessions/{mine}", json={"path": "ansatz.ipynb"})
            until_opened(page, lambda by: by["notebook"] == by["label"] == "ansatz.ipynb")

            run(STRAY)
            entry = found(page.until(lambda d: (e := find(d, session)) and e["events"]), session)
            (event,) = entry["events"]
            assert (event["seq"], event["kind"]) == (1, "stray")
            assert "outside the session bound on aer" in event["text"]

            stays_busy(page, kernel_id, runtime, root / "go")
            told = notes.folder() / f"{session}.json"
            told.write_text(told.read_text().replace('"tells": true', '"tells": false'))
            until_opened(page, lambda by: by["kernel"] == "alive")

            run("%session unbind")
            until_opened(page, lambda by: not by["bound"])
            run("%session use vqe\nimport os\nopen('pid', 'w').write(str(os.getpid()))")
            until_opened(page, lambda by: by["bound"])
        os.kill(int((root / "pid").read_text()), signal.SIGKILL)
        gone = until_opened(page, lambda by: by["kernel"] == "gone")
        assert gone["opened_by"]["notebook"] == "ansatz.ipynb"
        assert gone["opened_by"]["bound"] is False
        # Jupyter has started another kernel of the same id by now, or will: it opened nothing
        assert gone["snapshot"]["state"] != "closed"

    with running_server(root, variables) as page:
        again = until_opened(page, lambda by: by["kernel"] == "gone")
        assert again["snapshot"]["session_id"] == session
        assert again["opened_by"]["label"] == "ansatz.ipynb"
        assert [event["seq"] for event in again["events"]] == [1]
        (root / "ansatz.ipynb").unlink()
        deleted = until_opened(page, lambda by: by["notebook"] == "")
        assert deleted["opened_by"]["label"] == "ansatz.ipynb"
        assert page.command("local", session, "close").status_code == 200
        page.until_listed(session, state="closed")


def test_a_crash_closes_the_session_where_that_was_asked_for(
    variables: dict[str, str], service: Service, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    # another kernel would be in the midst of its imports when the server ends
    with running_server(root, variables, "--KernelManager.autorestart=False") as page:
        _, kernel_id = start_notebook(page, "vqe.ipynb")
        with connected(variables["JUPYTER_RUNTIME_DIR"], kernel_id) as run:
            run("import os\nimport qsession_widgets.watchdog.owner as owner\nowner.DELAY = 0.0")
            run("%load_ext qsession_widgets")
            run("%%session --service local --backend aer\nassert owner.WATCHDOG.process is None")
            run("%%session --on-crash close\nopen('pid', 'w').write(str(os.getpid()))")
            session = until_opened(page, lambda by: True)["snapshot"]["session_id"]
        os.kill(int((root / "pid").read_text()), signal.SIGKILL)
        page.until_listed(session, state="closed")
        entry = found(page.until(lambda d: (e := find(d, session)) and e["events"]), session)
        assert [event["kind"] for event in entry["events"]] == ["guard"]


def stays_busy(page: Page, kernel_id: str, runtime: str, go: Path) -> None:
    """A kernel whose cell runs is busy, whatever a subshell has answered meanwhile."""
    waits = f"import pathlib, time\nwhile not pathlib.Path({str(go)!r}).exists(): time.sleep(0.01)"
    with talking(runtime, kernel_id) as client:
        cell = client.execute(waits)
        until_opened(page, lambda by: by["kernel"] == "busy")
        client.control_channel.send(client.session.msg("create_subshell_request"))
        created = client.get_control_msg(timeout=60)
        beside = client.session.msg("execute_request", {"code": "1", "silent": True})
        beside["header"]["subshell_id"] = created["content"]["subshell_id"]
        client.shell_channel.send(beside)
        assert client.get_shell_msg(timeout=60)["parent_header"]["msg_id"] != cell
        # Jupyter's word for it
        document = page.until(lambda d: d["kernels"][kernel_id]["state"] == "idle")
        by = [one["opened_by"] for one in document["workloads"]]
        assert {opened["kernel"] for opened in by if opened} == {"busy"}
        go.touch()
        assert client.get_shell_msg(timeout=60)["parent_header"]["msg_id"] == cell
    until_opened(page, lambda by: by["kernel"] == "idle")


def until_opened(page: Page, holds: Callable[[Document], Any]) -> Document:
    """The one workload that was opened by somebody, once something holds of who."""

    def entry(document: Document) -> Document | None:
        return next(
            (one for one in document["workloads"] if one["opened_by"] and holds(one["opened_by"])),
            None,
        )

    result = entry(page.until(entry))
    assert result is not None
    return result


def found(document: Document, session_id: str) -> Document:
    entry = find(document, session_id)
    assert entry is not None
    return entry


@pytest.fixture
def note(page: Page, service: Service) -> Iterator[Callable[..., str]]:
    """Leaves a note on a new session, as a kernel of some version would."""
    left = []

    def leave(**fields: Any) -> str:
        session = service.open()
        left.append(session)
        notes.folder().mkdir(exist_ok=True)
        oldest = {
            "session_id": session,
            "url": service.connection.api,
            "notebook": "/somewhere/else/maxcut.ipynb",
            "process": os.getpid(),
            "name": "",
            "backend": "aer",
        }
        path = notes.folder() / f"{session}.json"
        path.write_text(json.dumps({**oldest, **fields}), encoding="utf-8")
        return session

    yield leave
    for session in left:
        notes.forget(session)


def test_the_notes_of_earlier_versions_are_read(page: Page, note: Callable[..., str]) -> None:
    session = note()
    by = found(page.until(lambda d: (e := find(d, session)) and e["opened_by"]), session)
    assert by["opened_by"] == {
        "notebook": "",
        "label": "maxcut.ipynb",
        "kernel_id": "",
        "kernel": "elsewhere",
        "bound": False,
        "name": "",
        "on_exit": "",
    }


def test_a_kernel_of_another_server(page: Page, note: Callable[..., str]) -> None:
    """Its process is all that is known: while it lives it is elsewhere, and then gone."""
    script = note(notebook="", kernel_id="not-ours", bound=True, host="")
    elsewhere = note(process=2**22 + 1, host="another.machine.example")
    gone = note(process=2**22 + 1, bound=True)
    later = note(opened_at=1.0)
    every = (script, elsewhere, gone, later)
    document = page.until(lambda d: all((e := find(d, one)) and e["opened_by"] for one in every))
    by = {one: found(document, one)["opened_by"] for one in every}
    assert by[script]["label"] == f"process {os.getpid()}"
    assert (by[script]["kernel"], by[script]["bound"]) == ("elsewhere", True)
    assert by[elsewhere]["kernel"] == "elsewhere", "nobody here can tell"
    assert (by[gone]["kernel"], by[gone]["bound"]) == ("gone", False)


def test_what_is_no_note_is_passed_over(page: Page, note: Callable[..., str]) -> None:
    session = note()
    for name, text in (("half", '{"session_id": "x"'), ("list", "[]"), ("empty", "{}")):
        (notes.folder() / f"{name}.json").write_text(text)
    try:
        assert found(page.until(lambda d: find(d, session)), session)
    finally:
        for name in ("half", "list", "empty"):
            notes.forget(name)
