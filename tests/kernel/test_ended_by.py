"""A session that is ended from elsewhere: the kernel that has it open says from where."""

from __future__ import annotations

import os
import subprocess
import sys
from ast import literal_eval
from collections.abc import Callable

import pytest

from qsession_widgets.registry.entries import notes
from qsession_widgets.registry.processes import is_orphan, living

from .cells import Notebook, wait_for
from .conftest import CIRCUITS
from .fresh import run_cells

ATTACH = "import qsession_widgets; qsession_widgets.attach_session"
RUN = "SamplerV2().run([(measured,)])"


def _terminal(session_id: str) -> None:
    main = "from qsession_widgets.cli.main import main; raise SystemExit(main())"
    command = [sys.executable, "-c", main, "close", session_id]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr


def _notebook(session_id: str) -> None:
    cells = ("%load_ext qsession_widgets", f"%session close {session_id}")
    (_, (out, err)) = run_cells(*cells, environment={"JPY_SESSION_NAME": "/home/ada/qaoa.ipynb"})
    assert "Session closed" in out, err


def _script(session_id: str) -> None:
    source = f"import sys; sys.argv = ['/home/ada/close.py']; {ATTACH}('{session_id}').close()"
    environment = {name: to for name, to in os.environ.items() if name != "JPY_SESSION_NAME"}
    command = [sys.executable, "-c", source]
    subprocess.run(command, capture_output=True, timeout=120, check=True, env=environment)


@pytest.mark.parametrize(
    ("close", "where"),
    [
        (_terminal, "from a terminal"),
        (_notebook, "from qaoa.ipynb"),
        (_script, "by another process (close.py)"),
    ],
    ids=["terminal", "notebook", "script"],
)
def test_it_is_said_from_where(
    notebook: Notebook, close: Callable[[str], None], where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ada/vqe.ipynb")
    circuits = notebook
    circuits.good(CIRCUITS)
    circuits.good("%%session --service local --backend aer", "pass")
    close(circuits["session"].session_id)
    wait_for(lambda: circuits["session"].snapshot.state == "closed", "the end")
    said = circuits(RUN).sentence()
    assert f"takes no more jobs: it was closed {where}. Open a new one" in said
    assert f"Closed · {where}" in str(circuits.good("%session receipt").displayed)


def test_a_session_that_a_second_kernel_attaches_stays_its_first_owners_too(
    circuits: Notebook,
) -> None:
    session_id = circuits["session"].session_id
    (_, _, (left, _), (said, err)) = run_cells(
        "%load_ext qsession_widgets",
        f"%session attach {session_id}",
        "%session close --all",
        "from qsession_widgets.registry.entries import notes\n"
        "from qsession_widgets.registry.processes import living\n"
        f"print([(one.process, one.on_exit) for one in living(notes()['{session_id}'])])",
        environment={"JPY_SESSION_NAME": "/home/ada/qaoa.ipynb"},
    )
    # what a notebook only has beside its living owner is not this notebook's to end with others
    assert f"{session_id} on aer: left open, for the kernel that opened it has it still" in left
    first, second = literal_eval(said)
    assert first == (os.getpid(), "close"), err
    assert second[1] == "last"
    # the second one has ended, and nothing is wrong
    entry = notes()[session_id]
    assert entry.process == os.getpid()
    assert not is_orphan(entry)
    assert len(living(entry)) == 1
    assert circuits["session"].snapshot.accepting_jobs


def test_two_kernels_of_one_notebook_are_told_of_no_earlier_one(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ada/vqe.ipynb")
    opened = "%%session --service local --backend aer\npass"
    notebook.good(*opened.split("\n"))
    ((_, failed), (said, err)) = run_cells("%load_ext qsession_widgets", opened)
    assert "Using the local emulator" in said, failed + err
    assert "earlier kernel" not in said + err
    assert notebook["session"].snapshot.accepting_jobs
