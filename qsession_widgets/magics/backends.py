"""The devices of a service as a table, for ``%session backends``."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ..client.connected_service import ConnectedService, list_devices
from ..client.devices import calibrated
from ..client.rest import ServiceClient
from ..errors import ServiceError
from ..formatting import as_html, format_duration
from ..text_table import terminal_width, text_table

MOST_CALIBRATIONS = 20
"""Devices whose calibrations are asked for, one request each, at most; an emulator has 70."""

HEADER = ("backend", "qubits", "jobs waiting", "calibrated")


@dataclass(frozen=True)
class DeviceTable:
    """Devices of a service, which show themselves as a table.

    Attributes
    ----------
    label : str
        The service.
    rows : tuple of tuple of str
        A row a device, as of `HEADER`.
    """

    label: str
    rows: tuple[tuple[str, ...], ...]

    def _columns(self) -> list[tuple[str, ...]]:
        kept = 4 if any(row[3] for row in self.rows) else 3
        return [HEADER[:kept], *(row[:kept] for row in self.rows)]

    def __repr__(self) -> str:
        table = text_table(self._columns(), right=(1, 2), width=terminal_width())
        return f"{self.label}\n{table}"

    def _repr_html_(self) -> str:
        head, *rows = self._columns()
        return (
            f"<p>{as_html(self.label)}</p><table><thead>{_cells('th', head)}</thead>"
            f"<tbody>{''.join(_cells('td', row) for row in rows)}</tbody></table>"
        )


def device_table(connected: ConnectedService) -> DeviceTable:
    """The devices of a service; calibrations only of a service with few.

    Raises
    ------
    UserError
        The service does not answer.
    """
    found = list_devices(connected)
    ages = _calibrations(connected, found) if len(found) <= MOST_CALIBRATIONS else {}
    return DeviceTable(
        connected.info.label,
        tuple(
            (
                str(device["name"]),
                "" if device["qubits"] is None else str(device["qubits"]),
                _waiting(device),
                ages.get(device["name"], ""),
            )
            for device in found
        ),
    )


def _waiting(device: Mapping[str, Any]) -> str:
    if not device["works"]:
        return "not working"
    return "" if device["queue"] is None else str(device["queue"])


def _calibrations(
    connected: ConnectedService, found: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    """The age of each device's calibration in words; none where the service does not tell."""
    client = ServiceClient(connected.service)

    def age(name: str) -> str:
        line = client.clone()
        try:
            at = calibrated(line, name)
        except ServiceError:
            return ""
        finally:
            line.close()
        return "" if at is None else f"{format_duration(max(0.0, time.time() - at))} ago"

    names = [str(device["name"]) for device in found]
    try:
        with ThreadPoolExecutor(8) as pool:
            return dict(zip(names, pool.map(age, names), strict=True))
    finally:
        client.close()


def _cells(tag: str, texts: Sequence[str]) -> str:
    left = ' style="text-align:left"'
    return f"<tr>{''.join(f'<{tag}{left}>{as_html(text)}</{tag}>' for text in texts)}</tr>"
