"""Snapshots of a session, and everything derived from one.

Views are functions of a `SessionSnapshot` and of *now*; snapshots know nothing of views.
Pure: no I/O, and *now* is handed in.

``snapshot`` has the facts as the service gave them, ``job`` those of each job, ``metrics`` the
numbers and the phase derived from them, ``objective`` the summary of each series of values,
``labels`` the sums of jobs by their labels, ``events`` the differences between two snapshots, and
``results`` the codes that requests return.
"""

from .countdowns import (
    Countdown,
    empty_timeout,
    idle_since,
    idle_timeout,
    interactive_timeout,
    maximum_time,
)
from .job import FINAL_STATUSES, READ_SERIES, JobRecord, JobStatus, SeriesPoint, count_jobs
from .labels import LabelSum, label_sums
from .metrics import (
    Phase,
    Reused,
    Usage,
    amount,
    counted_of_pending,
    counted_usage,
    deferred,
    device_elapsed,
    noun,
    past_maximum,
    phase,
    provisional,
    quota_left,
    reused,
    usage,
)
from .objective import SeriesSummary, summaries
from .results import EndCode, EndResult
from .snapshot import (
    EMPTY_SESSION_TTL,
    SCHEMA_VERSION,
    Blocker,
    EndReason,
    ServiceInfo,
    SessionSnapshot,
    UnknownRequest,
)

__all__ = [
    "EMPTY_SESSION_TTL",
    "FINAL_STATUSES",
    "READ_SERIES",
    "SCHEMA_VERSION",
    "Blocker",
    "Countdown",
    "EndCode",
    "EndReason",
    "EndResult",
    "JobRecord",
    "JobStatus",
    "LabelSum",
    "Phase",
    "Reused",
    "SeriesPoint",
    "SeriesSummary",
    "ServiceInfo",
    "SessionSnapshot",
    "UnknownRequest",
    "Usage",
    "amount",
    "count_jobs",
    "counted_of_pending",
    "counted_usage",
    "deferred",
    "device_elapsed",
    "empty_timeout",
    "idle_since",
    "idle_timeout",
    "interactive_timeout",
    "label_sums",
    "maximum_time",
    "noun",
    "past_maximum",
    "phase",
    "provisional",
    "quota_left",
    "reused",
    "summaries",
    "usage",
]
