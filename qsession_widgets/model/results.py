"""Results of requests that change something, as codes and counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

EndCode = Literal["closed", "closing", "cancelled", "accepted", "already_closed", "job_cancelled"]


@dataclass(frozen=True)
class EndResult:
    """Result of a close or a cancel of a session, or of the cancel of one job.

    Attributes
    ----------
    code : str
        ``closed``: it is closed, with nothing left to finish; ``closing``: it accepts no more jobs,
        and some still finish; ``cancelled``: it was cancelled; ``accepted``: the service accepted
        the request, and its effect is not known yet; ``already_closed``: it was closed before,
        and no request was made; ``job_cancelled``: one job was cancelled.
    action : {"close", "cancel", "cancel_job"}
        The request.
    cancelled : int
        Queued jobs that a cancel of the session has cancelled.
    finishing : int
        Jobs that still finish.
    job_id : str or None
        The job, for ``job_cancelled``.
    """

    code: EndCode
    action: str
    cancelled: int = 0
    finishing: int = 0
    job_id: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The code and the counts, for a page."""
        return {"code": self.code, "cancelled": self.cancelled, "finishing": self.finishing}
