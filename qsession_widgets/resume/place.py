"""The place of a job: service, instance, device and simulation, as far as results depend on it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..client.private_api import account_instance, api_url, backend_instance
from ..client.rest import ServiceClient
from ..errors import ServiceError

if TYPE_CHECKING:
    from ..client.selection import Target

CALIBRATION_SECONDS = 60.0
"""Seconds after which a device is asked again when it was calibrated last."""
UNANSWERED_SECONDS = 10.0
"""The same where it did not answer; a job that is recorded without it is not taken up later."""

_DECIDE = ("method", "noise", "precision_limit", "seed")
"""Options of an emulator on which its results depend."""

_NOTHING: Mapping[str, Any] = {}

UNCALIBRATED = "none"
"""The calibration of an ideal device."""


class Place:
    """A device of a service, with everything on which a result depends.

    Parameters
    ----------
    target : Target
        The service and the backend.
    session_id : str
        The session; the emulator simulates the circuits of each in a way of its own. Empty in job
        mode.
    simulation : mapping
        In that way, of a session that is not open yet.

    Attributes
    ----------
    facts : dict
        What counts, as plain JSON; of the emulator, the device's data and the simulation too.
    """

    def __init__(
        self, target: Target, session_id: str = "", *, simulation: Mapping[str, Any] = _NOTHING
    ):
        self._name = target.backend.name
        self._client = target.client
        self._ask_at: float | None = None
        self._answered = False
        self._calibration = ""
        service = target.connected.service
        instance = backend_instance(target.backend) or account_instance(service) or ""
        self.facts: dict[str, Any] = {
            "kind": target.info.kind,
            "instance": instance,
            "device": self._name,
        }
        if target.info.kind == "local":
            # it may have another port tomorrow, and the same jobs
            self.facts |= self._simulated(session_id, simulation)
        else:
            self.facts["url"] = api_url(service, instance or None)

    @property
    def where(self) -> dict[str, str]:
        """Service, instance and device, without what else counts."""
        names = ("kind", "instance", "device")
        return {name: str(self.facts[name]) for name in names}

    def calibration(self, *, current: bool) -> str:
        """When the device was calibrated last, as the service writes it.

        `UNCALIBRATED` for one that never is; empty when unknown, which equals nothing.

        Parameters
        ----------
        current : bool
            Whether to ask again when the answer is old. What is recorded may be an older one: a
            job of it is then sent anew, and never taken for one of a later calibration.
        """
        old = self._ask_at is None or time.monotonic() > self._ask_at
        if old and (current or not self._answered):
            line = self._client.clone()
            try:
                data = _data(line, self._name, "properties")
                found = data.get("last_update_date") if isinstance(data, Mapping) else None
                self._calibration, self._answered = str(found or UNCALIBRATED), True
            except ServiceError:
                self._calibration, self._answered = "", False
            finally:
                line.close()
            pause = CALIBRATION_SECONDS if self._answered else UNANSWERED_SECONDS
            self._ask_at = time.monotonic() + pause
        return self._calibration

    def _simulated(self, session_id: str, wishes: Mapping[str, Any]) -> dict[str, Any]:
        line = self._client.clone()
        try:
            options = line.emulator("status").data.get("options") or {}
            # whoever opened it has said so, and not everybody who has attached it
            wishes = line.simulation(session_id).data if session_id else wishes
            data = [_data(line, self._name, kind) for kind in ("configuration", "properties")]
        finally:
            line.close()
        return {
            "options": {name: options.get(name) for name in _DECIDE},
            # which refuses, and changes no result
            "simulation": {name: wishes[name] for name in wishes if name != "strict"},
            "data": hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest(),
        }


def _data(line: ServiceClient, name: str, kind: Any) -> Any:
    try:
        return line.backend_data(name, kind).data
    except ServiceError as error:
        if error.status != 404:
            raise
        # an ideal one has no properties
        return None
