"""Sums up an emulator: sessions, jobs, usage, their cost on IBM, and sessions left open.

A device takes longer for a job than its simulation does. The cost is of the device's time: every
job's own, and in a session the time between its jobs as it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .core import Emulator
from .rules.records import EmulatedSession, Instance


@dataclass
class _Sum:
    sessions: int = 0
    batches: int = 0
    jobs: int = 0
    usage: float = 0.0
    device: float = 0.0
    by_plan: dict[str, float] = field(default_factory=dict)
    approximated: Counter[str] = field(default_factory=Counter)
    no_effect: set[str] = field(default_factory=set)


def summary(emulator: Emulator, instances: Iterable[Instance], now: float) -> dict[str, Any]:
    """Return how many sessions, batches and jobs there were, and what they used.

    Seconds are of service time; ``device_seconds`` is what IBM would charge for, by its estimate of
    a job's time, and ``device_seconds_by_plan`` that of each plan's instances. ``approximated``
    counts jobs by what of their results is not exact, and ``options_without_effect`` are those
    sent.
    """
    total = _Sum()
    left: list[dict[str, Any]] = []
    for instance in instances:
        plan = emulator.plan(instance).name
        before = total.device
        for session in emulator.sessions(instance):
            batch = session.mode == "batch"
            total.batches += batch
            total.sessions += not batch
            used = emulator.lifecycle.usage(session.id, now)
            total.usage += used
            total.device += session.device_seconds
            if not batch:
                # the time between its jobs as it was
                running = 0.0 if session.busy_since is None else now - session.busy_since
                total.device += max(0.0, used - session.busy_seconds - running)
            if session.accepting_jobs and session.state != "closed":
                left.append(_left_open(emulator, session, now, plan))
        for job in emulator.jobs(instance):
            total.jobs += 1
            total.approximated.update(filter(None, [" ".join(job.approximations)]))
            total.no_effect.update(job.no_effect)
            if job.session_id not in emulator.lifecycle.sessions:
                total.device += 0.0 if job.dry_run else job.device_seconds or 0.0
                total.usage += job.qpu_seconds
        total.by_plan[plan] = total.by_plan.get(plan, 0.0) + total.device - before
    return {
        "sessions": total.sessions,
        "batches": total.batches,
        "jobs": total.jobs,
        "usage_seconds": round(total.usage, 3),
        "device_seconds": round(total.device, 3),
        "device_seconds_by_plan": {
            plan: round(seconds, 3) for plan, seconds in total.by_plan.items()
        },
        "left_open": left,
        "approximated": dict(total.approximated),
        "options_without_effect": sorted(total.no_effect),
    }


def _left_open(
    emulator: Emulator, session: EmulatedSession, now: float, plan: str
) -> dict[str, Any]:
    """A session that nobody closed, and for how long it would be charged on, at most."""
    pending = sum(not job.final for job in emulator.lifecycle.jobs_of(session.id))
    seconds = 0.0
    if session.mode == "dedicated" and session.state == "active":
        assert session.started_at is not None
        seconds = max(0.0, session.started_at + session.max_ttl - now)
        if not pending and session.last_job_completed is not None:
            idle = session.last_job_completed + session.interactive_ttl - now
            seconds = min(seconds, max(0.0, idle))
    return {
        "id": session.id,
        "backend": session.backend,
        "mode": session.mode,
        "state": session.state,
        "pending_jobs": pending,
        "charged_on_seconds": round(seconds, 3),
        "plan": plan,
    }
