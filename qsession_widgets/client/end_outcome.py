"""Ends of sessions that were not answered: how to find out what became of one."""

from __future__ import annotations

from typing import Any

from ..errors import ServiceError, Unreadable
from .job_outcome import asking_line, status_of
from .rest import Answer, ServiceClient
from .unknown_outcome import Change


def end_session(line: ServiceClient, action: str, session_id: str) -> Change[Any]:
    """Close or cancel a session.

    Parameters
    ----------
    line : ServiceClient
        The service.
    action : {"close", "cancel"}
        Which of them.
    session_id : str
        The session.
    """
    ask = line.close_session if action == "close" else line.cancel_session
    own = asking_line(line)

    def send() -> Answer:
        try:
            return ask(session_id)
        except ServiceError as error:
            if error.status == 404 and not is_gone():
                # of a gateway that does not find the service
                raise Unreadable(status=404) from error
            raise

    def is_gone() -> bool:
        try:
            own.session(session_id)
        except ServiceError as error:
            return error.status == 404
        return False

    def look() -> Answer | None:
        answer = own.session(session_id)
        data = answer.data
        if data.get("state") == "closed":
            return answer
        if data.get("accepting_jobs") is not False:
            # also where the field makes no sense: asking once more does no harm
            return None
        if action == "cancel" and any(map(_is_queued, own.jobs(session_id).data["jobs"])):
            return None
        return answer

    return Change(f"{action} the session", send, look)


def _is_queued(job: dict[str, Any]) -> bool:
    return status_of(job) == "Queued"
