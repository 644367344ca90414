"""A Jupyter server below a base URL, and the emulator that it finds, for all tests of this folder.

The server is started as people start it: what enables the extension is the file that an install
puts into Jupyter's configuration. Its home folder is its own, so tests can save an account there.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from qsession_widgets.emulator.options import EmulatorOptions
from qsession_widgets.emulator.process import launcher
from qsession_widgets.emulator.process.connection_file import Connection

from .running import Page, running_server

CIRCUIT = 'OPENQASM 3.0; include "stdgates.inc"; qubit[1] q; bit[1] c; x q[0]; c[0] = measure q[0];'

QUOTA = 10_000_000.0
"""Seconds of usage that the emulator's default instance has; no test uses them up."""


class Service:
    """The emulator, as another client of the same user sees it."""

    def __init__(self, connection: Connection, instance: str | None = None):
        variables = connection.environment(instance)
        self.connection = connection
        self.key = variables["QISKIT_IBM_TOKEN"]
        self.crn = variables["QISKIT_IBM_INSTANCE"]
        self.http = httpx.Client(
            base_url=connection.url,
            headers={"Authorization": f"apikey {self.key}", "Service-CRN": self.crn},
            timeout=30,
        )

    def __call__(self, method: str, path: str, **kwargs: Any) -> Any:
        prefix = "" if path.startswith("/emulator/") else "/api/v1"
        answer = self.http.request(method, prefix + path, **kwargs)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def open(self, mode: str = "dedicated") -> str:
        """The id of a new session or batch."""
        return str(self("POST", "/sessions", json={"mode": mode, "backend": "aer"})["id"])

    def submit(self, session_id: str, backend: str = "aer") -> str:
        """The id of a new job in a session."""
        params = {"pubs": [[CIRCUIT, None, 10]], "version": 2}
        body = {"program_id": "sampler", "backend": backend, "params": params}
        return str(self("POST", "/jobs", json={**body, "session_id": session_id})["id"])

    def fault(self, route: str = "", /, **body: Any) -> Any:
        """Use the faults plane."""
        return self("POST", f"/emulator/v1/faults{route}", json=body or None)

    def heal(self) -> None:
        """Let nothing go wrong any more."""
        self("DELETE", "/emulator/v1/faults")

    @property
    def requests(self) -> int:
        """How many it has answered."""
        return int(self("GET", "/emulator/v1/status")["requests"])


@pytest.fixture(scope="package")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Folders of Jupyter's, of the server and of these tests alike."""
    folder = tmp_path_factory.mktemp("jupyter")
    enabling = folder / "config" / "jupyter_server_config.d"
    enabling.mkdir(parents=True)
    package = Path(launcher.__file__).parents[2]
    shutil.copy(package / "server" / "jupyter_server_config.json", enabling / "qsession.json")
    # the environment's other extensions take longer to load than most of these tests take
    others = ("jupyter_lsp", "jupyter_server_terminals", "jupyterlab", "notebook", "notebook_shim")
    silenced = {"ServerApp": {"jpserver_extensions": dict.fromkeys(others, False)}}
    (enabling / "others.json").write_text(json.dumps(silenced))
    variables = {
        "HOME": str(folder / "home"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
    }
    (folder / "home").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR"):
            patch.setenv(name, variables[name])
        yield variables


@pytest.fixture(scope="package")
def connection(places: dict[str, str]) -> Iterator[Connection]:
    """The emulator, with instances that play those of accounts beside the default one."""
    others = (("alice", "premium"), ("carol", "payg"))
    options = EmulatorOptions(instances=others, faults=True, workers=1, seed=1, quota=QUOTA)
    yield launcher.find_or_start(options)
    launcher.stop()


@pytest.fixture(scope="package")
def variables(connection: Connection, places: dict[str, str]) -> dict[str, str]:
    """What the server is started with: a saved account leads to the emulator."""
    leading = connection.environment()
    names = ("IAM_URL", "GLOBAL_SEARCH_URL", "GLOBAL_CATALOG_URL", "NO_PROXY", "no_proxy")
    return {**places, **{name: leading[name] for name in names}}


@pytest.fixture(scope="package")
def _server(variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("server") / "root"
    options = {"slow_after": 1, "interest": 2, "pause": 0.2}
    words = [f"--SessionsOverview.{name}={value}" for name, value in options.items()]
    with running_server(folder, variables, *words, base_url="/user/me/") as page:
        yield page


@pytest.fixture
def service(connection: Connection) -> Iterator[Service]:
    """The emulator; nothing is left of earlier tests."""
    service = Service(connection)
    service.fault("/reset")
    yield service
    service.heal()
    service.http.close()


@pytest.fixture
def page(_server: Page, service: Service) -> Page:
    """A page of the server."""
    return _server
