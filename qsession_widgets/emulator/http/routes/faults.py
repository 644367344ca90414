"""Routes of the faults plane; they exist only where the emulator was started with ``--faults``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import Response

from ... import removal
from ...rules.refusals import invalid, not_found
from ..common import ERRORS, identity_of, json_response, no_content, refuse_unless_owner
from ..fault_injection import Body, Fault, Faults
from ..request_models import RequestBody
from .control import Owned

router = APIRouter(responses=ERRORS)

PREFIX = "/emulator/v1/faults"


class AddFault(RequestBody):
    """``POST /faults``; see `qsession_widgets.emulator.http.fault_injection.Fault`."""

    method: str = "*"
    path: str = "*"
    times: Annotated[int, Field(ge=1)] | None = 1
    probability: Annotated[float, Field(ge=0, le=1)] = 1.0
    delay: Annotated[float, Field(ge=0, le=3600)] = 0.0
    status: Annotated[int, Field(ge=200, le=599)] | None = None
    code: int | None = None
    message: str = Fault.message
    drop: bool = False
    half: bool = False
    after: bool = False
    body: Body | None = None
    retry_after: Annotated[int, Field(ge=0, le=3600)] | None = None
    late: Annotated[float, Field(ge=0, le=3600)] | None = None


class MoveClock(RequestBody):
    """``POST /faults/clock``."""

    advance: Annotated[float, Field(ge=0, le=10 * 365 * 86400)]


class PauseQueue(RequestBody):
    """``POST /faults/queue``."""

    paused: bool


class SetSeed(RequestBody):
    """``POST /faults/seed``."""

    seed: int | None


async def _faults(request: Request) -> Faults:
    refuse_unless_owner(request)
    faults: Faults = request.app.state.faults
    return faults


Waiting = Annotated[Faults, Depends(_faults)]


@router.post("", status_code=201)
async def add(faults: Waiting, body: AddFault) -> Response:
    """Let something go wrong with the next requests."""
    if not (body.status or body.drop or body.half or body.delay or body.body):
        raise invalid(
            "This fault would do nothing.",
            "Give it a status, a delay or a body, or set drop or half.",
        )
    number = faults.add(Fault(**body.model_dump()))
    return json_response({"id": number}, 201)


@router.get("")
async def waiting(faults: Waiting) -> Response:
    """The faults that are left."""
    listed = [{"id": number, **asdict(fault)} for number, fault in faults.waiting().items()]
    return json_response({"faults": listed, "seed": faults.seed})


@router.delete("", status_code=204)
async def clear(faults: Waiting) -> Response:
    """Forget all faults."""
    faults.clear()
    return no_content()


@router.delete("/{number}", status_code=204)
async def remove(faults: Waiting, number: int) -> Response:
    """Forget one fault."""
    if not faults.remove(number):
        raise not_found("Fault", str(number))
    return no_content()


@router.post("/tokens", status_code=204)
async def expire_tokens(_: Owned, request: Request) -> Response:
    """Let every token that was handed out be expired."""
    identity_of(request).expire_tokens()
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
async def seed(faults: Waiting, body: SetSeed) -> Response:
    """Begin everything random again."""
    faults.reseed(body.seed)
    return json_response({"seed": body.seed})


@router.post("/reset", status_code=204)
async def reset(emulator: Owned, faults: Waiting) -> Response:
    """End and forget every session and job, and every fault; the clock goes on."""
    faults.clear()
    emulator.apply(emulator.lifecycle.unpause)
    removal.reset(emulator)
    return no_content()
