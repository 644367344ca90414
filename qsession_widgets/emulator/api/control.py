"""Routes the real service does not have: how the emulator is, what others do, stopping it."""

from __future__ import annotations

import os
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from ..core import Emulator
from ..errors import not_found
from .common import ERRORS, AskedBy, emulator_of, json_response, refuse_unless_owner

router = APIRouter(responses=ERRORS)

PREFIX = "/emulator/v1"


async def _owner(request: Request) -> Emulator:
    emulator = emulator_of(request)
    refuse_unless_owner(emulator, request.headers.get("authorization"))
    return emulator


Owned = Annotated[Emulator, Depends(_owner)]


@router.get("/status")
async def status(request: Request) -> Response:
    """How the emulator is, for anybody who has a key."""
    emulator = emulator_of(request)
    emulator.identity.user(request.headers.get("authorization"))
    now = emulator.look()
    lifecycle = emulator.lifecycle
    return json_response(
        {
            "version": version(),
            "pid": os.getpid(),
            "now": now,
            "uptime_seconds": now - emulator.started,
            "speed": emulator.clock.speed,
            "plan": emulator.identity.default.plan,
            "queue": emulator.options.queue,
            "options": emulator.options.to_json(),
            "devices_in_use": [
                name
                for name in lifecycle.devices
                if lifecycle.queue(name) or lifecycle.running(name)
            ],
            "sessions": {
                state: sum(session.state == state for session in lifecycle.sessions.values())
                for state in ("open", "active", "inactive", "closed")
            },
            "pending_jobs": sum(
                len(lifecycle.queue(name)) + len(lifecycle.running(name))
                for name in lifecycle.devices
            ),
            "requests": emulator.requests,
            "idle_seconds": emulator.idle_seconds(),
            "failing": emulator.failing,
        }
    )


@router.get("/queue/{backend}")
async def queue(asked: AskedBy, backend: str, since: float = 0.0) -> Response:
    """Everybody else's jobs not over by a moment: when created, started, finished."""
    lifecycle = asked.emulator.lifecycle
    if backend not in lifecycle.devices:
        raise not_found("Backend", backend)
    others = asked.emulator.others.times(lifecycle, asked.instance.crn, backend, since, asked.now)
    return json_response({"now": asked.now, "others": others})


@router.post("/stop", status_code=202)
async def stop(emulator: Owned, request: Request) -> Response:
    """End the emulator. What it has is on disk; the next one goes on with it."""
    request.scope["stop"]()
    return json_response({"stopping": True}, 202)


def version() -> str:
    """The version of this package."""
    from importlib import metadata

    try:
        return metadata.version("qsession-widgets")
    except metadata.PackageNotFoundError:
        return "0"
