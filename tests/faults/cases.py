"""The cells of the fault matrix: each fault, each action, and what means nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FAULTS: dict[str, dict[str, Any] | str] = {
    "down": "down",
    "dropped before": {"drop": True},
    "dropped after": {"drop": True, "after": True},
    "half body": {"half": True},
    "429, Retry-After": {"status": 429, "retry_after": 1},
    "500": {"status": 500},
    "500 after the effect": {"status": 500, "after": True},
    "408 after the effect": {"status": 408, "after": True},
    "409 after the effect": {"status": 409, "after": True},
    "503 HTML": {"status": 503, "body": "html"},
    "HTML under 200": {"body": "html"},
    "30 s late": {"delay": 30},
    "malformed": {"body": "malformed"},
    "truncated": {"body": "truncated"},
    "`[]`": {"body": "list"},
    "`null`": {"body": "null"},
    "empty": {"body": "empty"},
    "401": "401",
    "clock +1 h": "clock +1 h",
    "clock -1 h": "clock -1 h",
    "disk full": "disk full",
    "kernel killed": "kernel killed",
    "Jupyter server restarted": "Jupyter server restarted",
    "network gone 60 s": "network gone 60 s",
}
"""Each fault hits one request of the action, or lasts while the action runs."""

LINE = "%%session --service ibm --backend aer --max-time 9m"
RUN = "job = SamplerV2().run([(measured,)])"
WATCH = """problems = []
unsubscribe = session._live.monitor.subscribe(lambda s: problems.append(s.problem))
try:
    _ = session.wait_for(lambda s: s.answered_at > since, timeout=10)
finally:
    unsubscribe()
    print(*dict.fromkeys(filter(None, problems)))
"""
WAIT = "job.wait_for_final_state()"
RESULT = "print('Counts', job.result()[0].data.meas.get_counts())"


@dataclass(frozen=True)
class Action:
    """Something a user does.

    Attributes
    ----------
    method, path : str
        The request that carries it.
    cell : str
        What is run.
    before : tuple of str
        Cells that run first.
    changes : bool
        Whether the request has an effect.
    """

    method: str
    path: str
    cell: str
    before: tuple[str, ...] = (f"{LINE}\npass",)
    changes: bool = True


ACTIONS = {
    "open": Action("POST", "/sessions", f"{LINE}\npass", ()),
    "submit": Action("POST", "/jobs", RUN),
    "poll": Action("GET", "/sessions/*", WATCH),
    "result": Action("GET", "/jobs/*/results", RESULT, (f"{LINE}\n{RUN}\n{WAIT}",)),
    "close": Action("PATCH", "/sessions/*", "%session close"),
    "cancel": Action("DELETE", "/sessions/*", "%session cancel"),
    "attach": Action("GET", "/sessions/*", "%session attach {other}", ()),
    "list": Action("GET", "/workloads", "%session list"),
}
QUESTIONS = ("poll", "result", "attach", "list")

MEANINGLESS = {
    **{
        (fault, action): "a question has no effect"
        for action in QUESTIONS
        for fault in FAULTS
        if fault == "dropped after" or fault.endswith("after the effect")
    },
    **{("kernel killed", action): "nobody is left who asked" for action in QUESTIONS},
    **{
        ("Jupyter server restarted", action): "its kernels end with it: nobody is left who asked"
        for action in QUESTIONS
    },
    **{("disk full", action): "nothing is written" for action in ("poll", "result", "list")},
}
"""Cells that mean nothing, and why."""


@dataclass
class Cell:
    """What came of one cell of the matrix."""

    fault: str
    action: str
    seen: str
    verdict: str
    seconds: float
