"""Requests that are written down before they are sent: where they go, and what sends them."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path, PurePath
from typing import Any, TypeVar

from ..files import parse_json
from .processes import is_gone


@dataclass(frozen=True, kw_only=True)
class PendingRequest:
    """A request whose outcome is not known.

    Attributes
    ----------
    backend : str
        Name of the backend.
    url, instance : str
        The service, and the instance (CRN) there.
    notebook : str
        Path of the notebook; empty when unknown.
    process : int
        The process that sends it.
    host : str
        The machine that it runs on.
    at : float
        When it was written down, in seconds since the epoch by this machine's clock.
    """

    backend: str
    url: str
    instance: str
    notebook: str
    process: int
    host: str
    at: float

    @property
    def orphaned(self) -> bool:
        """True if its process is known to be gone, so that nothing there settles it any more."""
        return is_gone(self.host, self.process, self.at)

    @property
    def sent_from(self) -> str:
        """The name of its notebook, or else of its process."""
        return PurePath(self.notebook).name or f"process {self.process}"


def sender() -> dict[str, Any]:
    """The fields of a request that say what sends it: this process, now."""
    return {
        "notebook": os.environ.get("JPY_SESSION_NAME", ""),
        "process": os.getpid(),
        "host": socket.gethostname(),
        "at": time.time(),
    }


Request = TypeVar("Request", bound=PendingRequest)


def files(folder: Path) -> list[Path]:
    """The files of a folder of requests; none where it cannot be read."""
    try:
        return [path for path in folder.iterdir() if path.suffix == ".json"]
    except OSError:
        return []


def read(folder: Path, kind: type[Request]) -> list[Request]:
    """Every request in a folder, oldest first; a file that is not whole is skipped."""
    found = [_parse(path, kind) for path in files(folder)]
    return sorted((one for one in found if one is not None), key=lambda one: one.at)


def _parse(path: Path, kind: type[Request]) -> Request | None:
    try:
        data: Mapping[str, Any] = parse_json(path.read_text(encoding="utf-8"))
        known = {field.name: data[field.name] for field in fields(kind) if field.name in data}
        return kind(**known)
    except (OSError, ValueError, TypeError, KeyError):
        return None
