"""Routes of backends: the list, and each one's configuration, properties and status."""

from __future__ import annotations

import statistics
from collections import defaultdict, deque

from fastapi import APIRouter
from starlette.responses import Response

from .. import devices
from ..core import Emulator
from ..errors import not_found
from .common import ERRORS, AskedBy, json_response, moment

router = APIRouter(responses=ERRORS)

WAITS = 50
"""How many of a backend's latest jobs its waiting times are taken from."""


def _known(emulator: Emulator, name: str) -> None:
    if name not in emulator.lifecycle.devices:
        raise not_found("Backend", name)


@router.get("/backends", response_model=None)
async def list_backends(asked: AskedBy, fields: str = "", include_mocks: bool = False) -> Response:
    """All backends, with their queues; names of real devices only with ``include_mocks``."""
    emulator = asked.emulator
    waits = _waits(emulator) if "wait_time_seconds" in fields.split(",") else None
    entries = []
    for name in sorted(emulator.lifecycle.devices, key=devices.attraction):
        if devices.stands_in(name) and not include_mocks:
            continue
        entry = {
            **devices.summary(name),
            "status": {"name": "online"},
            "queue_length": len(emulator.lifecycle.queue(name)),
        }
        if waits is not None:
            entry["wait_time_seconds"] = _figures(waits[name]) if name in waits else None
        entries.append(entry)
    return json_response({"devices": entries})


def _waits(emulator: Emulator) -> dict[str, deque[float]]:
    """How long the latest jobs waited, by backend."""
    waits: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=WAITS))
    for job in emulator.lifecycle.jobs.values():
        if job.started is not None:
            waits[job.backend].append(job.started - job.created)
    return waits


def _figures(waits: deque[float]) -> dict[str, int]:
    cuts = (
        statistics.quantiles(waits, n=20, method="inclusive") if len(waits) > 1 else [*waits] * 19
    )
    return {
        "average": round(statistics.fmean(waits)),
        "p50": round(cuts[9]),
        "p95": round(cuts[18]),
    }


@router.get("/backends/{name}/configuration", response_model=None)
async def configuration(asked: AskedBy, name: str, calibration_id: str | None = None) -> Response:
    """What a backend can do."""
    _known(asked.emulator, name)
    return Response(devices.configuration(name), media_type="application/json")


@router.get("/backends/{name}/properties", response_model=None)
async def properties(
    asked: AskedBy,
    name: str,
    updated_before: str | None = None,
    calibration_id: str | None = None,
) -> Response:
    """A backend's calibration. There is one of each, whatever time is asked for."""
    moment(updated_before, "updated_before")
    _known(asked.emulator, name)
    return Response(devices.properties(name), media_type="application/json")


@router.get("/backends/{name}/status", response_model=None)
async def status(asked: AskedBy, name: str) -> Response:
    """Whether a backend works, and how long its queue is."""
    emulator = asked.emulator
    _known(emulator, name)
    emulator.populate(name)
    return json_response(
        {
            "state": True,
            "status": "active",
            "message": "emulated on this machine",
            "length_queue": len(emulator.lifecycle.queue(name)),
            "backend_version": devices.version(name),
        }
    )


@router.get("/backends/{name}/defaults", response_model=None)
async def defaults(asked: AskedBy, name: str) -> Response:
    """Pulse defaults; no device has them any more."""
    _known(asked.emulator, name)
    raise not_found("Defaults of backend", name)
