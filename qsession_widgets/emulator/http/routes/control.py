"""Routes of the emulator's own: its status, the load of other users, stopping it."""

from __future__ import annotations

import os
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from ...core import Emulator
from ...rules.refusals import not_found
from ...summary import summary
from ..auth import OWNER
from ..common import (
    ERRORS,
    AskedBy,
    emulator_of,
    identity_of,
    json_response,
    no_content,
    refuse_unless_owner,
    user_of,
)
from ..request_models import SetSimulation

router = APIRouter(responses=ERRORS)

PREFIX = "/emulator/v1"


async def _owner(request: Request) -> Emulator:
    refuse_unless_owner(request)
    return emulator_of(request)


Owned = Annotated[Emulator, Depends(_owner)]


@router.get("/status")
async def status(request: Request) -> Response:
    """Status of the emulator, for anybody who has a key."""
    emulator = emulator_of(request)
    identity = identity_of(request)
    user = user_of(request)
    owner = user == OWNER
    now = emulator.look()
    lifecycle = emulator.lifecycle
    # others need not know who else there is
    options = emulator.options.to_json()
    return json_response(
        {
            "version": version(),
            "pid": os.getpid(),
            "now": now,
            "uptime_seconds": now - emulator.started,
            "speed": emulator.clock.speed,
            "plan": identity.plan_of(user),
            "queue": emulator.options.queue,
            "options": options if owner else {**options, "instances": [], "cluster": None},
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


@router.get("/summary")
async def summarize(emulator: Owned, request: Request) -> Response:
    """Sum up all instances: sessions, jobs, usage, cost on IBM, and what is still open."""
    instances = identity_of(request).instances.values()
    return json_response(summary(emulator, instances, emulator.look()))


@router.get("/queue/{backend}")
async def queue(asked: AskedBy, backend: str, since: float = 0.0) -> Response:
    """Times of other users' jobs on a backend that were not over at ``since``."""
    lifecycle = asked.emulator.lifecycle
    if backend not in lifecycle.devices:
        raise not_found("Backend", backend)
    others = asked.emulator.background_users.times(
        lifecycle, asked.instance.crn, backend, since, asked.now
    )
    return json_response({"now": asked.now, "others": others})


@router.put("/sessions/{session_id}/simulation", status_code=204, response_model=None)
async def simulation(asked: AskedBy, session_id: str, body: SetSimulation) -> Response:
    """Say how a session's circuits are to be simulated, from its next job on."""
    emulator = asked.emulator
    emulator.session(asked.instance, session_id)
    wishes = body.model_dump(exclude_none=True)
    emulator.apply(lambda now: emulator.lifecycle.set_simulation(now, session_id, wishes))
    return no_content()


@router.get("/sessions/{session_id}/simulation")
async def simulation_of(asked: AskedBy, session_id: str) -> Response:
    """The settings by which a session's circuits are simulated, where it has any."""
    return json_response(asked.emulator.session(asked.instance, session_id).simulation)


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
