"""Routes of the emulator's own about devices: what there is, and what state each is in."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from ...device_catalog import Entry, UnknownDevice
from ...rules.refusals import not_found
from ..common import ERRORS, json_response
from ..request_models import PutDevice
from .control import Owned

router = APIRouter(responses=ERRORS)


@router.get("/devices")
async def list_devices(emulator: Owned) -> Response:
    """The backends that are listed, with the day of their calibration."""
    emulator.refresh_devices()
    catalog = emulator.catalog
    return json_response(
        {
            "devices": [
                _described(entry, catalog.state(entry.name))
                for entry in [*catalog.listed(), *catalog.retired()]
            ]
        }
    )


@router.put("/devices/{name}")
async def put_device(emulator: Owned, name: str, body: PutDevice) -> Response:
    """Let a backend work, be under maintenance, or be retired."""
    emulator.refresh_devices()
    try:
        emulator.put_device_state(name, body.state)
    except UnknownDevice:
        raise not_found("Backend", name) from None
    return json_response({"name": name, "state": body.state})


def _described(entry: Entry, state: str) -> dict[str, object]:
    return {
        "name": entry.name,
        "qubits": entry.qubits,
        "state": state,
        "calibrated": entry.calibrated,
        "calibration_id": entry.calibration_id,
        "description": entry.sentence,
    }
