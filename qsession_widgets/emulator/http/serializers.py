"""Serialize records as the service does.

The dictionaries are built by hand, because two hundred of them are asked for at once.
"""

from __future__ import annotations

import math
from typing import Any

from ..core import Emulator
from ..rules.lifecycle import RAN_TOO_LONG, REASON_CANCELLED
from ..rules.records import EmulatedJob, EmulatedSession
from .common import iso

_WORKLOAD_STATUS = {
    "Queued": "pending",
    "Running": "in_progress",
    "Completed": "completed",
    "Cancelled": "canceled",
    "Cancelled - Ran too long": "failed",
    "Failed": "failed",
}


def _number(seconds: float) -> float:
    # whole seconds are written as the integers they are
    rounded = round(seconds, 3)
    return int(rounded) if rounded == int(rounded) else rounded


def session(emulator: Emulator, record: EmulatedSession, now: float) -> dict[str, Any]:
    """A session or batch."""
    remaining = record.max_ttl
    if record.started_at is not None:
        end = now if record.closed_at is None else record.closed_at
        remaining = max(0.0, record.started_at + record.max_ttl - end)
    planned = emulator.lifecycle.planned(record.id)
    return {
        "id": record.id,
        "backend_name": record.backend,
        "mode": record.mode,
        "state": record.state,
        "state_reason": record.state_reason,
        "accepting_jobs": record.accepting_jobs,
        "interactive_ttl": _number(record.interactive_ttl),
        "active_ttl": math.ceil(remaining),
        "max_ttl": _number(record.max_ttl),
        "elapsed_time": _number(emulator.lifecycle.usage(record.id, now)),
        "started_at": iso(record.started_at),
        "activated_at": iso(record.activated_at),
        "closed_at": iso(record.closed_at),
        "last_job_started": iso(record.last_job_started),
        "last_job_completed": iso(record.last_job_completed),
        "timestamps": [
            {"status": status, "timestamp": iso(at)} for status, at in record.timestamps
        ],
        "user_id": record.user,
        # IBM has no such field
        "emulator": {
            "device_seconds": _number(record.device_seconds),
            "busy_seconds": _number(record.busy_seconds),
            "busy_since": iso(record.busy_since),
            "running_device_seconds": None if planned is None else _number(planned),
        },
    }


def _usage(record: EmulatedJob) -> dict[str, Any]:
    return {
        "qpu_charge_time_seconds": _number(record.qpu_seconds),
        "status": "complete" if record.final else "pending",
    }


def job(record: EmulatedJob) -> dict[str, Any]:
    """A job, without its parameters."""
    status = record.status
    # the client waits for ever on a state it does not know; the code tells this one from the other
    state: dict[str, Any] = {"status": "Cancelled" if status.startswith("Cancelled") else status}
    if record.reason is not None:
        state["reason"] = record.reason
    if record.reason_code is not None:
        state["reason_code"] = record.reason_code
        if record.reason_code == RAN_TOO_LONG:
            state["reason_solution"] = "Split the job, or allow it a longer max_execution_time."
    answer: dict[str, Any] = {
        "id": record.id,
        "backend": record.backend,
        "status": status,
        "state": state,
        "program": {"id": record.program_id},
        "created": iso(record.created),
        "cost": math.ceil(record.max_execution_time),
        "tags": list(record.tags),
        "user_id": record.user,
        "usage": _usage(record),
        "private": record.private,
    }
    if record.session_id is not None:
        answer["session_id"] = record.session_id
    if record.calibration_id is not None:
        answer["calibration_id"] = record.calibration_id
    if record.final:
        seconds = (record.device_seconds or 0.0) if record.dry_run else record.qpu_seconds
        answer["estimated_running_time_seconds"] = _number(seconds)
    if record.device_seconds is not None or record.methods or record.no_effect:
        answer["emulator"] = _simulated(record)
    return answer


def _simulated(record: EmulatedJob) -> dict[str, Any]:
    """The simulation of a job, for which IBM has no field."""
    seconds = 0.0 if record.dry_run else record.device_seconds
    return {
        "method": ", ".join(record.methods) or None,
        "approximation": " ".join(record.approximations) or None,
        "options_without_effect": list(record.no_effect),
        "device_seconds": None if seconds is None else _number(seconds),
    }


def metrics(record: EmulatedJob) -> dict[str, Any]:
    """Metrics of a job."""
    answer: dict[str, Any] = {
        "timestamps": {
            "created": iso(record.created),
            "running": iso(record.started),
            "finished": iso(record.finished),
        },
        "usage": _usage(record),
    }
    if record.status == "Completed":
        answer["circuits_execution_time_ns"] = round(record.qpu_seconds * 1e9)
    return answer


def _workload(record: EmulatedJob | EmulatedSession) -> dict[str, Any]:
    """The fields that a job, a session and a batch have in common as workloads."""
    return {
        "id": record.id,
        "created": iso(record.created),
        "backend": record.backend,
        "instance": record.instance,
        "user_id": record.user,
        "tags": list(record.tags),
    }


def workload_of_job(record: EmulatedJob) -> dict[str, Any]:
    """A job in job mode, as a workload."""
    answer: dict[str, Any] = {
        **_workload(record),
        "accepting_jobs": None,
        "mode": "job",
        "status": job_status(record),
        "usage_seconds": _number(record.qpu_seconds),
        "usage": _usage(record),
    }
    if record.finished is not None:
        answer["ended"] = iso(record.finished)
    if record.reason is not None:
        answer["status_reason"] = record.reason
    return answer


def job_status(record: EmulatedJob) -> str:
    """The status of a job as a workload."""
    return _WORKLOAD_STATUS[record.status]


def session_status(record: EmulatedSession) -> str:
    """The status of a session as a workload."""
    if record.state == "closed":
        return "canceled" if record.state_reason == REASON_CANCELLED else "completed"
    return "in_progress" if record.state == "active" else "pending"


def workload_of_session(emulator: Emulator, record: EmulatedSession, now: float) -> dict[str, Any]:
    """A session or batch, as a workload."""
    seconds = _number(emulator.lifecycle.usage(record.id, now))
    answer: dict[str, Any] = {
        **_workload(record),
        "accepting_jobs": record.accepting_jobs,
        "mode": "session" if record.mode == "dedicated" else "batch",
        "status": session_status(record),
        "usage_seconds": seconds,
        "usage": {"qpu_charge_time_seconds": seconds},
    }
    if record.closed_at is not None:
        answer["ended"] = iso(record.closed_at)
    return answer
