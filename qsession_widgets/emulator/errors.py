"""Errors as the service writes them: ``{"errors": [{code, message, …}], "trace": …}``."""

from __future__ import annotations

from typing import Any

from .lifecycle import Refused

BAD_CREDENTIALS = 1201
INVALID_JOB = 1208
INSTANCE_NOT_FOUND = 1279

MORE_INFO = "https://quantum.cloud.ibm.com/docs/errors"


def error_body(code: int, message: str, solution: str, trace: str) -> dict[str, Any]:
    """The body of an error answer."""
    error = {"code": code, "message": message, "solution": solution, "more_info": MORE_INFO}
    return {"errors": [error], "trace": trace}


def unauthorized(message: str, solution: str, code: int = BAD_CREDENTIALS) -> Refused:
    """A refusal for who asks, not for what is asked."""
    return Refused(401, message, solution, code)


def invalid(message: str, solution: str = "", code: int | None = None) -> Refused:
    """A refusal of a request that makes no sense."""
    return Refused(400, message, solution, code)


def not_found(kind: str, ident: str) -> Refused:
    """A refusal that tells neither whether the thing exists nor whose it is."""
    return Refused(404, f"{kind} {ident} not found.", f"Check the {kind.lower()} id.")
