"""Routes of backends: the list, and each one's configuration, properties and status."""

from __future__ import annotations

import statistics
from collections import defaultdict, deque

from fastapi import APIRouter
from starlette.responses import Response

from ...core import Emulator
from ...rules.refusals import not_found
from ..common import ERRORS, AskedBy, json_response, moment

router = APIRouter(responses=ERRORS)

WAITS = 50
"""Number of a backend's latest jobs that its waiting times are taken from."""


_STATUS = {"active": {"name": "online"}, "maintenance": {"name": "paused", "reason": "maintenance"}}


@router.get("/backends", response_model=None)
async def list_backends(asked: AskedBy, fields: str = "", include_mocks: bool = False) -> Response:
    """Today's fleet and the user's devices; with ``include_mocks`` every device there ever was."""
    emulator = asked.emulator
    waits = _waits(emulator) if "wait_time_seconds" in fields.split(",") else None
    entries = []
    for backend in emulator.catalog.offered() if include_mocks else emulator.catalog.listed():
        entry = {
            **backend.summary,
            "status": _STATUS[emulator.catalog.state(backend.name)],
            "queue_length": len(emulator.lifecycle.queue(backend.name)),
        }
        if waits is not None:
            waited = waits.get(backend.name)
            entry["wait_time_seconds"] = None if waited is None else _figures(waited)
        entries.append(entry)
    return json_response({"devices": entries})


def _waits(emulator: Emulator) -> dict[str, deque[float]]:
    """Queue times of the latest jobs, by backend."""
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
    """Configuration of a backend."""
    entry = asked.backend(name, calibration_id)
    # the client asks for it before it sends the first job
    asked.emulator.warm_up()
    return Response(entry.configuration, media_type="application/json")


@router.get("/backends/{name}/properties", response_model=None)
async def properties(
    asked: AskedBy,
    name: str,
    updated_before: str | None = None,
    calibration_id: str | None = None,
) -> Response:
    """A backend's calibration. There is one of each, whatever time is asked for."""
    moment(updated_before, "updated_before")
    entry = asked.backend(name, calibration_id)
    return Response(entry.properties, media_type="application/json")


@router.get("/backends/{name}/status", response_model=None)
async def status(asked: AskedBy, name: str) -> Response:
    """Status of a backend and length of its queue."""
    emulator = asked.emulator
    entry = asked.backend(name)
    emulator.populate(name)
    return json_response(
        {
            "state": True,
            "status": emulator.catalog.state(name),
            "message": entry.sentence,
            "length_queue": len(emulator.lifecycle.queue(name)),
            "backend_version": entry.version,
        }
    )


@router.get("/backends/{name}/defaults", response_model=None)
async def defaults(asked: AskedBy, name: str) -> Response:
    """Pulse defaults; no device has them any more."""
    asked.backend(name)
    raise not_found("Defaults of backend", name)
