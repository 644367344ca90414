"""The checks of the fault matrix: empty where what was said of a cell is so, or what is wrong."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .matrix import Bench


def until(condition: Callable[[], object], seconds: float) -> bool:
    """Wait until something holds; whether it does."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _error_is_told(ran: Any) -> str:
    if "Session error: " in ran.said or "What this means: " in ran.said:
        return ""
    return f"{type(ran.error).__name__} is not explained"


def _check_open(bench: Bench, ran: Any, said: str, _: str) -> str:
    from qsession_widgets.sessions.binding import BINDING

    there = bench.open_sessions()
    if ran.error is None:
        bound = BINDING.bound.monitor.session_id if BINDING.bound else ""
        return "" if there == [bound] else f"{len(there)} sessions are open"
    if there and "may have been accepted" not in said and there[0] not in said:
        return "a session is open, and nothing was said of it"
    return _error_is_told(ran)


def _check_submit(bench: Bench, ran: Any, said: str, _: str) -> str:
    jobs = bench.ask("GET", "/jobs")["jobs"]
    if ran.error is None:
        mine = bench.shell.user_ns["job"].job_id()
        return "" if [job["id"] for job in jobs] == [mine] else f"{len(jobs)} jobs for one call"
    if jobs and "may have been accepted" not in said:
        return "a job was accepted, and nothing was said of it"
    return _error_is_told(ran)


def _check_poll(bench: Bench, ran: Any, said: str, _: str) -> str:
    session = bench.shell.user_ns["session"]
    with suppress(Exception):
        session.wait_for(lambda s: s.problem is None, timeout=60)
    if session.snapshot.problem is not None:
        return "the problem is still told"
    if session.snapshot.state != "open":
        return f"the state is told as {session.snapshot.state}"
    return _error_is_told(ran) if ran.error else ""


def _check_result(bench: Bench, ran: Any, said: str, _: str) -> str:
    if ran.error is None:
        return "" if "Counts {'1': 4096}" in said else "the result is another one"
    return _error_is_told(ran)


def _check_end(bench: Bench, ran: Any, said: str, _: str) -> str:
    there = bench.open_sessions()
    if ran.error is None:
        return "told as ended, and open" if there else ""
    if "It is not known" in said:
        ended = until(lambda: not bench.open_sessions(), 120)
        return "" if ended else "asked for, and never ended"
    if not there:
        return "told as not ended, and it has ended"
    return _error_is_told(ran)


def _check_attach(bench: Bench, ran: Any, said: str, other: str) -> str:
    from qsession_widgets.sessions.binding import BINDING

    bound = BINDING.bound.monitor.session_id if BINDING.bound else ""
    if ran.error is None:
        return "" if bound == other else "another session is bound"
    return "told as failed, and bound" if bound else _error_is_told(ran)


def _check_list(bench: Bench, ran: Any, said: str, _: str) -> str:
    if ran.error is not None:
        return _error_is_told(ran)
    (there,) = bench.open_sessions()
    listing = repr(ran.value)
    return "" if there in listing or ran.value.problems else "what is open is not listed"


CHECKS: dict[str, Callable[[Bench, Any, str, str], str]] = {
    "open": _check_open,
    "submit": _check_submit,
    "poll": _check_poll,
    "result": _check_result,
    "close": _check_end,
    "cancel": _check_end,
    "attach": _check_attach,
    "list": _check_list,
}
