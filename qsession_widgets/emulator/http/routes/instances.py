"""Routes of the instance: its plan, what it used, and the versions of the API."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from ...rules.usage import PERIOD
from ..common import ERRORS, AskedBy, iso, json_response

router = APIRouter(responses=ERRORS)

VERSIONS = ("2026-02-15", "2026-03-15", "2026-04-15")


@router.get("/instances/usage", response_model=None)
async def usage(asked: AskedBy) -> Response:
    """Usage of the instance, and its limit."""
    consumed = round(asked.emulator.meter.used(asked.instance.crn, asked.now), 3)
    answer: dict[str, object] = {
        "instance_id": asked.instance.crn,
        "plan_id": asked.instance.plan,
        "usage_consumed_seconds": consumed,
        "usage_period": {"start_time": iso(asked.now - PERIOD), "end_time": iso(asked.now)},
    }
    allowed = asked.emulator.quota(asked.instance)
    if allowed is not None:
        answer["usage_limit_seconds"] = allowed
        answer["usage_allocation_seconds"] = allowed
        answer["usage_limit_reached"] = consumed >= allowed
    return json_response(answer)


@router.get("/instance", response_model=None)
async def instance(asked: AskedBy) -> Response:
    """The instance of the request."""
    answer: dict[str, object] = {
        "plan_id": asked.instance.plan,
        "backends": [entry.name for entry in asked.emulator.catalog.listed()],
    }
    allowed = asked.emulator.quota(asked.instance)
    if allowed is not None:
        answer["usage_allocation_seconds"] = f"{allowed:g}"
    return json_response(answer)


@router.get("/instances/configuration", response_model=None)
async def configuration(asked: AskedBy) -> Response:
    """The instance's own limit; the emulator sets none."""
    return json_response({"instance_limit": None})


@router.get("/versions", response_model=None)
async def versions() -> Response:
    """The versions of the API."""
    listed = [{"version": version, "status": "live"} for version in VERSIONS]
    return json_response({"versions": listed})
