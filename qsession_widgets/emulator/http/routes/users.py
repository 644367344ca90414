"""Routes of the owner's: invite users, list them with what they use, end a user's key."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import Response

from ...core import Emulator
from ...removal import end_all
from ...rules.records import PLANS, Instance
from ...rules.refusals import Refusal, invalid
from ..auth import Identity
from ..common import ERRORS, emulator_of, identity_of, json_response, refuse_unless_owner
from ..invitations import MOST_USERS
from ..request_models import RequestBody

router = APIRouter(responses=ERRORS)


class InviteUsers(RequestBody):
    """``POST /users``."""

    names: Annotated[list[str], Field(max_length=MOST_USERS, default_factory=list)]
    count: Annotated[int, Field(ge=0, le=MOST_USERS)] = 0
    plan: str | None = None


async def _identity(request: Request) -> Identity:
    refuse_unless_owner(request)
    return identity_of(request)


OfOwner = Annotated[Identity, Depends(_identity)]


@router.post("/users", status_code=201)
async def invite(identity: OfOwner, request: Request, body: InviteUsers) -> Response:
    """Make keys for users. They are in this answer and kept nowhere."""
    plan = identity.default.plan if body.plan is None else body.plan
    if plan not in PLANS:
        raise invalid(f"There is no plan {plan!r}.", f"Choose one of {', '.join(PLANS)}.")
    if not (body.names or body.count):
        raise invalid("Nobody would be invited.", "Give names, or a count.")
    try:
        keys = identity.invite(body.names, body.count, plan)
    except OSError as error:
        raise _unwritten(error) from None
    emulator_of(request).share()
    return json_response({"users": [{"name": name, "key": key} for name, key in keys.items()]}, 201)


@router.get("/users")
async def users(identity: OfOwner, request: Request) -> Response:
    """Every user, with the sessions and jobs that there are of each."""
    emulator = emulator_of(request)
    now = emulator.look()
    return json_response({"now": now, "users": listed_users(emulator, identity, now)})


def listed_users(emulator: Emulator, identity: Identity, now: float) -> list[dict[str, Any]]:
    """Every user as plain JSON types, with numbers of sessions and jobs."""
    return [_listed(emulator, identity, one, now) for one in identity.instances.values()]


def _listed(
    emulator: Emulator, identity: Identity, instance: Instance, now: float
) -> dict[str, Any]:
    invited = identity.invited.get(instance.name)
    sessions = list(emulator.sessions(instance))
    jobs = emulator.jobs(instance)
    return {
        "name": instance.name,
        "plan": instance.plan,
        "invited": None if invited is None else invited.invited_at,
        "revoked": invited is not None and not invited.digest,
        "seen": identity.seen.get(instance.name),
        "sessions": len(sessions),
        "open_sessions": sum(session.state != "closed" for session in sessions),
        "jobs": len(jobs),
        "pending_jobs": sum(not job.final for job in jobs),
        "usage_seconds": round(emulator.meter.used(instance.crn, now), 3),
    }


@router.delete("/users/{name}")
async def revoke(identity: OfOwner, request: Request, name: str) -> Response:
    """End a user's key and its tokens at once, and cancel what that user has open or pending."""
    try:
        instance = identity.revoke(name)
    except OSError as error:
        raise _unwritten(error) from None
    sessions, jobs = end_all(emulator_of(request), instance)
    return json_response({"cancelled_sessions": sessions, "cancelled_jobs": jobs})


def _unwritten(error: OSError) -> Refusal:
    return Refusal(507, f"The users cannot be written down: {error.strerror}.")
