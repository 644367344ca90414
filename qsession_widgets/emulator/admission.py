"""Admission of sessions and jobs: checks plan and quota, and acknowledges what is on disk."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TypeVar

from .core import Emulator
from .rules.records import EmulatedJob, EmulatedSession, Instance, Mode
from .rules.refusals import Refusal

T = TypeVar("T")

PENDING_ON_OPEN_PLAN = 3
"""Jobs that may be pending at once on the Open Plan."""


def open_session(
    emulator: Emulator,
    instance: Instance,
    backend: str,
    mode: Mode,
    max_ttl: float | None,
    user: str,
) -> EmulatedSession:
    """Open a session or batch.

    Raises
    ------
    Refusal
        It cannot be written down (507), or see `Lifecycle.open_session`.
    """
    emulator.populate(backend)
    lifecycle = emulator.lifecycle
    ident = str(uuid.uuid4())
    plan = emulator.plan(instance)
    return _durably(
        emulator,
        lambda now: lifecycle.open_session(
            now, ident, backend, mode, instance.crn, plan, max_ttl, user=user
        ),
        undo=lambda now: lifecycle.close_session(now, ident),
    )


def submit(emulator: Emulator, instance: Instance, params: str, job: EmulatedJob) -> EmulatedJob:
    """Accept a job.

    Parameters
    ----------
    emulator : Emulator
        Where.
    instance : Instance
        Whose it is.
    params : str
        JSON text for the engine.
    job : Job
        Its record.

    Raises
    ------
    Refusal
        The session is not this instance's (404), the quota is used up (409), there are too many
        jobs (400), it cannot be written down (507); see also `Lifecycle.submit`.
    """
    if job.session_id is not None:
        emulator.session(instance, job.session_id)
    _check_quota(emulator, instance)
    _check_pending(emulator, instance)
    emulator.populate(job.backend)
    writer = emulator.writer

    def withdraw(now: float) -> None:
        if not emulator.lifecycle.jobs[job.id].final:
            emulator.lifecycle.cancel_job(now, job.id)
        writer.drop_params(job.id)
        emulator.forget_job(now, job.id)

    writer.add_params(job.id, params)
    try:
        return _durably(emulator, lambda now: emulator.lifecycle.submit(now, job), undo=withdraw)
    finally:
        writer.drop_params(job.id)


def _check_quota(emulator: Emulator, instance: Instance) -> None:
    quota = emulator.quota(instance)
    if quota is not None and emulator.meter.used(instance.crn, emulator.clock.now()) >= quota:
        raise Refusal(
            409,
            f"Usage exceeds instance limit: the {quota:g} seconds of 28 days are used up.",
            "Wait until some of them are free again, or use another instance.",
        )


def _check_pending(emulator: Emulator, instance: Instance) -> None:
    if instance.plan != "open":
        return
    pending = sum(not known.final for known in emulator.jobs(instance))
    if pending >= PENDING_ON_OPEN_PLAN:
        raise Refusal(
            400,
            f"The open plan allows {PENDING_ON_OPEN_PLAN} pending jobs, and {pending} are.",
            "Wait for one to finish, or cancel one.",
        )


def _durably(emulator: Emulator, event: Callable[[float], T], undo: Callable[[float], None]) -> T:
    done = emulator.apply(event)
    reason = emulator.failing
    if reason is None:
        return done
    emulator.apply(undo)
    raise Refusal(507, reason, "Try again when that is put right.")
