"""Stray jobs: jobs that go to the bound session's backend but run outside of the session.

A primitive that was built before the session, or with ``mode=backend``, sends its jobs through the
normal queue, where they wait and bill by themselves. Such a job is reported once per place in the
code, marked for the panel, and refused when the session was opened with ``--strict``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..client.private_api import same_account
from ..errors import UserError
from .callsite import whereabouts
from .patches import Submit

if TYPE_CHECKING:
    from .job_mode import JobMode
    from .live import LiveSession


class StrayRefused(UserError, RuntimeError):
    """A job outside of the bound session was not sent, because that session is strict."""


class StrayJobs:
    """Checks every submit of this kernel before it is sent.

    Parameters
    ----------
    bound : callable
        Returns the bound session, or None.
    job_mode : callable
        Returns the bound job mode, or None.
    """

    def __init__(
        self, bound: Callable[[], LiveSession | None], job_mode: Callable[[], JobMode | None]
    ):
        self._bound = bound
        self._job_mode = job_mode
        self._told: set[tuple[str, str]] = set()

    def __call__(self, submit: Submit) -> Callable[[str], None] | None:
        """Refuse a stray of a strict session; otherwise what is to be done once it was sent.

        Raises
        ------
        StrayRefused
            The bound session was opened with ``--strict``.
        """
        live = self._bound()
        job_mode = self._job_mode()
        if job_mode is not None and _in_job_mode(submit, job_mode):
            return lambda job_id: job_mode.submitted(job_id, submit.program, submit.inputs)
        if live is None or not is_stray(submit, live):
            return None
        # numpy is imported with it
        from . import job_facts

        at = whereabouts()
        primitive = job_facts.primitive_of(submit.program, submit.inputs)
        session = f"the {live.word} bound on {submit.backend}"
        way = "build the primitive without mode= in or after the cell that opens it"
        if live.options.strict:
            raise StrayRefused(
                f"{at}: this {primitive} job would run outside {session} and was not sent "
                f"(--strict): {way}."
            )

        def mark(job_id: str) -> None:
            known = job_facts.submitted(submit.program, submit.inputs)
            live.monitor.mark_stray(job_id, primitive, **known)
            told = (live.monitor.session_id, at) in self._told
            self._told.add((live.monitor.session_id, at))
            live.reporter.emit(
                "stray",
                # a notification shows the beginning only
                f"{at}: this {primitive} job runs outside {session}, through the normal queue; "
                f"to have it inside, {way} (job {job_id}).",
                aloud=not told,
                job=job_id,
                program=primitive,
                where=at,
            )

        return mark


def _in_job_mode(submit: Submit, job_mode: JobMode) -> bool:
    return (
        submit.session_id is None
        and submit.backend == job_mode.target.backend.name
        and same_account(submit.service, job_mode.target.connected.service)
    )


def is_stray(submit: Submit, live: LiveSession) -> bool:
    """True if a job goes to a session's backend, in no session at all, while that one is open."""
    return (
        submit.session_id is None
        and submit.backend == live.target.backend.name
        and live.usable
        and same_account(submit.service, live.target.connected.service)
    )
