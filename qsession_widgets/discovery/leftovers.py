"""Sessions and submits that earlier kernels of a notebook have left, by what they wrote down."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..client.job_outcome import find_job
from ..client.private_api import account_instance, api_url
from ..client.rest import ServiceClient
from ..client.selection import Target
from ..client.unknown_outcome import ON_ITS_WAY
from ..client.untagged_jobs import RECENT, left_by
from ..deferred_output import NOTICES
from ..errors import ServiceError
from ..messages.left_behind import closed_after_crash
from ..registry import openings, submits
from ..registry.entries import forget, notes
from ..registry.processes import is_orphan
from ..registry.schema import RegistryEntry
from .endpoints import Endpoint
from .lost_openings import lost_openings
from .search import FoundSession

ASK_AGAIN = (0.2, 1.0)
"""Seconds to wait before a session is asked about again, of which the service did not say."""

REFUSED = (400, 403, 404)
"""Status of an answer that is one, and that asking again would not change."""


@dataclass(frozen=True)
class Leftover:
    """A session whose kernel is gone.

    Attributes
    ----------
    entry : RegistryEntry
        What that kernel wrote down.
    raw : dict
        Its fields as the service gives them.
    """

    entry: RegistryEntry
    raw: dict[str, Any]

    def found(self, target: Target) -> FoundSession:
        """The session, on the service that it is in."""
        return FoundSession(Endpoint.of(target.connected), self.raw)


def leftovers(
    target: Target,
    notebook: str,
    in_doubt: Callable[[RegistryEntry], object] = lambda _entry: None,
) -> list[Leftover]:
    """Sessions that earlier kernels of a notebook opened at a service and that are still open.

    Those opened last come first; what another kernel has that lives is none of them. Entries of
    sessions that have ended are removed; one that was closed because its kernel had died is named.

    Parameters
    ----------
    target : Target
        The service.
    notebook : str
        Path of the notebook.
    in_doubt : callable, optional
        Takes the entry of each session of which the service does not say how it is.
    """
    service = target.connected.service
    url, instance = api_url(service), account_instance(service)
    mine = [
        entry
        for entry in notes().values()
        if notebook
        and entry.notebook == notebook
        and entry.url == url
        # this instance would answer 404 about a session of another one
        and entry.instance in ("", instance)
        and is_orphan(entry)
    ]
    if not mine:
        return []
    mine.sort(key=lambda entry: -entry.opened_at)
    client = target.client.clone()
    try:
        found = []
        for entry in mine:
            try:
                raw = _open_fields(client, entry)
            except ServiceError:
                in_doubt(entry)
            else:
                if raw is not None:
                    found.append(Leftover(entry, raw))
        return found
    finally:
        client.close()


def open_fields(target: Target, session_ids: list[str]) -> dict[str, dict[str, Any]]:
    """The fields of those of some sessions that are open, as far as the service says, by id."""
    found = {}
    if session_ids:
        client = target.client.clone()
        try:
            for session_id in session_ids:
                with contextlib.suppress(ServiceError):
                    raw = client.session(session_id).data
                    if _takes_jobs(raw):
                        found[session_id] = raw
        finally:
            client.close()
    return found


def _takes_jobs(raw: dict[str, Any]) -> bool:
    return raw.get("state") != "closed" and bool(raw.get("accepting_jobs", True))


def _open_fields(client: ServiceClient, entry: RegistryEntry) -> dict[str, Any] | None:
    """A session's fields; None when it is over, or another instance's.

    Raises
    ------
    ServiceError
        The service does not say.
    """
    try:
        raw = _asked(client, entry.session_id)
    except ServiceError as error:
        if error.status not in REFUSED:
            raise
        if error.status == 404 and entry.instance:
            forget(entry.session_id)
        return None
    if _takes_jobs(raw):
        return raw
    if entry.end_reason == "crash":
        NOTICES.emit(closed_after_crash(entry.backend, entry.session_id))
    forget(entry.session_id)
    return None


def _asked(client: ServiceClient, session_id: str) -> dict[str, Any]:
    for pause in ASK_AGAIN:
        try:
            return dict(client.session(session_id).data)
        except ServiceError as error:
            if error.status in REFUSED or error.kind == "timeout":
                raise
        time.sleep(pause)
    return dict(client.session(session_id).data)


def left_openings(target: Target, notebook: str) -> list[tuple[openings.PendingOpening, list[str]]]:
    """Sessions that kernels of a notebook may have opened as they died; see `lost_openings`."""
    if not notebook:
        return []
    client = target.client.clone()
    try:
        service = target.connected.service
        where = (api_url(service), account_instance(service) or "")
        return lost_openings(client, where, target.info.speed, notebook)
    except ServiceError:
        # they stay, for the next time
        return []
    finally:
        client.close()


def left_submits(
    target: Target, notebook: str, *, tagged: bool = True
) -> list[tuple[submits.PendingSubmit, list[str]]]:
    """Submits that kernels of a notebook died in and that were accepted, with their jobs' ids.

    Of one whose job carries no tag of ours they are those that it can be. Each is given once:
    afterwards its outcome is known.

    Parameters
    ----------
    target : Target
        The service.
    notebook : str
        Path of the notebook.
    tagged : bool
        Whether those are among them whose jobs carry a tag of ours.
    """
    service = target.connected.service
    url, instance = api_url(service), account_instance(service) or ""
    mine = [
        one
        for one in submits.pending()
        if notebook
        and (one.notebook, one.url, one.instance) == (notebook, url, instance)
        and (tagged or one.untagged is not None)
        and one.orphaned
    ]
    if not mine:
        return []
    found = []
    client = target.client.clone()
    try:
        for one in mine:
            job_ids = _jobs_of(client, one, target.info.speed)
            if job_ids:
                found.append((one, job_ids))
            if job_ids or one.at < time.time() - ON_ITS_WAY:
                submits.settle(one.tag)
    except ServiceError:
        # they stay, for the next time
        pass
    finally:
        client.close()
    return found


def _jobs_of(client: ServiceClient, submit: submits.PendingSubmit, speed: float) -> list[str]:
    marks = submit.untagged
    if marks is None:
        job = find_job(client, submit.tag)
        return [] if job is None else [str(job["id"])]
    # numpy is imported with it
    from ..resume.fingerprint import contents_of

    begun = marks.begun or submit.at

    def same(row: dict[str, Any]) -> bool | None:
        if row["id"] in marks.before or row.get("backend") not in (None, submit.backend):
            return False
        if (row.get("program") or {}).get("id") not in (None, marks.program):
            return False
        if not row.get("params") or not marks.contents:
            # of a private job the service tells none
            return None
        return contents_of(marks.program, row["params"]) in ("", marks.contents)

    late = ON_ITS_WAY * (speed or 1.0)
    return left_by(client, submit.session_id, marks.tags, (begun - RECENT, begun + late), same)
