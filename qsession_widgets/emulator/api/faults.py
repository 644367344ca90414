"""Routes of the faults plane; they exist only where the emulator was started with ``--faults``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from ..errors import invalid, not_found
from ..faults import Fault
from .common import ERRORS, json_response, no_content
from .control import Owned
from .models import RequestBody

router = APIRouter(responses=ERRORS)

PREFIX = "/emulator/v1/faults"


class AddFault(RequestBody):
    """``POST /faults``; see `qsession_widgets.emulator.faults.Fault`."""

    method: str = "*"
    path: str = "*"
    times: Annotated[int, Field(ge=1)] | None = 1
    probability: Annotated[float, Field(ge=0, le=1)] = 1.0
    delay: Annotated[float, Field(ge=0, le=3600)] = 0.0
    status: Annotated[int, Field(ge=400, le=599)] | None = None
    code: int | None = None
    message: str = Fault.message
    drop: bool = False
    half: bool = False
    after: bool = False


class MoveClock(RequestBody):
    """``POST /faults/clock``."""

    advance: Annotated[float, Field(ge=0, le=10 * 365 * 86400)]


class PauseQueue(RequestBody):
    """``POST /faults/queue``."""

    paused: bool


class SetSeed(RequestBody):
    """``POST /faults/seed``."""

    seed: int | None


@router.post("", status_code=201)
async def add(emulator: Owned, body: AddFault) -> Response:
    """Let something go wrong with the next requests."""
    if not (body.status or body.drop or body.half or body.delay):
        raise invalid(
            "This fault would do nothing.", "Give it a status, a delay, or set drop or half."
        )
    number = emulator.faults.add(Fault(**body.model_dump()))
    return json_response({"id": number}, 201)


@router.get("")
async def waiting(emulator: Owned) -> Response:
    """The faults that are left."""
    listed = [
        {"id": number, **asdict(fault)} for number, fault in emulator.faults.waiting().items()
    ]
    return json_response({"faults": listed, "seed": emulator.faults.seed})


@router.delete("", status_code=204)
async def clear(emulator: Owned) -> Response:
    """Forget all faults."""
    emulator.faults.clear()
    return no_content()


@router.delete("/{number}", status_code=204)
async def remove(emulator: Owned, number: int) -> Response:
    """Forget one fault."""
    if not emulator.faults.remove(number):
        raise not_found("Fault", str(number))
    return no_content()


@router.post("/tokens", status_code=204)
async def expire_tokens(emulator: Owned) -> Response:
    """Let every token that was handed out be expired."""
    emulator.identity.expire_tokens()
    return no_content()


@router.post("/queue")
async def queue(emulator: Owned, body: PauseQueue) -> Response:
    """Let no queued job start, or go on with the queue."""
    lifecycle = emulator.lifecycle
    emulator.apply(lifecycle.pause if body.paused else lifecycle.unpause)
    return json_response({"paused": lifecycle.paused})


@router.post("/clock")
async def clock(emulator: Owned, body: MoveClock) -> Response:
    """Move the service's clock forward; what is due on the way happens at its own time."""
    return json_response({"now": emulator.advance(body.advance)})


@router.post("/seed")
async def seed(emulator: Owned, body: SetSeed) -> Response:
    """Begin everything random again."""
    emulator.faults.reseed(body.seed)
    return json_response({"seed": body.seed})


@router.post("/reset", status_code=204)
async def reset(emulator: Owned, request: Request) -> Response:
    """End and forget every session and job, and every fault; the clock goes on."""
    emulator.faults.clear()
    emulator.apply(emulator.lifecycle.unpause)
    emulator.reset()
    return no_content()
