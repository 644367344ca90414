"""The devices of a service: their names, size, queue and calibration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .decode import read_time
from .rest import ServiceClient


def devices(client: ServiceClient, *, include_mocks: bool = False) -> list[dict[str, Any]]:
    """Devices of an instance by name, with their qubits, jobs that wait, and whether they work.

    Parameters
    ----------
    client : ServiceClient
        The instance.
    include_mocks : bool
        Also those that the emulator has and does not list.

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
        for device in client.backends(include_mocks).data.get("devices", [])
        # each of the emulator's fake devices is there under those names, too
        if not (device.get("class") == "mock" and str(device["name"]).startswith(("ibm_", "mock")))
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
    return read_time(told)
