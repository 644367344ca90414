"""Emulators to test: processes of their own, reached over HTTP like any other.

One runs as it comes, with instances on different plans. The other's clock stands still and is moved
by the tests, so that a minute of idle time costs no minute.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from qsession_widgets.emulator.options import EmulatorOptions
from qsession_widgets.emulator.process import launcher
from qsession_widgets.emulator.process.connection_file import Connection

if TYPE_CHECKING:
    from qiskit_ibm_runtime import IBMBackend, QiskitRuntimeService

# the other client, QRMI, is published for these only
collect_ignore = (
    [] if sys.version_info >= (3, 11) and sys.platform == "linux" else ["test_other_client.py"]
)
# these have an environment of their own, which `make test-clients` makes
if importlib.util.find_spec("mthree") is None:
    collect_ignore.append("test_other_libraries.py")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep out the crowd, which takes minutes, unless it is asked for."""
    if "crowd" in (config.getoption("markexpr") or ""):
        return
    crowd = [item for item in items if item.get_closest_marker("crowd")]
    items[:] = [item for item in items if item not in crowd]
    config.hook.pytest_deselected(items=crowd)


QUICK = EmulatorOptions(workers=1, faults=True)
"""An emulator that is soon there."""

SERVER = [sys.executable, "-m", "qsession_widgets.emulator.process.server"]

CIRCUIT = """
OPENQASM 3.0;
include "stdgates.inc";
qubit[2] q;
bit[2] c;
x q[0];
cx q[0], q[1];
c = measure q;
"""
"""A job's circuit as text, for tests that send JSON by hand; every backend has these gates."""


class Api:
    """An HTTP client of one instance that sends what it is told, unlike the real one."""

    def __init__(self, connection: Connection, instance: str | None = None):
        variables = connection.environment(instance)
        self.connection = connection
        self.crn = variables["QISKIT_IBM_INSTANCE"]
        self.http = httpx.Client(
            base_url=connection.url,
            headers={
                "Authorization": f"apikey {variables['QISKIT_IBM_TOKEN']}",
                "Service-CRN": self.crn,
            },
            timeout=30,
        )

    def __call__(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        prefix = "" if path.startswith(("/emulator/", "/openapi")) else "/api/v1"
        return self.http.request(method, prefix + path, **kwargs)

    def get(self, path: str, **params: Any) -> Any:
        """The JSON of a successful GET."""
        response = self("GET", path, params=params)
        assert response.status_code == 200, response.text
        return response.json()

    def refused(self, method: str, path: str, **kwargs: Any) -> tuple[int, dict[str, Any]]:
        """The status and the error of a request that is refused, in the service's shape."""
        response = self(method, path, **kwargs)
        assert response.status_code >= 400, response.text
        body = response.json()
        assert set(body) == {"errors", "trace"}
        assert body["trace"] == response.headers["x-request-id"]
        (error,) = body["errors"]
        assert set(error) == {"code", "message", "solution", "more_info"}
        assert error["message"]
        return response.status_code, error

    def open_session(self, backend: str = "aer", **fields: Any) -> str:
        """The id of a new session."""
        body = {"mode": "dedicated", "backend": backend, **fields}
        response = self("POST", "/sessions", json=body)
        assert response.status_code == 200, response.text
        return str(response.json()["id"])

    def submit(self, backend: str = "aer", **fields: Any) -> str:
        """The id of a new sampler job."""
        body = {
            "program_id": "sampler",
            "backend": backend,
            "params": {"pubs": [[CIRCUIT, None, 10]], "version": 2},
            **fields,
        }
        response = self("POST", "/jobs", json=body)
        assert response.status_code == 200, response.text
        return str(response.json()["id"])

    def wait(self, job_id: str) -> dict[str, Any]:
        """The job, once it is over; a question is held by the service, so this hardly spins."""
        for _ in range(600):
            job: dict[str, Any] = self.get(f"/jobs/{job_id}", exclude_params=True)
            if job["state"]["status"] not in ("Queued", "Running"):
                return job
        raise AssertionError(f"Job {job_id} is still {job['status']} after a minute.")

    def fault(self, route: str = "", /, **body: Any) -> httpx.Response:
        """Use the faults plane."""
        response = self("POST", f"/emulator/v1/faults{route}", json=body or None)
        assert response.status_code < 300, response.text
        return response

    def advance(self, seconds: float) -> float:
        """Move the service's clock; returns its time."""
        return float(self.fault("/clock", advance=seconds).json()["now"])

    def reset(self) -> None:
        """Forget everything."""
        self("POST", "/emulator/v1/faults/reset")


Connect = Callable[[Connection], Api]


def _running(name: str, options: EmulatorOptions) -> Iterator[Connection]:
    connection = launcher.find_or_start(options, name)
    try:
        yield connection
    finally:
        launcher.stop(name)


@pytest.fixture(scope="session")
def connection() -> Iterator[Connection]:
    options = EmulatorOptions(
        instances=(("alice", "premium"), ("bob", "open")), faults=True, workers=1, seed=1
    )
    yield from _running("tests", options)


@pytest.fixture(scope="session")
def still_connection() -> Iterator[Connection]:
    yield from _running("still", EmulatorOptions(speed=0, faults=True, workers=1, seed=1))


@pytest.fixture
def api(connection: Connection) -> Iterator[Api]:
    """The default instance of the emulator, as its owner; nothing is left of earlier tests."""
    api = Api(connection)
    api.reset()
    yield api
    api.http.close()


@pytest.fixture
def alice(api: Api, connection: Connection) -> Iterator[Api]:
    """An instance that has a key of its own."""
    alice = Api(connection, "alice")
    yield alice
    alice.http.close()


@pytest.fixture
def bob(api: Api, connection: Connection) -> Iterator[Api]:
    """Another one, on the Open Plan."""
    bob = Api(connection, "bob")
    yield bob
    bob.http.close()


@pytest.fixture
def still(still_connection: Connection) -> Iterator[Api]:
    """The emulator whose clock stands still."""
    api = Api(still_connection)
    api.reset()
    yield api
    api.http.close()


@pytest.fixture(scope="session")
def _service(connection: Connection) -> QiskitRuntimeService:
    from qiskit_ibm_runtime import QiskitRuntimeService

    # the client reads them while it is made; other tests are not to find an account here
    with pytest.MonkeyPatch.context() as patch:
        for name, value in connection.environment().items():
            patch.setenv(name, value)
        return QiskitRuntimeService()


@pytest.fixture
def service(
    api: Api,
    connection: Connection,
    _service: QiskitRuntimeService,
    monkeypatch: pytest.MonkeyPatch,
) -> QiskitRuntimeService:
    """The unmodified client, which found the emulator through the environment alone."""
    for name, value in connection.environment().items():
        monkeypatch.setenv(name, value)
    return _service


@pytest.fixture
def aer(service: QiskitRuntimeService) -> IBMBackend:
    return service.backend("aer")


@pytest.fixture
def manila(service: QiskitRuntimeService) -> IBMBackend:
    return service.backend("fake_manila")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Directories of this test's own, and nothing left running in them."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    yield tmp_path
    launcher.stop()


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes HTTP clients, and closes them."""
    made: list[Api] = []

    def connect(connection: Connection) -> Api:
        made.append(Api(connection))
        return made[-1]

    yield connect
    for api in made:
        api.http.close()


@pytest.fixture
def running(place: Path) -> Connection:
    """An emulator of this test's own."""
    return launcher.find_or_start(QUICK)
