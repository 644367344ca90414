"""Jobs that carry no random tag, as they have all the tags that the service takes.

Whether such a submit was accepted can only be told from the jobs with the same tags that were not
there before it, and that ask for the same. None means that it was not. The only one is taken up.
Several cannot be told from those that another kernel or thread has sent, nor can one whose contents
the service does not tell: they are named, and nothing is taken up or sent again. What a kernel has
left that died in between (`left_by`) is named only, for another one may have sent the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from ..deferred_output import NOTICES
from ..errors import OutcomeUnknown, ServiceError
from ..messages.lost_answers import perhaps_twin_job, taken_by_contents
from .decode import read_time
from .rest import Answer, ServiceClient


class AmbiguousJob(OutcomeUnknown):
    """A job without a random tag may have been accepted: there are new ones that it can be.

    Attributes
    ----------
    job_ids : list of str
        Which jobs it can be.
    """

    def __init__(self, doing: str, job_ids: list[str]):
        super().__init__(doing)
        self.job_ids = job_ids

    def __str__(self) -> str:
        one = len(self.job_ids) == 1
        which = ", ".join(self.job_ids)
        text = (
            f"The answer to the request to {self.doing} was lost, and may have been yes: "
            f"{'job' if one else 'jobs'} {which} with the same tags "
            f"{'was' if one else 'were'} accepted meanwhile. Nothing was sent again: "
            f"service.job('{self.job_ids[0]}') takes it up. A job with fewer tags gets one more, "
            "by which it is found."
        )
        return " ".join(filter(None, [text, self.more]))


RECENT = 5.0
"""Seconds before a submit from which on jobs that were there are written down: a list tells when it
was made in whole seconds."""


class UntaggedSubmit:
    """A submit whose job gets no random tag: the jobs with its tags that were there before.

    Parameters
    ----------
    line : ServiceClient
        The service.
    doing : str
        What is asked for, as in "submit the sampler job".
    session_id : str or None
        The session; None in job mode.
    tags : collection of str
        Tags of the job.
    got : callable
        Whether a job is the result of another submit of this kernel.
    same : callable
        Whether a job, given with its parameters, asks for the same; None where that cannot be told.

    Attributes
    ----------
    begun : float
        The service's time when the jobs were listed; 0 where they were not.
    recent : list of str
        Those of the last seconds before.
    """

    def __init__(
        self,
        line: ServiceClient,
        doing: str,
        session_id: str | None,
        tags: Collection[str],
        got: Callable[[str], bool],
        same: Callable[[dict[str, Any]], bool | None],
    ):
        self._line = line
        self._doing = doing
        self._session_id = session_id
        self._tags = set(tags)
        self._got = got
        self._same = same
        self._told: set[str] = set()
        self.begun = 0.0
        self.recent: list[str] = []
        try:
            answer = line.jobs_tagged(min(self._tags))
            rows = list(_alike(answer, self._tags, session_id))
            self._before: set[str] | None = {str(row["id"]) for row in rows}
            self.begun = answer.date or 0.0
            self.recent = [
                str(row["id"])
                for row in rows
                if (read_time(row.get("created")) or 0.0) >= self.begun - RECENT
            ]
        except ServiceError:
            # the request itself will tell what is wrong, or the look after it
            self._before = None

    def look(self) -> dict[str, Any] | None:
        """The job that was accepted, as the service answers a submit; None where it was not.

        Raises
        ------
        ServiceError
            The service does not say.
        AmbiguousJob
            There are several new jobs with its tags that ask for the same, or may do so.
        """
        found = self._new()
        if not found:
            return None
        ((job_id, (row, certain)), *more) = found.items()
        if more or not certain:
            raise AmbiguousJob(self._doing, list(found))
        if job_id not in self._told:
            self._told.add(job_id)
            NOTICES.emit(taken_by_contents(self._doing, job_id))
        return {"id": job_id, "backend": str(row.get("backend") or "")}

    def look_for_twins(self) -> None:
        """Name jobs that may be twins of the one that was accepted when it was sent again.

        Raises
        ------
        ServiceError
            The service does not say.
        """
        for job_id in self._new():
            if job_id not in self._told:
                self._told.add(job_id)
                NOTICES.emit(perhaps_twin_job(job_id))

    def _new(self) -> dict[str, tuple[dict[str, Any], bool]]:
        """New jobs that it can be, by id, and whether each surely asks for the same."""
        if self._before is None:
            raise ServiceError("The service did not answer before the request.")
        answer = self._line.jobs_tagged(min(self._tags))
        there = [str(row["id"]) for row in _alike(answer, self._tags, self._session_id)]
        new = [one for one in there if one not in self._before and not self._got(one)]
        rows = {job_id: self._line.job_with_params(job_id).data for job_id in new}
        same = {job_id: self._same(row) for job_id, row in rows.items()}
        return {one: (rows[one], bool(same[one])) for one in new if same[one] is not False}


def left_by(
    line: ServiceClient,
    session_id: str,
    tags: Collection[str],
    between: tuple[float, float],
    same: Callable[[dict[str, Any]], bool | None],
) -> list[str]:
    """Jobs that a submit without a random tag may have left whose process has died.

    Parameters
    ----------
    line : ServiceClient
        The service.
    session_id : str
        The session; empty in job mode.
    tags : collection of str
        Tags of the job.
    between : tuple of (float, float)
        The service's times between which it was accepted.
    same : callable
        As of `UntaggedSubmit`.

    Raises
    ------
    ServiceError
        The service does not say.
    """
    found = []
    for row in _alike(line.jobs_tagged(min(tags)), set(tags), session_id or None):
        at = read_time(row.get("created"))
        if at is None or between[0] <= at <= between[1]:
            job_id = str(row["id"])
            if same(line.job_with_params(job_id).data) is not False:
                found.append(job_id)
    return found


def _alike(answer: Answer, tags: set[str], session_id: str | None) -> Iterator[dict[str, Any]]:
    """Jobs of a list with exactly these tags, in a session or in none."""
    for job in answer.data["jobs"]:
        same_session = (job.get("session_id") or None) == session_id
        if same_session and set(job.get("tags") or ()) == tags:
            yield job
