"""Models of the service's answers, for OpenAPI and for the tests that validate them.

Answers are written as plain dictionaries, so these models are imported only when somebody asks for
the description: building them takes a tenth of the time in which an emulator starts.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

JobStatusName = Literal[
    "Queued", "Running", "Completed", "Cancelled", "Cancelled - Ran too long", "Failed"
]


class Error(BaseModel):
    """One error."""

    code: int
    message: str
    solution: str
    more_info: str


class Errors(BaseModel):
    """Every answer that is not a success."""

    errors: list[Error]
    trace: str


class Timestamp(BaseModel):
    """Time at which a session entered a state."""

    status: Literal["open", "active", "inactive", "closed"]
    timestamp: str


class DeviceTime(BaseModel):
    """Estimate of the time that a session's jobs that are over would take on a device.

    IBM has no such field. ``busy_seconds`` is for how long jobs ran here, and ``busy_since`` since
    when one or more of them run. ``running_device_seconds`` is for how long a device would run the
    job that runs; null while none does, or while that is unknown.
    """

    device_seconds: float
    busy_seconds: float
    busy_since: str | None
    running_device_seconds: float | None


class SessionAnswer(BaseModel):
    """A session or batch."""

    id: str
    backend_name: str
    mode: Literal["dedicated", "batch"]
    state: Literal["open", "active", "inactive", "closed"]
    state_reason: str
    accepting_jobs: bool
    interactive_ttl: float
    active_ttl: float
    max_ttl: float
    elapsed_time: float
    started_at: str | None = None
    activated_at: str | None = None
    closed_at: str | None = None
    last_job_started: str | None = None
    last_job_completed: str | None = None
    timestamps: list[Timestamp]
    user_id: str
    emulator: DeviceTime


class JobState(BaseModel):
    """Status of a job."""

    status: Literal["Queued", "Running", "Completed", "Cancelled", "Failed"]
    reason: str | None = None
    reason_code: int | None = None
    reason_solution: str | None = None


class Program(BaseModel):
    """Program of a job."""

    id: str


class Usage(BaseModel):
    """Usage of a job, in seconds."""

    qpu_charge_time_seconds: float
    status: Literal["pending", "complete"]


class Simulated(BaseModel):
    """Simulation of a job, and how long a device would take; IBM has no such field."""

    method: str | None
    approximation: str | None
    options_without_effect: list[str]
    device_seconds: float | None


class JobAnswer(BaseModel):
    """A job."""

    id: str
    backend: str
    status: JobStatusName
    state: JobState
    program: Program
    created: str
    cost: int
    tags: list[str]
    session_id: str | None = None
    user_id: str
    usage: Usage
    private: bool
    calibration_id: str | None = None
    estimated_running_time_seconds: float | None = None
    params: dict[str, Any] | None = None
    emulator: Simulated | None = None


class JobsAnswer(BaseModel):
    """A page of jobs."""

    jobs: list[JobAnswer]
    count: int
    limit: int
    offset: int


class JobCreated(BaseModel):
    """A job was accepted."""

    id: str
    backend: str
    session_id: str | None = None
    private: bool = False
    calibration_id: str | None = None


class JobTimes(BaseModel):
    """Times at which a job was accepted, began to run and ended."""

    created: str
    running: str | None
    finished: str | None


class MetricsAnswer(BaseModel):
    """Metrics of a job."""

    timestamps: JobTimes
    usage: Usage
    circuits_execution_time_ns: int | None = None
    caller: str | None = None


class Cursor(BaseModel):
    """Link to another page."""

    href: str


class WorkloadUsage(BaseModel):
    """Usage of a workload; for a job with a flag that says if it is final."""

    qpu_charge_time_seconds: float
    status: Literal["pending", "complete"] | None = None


class WorkloadAnswer(BaseModel):
    """A job in job mode, a session or a batch."""

    id: str
    created: str
    ended: str | None = None
    backend: str
    instance: str
    user_id: str
    accepting_jobs: bool | None
    mode: Literal["job", "session", "batch"]
    status: Literal["completed", "canceled", "failed", "pending", "in_progress"]
    status_reason: str | None = None
    tags: list[str]
    usage_seconds: float
    usage: WorkloadUsage


class WorkloadsAnswer(BaseModel):
    """A page of workloads."""

    workloads: list[WorkloadAnswer]
    total_count: int
    limit: int
    previous: Cursor | None = None
    next: Cursor | None = None


class WaitTime(BaseModel):
    """Queue times of jobs, in seconds."""

    average: int
    p50: int
    p95: int


class DeviceStatus(BaseModel):
    """Status of a backend."""

    name: Literal["online", "paused", "offline"]
    reason: str | None = None


class DeviceAnswer(BaseModel):
    """A backend in the list."""

    model_config = ConfigDict(extra="allow")

    name: str
    status: DeviceStatus
    is_simulator: bool
    qubits: int
    queue_length: int
    wait_time_seconds: WaitTime | None = None


class BackendsAnswer(BaseModel):
    """All backends."""

    devices: list[DeviceAnswer]


class StatusAnswer(BaseModel):
    """Status of a backend and length of its queue."""

    state: bool
    status: str
    message: str
    length_queue: int
    backend_version: str


class UsageAnswer(BaseModel):
    """Usage of an instance."""

    instance_id: str
    plan_id: str
    usage_consumed_seconds: float
    usage_period: dict[str, str] | None = None
    usage_limit_seconds: float | None = None
    usage_allocation_seconds: float | None = None
    usage_limit_reached: bool | None = None


class InstanceAnswer(BaseModel):
    """An instance."""

    plan_id: str
    backends: list[str]
    instance_limit: float | None = None
    instance_limit_seconds: str | None = None
    usage_allocation_seconds: str | None = None


class TagsAnswer(BaseModel):
    """Tags that were found."""

    tags: list[str]


class VersionAnswer(BaseModel):
    """A version of the API."""

    version: str
    status: Literal["live", "deprecated"]


class VersionsAnswer(BaseModel):
    """The versions of the API."""

    versions: list[VersionAnswer]


ANSWERS: dict[tuple[str, str], type[BaseModel]] = {
    ("post", "/sessions"): SessionAnswer,
    ("get", "/sessions/{session_id}"): SessionAnswer,
    ("post", "/jobs"): JobCreated,
    ("get", "/jobs"): JobsAnswer,
    ("get", "/jobs/{job_id}"): JobAnswer,
    ("get", "/jobs/{job_id}/metrics"): MetricsAnswer,
    ("get", "/tags"): TagsAnswer,
    ("get", "/workloads"): WorkloadsAnswer,
    ("get", "/backends"): BackendsAnswer,
    ("get", "/backends/{name}/status"): StatusAnswer,
    ("get", "/instances/usage"): UsageAnswer,
    ("get", "/instance"): InstanceAnswer,
    ("get", "/versions"): VersionsAnswer,
}
"""The body of each route's success, by method and path below ``/api/v1``."""
