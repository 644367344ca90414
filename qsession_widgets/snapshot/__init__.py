"""What is known of one session at one moment, and every number derived from it.

Views are functions of a `SessionSnapshot` and of *now*; snapshots know nothing of views.
Pure: no I/O, and *now* is handed in.

``known`` has the facts as the service gave them, ``numbers`` what follows from them, ``fields`` how
the service spells them, and ``events`` what happened between two snapshots.
"""

from .known import (
    EMPTY_SESSION_TTL,
    FINAL_STATUSES,
    SCHEMA_VERSION,
    JobRecord,
    JobStatus,
    ServiceInfo,
    SessionSnapshot,
    count_jobs,
)
from .numbers import (
    Countdown,
    Usage,
    empty_timeout,
    headline,
    idle_since,
    idle_timeout,
    interactive_timeout,
    maximum_time,
    noun,
    usage,
)

__all__ = [
    "EMPTY_SESSION_TTL",
    "FINAL_STATUSES",
    "SCHEMA_VERSION",
    "Countdown",
    "JobRecord",
    "JobStatus",
    "ServiceInfo",
    "SessionSnapshot",
    "Usage",
    "count_jobs",
    "empty_timeout",
    "headline",
    "idle_since",
    "idle_timeout",
    "interactive_timeout",
    "maximum_time",
    "noun",
    "usage",
]
