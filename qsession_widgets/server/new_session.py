"""The form for a new session: devices to choose from, and the cell that the form writes."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..client.rest import ServiceClient
from ..errors import UserError
from ..options.parsing import parse_open
from .service_list import ServiceSource

FIELDS = {
    "backend": "--backend",
    "max_time": "--max-time",
    "budget": "--budget",
    "idle_close": "--idle-close",
}
"""Fields of the form, and the option that each one writes."""

COMMENT = "# primitives built without a mode belong to the session from here on"


def devices(client: ServiceClient) -> list[dict[str, Any]]:
    """Devices of an instance by name, with their qubits, jobs that wait, and whether they work.

    Raises
    ------
    ServiceError
        The service does not answer.
    """
    found = [
        {
            "name": str(device["name"]),
            "qubits": device.get("qubits"),
            "queue": device.get("queue_length"),
            "works": (device.get("status") or {}).get("name", "online") == "online",
        }
        for device in client.backends().data.get("devices", [])
    ]
    return sorted(found, key=lambda device: device["name"])


def calibrated(client: ServiceClient, name: str) -> float | None:
    """When a device was calibrated last, in seconds since the epoch; None when that is not told.

    Raises
    ------
    ServiceError
        The service does not answer, or has no such device.
    """
    data = client.backend_data(name, "properties").data
    told = data.get("last_update_date") if isinstance(data, Mapping) else None
    try:
        return datetime.fromisoformat(str(told).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None


def cell(source: ServiceSource | None, wanted: Mapping[str, object]) -> str:
    """The source of a cell that opens a session, once it is looked at and run.

    Parameters
    ----------
    source : ServiceSource or None
        The service; None for the emulator of this machine, which may not run yet.
    wanted : mapping
        Values of `FIELDS`, as they would be typed.

    Raises
    ------
    UserError
        A value makes no sense.
    """
    words = _service_words(source)
    for name, flag in FIELDS.items():
        if value := str(wanted.get(name) or "").strip():
            words += [flag, value]
    for word in words:
        # a name may be the service's own; IPython runs what stands in braces, and a line that ends
        # early makes the rest of it code
        if not word.isprintable() or "{" in word or "}" in word:
            raise UserError(f"{word!r} cannot stand in a cell's line: choose another one.")
    line = shlex.join(words)
    parse_open(line)
    return f"%%session {line}\n{COMMENT}"


def _service_words(source: ServiceSource | None) -> list[str]:
    if source is None:
        return ["--service", "local"]
    words = ["--service", source.info.joined or source.info.kind]
    if source.info.joined:
        return words
    if source.info.kind == "local":
        _, _, name = source.key.partition(":")
        return [*words, *(["--local-name", name] if name else [])]
    if source.noted is not None:
        words += ["--account", source.noted.account] if source.noted.account else []
        words += ["--instance", source.noted.instance]
    return words
