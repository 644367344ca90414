"""The ASGI application: routes, error handlers in the service's format, and the OpenAPI."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from ..core import Emulator
from ..rules.refusals import INVALID_JOB, Refusal, error_body
from ..storage.database import StoreError
from . import openapi
from .auth import Identity
from .common import PREFIX, json_response, trace_of
from .fault_injection import Faults
from .middleware import Middleware
from .routes import (
    backends,
    control,
    devices,
    iam,
    instances,
    jobs,
    room,
    sessions,
    users,
    workloads,
)
from .routes import faults as fault_routes

VERSION = "2026-04-15"

_HINTS = {
    404: "Check the address; GET /openapi.json lists what there is.",
    405: "GET /openapi.json lists the methods of each address.",
}

_UNREADABLE: dict[type, str] = {
    RecursionError: "it is nested too deeply",
    UnicodeDecodeError: "it is not UTF-8",
    ValueError: "a number has too many digits",
}


def create_app(emulator: Emulator, identity: Identity, open_path: str = "") -> Middleware:
    """The ASGI application of one emulator; see `Middleware` for the open path."""
    app = FastAPI(
        title="Qiskit Runtime, emulated on this machine",
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
    )
    app.state.emulator = emulator
    app.state.identity = identity
    app.state.faults = faults = Faults(emulator.options.seed)
    # addresses are tried in this order, so those that are asked for every second come first
    for module in (jobs, sessions, workloads, instances, backends):
        app.include_router(module.router, prefix=PREFIX, tags=[module.__name__.rpartition(".")[2]])
    app.include_router(iam.router, tags=["IBM Cloud"])
    for module in (control, devices, users, room):
        app.include_router(module.router, prefix=control.PREFIX, tags=["emulator"])
    app.include_router(room.page_router)
    if emulator.options.faults:
        app.include_router(fault_routes.router, prefix=fault_routes.PREFIX, tags=["faults"])
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(StoreError, _unusable)
    app.add_exception_handler(Exception, _broken)
    app.openapi = lambda: _describe(app)  # type: ignore[method-assign]
    known_faults = faults if emulator.options.faults else None
    return Middleware(app, emulator, identity, known_faults, open_path)


def _error(request: Request, status: int, code: int, message: str, solution: str) -> Response:
    return json_response(error_body(code, message, solution, trace_of(request)), status)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return _error(request, error.status, error.code, error.message, error.solution)


async def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return _senseless(request, _sentence(error))


def _senseless(request: Request, message: str) -> Response:
    code = INVALID_JOB if request.url.path.endswith("/jobs") and request.method == "POST" else 400
    return _error(request, 400, code, message, "Correct the request and send it again.")


def _sentence(error: RequestValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    if first["type"] == "json_invalid":
        return f"The body is not valid JSON: {first.get('ctx', {}).get('error', 'cannot be read')}."
    if first["type"] == "extra_forbidden":
        return f"There is no field {where!r} here."
    if first["type"] == "missing":
        return f"{where or 'The body'} is missing."
    return f"{where or 'The body'}: {first['msg']}."


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 400:
        # of FastAPI, which does not say what its parser met
        why = _UNREADABLE.get(type(error.__cause__), "its JSON is damaged")
        return _senseless(request, f"The body cannot be read: {why}.")
    message = {
        404: f"There is nothing at {request.url.path}.",
        405: f"{request.method} is not possible at {request.url.path}.",
    }.get(error.status_code, str(error.detail))
    response = _error(
        request, error.status_code, error.status_code, message, _HINTS.get(error.status_code, "")
    )
    response.headers.update(error.headers or {})
    return response


async def _unusable(request: Request, error: Exception) -> Response:
    return _error(request, 507, 507, str(error), "Try again when that is put right.")


async def _broken(request: Request, error: Exception) -> Response:
    return _error(
        request,
        500,
        500,
        "The emulator met a situation it was not made for.",
        "Its log has the details under this trace.",
    )


def _describe(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        app.openapi_schema = openapi.describe(app)
    return app.openapi_schema
