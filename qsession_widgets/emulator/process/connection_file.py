"""Connection file of a running emulator, in Jupyter's runtime directory, for its owner only.

It says what a kernel's connection file says of a kernel: where, and with which key. This module
imports next to nothing, because every kernel that looks for an emulator pays for it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from filelock import Timeout
from jupyter_core.paths import jupyter_data_dir, jupyter_runtime_dir

from ...files import file_lock, parse_json

DEFAULT_NAME = "default"
BASE = "/experimental"
API = "/api/v1"
OPEN_PATH = "QSESSION_OPEN_PATH"
"""Environment variable with the path below which an emulator that is started takes every key."""

FILE_VARIABLE = "QSESSION_EMULATOR_FILE"
"""Environment variable with the connection file of the emulator that ``qsession run`` has started:
within its command, that is the one without a name."""

TIMEOUT = 10.0
"""Seconds to wait for the answer of an emulator that accepted a connection."""


class EmulatorError(RuntimeError):
    """The emulator cannot be used; the message is one sentence for people."""


@dataclass(frozen=True)
class Connection:
    """Address, keys and process of a running emulator.

    Attributes
    ----------
    name : str
        Its name; emulators of different names live side by side.
    url : str
        Its address, without a path.
    key : str
        The owner's key.
    crn : str
        The default instance.
    pid : int
        Its process.
    version : str
        The version of this package it runs.
    started : float
        When it was started, seconds since the epoch.
    options : dict
        What it was started with (`Options.to_json`).
    instances : list of dict
        Every instance: ``name``, ``crn``, ``plan`` and its own ``key``.
    data : str
        Its data directory.
    public_url : str
        The address that other machines reach it at, without a path; empty for none.
    trusted : bool
        Whether other machines trust its certificate as they are.
    listening : list of str
        The options for other machines that it was started with, as words of a command line.
    certificate : str
        File of a certificate that makes them trust it; empty where that is not known here.
    """

    name: str
    url: str
    key: str = field(repr=False)
    crn: str
    pid: int
    version: str = ""
    started: float = 0.0
    options: dict[str, Any] = field(default_factory=dict)
    instances: list[dict[str, str]] = field(default_factory=list, repr=False)
    data: str = ""
    public_url: str = ""
    trusted: bool = True
    listening: list[str] = field(default_factory=list)
    certificate: str = ""

    @property
    def api(self) -> str:
        """The address of the service's REST API, as the client is given it."""
        return f"{self.url}{BASE}{API}"

    def environment(self, instance: str | None = None, path: str = "") -> dict[str, str]:
        """Environment variables with which ``QiskitRuntimeService()`` finds this emulator.

        Parameters
        ----------
        instance : str, optional
            Name of an instance; its own key is used then. The default instance with the owner's
            key otherwise.
        path : str
            A path below which the emulator takes every key, such as ``/1f3a``; none when empty.

        Raises
        ------
        EmulatorError
            There is no such instance.
        """
        key, crn = self.key, self.crn
        if instance is not None:
            found = [item for item in self.instances if item["name"] == instance]
            if not found:
                names = ", ".join(item["name"] for item in self.instances)
                raise EmulatorError(f"The emulator has no instance {instance!r}; it has {names}.")
            key, crn = found[0]["key"], found[0]["crn"]
        host = urlsplit(self.url).hostname or "127.0.0.1"
        direct = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
        if host not in direct.split(","):
            direct = f"{direct},{host}" if direct else host
        return {
            "QISKIT_IBM_CHANNEL": "ibm_quantum_platform",
            "QISKIT_IBM_TOKEN": key,
            "QISKIT_IBM_INSTANCE": crn,
            "QISKIT_IBM_URL": f"{self.url}{path}{BASE}{API}",
            "IAM_URL": f"{self.url}{path}",
            "GLOBAL_SEARCH_URL": f"{self.url}{path}",
            "GLOBAL_CATALOG_URL": f"{self.url}{path}/catalog",
            # nobody counts usage here, and in a notebook the client's header of where it was called
            # from costs more than the rest of a request
            "USAGE_DATA_OPT_OUT": os.environ.get("USAGE_DATA_OPT_OUT", "True"),
            # a proxy for the outside world cannot reach this machine's loopback
            "NO_PROXY": direct,
            "no_proxy": direct,
        }

    def request(
        self, method: str, path: str, timeout: float = TIMEOUT, *, body: Any = None
    ) -> dict[str, Any]:
        """Ask the emulator's own routes, sending ``body`` as JSON.

        Raises
        ------
        EmulatorError
            It refused.
        OSError
            It cannot be reached.
        """
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
        try:
            headers = {"Authorization": f"apikey {self.key}"}
            if body is not None:
                headers["Content-Type"] = "application/json"
            sent = None if body is None else json.dumps(body)
            connection.request(method, path, sent, headers)
            answer = connection.getresponse()
            said = json.loads(answer.read() or b"{}")
        except (http.client.HTTPException, ValueError, BrokenPipeError) as error:
            raise ConnectionError(f"what answers at {self.url} is no emulator") from error
        finally:
            connection.close()
        if answer.status >= 400:
            try:
                message = said["errors"][0]["message"]
            except (TypeError, LookupError):
                # another program may answer where an emulator was
                message = f"HTTP {answer.status}"
            raise EmulatorError(f"The emulator refused: {message}")
        return said if isinstance(said, dict) else {}

    def status(self, timeout: float = TIMEOUT) -> dict[str, Any]:
        """Status of the emulator; see `request` for errors."""
        return self.request("GET", "/emulator/v1/status", timeout)

    def public(self) -> dict[str, Any]:
        """Address without keys, for programs that read a command's output."""
        told = {"url": self.url, "api": self.api, "pid": self.pid, "data": self.data}
        return {**told, "public_url": self.public_url} if self.public_url else told

    def announced(self) -> str:
        """Sentence for students with the address; empty where other machines cannot reach it."""
        if not self.public_url:
            return ""
        file = self.certificate or "the certificate of the authority that signed its own"
        needs = "" if self.trusted else f" --ca FILE, where FILE is a copy of {file}"
        return (
            f"Students join with qsession join {self.public_url}{needs}; "
            "qsession emulator invite makes their keys."
        )

    def stop(self) -> None:
        """Ask the emulator to end; see `request` for errors."""
        self.request("POST", "/emulator/v1/stop")

    def to_json(self) -> dict[str, Any]:
        """The content of the file."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Connection:
        """Read what `to_json` gave; fields of later versions are left out.

        Raises
        ------
        ValueError, TypeError
            It is damaged.
        """
        known: dict[str, Any] = {
            name: data[name] for name in cls.__dataclass_fields__ if name in data
        }
        connection = cls(**known)
        address = urlsplit(connection.url)
        if not (address.scheme == "http" and address.hostname and address.port):
            raise ValueError(f"{connection.url!r} is no address of an emulator.")
        for names, kind in ((("key", "crn"), str), (("pid",), int), (("options",), dict)):
            for name in names:
                if not isinstance(known.get(name, kind()), kind):
                    raise TypeError(f"{name} is not of type {kind.__name__}.")
        return connection


def _check_name(name: str) -> None:
    # it becomes part of file names
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", name):
        raise EmulatorError(
            f"An emulator is named with at most 100 letters, digits, - and _, not {name!r}."
        )


def connection_file(name: str = DEFAULT_NAME) -> Path:
    """Path of an emulator's connection file.

    Raises
    ------
    EmulatorError
        That cannot be an emulator's name.
    """
    _check_name(name)
    if name == DEFAULT_NAME and (path := os.environ.get(FILE_VARIABLE)):
        return Path(path)
    suffix = "" if name == DEFAULT_NAME else f"-{name}"
    return Path(jupyter_runtime_dir()) / f"qsession-emulator{suffix}.json"


def log_file(name: str = DEFAULT_NAME) -> Path:
    """Path of the log of an emulator that runs in the background."""
    return connection_file(name).with_suffix(".log")


def data_directory(name: str = DEFAULT_NAME) -> Path:
    """Folder of an emulator's records; see `connection_file` for errors."""
    _check_name(name)
    return Path(jupyter_data_dir()) / "qsession-emulator" / name


def read(name: str = DEFAULT_NAME) -> Connection | None:
    """Read a connection file, stale or not; None when none can be read."""
    try:
        return Connection.from_json(parse_json(connection_file(name).read_text("utf-8")))
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def process_file(name: str = DEFAULT_NAME) -> Path:
    """Path of a file with the process that uses an emulator's data, and its connection file."""
    return data_directory(name) / "process"


def note_process(path: Path, connection: Path) -> None:
    """Write down in a `process_file` that this process runs, with its connection file."""
    path.write_text(f"{os.getpid()}\n{connection.absolute()}\n", "utf-8")


def noted_process(path: Path) -> tuple[int, str]:
    """The process in a `process_file`, and its connection file.

    Raises
    ------
    OSError, ValueError
        It cannot be read.
    """
    pid, _, file = path.read_text("utf-8").partition("\n")
    return int(pid), file.strip()


def running_process(name: str = DEFAULT_NAME) -> int | None:
    """The process of a running emulator, also when its connection file was lost; None without one.

    It holds the lock of its data for as long as it runs.
    """
    path = process_file(name)
    try:
        pid, _ = noted_process(path)
        with file_lock(path.with_name("lock")):
            return None
    except Timeout:
        return pid
    except (OSError, ValueError):
        return None


def elsewhere(name: str, pid: int) -> str:
    """A sentence about an emulator that runs for another runtime directory; empty for any other."""
    try:
        _, file = noted_process(process_file(name))
    except (OSError, ValueError):
        return ""
    if not file or Path(file) == connection_file(name).absolute():
        return ""
    folder = shlex.quote(str(Path(file).parent))
    named = "" if name == DEFAULT_NAME else f" --name {name}"
    return (
        f"The emulator {name} runs as process {pid} for another runtime directory: with "
        f"JUPYTER_RUNTIME_DIR={folder} it is found here, and JUPYTER_RUNTIME_DIR={folder} qsession "
        f"emulator stop{named} ends it."
    )


def without_file() -> list[tuple[str, int]]:
    """Names and processes of running emulators whose connection file is not where it should be."""
    names = [path.parent.name for path in sorted(data_directory().parent.glob("*/process"))]
    running = [(name, running_process(name)) for name in names if read(name) is None]
    return [(name, pid) for name, pid in running if pid is not None]


def everyone() -> list[Connection]:
    """Read every connection file in the runtime directory, stale or not, by name."""
    found = []
    files = Path(jupyter_runtime_dir()).glob("qsession-emulator-*.json")
    for name in (DEFAULT_NAME, *sorted(path.stem[len("qsession-emulator-") :] for path in files)):
        with contextlib.suppress(EmulatorError):
            connection = read(name)
            if connection is not None:
                found.append(connection)
    return found


def forget(name: str, pid: int) -> None:
    """Remove the file of an emulator that is gone, unless another has taken its place."""
    connection = read(name)
    if connection is None or connection.pid == pid:
        with contextlib.suppress(OSError):
            connection_file(name).unlink()
