"""The parts of IBM Cloud the client asks first: a token, its instances, their plans."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.responses import Response

from ..auth import OWNER
from ..errors import invalid, not_found
from ..records import PLANS
from .common import ERRORS, emulator_of, json_response

router = APIRouter(responses=ERRORS)

TOKEN = "/identity/token"
GRANT = "urn:ibm:params:oauth:grant-type:apikey"

_PRICING = {"open": "free", "payg": "paygo", "premium": "subscription", "flex": "subscription"}
_DISPLAY = {"open": "Open", "payg": "Pay-as-you-go", "premium": "Premium", "flex": "Flex"}


@router.post(TOKEN)
async def token(request: Request) -> Response:
    """Exchange an API key for a token."""
    # a form of two fields: not worth a library for multipart bodies
    fields = parse_qs((await request.body()).decode("utf-8", "replace"))
    grant = fields.get("grant_type", [""])[0]
    if grant != GRANT:
        raise invalid(f"The grant_type is {GRANT}, not {grant!r}.")
    text, expiry = emulator_of(request).identity.token(fields.get("apikey", [""])[0])
    return json_response(
        {
            "access_token": text,
            "refresh_token": "not_supported",
            "token_type": "Bearer",
            "expires_in": expiry - int(time.time()),
            "expiration": expiry,
            "scope": "ibm openid",
        }
    )


@router.post("/v3/resources/search")
async def resources(request: Request) -> Response:
    """List the instances a key reaches."""
    identity = emulator_of(request).identity
    user = identity.user(request.headers.get("authorization"))
    items = [
        {
            "crn": instance.crn,
            "name": instance.name,
            "service_name": "quantum-computing",
            "service_plan_unique_id": instance.plan,
            "region": "us-east",
            "tags": ["emulated"],
            "doc": {"extensions": {"emulated": True}},
        }
        for instance in identity.instances.values()
        if user in (OWNER, instance.name)
    ]
    return json_response({"items": items, "limit": 100})


@router.get("/catalog/{plan_id}")
async def catalog(plan_id: str) -> Response:
    """What a plan is called, and how it is paid."""
    if plan_id not in PLANS:
        raise not_found("Plan", plan_id)
    entry: dict[str, Any] = {
        "id": plan_id,
        "name": plan_id,
        "kind": "plan",
        "overview_ui": {"en": {"display_name": _DISPLAY[plan_id]}},
        "metadata": {"pricing": {"type": _PRICING[plan_id]}},
    }
    return json_response(entry)
