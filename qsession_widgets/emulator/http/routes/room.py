"""The teacher's page: the page itself, a link that opens it once, and what it shows."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from ...core import Emulator
from ...rules.records import EmulatedJob
from ...rules.refusals import unauthorized
from ..auth import Identity
from ..common import ERRORS, identity_of, json_response, key_accepted
from ..fault_injection import Faults
from ..request_models import RequestBody
from .control import Owned
from .users import listed_users

router = APIRouter(responses=ERRORS)
page_router = APIRouter(responses=ERRORS)

PAGE = "/class"

NEXT = 5
"""Number of waiting jobs of a backend that are named."""


class UseTicket(RequestBody):
    """``POST /room/token``."""

    ticket: str


@cache
def _page() -> tuple[bytes, dict[str, str]]:
    """The page, with headers that let nothing run or load but what is in it."""
    text = Path(__file__).parents[1].joinpath("page.html").read_text("utf-8")
    allowed = {}
    for kind in ("script", "style"):
        (inside,) = re.findall(f"<{kind}>(.*?)</{kind}>", text, re.S)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        allowed[kind] = f"{kind}-src 'sha256-{digest}'"
    policy = (
        f"default-src 'none'; {allowed['script']}; {allowed['style']}; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    return text.encode(), headers


@page_router.get(PAGE, include_in_schema=False)
async def page() -> Response:
    """The page, which has nothing in it until a key or a ticket is given."""
    body, headers = _page()
    return Response(body, media_type="text/html", headers=headers)


@router.post("/room/ticket", status_code=201)
async def ticket(_: Owned, request: Request) -> Response:
    """Make a ticket that opens the page once, within a minute."""
    return json_response({"path": PAGE, "ticket": identity_of(request).new_ticket()}, 201)


@router.post("/room/token")
async def token(request: Request, body: UseTicket) -> Response:
    """Exchange a ticket for a token of the owner's, good for a morning of lessons."""
    found = identity_of(request).use_ticket(body.ticket)
    if found is None:
        raise unauthorized("The ticket is not valid.", "Make another one: it is good once.")
    key_accepted(request.scope)
    return json_response({"token": found})


@router.get("/room")
async def room(emulator: Owned, request: Request) -> Response:
    """Queue, open sessions, users and load."""
    return json_response(_room(emulator, identity_of(request), request.app.state.faults))


def _room(emulator: Emulator, identity: Identity, faults: Faults) -> dict[str, Any]:
    now = emulator.look()
    lifecycle = emulator.lifecycle
    names = {instance.crn: instance.name for instance in identity.instances.values()}

    def whose(jobs: Iterable[EmulatedJob]) -> list[str]:
        return [names.get(job.instance, "another user") for job in jobs]

    queue: list[dict[str, Any]] = [
        {
            "backend": name,
            "running": whose(lifecycle.running(name)),
            "waiting": len(lifecycle.queue(name)),
            "next": whose(lifecycle.queue(name)[:NEXT]),
        }
        for name in lifecycle.devices
        if lifecycle.queue(name) or lifecycle.running(name)
    ]
    sessions = [
        {
            "user": instance.name,
            "backend": session.backend,
            "state": session.state,
            "pending": len(lifecycle.pending_of(session.id)),
            "open_seconds": now - session.created,
        }
        for instance in identity.instances.values()
        for session in emulator.sessions(instance)
        if session.state != "closed"
    ]
    return {
        "now": now,
        "controls": emulator.options.faults,
        "paused": lifecycle.paused,
        "faults": len(faults.waiting()),
        "running": sum(len(one["running"]) for one in queue),
        "waiting": sum(one["waiting"] for one in queue),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "cores": os.cpu_count(),
        "queue": queue,
        "sessions": sessions,
        "users": listed_users(emulator, identity, now),
    }
