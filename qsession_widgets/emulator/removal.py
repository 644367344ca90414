"""Removal of sessions and jobs: one job, all of an instance, or all that users have."""

from __future__ import annotations

import math

from .core import Emulator
from .rules.records import Instance
from .rules.usage import UsageMeter


def delete_job(emulator: Emulator, instance: Instance, job_id: str) -> None:
    """Forget a final job and everything written about it.

    Raises
    ------
    Refusal
        It is unknown (404), or not final (400).
    StoreError
        It cannot be removed from the disk.
    """
    emulator.job(instance, job_id)

    def delete(now: float) -> None:
        emulator.lifecycle.deletable(now, job_id)
        # first on disk: what cannot be removed there would be back after a restart
        emulator.store.delete_job(job_id)
        emulator.forget_job(now, job_id)

    emulator.apply(delete)


def end_all(emulator: Emulator, instance: Instance) -> tuple[int, int]:
    """Cancel an instance's sessions and jobs; returns how many of each there were."""
    return _cancel(
        emulator,
        [session.id for session in emulator.sessions(instance)],
        [job.id for job in emulator.jobs(instance)],
    )


def reset(emulator: Emulator) -> None:
    """End and forget everything that users have; other users' load goes on."""
    lifecycle = emulator.lifecycle
    _cancel(
        emulator,
        [session.id for session in lifecycle.sessions.values() if not session.load],
        [job.id for job in lifecycle.jobs.values() if job.load is None],
    )
    # a cancelled session whose job was running closed with that job
    while emulator.prune(math.inf):
        pass
    emulator.meter = UsageMeter(lifecycle)


def _cancel(emulator: Emulator, sessions: list[str], jobs: list[str]) -> tuple[int, int]:
    lifecycle = emulator.lifecycle

    def cancel(now: float) -> tuple[int, int]:
        # what was due by now may have ended some of them
        opened = [one for one in sessions if lifecycle.sessions[one].state != "closed"]
        pending = [one for one in jobs if not lifecycle.jobs[one].final]
        for session_id in opened:
            lifecycle.cancel_session(now, session_id)
        for job_id in pending:
            # unless it was cancelled with its session
            if not lifecycle.jobs[job_id].final:
                lifecycle.cancel_job(now, job_id)
        return len(opened), len(pending)

    return emulator.apply(cancel)
