"""Refused requests, in the service's format: ``{"errors": [{code, message, …}], "trace": …}``."""

from __future__ import annotations

from typing import Any

BAD_CREDENTIALS = 1201
INVALID_JOB = 1208
INSTANCE_NOT_FOUND = 1279

MORE_INFO = "https://quantum.cloud.ibm.com/docs/errors"


class Refusal(Exception):
    """A request that the service refuses.

    Attributes
    ----------
    status : int
        The HTTP status it answers with.
    code : int
        IBM's error code, or the HTTP status where none is known.
    message : str
        What was wrong.
    solution : str
        What to do about it.
    """

    def __init__(self, status: int, message: str, solution: str = "", code: int | None = None):
        super().__init__(message)
        self.status = status
        self.code = status if code is None else code
        self.message = message
        self.solution = solution


def error_body(code: int, message: str, solution: str, trace: str) -> dict[str, Any]:
    """The body of an error answer."""
    error = {"code": code, "message": message, "solution": solution, "more_info": MORE_INFO}
    return {"errors": [error], "trace": trace}


def unauthorized(message: str, solution: str, code: int = BAD_CREDENTIALS) -> Refusal:
    """A refusal of the credentials of a request (401)."""
    return Refusal(401, message, solution, code)


def invalid(message: str, solution: str = "", code: int | None = None) -> Refusal:
    """A refusal of an invalid request (400)."""
    return Refusal(400, message, solution, code)


def not_found(kind: str, ident: str) -> Refusal:
    """A refusal (404) that does not reveal if the thing exists for another instance."""
    return Refusal(404, f"{kind} {ident} not found.", f"Check the {kind.lower()} id.")
