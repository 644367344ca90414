"""Jobs whose submit, cancel or new tags were not answered: how to find out what became of it."""

from __future__ import annotations

import functools
import logging
import secrets
from collections.abc import Collection
from typing import Any

from ..deferred_output import NOTICES
from ..errors import ServiceError
from ..messages.lost_answers import twin_job
from . import unknown_outcome
from .rest import ServiceClient
from .unknown_outcome import Change

logger = logging.getLogger(__name__)

TAG = "qsession-"
"""Beginning of the tags of submits."""
MOST_TAGS = 8
"""Tags that the service takes of a job."""


def new_tag() -> str:
    """A tag that no other submit has."""
    return TAG + secrets.token_hex(8)


def find_job(line: ServiceClient, tag: str) -> dict[str, Any] | None:
    """The job that a submit with this tag has left, as the service answers a submit.

    Where there are several, because a request that was given up arrived all the same, the first
    one that is not cancelled is taken, and the others are cancelled, and named.
    """
    jobs = line.jobs_tagged(tag).data["jobs"]
    if not jobs:
        return None

    def order(job: dict[str, Any]) -> tuple[bool, str, str]:
        return (_is_cancelled(job), str(job.get("created")), str(job["id"]))

    first = min(jobs, key=order)
    _cancel_others(line, jobs, str(first["id"]), set())
    return {"id": str(first["id"]), "backend": str(first.get("backend") or "")}


class JobTwins:
    """Other jobs that a submit has left which was sent again: they are cancelled, and named.

    Parameters
    ----------
    line : ServiceClient
        The service.
    tag : str
        The submit's tag.
    kept : str
        Id of the job that goes on; empty where the submit was replaced by one with another tag, so
        that none does.
    """

    def __init__(self, line: ServiceClient, tag: str, kept: str = ""):
        self._line = line
        self._tag = tag
        self._kept = kept
        self._told: set[str] = set()

    def look(self) -> None:
        """Look for them once.

        Raises
        ------
        ServiceError
            The service does not answer, or refuses to cancel one.
        """
        jobs = self._line.jobs_tagged(self._tag).data["jobs"]
        _cancel_others(self._line, jobs, self._kept, self._told)


def _cancel_others(
    line: ServiceClient, jobs: Collection[dict[str, Any]], kept: str, told: set[str]
) -> None:
    for job in jobs:
        job_id = str(job["id"])
        if job_id == kept or job_id in told or _is_cancelled(job):
            continue
        cancelled = is_pending(job)
        if cancelled:
            try:
                line.cancel_job(job_id)
            except ServiceError as error:
                if error.status is None or error.status >= 500:
                    # another look tries again
                    logger.warning("Job %s was accepted twice; its twin remains: %s", job_id, error)
                    continue
                # it has finished just now
                cancelled = False
        told.add(job_id)
        NOTICES.emit(twin_job(job_id, kept, cancelled=cancelled))


def _is_cancelled(job: dict[str, Any]) -> bool:
    return status_of(job).startswith("Cancelled")


def cancel_job(line: ServiceClient, job_id: str) -> Change[Any]:
    """Cancel a job."""
    own = asking_line(line)

    def look() -> Any:
        answer = own.job(job_id)
        return None if is_pending(answer.data) else answer

    def meant(answer: Any) -> bool:
        # one that has finished is final, too
        return _is_cancelled(answer.data)

    send = functools.partial(line.cancel_job, job_id)
    return Change(f"cancel job {job_id}", send, look, about="job", meant=meant)


def tag_job(line: ServiceClient, job_id: str, tags: Collection[str]) -> Change[Any]:
    """Give a job other tags."""
    own = asking_line(line)

    def look() -> Any:
        answer = own.job(job_id)
        return answer if set(answer.data.get("tags") or ()) == set(tags) else None

    send = functools.partial(line.tag_job, job_id, list(tags))
    return Change(f"tag job {job_id}", send, look, about="job")


def asking_line(line: ServiceClient) -> ServiceClient:
    """A line for the looks, which wait no longer than each of them may take."""
    own = line.clone()
    own.timeout = min(line.timeout, unknown_outcome.LOOK_TIMEOUT)
    return own


def is_pending(job: dict[str, Any]) -> bool:
    """Check that a job, as the service describes it, is queued or running."""
    return status_of(job).partition(" ")[0] in ("Queued", "Running")


def status_of(job: dict[str, Any]) -> str:
    """The status of a job, as the service describes it."""
    state = job.get("state")
    return str(state.get("status") if isinstance(state, dict) else job.get("status"))
