"""Notebooks to run cells in, and the emulator their sessions are opened on.

One emulator serves all these tests, in a runtime directory of their own, where ``--service local``
finds it like a user's. Most tests run cells in a shell of this process; the few that need a kernel
or a fresh interpreter start one.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from qsession_widgets.client import unknown_outcome
from qsession_widgets.emulator.options import EmulatorOptions
from qsession_widgets.emulator.process import launcher
from qsession_widgets.emulator.process.connection_file import Connection
from qsession_widgets.resume.runs import RUNS
from qsession_widgets.sessions import crash_policy
from qsession_widgets.sessions.binding import BINDING
from qsession_widgets.watchdog.owner import WATCHDOG

from .cells import Notebook
from .lost_answers import forget_openings
from .resuming import BUILD
from .table import CIRCUITS


@pytest.fixture(scope="package")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """The emulator, with an instance on the Open Plan beside the default one."""
    folder = tmp_path_factory.mktemp("emulator")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "runtime"))
        patch.setenv("JUPYTER_DATA_DIR", str(folder / "data"))
        options = EmulatorOptions(instances=(("bob", "open"),), faults=True, workers=1, seed=1)
        connection = launcher.find_or_start(options)
        # kernels of tests, which they kill, are as those of a Jupyter server
        Path(folder, "runtime", f"jpserver-{os.getpid()}.json").touch()
        try:
            yield connection
        finally:
            launcher.stop()


@pytest.fixture(scope="package")
def _another_client(emulator: Connection) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"apikey {emulator.key}", "Service-CRN": emulator.crn}
    with httpx.Client(base_url=emulator.url, headers=headers) as client:
        yield client


@pytest.fixture
def ask(_another_client: httpx.Client) -> Callable[..., Any]:
    """Asks the emulator directly, as another client would; it has forgotten earlier tests."""

    def request(method: str, path: str, **kwargs: Any) -> Any:
        prefix = "" if path.startswith("/emulator/") else "/api/v1"
        response = _another_client.request(method, prefix + path, **kwargs)
        assert response.status_code < 300, response.text
        return response.json() if response.content else None

    request("POST", "/emulator/v1/faults/reset")
    return request


@pytest.fixture(scope="package")
def _shell() -> Iterator[InteractiveShell]:
    InteractiveShell.clear_instance()
    # each reset of the shell collects garbage: half a second where all of Qiskit is looked through
    gc.collect()
    gc.freeze()
    # the file of a history would be gone before the shell is
    yield InteractiveShell.instance(config=Config({"HistoryManager": {"hist_file": ":memory:"}}))
    InteractiveShell.clear_instance()
    gc.unfreeze()


@pytest.fixture
def notebook(
    _shell: InteractiveShell, ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Notebook]:
    """A notebook with the extension loaded; nothing of its session is left afterwards."""
    _shell.reset(new_session=True)
    # what %config sets outlives the extension
    _shell.config.pop("SessionMagics", None)
    notebook = Notebook(_shell)
    # as under Jupyter, where a page shows the panel, and that a kernel is gone
    notebook.good("%load_ext qsession_widgets", "%config SessionMagics.say = 'never'")
    monkeypatch.setattr(crash_policy, "has_jupyter_server", lambda: True)
    yield notebook
    end_kernel(notebook)


def end_kernel(notebook: Notebook) -> None:
    """Let the notebook know nothing of its sessions any more, as if its kernel had been killed."""
    # those that are still closing, too: what they ask would meet the faults of the next test
    sessions = list(BINDING._known)
    notebook("%unload_ext qsession_widgets")
    # the Python API binds without the extension, too
    BINDING.set_aside()
    for live in sessions:
        WATCHDOG.drop(live.monitor.session_id)
        live.monitor.stop()
        if live.guard is not None:
            live.guard.stop()
    BINDING.__init__()
    RUNS.reset()


@pytest.fixture
def circuits(notebook: Notebook) -> Notebook:
    """A notebook with circuits and an open session on ``aer``."""
    notebook.good(CIRCUITS)
    notebook.good("%%session --service local --backend aer", "pass")
    return notebook


@pytest.fixture
def account(emulator: Connection, monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], None]:
    """Puts an instance of the emulator into the environment, as an account would be."""

    def use(instance: str | None) -> None:
        for name, value in emulator.environment(instance).items():
            monkeypatch.setenv(name, value)

    return use


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Writes a module that cells can import."""

    def write(name: str, source: str) -> None:
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
        monkeypatch.syspath_prepend(str(tmp_path))

    return write


@pytest.fixture
def work(notebook: Notebook, monkeypatch: pytest.MonkeyPatch, request: Any) -> Notebook:
    """A notebook whose path is its own."""
    monkeypatch.setenv("QSESSION_NOTEBOOK", f"/nowhere/{request.node.name}.ipynb")
    notebook.good(BUILD)
    return notebook


@pytest.fixture
def asked_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service is asked within moments what became of a request."""
    monkeypatch.setattr(unknown_outcome, "LATE", 0.05)
    monkeypatch.setattr(unknown_outcome, "LOOK_TIMEOUT", 3.0)
    monkeypatch.setattr(unknown_outcome, "PAUSES", (0.05, 0.05, 0.05))
    monkeypatch.setattr(unknown_outcome, "LOOK_PAUSES", (0.0, 0.05, 0.05))
    monkeypatch.setattr(unknown_outcome, "ASK_AGAIN", (0.1, 0.2))
    monkeypatch.setattr(unknown_outcome, "ON_ITS_WAY", 0.5)
    forget_openings()
