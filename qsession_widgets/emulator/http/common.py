"""Helpers of the routes: the authenticated request, JSON answers, values in a query."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import Response
from starlette.types import Scope

from ..core import Emulator
from ..device_catalog import Entry, UnknownDevice
from ..rules.records import Instance
from ..rules.refusals import Refusal, invalid
from .auth import OWNER, Caller, Identity

PREFIX = "/api/v1"

ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {
        "description": "The request was refused.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Errors"}}},
    }
}
"""The errors of every route, for OpenAPI."""


def json_text(data: Any) -> str:
    """Write plain JSON types as text."""
    return json.dumps(data, separators=(",", ":"))


def json_response(data: Any, status: int = 200) -> Response:
    """Write plain JSON types as an answer."""
    return Response(json_text(data), status, media_type="application/json")


def no_content() -> Response:
    """An answer that says only that it was done."""
    return Response(status_code=204)


def trace_of(request: Request) -> str:
    """The id of this request."""
    return str(request.scope.get("trace", ""))


def emulator_of(request: Request) -> Emulator:
    """The emulator that is asked."""
    emulator: Emulator = request.app.state.emulator
    return emulator


def identity_of(request: Request) -> Identity:
    """The keys and instances of the emulator that is asked."""
    identity: Identity = request.app.state.identity
    return identity


def user_of(request: Request) -> str:
    """Authenticate a request, and note that the emulator is used; `Identity.user` has errors."""
    user = identity_of(request).user(request.headers.get("authorization"))
    key_accepted(request.scope)
    emulator_of(request).touch()
    return user


def key_accepted(scope: Scope) -> None:
    """Tell the connection of a request that its sender is known."""
    told = scope.get("state", {}).get("key_accepted")
    if told is not None:
        told()


class AuthenticatedRequest:
    """An authenticated request: the emulator, the instance it is about, and its sender."""

    __slots__ = ("caller", "emulator", "instance", "now")

    def __init__(self, emulator: Emulator, caller: Caller):
        assert caller.instance is not None
        self.emulator = emulator
        self.caller = caller
        self.instance: Instance = caller.instance
        self.now = emulator.look()

    def backend(self, name: str, calibration_id: str | None = None) -> Entry:
        """A backend that is offered, with the calibration that is asked for.

        Raises
        ------
        Refusal
            There is no such backend, it is retired, or it has no such calibration (404).
        """
        try:
            entry = self.emulator.catalog.find(name)
        except UnknownDevice as error:
            raise Refusal(
                404, f"Backend {name} not found.", f"{error} GET /backends lists what there is."
            ) from None
        if calibration_id is not None and calibration_id != entry.calibration_id:
            raise Refusal(
                404,
                f"Calibration {calibration_id} of backend {name} not found.",
                f"Its only calibration is {entry.calibration_id}; leave the id out to get it.",
            )
        return entry


async def _asked(request: Request) -> AuthenticatedRequest:
    emulator = emulator_of(request)
    headers = request.headers
    version = headers.get("ibm-api-version")
    if version is not None and not _is_date(version):
        raise invalid(
            f"IBM-API-Version is a date such as 2026-04-15, not {version!r}.",
            "Leave the header out, or send one that GET /versions lists.",
        )
    emulator.refresh_devices()
    caller = identity_of(request).caller(headers.get("authorization"), headers.get("service-crn"))
    key_accepted(request.scope)
    emulator.touch()
    return AuthenticatedRequest(emulator, caller)


AskedBy = Annotated[AuthenticatedRequest, Depends(_asked)]
"""A parameter that checks who asks."""


def _is_date(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y-%m-%d")
    except ValueError:
        return False
    return True


def moment(text: str | None, name: str, *, whole: bool = False) -> float | None:
    """Read a date and time of a query; without a time zone it is UTC.

    Parameters
    ----------
    text : str or None
        What stands in the query.
    name : str
        What it is called there.
    whole : bool
        Whether the whole millisecond is meant, as in a limit that shall include a time the service
        has written: it writes milliseconds.

    Raises
    ------
    Refusal
        It is none.
    """
    if text is None:
        return None
    try:
        # a plus sign that was not escaped arrives as a space
        parsed = datetime.fromisoformat(text.strip().replace(" ", "+").replace("Z", "+00:00"))
        if parsed.tzinfo is None:
            parsed = parsed.replace(tzinfo=timezone.utc)
        return parsed.timestamp() + (0.000999 if whole else 0.0)
    except (ValueError, OverflowError):
        raise invalid(
            f"{name} is a date and time such as 2026-04-15T12:00:00Z, not {text!r}."
        ) from None


def iso(seconds: float | None) -> str | None:
    """A moment as the service writes it: UTC, milliseconds, Z."""
    if seconds is None:
        return None
    text = datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def refuse_unless_owner(request: Request) -> None:
    """Refuse requests of anyone but the emulator's owner.

    Raises
    ------
    Refusal
        Bad credentials (401), or those of an instance (403).
    """
    if user_of(request) != OWNER:
        raise Refusal(
            403,
            "An instance's key does not reach the emulator's own controls.",
            "Use the emulator's own key.",
        )
