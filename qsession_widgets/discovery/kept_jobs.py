"""Groups of jobs of job mode that earlier kernels have kept: found by name, id, or that of a job.

No service knows such a group. This machine keeps its name, its backend and its jobs in the registry
and a journal, and the service has the jobs.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import chain

from ..errors import ServiceError, UserError
from ..explanations import as_user_error
from ..monitoring.job_poller import JobPoller
from ..registry import journal
from ..registry.entries import entry_of, retired
from ..registry.lookup import noted_as
from ..registry.schema import RegistryEntry
from .endpoints import Endpoint, EndpointSource
from .fan_out import nearest_first
from .search import several_begin


def kept_jobs(which: str) -> RegistryEntry | None:
    """The entry of a group of jobs; None where there is none, or a newer session has the name.

    Parameters
    ----------
    which : str
        The group's name or id, the first characters of that, four behind its ``jobs-`` at least, or
        the id of one of its jobs. Makes no request.

    Raises
    ------
    UserError
        Several ids begin so.
    """
    named = [
        entry
        for key, entry in retired().items()
        if key.startswith(journal.GROUP) and which and entry.name == which
    ]
    if named:
        newest = max(named, key=lambda entry: entry.opened_at)
        sessions = noted_as(which)
        return None if sessions and sessions[0].opened_at > newest.opened_at else newest
    if not which.startswith(journal.GROUP):
        group = journal.group_of(which)
        return None if group is None else entry_of(group)
    if (entry := entry_of(which)) is not None or len(which) < len(journal.GROUP) + 4:
        return entry
    begun = {key: entry for key, entry in retired().items() if key.startswith(which)}
    if len(begun) > 1:
        raise UserError(several_begin(which, list(begun)))
    return next(iter(begun.values()), None)


def read_jobs(
    entry: RegistryEntry, sources: Iterable[EndpointSource]
) -> tuple[Endpoint, JobPoller]:
    """The endpoint that has the jobs of a group, and a poller that has asked for them.

    Parameters
    ----------
    entry : RegistryEntry
        The group's entry.
    sources : iterable of EndpointSource
        Where to look.

    Raises
    ------
    UserError
        The jobs are not there, or their service does not answer.
    """
    remembered = journal.read(entry.session_id)
    if not remembered.jobs:
        raise UserError(code="no_jobs_kept", name=entry.name or entry.session_id)
    endpoint = _having(next(reversed(remembered.jobs)), sources)
    with as_user_error("show the jobs", endpoint.info.where):
        poller = JobPoller(
            endpoint.connect(),
            endpoint.info,
            entry.backend,
            reason="no_sessions_on_plan",
            name=entry.name,
            notebook=entry.notebook,
            group=entry.session_id,
            remembered=remembered,
        )
        poller.list_jobs()
    return endpoint, poller


def _having(job_id: str, sources: Iterable[EndpointSource]) -> Endpoint:
    """The endpoint that has a job."""
    problems: list[str] = []
    for reply in chain.from_iterable(nearest_first(sources, partial(_has, job_id))):
        if isinstance(reply.answer, UserError):
            problems.append(str(reply.answer))
        elif reply.endpoint is not None and reply.answer:
            return reply.endpoint
    if problems:
        raise UserError("\n".join(dict.fromkeys(problems)))
    raise UserError(code="job_gone", job=job_id)


def _has(job_id: str, endpoint: Endpoint) -> bool:
    client = endpoint.connect()
    try:
        with as_user_error(f"find {job_id}", endpoint.info.where):
            try:
                client.job(job_id)
            except ServiceError as error:
                if error.status not in (400, 404):
                    raise
                return False
    finally:
        client.close()
    return True
