"""How a running emulator is found: a file in Jupyter's runtime directory, for its owner only.

It says what a kernel's connection file says of a kernel: where, and with which key. This module
imports next to nothing, because every kernel that looks for an emulator pays for it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jupyter_core.paths import jupyter_data_dir, jupyter_runtime_dir

DEFAULT_NAME = "default"
BASE = "/experimental"
API = "/api/v1"
PATIENCE = 10.0
"""Seconds to wait for the answer of an emulator that accepted a connection."""


class EmulatorError(RuntimeError):
    """The emulator cannot be used; the message is one sentence for people."""


@dataclass(frozen=True)
class Connection:
    """Where a running emulator is, and how to be let in.

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

    @property
    def api(self) -> str:
        """The address of the service's REST API, as the client is given it."""
        return f"{self.url}{BASE}{API}"

    def environment(self, instance: str | None = None) -> dict[str, str]:
        """Environment variables with which ``QiskitRuntimeService()`` finds this emulator.

        Parameters
        ----------
        instance : str, optional
            Name of an instance; its own key is used then. The default instance with the owner's
            key otherwise.

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
            "QISKIT_IBM_URL": self.api,
            "IAM_URL": self.url,
            "GLOBAL_SEARCH_URL": self.url,
            "GLOBAL_CATALOG_URL": f"{self.url}/catalog",
            # nobody counts usage here, and in a notebook the client's header of where it was called
            # from costs more than the rest of a request
            "USAGE_DATA_OPT_OUT": os.environ.get("USAGE_DATA_OPT_OUT", "True"),
            # a proxy for the outside world cannot reach this machine's loopback
            "NO_PROXY": direct,
            "no_proxy": direct,
        }

    def request(
        self, method: str, path: str, patience: float = PATIENCE, *, body: Any = None
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
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=patience)
        try:
            headers = {"Authorization": f"apikey {self.key}"}
            if body is not None:
                headers["Content-Type"] = "application/json"
            sent = None if body is None else json.dumps(body)
            connection.request(method, path, sent, headers)
            answer = connection.getresponse()
            said = json.loads(answer.read() or b"{}")
        except (http.client.HTTPException, ValueError) as error:
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

    def status(self, patience: float = PATIENCE) -> dict[str, Any]:
        """How the emulator is; see `request` for errors."""
        return self.request("GET", "/emulator/v1/status", patience)

    def public(self) -> dict[str, Any]:
        """Where it is, without a key: for programs that look at what a command prints."""
        return {"url": self.url, "api": self.api, "pid": self.pid, "data": self.data}

    def stop(self) -> None:
        """Ask the emulator to end; see `request` for errors."""
        self.request("POST", "/emulator/v1/stop")

    def to_json(self) -> dict[str, Any]:
        """What is written in the file."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Connection:
        """Read what `to_json` gave; fields of later versions are left out."""
        return cls(**{name: data[name] for name in cls.__dataclass_fields__ if name in data})


def _check_name(name: str) -> None:
    # it becomes part of file names
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", name):
        raise EmulatorError(
            f"An emulator is named with at most 100 letters, digits, - and _, not {name!r}."
        )


def connection_file(name: str = DEFAULT_NAME) -> Path:
    """Where the file of an emulator is.

    Raises
    ------
    EmulatorError
        That cannot be an emulator's name.
    """
    _check_name(name)
    suffix = "" if name == DEFAULT_NAME else f"-{name}"
    return Path(jupyter_runtime_dir()) / f"qsession-emulator{suffix}.json"


def log_file(name: str = DEFAULT_NAME) -> Path:
    """Where an emulator that was started in the background writes its log."""
    return connection_file(name).with_suffix(".log")


def data_directory(name: str = DEFAULT_NAME) -> Path:
    """Where an emulator keeps its records; see `connection_file` for errors."""
    _check_name(name)
    return Path(jupyter_data_dir()) / "qsession-emulator" / name


def read(name: str = DEFAULT_NAME) -> Connection | None:
    """What the file says, whether or not it is still true; None when none can be read."""
    try:
        return Connection.from_json(json.loads(connection_file(name).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def everyone() -> list[Connection]:
    """What every file in the runtime directory says, true or not, by name."""
    found = []
    for path in sorted(Path(jupyter_runtime_dir()).glob("qsession-emulator*.json")):
        name = path.stem.removeprefix("qsession-emulator").removeprefix("-") or DEFAULT_NAME
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
