"""Routes of sessions and batches."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from ... import admission
from ...rules.refusals import invalid
from .. import serializers
from ..common import ERRORS, AskedBy, json_response, no_content
from ..request_models import CreateSession, UpdateSession

router = APIRouter(responses=ERRORS)


@router.post("/sessions", response_model=None)
async def create(asked: AskedBy, body: CreateSession) -> Response:
    """Open a session or batch."""
    backend = body.backend or body.backend_name
    if backend is None:
        raise invalid("backend is missing.", "Name the backend the session's jobs will run on.")
    if body.instance is not None and body.instance != asked.instance.crn:
        raise invalid("instance is not the one in the header Service-CRN.", "Send the same CRN.")
    asked.backend(backend)
    asked.emulator.warm_up()
    session = admission.open_session(
        asked.emulator, asked.instance, backend, body.mode, body.max_ttl, asked.caller.user
    )
    return json_response(serializers.session(asked.emulator, session, asked.now))


@router.get("/sessions/{session_id}", response_model=None)
async def read(asked: AskedBy, session_id: str) -> Response:
    """Details of a session."""
    session = asked.emulator.session(asked.instance, session_id)
    return json_response(serializers.session(asked.emulator, session, asked.now))


@router.patch("/sessions/{session_id}", status_code=204, response_model=None)
async def update(asked: AskedBy, session_id: str, body: UpdateSession) -> Response:
    """Close a session: it accepts no more jobs, and those it has still run."""
    session = asked.emulator.session(asked.instance, session_id)
    if body.accepting_jobs:
        if not session.accepting_jobs:
            raise invalid(
                f"Session {session_id} accepts no more jobs, and cannot be made to again.",
                "Open a new session.",
            )
        return no_content()
    lifecycle = asked.emulator.lifecycle
    asked.emulator.apply(lambda now: lifecycle.close_session(now, session_id))
    return no_content()


@router.delete("/sessions/{session_id}/close", status_code=204, response_model=None)
async def cancel(asked: AskedBy, session_id: str) -> Response:
    """Cancel a session: its queued jobs do not run; a running one finishes."""
    asked.emulator.session(asked.instance, session_id)
    lifecycle = asked.emulator.lifecycle
    asked.emulator.apply(lambda now: lifecycle.cancel_session(now, session_id))
    return no_content()
