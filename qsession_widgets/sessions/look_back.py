"""Attaching of what takes no more jobs: its views are there, and nothing is bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..client.private_api import backend_instance
from ..client.selection import Target
from ..deferred_output import NOTICES
from ..discovery.kept_jobs import read_jobs
from ..errors import UserError
from ..explanations import explain
from ..messages.events import jobs_read_only, read_only
from ..monitoring.monitor import Monitor
from ..monitoring.waits import OtherInstances
from .job_mode import JobMode
from .opening import OpenResult

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..discovery.endpoints import EndpointSource
    from ..options.open_options import OpenOptions
    from ..registry.schema import RegistryEntry
    from .binding import Binding
    from .live import LiveSession


def look_back(binding: Binding, live: LiveSession) -> OpenResult:
    """Keep a session that takes no more jobs, and say that it can only be looked at.

    Primitives belong to what they belonged to before.

    Parameters
    ----------
    binding : Binding
        The sessions of this kernel.
    live : LiveSession
        The session; its last jobs may still run.
    """
    binding.keep(live)
    NOTICES.emit(read_only(live.monitor.snapshot))
    return OpenResult("ended", live, live.target, granted=live.monitor.snapshot.max_ttl)


def look_back_at_jobs(
    binding: Binding, entry: RegistryEntry, sources: Iterable[EndpointSource], options: OpenOptions
) -> OpenResult:
    """Have a group of jobs of job mode as an object, which can only be looked at.

    Parameters
    ----------
    binding : Binding
        The sessions of this kernel, and the groups that it has looked at.
    entry : RegistryEntry
        The group's entry.
    sources : iterable of EndpointSource
        Where its service may be.
    options : OpenOptions
        The options of the request.

    Raises
    ------
    UserError
        Its jobs are not there any more, or the service does not answer.
    """
    group = binding.group(entry.session_id)
    if group is None:
        group = _group(entry, sources, options)
        binding.keep_group(group)
    if group.read_only:
        NOTICES.emit(jobs_read_only(group.snapshot))
    return OpenResult("ended", group, group.target)


def _group(
    entry: RegistryEntry, sources: Iterable[EndpointSource], options: OpenOptions
) -> JobMode:
    endpoint, poller = read_jobs(entry, sources)
    connected = endpoint.chosen
    try:
        backend = connected.service.backend(entry.backend)
    except Exception as error:
        doing = f"find {entry.backend}"
        raise UserError(explain(error, doing=doing, service=connected.info.where)) from None
    target = Target(connected, backend, poller.client)
    elsewhere = OtherInstances(connected.service, backend_instance(backend), backend.name)
    group = JobMode(target, options, Monitor(poller), elsewhere, read_only=True)
    group.monitor.start()
    return group
