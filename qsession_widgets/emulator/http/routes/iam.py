"""The parts of IBM Cloud the client asks first: a token, its instances, their plans."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.responses import Response

from ...rules.records import PLANS
from ...rules.refusals import invalid, not_found
from ..auth import OWNER
from ..common import ERRORS, emulator_of, identity_of, json_response, key_accepted, user_of

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
    identity = identity_of(request)
    key = fields.get("apikey", [""])[0]
    if request.scope.get("any_key") and identity.user_of_key(key) is None:
        key = identity.key
    if (hub := request.scope.get("hub")) is not None:
        await hub.admit(key)
    text, expiry = identity.token(key)
    key_accepted(request.scope)
    emulator_of(request).touch()
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
    identity = identity_of(request)
    user = user_of(request)
    # the client library asks while it is made, seconds before its first job
    emulator_of(request).warm_up()
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
    """Name and pricing of a plan."""
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
