"""Documents for the page, in plain JSON types.

`facts` is what deserves a new revision; `complete` adds what moves with every answer of a service,
as it is at the moment a page is told.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ..model import SCHEMA_VERSION, Blocker, SessionSnapshot
from ..monitoring.waits import blocker_among
from ..registry.schema import RegistryEntry
from ..views.protocol import bounded_others
from .history import Spent
from .owners import Kernel
from .service_watcher import ServiceWatcher

MOST_JOBS = 20
"""Jobs of a workload that the overview holds."""

MOVING = ("answered_at", "clock_offset", "poll_interval")
"""Fields that change with every answer, and do not wake a page."""

MOST_CLOSED = 30
"""Closed workloads of a service that are told with jobs; of older ones their counts must do."""

Facts = dict[str, Any]

Kept = dict[str, tuple[SessionSnapshot, int, Facts]]
"""Cache of serialized snapshots by session id: most are the same the next time."""


def to_json(snapshot: SessionSnapshot, most_jobs: int | None = MOST_JOBS) -> Facts:
    """A snapshot with its newest jobs, or with all of them, and counts and QPU time of all.

    ``earlier_qpu`` is the QPU time, in seconds, of the jobs that are left out. QPU times are those
    that IBM would charge, on the emulator too.
    """
    first = 0 if most_jobs is None else max(0, len(snapshot.jobs) - most_jobs)
    # a job's fields are plain, and asdict takes twenty times as long
    earlier = sum(job.charged_seconds or 0.0 for job in snapshot.jobs[:first] if not job.stray)
    jobs = [{**vars(job), "qpu_seconds": job.charged_seconds} for job in snapshot.jobs[first:]]
    facts = snapshot.facts()
    facts["others"] = bounded_others(facts["others"])
    return {**facts, "jobs": jobs, "earlier_qpu": round(earlier, 3)}


def facts(
    watches: Mapping[str, ServiceWatcher],
    notes: Mapping[str, RegistryEntry],
    opened_by: Mapping[str, Sequence[Facts]],
    kernels: Mapping[str, Kernel],
    kept: Kept,
    spent: Sequence[Spent] = (),
) -> Facts:
    """All that is known, without what moves.

    Parameters
    ----------
    watches : mapping
        The services by key.
    notes, opened_by : mapping
        What kernels wrote down of sessions, and what to say about it, by session id.
    kernels : mapping
        This server's kernels that opened any, by id.
    kept : dict
        From one call to the next; is changed.
    spent : sequence of Spent
        What ended sessions cost; of those that are not listed as workloads it is told.
    """
    services, workloads = [], []
    before = dict(kept)
    kept.clear()
    for key, watch in watches.items():
        trouble = {"problem": watch.health.problem, "problem_since": watch.health.problem_since()}
        services.append(
            {
                "key": key,
                "info": asdict(watch.info),
                "account": watch.source.account,
                "unread": watch.unread,
                "quota_left": watch.quota_left,
                **trouble,
            }
        )
        closed = 0
        all_known = watch.snapshots()
        for snapshot in all_known:
            closed += snapshot.state == "closed"
            most_jobs = MOST_JOBS if closed <= MOST_CLOSED else 0
            known = before.get(snapshot.session_id)
            if known is None or known[0] is not snapshot or known[1] != most_jobs:
                known = (snapshot, most_jobs, to_json(snapshot, most_jobs))
            kept[snapshot.session_id] = known
            note = notes.get(snapshot.session_id)
            told = _snapshot(known[2], note, trouble)
            if blocker := blocker_among(snapshot, all_known, watch.clock.now()):
                told["blocker"] = _blocker(blocker, notes.get(blocker.session_id))
            workloads.append(
                {
                    "service": key,
                    "snapshot": told,
                    "opened_by": next(iter(opened_by.get(snapshot.session_id, ())), None),
                    "also": list(opened_by.get(snapshot.session_id, ()))[1:],
                    "events": [asdict(event) for event in note.events] if note else [],
                }
            )
    return {
        "services": services,
        "workloads": workloads,
        "kernels": {kernel_id: kernel.to_json() for kernel_id, kernel in kernels.items()},
        "spent": [[one.at, one.cost, one.charged] for one in spent if one.session_id not in kept],
    }


def complete(known: Facts, watches: Mapping[str, ServiceWatcher], revision: int) -> Facts:
    """The whole document, as of now.

    Parameters
    ----------
    known : dict
        What `facts` gave.
    watches : mapping
        The services by key, for what moves.
    revision : int
        The document's.
    """
    return {
        "schema": SCHEMA_VERSION,
        "revision": revision,
        "now": time.time(),
        "services": [
            {**service, **_moving_service(watches.get(service["key"]))}
            for service in known.get("services", ())
        ],
        "workloads": [
            {
                **workload,
                "snapshot": {
                    **workload["snapshot"],
                    **_moving_snapshot(
                        watches.get(workload["service"]), workload["snapshot"]["session_id"]
                    ),
                },
            }
            for workload in known.get("workloads", ())
        ],
        "kernels": known.get("kernels", {}),
        "spent": known.get("spent", []),
    }


def _snapshot(known: Facts, note: RegistryEntry | None, trouble: Facts) -> Facts:
    told = {name: value for name, value in known.items() if name not in MOVING}
    if not known["usage_final"]:
        del told["usage_seconds"]
    if trouble["problem"] is not None:
        told.update(trouble)
    if note is not None:
        told["name"], told["notebook"] = note.name, note.notebook
    return told


def _blocker(blocker: Blocker, note: RegistryEntry | None) -> Facts:
    named = {} if note is None else {"name": note.name, "notebook": note.notebook}
    return {**asdict(blocker), **named}


def _moving_service(watch: ServiceWatcher | None) -> Facts:
    if watch is None:
        return {"clock_offset": 0.0, "answered_at": None}
    return {"clock_offset": watch.clock.offset, "answered_at": watch.health.answered_at}


def _moving_snapshot(watch: ServiceWatcher | None, session_id: str) -> Facts:
    snapshot = watch.snapshot(session_id) if watch else None
    if snapshot is None:
        # it went between two looks; the next revision does not have it
        return dict.fromkeys((*MOVING, "usage_seconds"), 0.0)
    return {name: getattr(snapshot, name) for name in (*MOVING, "usage_seconds")}
