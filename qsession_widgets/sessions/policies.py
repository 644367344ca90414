"""Rules that end a session before it costs more than it should: functions of a snapshot and of now.

`qsession_widgets.sessions.policy_enforcer` ends the session when they say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median_low
from typing import Literal

from ..device_estimate import device_seconds
from ..errors import InvalidOption
from ..formatting import dollars_of, format_duration, format_money
from ..model import (
    ServiceInfo,
    SessionSnapshot,
    counted_of_pending,
    idle_since,
    noun,
    usage,
)
from ..options.open_options import OpenOptions
from ..options.validators import read_budget

WARN_AT = 0.8
"""The share of a budget at which a warning is given."""
SENDING = 1.0
"""Seconds after which to look again while a job is being sent."""
JUDGED_BY = 5
"""Jobs, those that ended last, whose time is expected of the next one."""


@dataclass(frozen=True)
class Policies:
    """When a session is to be ended.

    Attributes
    ----------
    idle_close : float or None
        Seconds with nothing pending.
    budget : float or None
        Seconds of usage.
    dollars : float or None
        The budget in US dollars, when it was given in them.
    max_jobs : int or None
        Number of jobs, whoever sends them; those that were paid for before do not count.
    before : frozenset of str
        Jobs that the session had when it was taken up, which do not count either.
    """

    idle_close: float | None = None
    budget: float | None = None
    dollars: float | None = None
    max_jobs: int | None = None
    before: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return (self.idle_close, self.budget, self.max_jobs) != (None, None, None)

    @classmethod
    def of(cls, options: OpenOptions, info: ServiceInfo) -> Policies:
        """The rules that options ask for, at a service's price.

        Raises
        ------
        UserError
            A budget in dollars where the service has no price.
        """
        if not options.budget:
            return cls(options.idle_close, max_jobs=options.max_jobs)
        seconds, dollars = read_budget(options.budget)
        if seconds is None:
            if not info.price_per_second:
                raise InvalidOption("budget", options.budget, "no_price")
            seconds = (dollars or 0.0) / info.price_per_second
        return cls(options.idle_close, seconds, dollars, options.max_jobs)


@dataclass(frozen=True)
class PolicyVerdict:
    """The verdict of the policies at one moment.

    Attributes
    ----------
    end : str or None
        Why it is to be ended, as a clause.
    by : {"idle_close", "budget", "budget_ahead", "max_jobs"}
        The policy that ends it.
    how : {"close", "cancel"}
        How. A spent budget cancels what is queued, for that would go on costing; a running job
        finishes either way.
    refuse : str or None
        Why a job is not to be sent, as a sentence.
    warn : str or None
        What is about to happen, as a sentence.
    again_in : float or None
        Seconds of service time until the rules may say something else without a new snapshot;
        None when only a snapshot can change it.
    spent : float or None
        The usage by which a budget ends it.
    """

    end: str | None = None
    by: Literal["idle_close", "budget", "budget_ahead", "max_jobs"] = "idle_close"
    how: Literal["close", "cancel"] = "close"
    refuse: str | None = None
    warn: str | None = None
    again_in: float | None = None
    spent: float | None = None


def judge(
    rules: Policies,
    snapshot: SessionSnapshot,
    now: float,
    *,
    sending: bool = False,
    executions: int | None = None,
) -> PolicyVerdict:
    """Apply rules to what is known of a session.

    Parameters
    ----------
    rules : Policies
        The rules.
    snapshot : SessionSnapshot
        The session.
    now : float
        Service clock.
    sending : bool
        Whether a job is on its way that the service has not accepted yet.
    executions : int, optional
        How many a job asks for that is to be sent; by it a job of the emulator's is judged.
    """
    if snapshot.state == "closed":
        return PolicyVerdict()
    word = noun(snapshot)
    end = refuse = warn = None
    how: Literal["close", "cancel"] = "close"
    by: Literal["idle_close", "budget", "budget_ahead", "max_jobs"] | None = None
    due: list[float] = []
    spent = 0.0
    if rules.budget is not None:
        spent = usage(snapshot, now).total
        figures = _figures(rules, snapshot, spent)
        if spent >= rules.budget:
            refuse = (
                f"The budget of this {word} is spent ({figures}): the job was not sent. Open "
                f"another {word} with a budget of its own to go on."
            )
            end, how, by = f"its budget is spent ({figures})", "cancel", "budget"
        else:
            ahead = look_ahead(snapshot, now, executions)
            if ahead.one > rules.budget:
                refuse = (
                    f"This job alone would exceed the budget of this {word} ({figures}; "
                    f"{_expected(rules, snapshot, ahead.one, 0.0)}): the job was not sent. Ask for "
                    f"fewer shots or circuits, or open another {word} with a larger budget."
                )
            elif spent + ahead.pending + ahead.one > rules.budget:
                refuse = (
                    f"The budget of this {word} would be exceeded ({figures}; "
                    f"{_expected(rules, snapshot, ahead.one, ahead.pending)}): the job was not "
                    "sent. Open another "
                    f"{word} with a budget of its own to go on."
                )
            if _queued(snapshot) and spent + ahead.running + ahead.queued > rules.budget:
                # once the next job runs, nothing stops it
                expected = _expected(rules, snapshot, ahead.queued, ahead.running)
                end = f"its budget would be exceeded ({figures}; {expected})"
                how, by = "cancel", "budget_ahead"
            if spent >= WARN_AT * rules.budget:
                warn = (
                    f"{spent / rules.budget:.0%} of the budget is used ({figures}). At 100% the "
                    f"{word} ends and queued jobs are cancelled."
                )
            elif spent + ahead.pending >= WARN_AT * rules.budget:
                warn = (
                    f"The jobs that are queued and running are expected to take the budget to "
                    f"{(spent + ahead.pending) / rules.budget:.0%} ({figures} so far). At 100% the "
                    f"{word} ends and queued jobs are cancelled."
                )
            if snapshot.state == "active" and snapshot.mode != "batch":
                limits = (WARN_AT * rules.budget, rules.budget)
                due += [limit - spent for limit in limits if limit > spent]
    full = rules.max_jobs is not None and _counted(snapshot, rules.before) >= rules.max_jobs
    if full:
        refuse = refuse or (
            f"This {word} has had as many jobs as it may have (--max-jobs {rules.max_jobs}): the "
            f"job was not sent. Open another {word} to go on."
        )
        end = end or f"as many jobs as it may have were sent (--max-jobs {rules.max_jobs})"
    if rules.idle_close is not None and not snapshot.pending() and snapshot.accepting_jobs:
        since = idle_since(snapshot)
        left = since + rules.idle_close - now
        if left > 0:
            due.append(left)
        elif sending:
            due.append(SENDING)
        else:
            end = (
                end or f"nothing was pending for {format_duration(rules.idle_close)} (--idle-close)"
            )
    if not snapshot.accepting_jobs and not (how == "cancel" and _queued(snapshot)):
        end = None
    # a budget alone cancels
    figure = spent if by is not None and end is not None else None
    by = by or ("max_jobs" if full else "idle_close")
    return PolicyVerdict(end, by, how, refuse, warn, min(due) if due else None, figure)


def _counted(snapshot: SessionSnapshot, before: frozenset[str]) -> int:
    """The number of jobs that were sent to a session, whatever became of them."""
    return sum(not job.stray and not job.reused and job.id not in before for job in snapshot.jobs)


@dataclass(frozen=True)
class LookAhead:
    """Usage that is to be expected of jobs, in seconds; 0 where nothing is known to judge by.

    It is IBM's estimate by a job's executions on the emulator, which counts by it, and on IBM until
    two jobs have ended. From then on, and where the executions are unknown, it is as the last jobs
    took.

    Attributes
    ----------
    one : float
        Of one more job.
    running, queued : float
        What is left of the running job, and the queued one after it.
    pending : float
        Of all jobs that are queued or running.
    """

    one: float = 0.0
    running: float = 0.0
    queued: float = 0.0
    pending: float = 0.0


def look_ahead(snapshot: SessionSnapshot, now: float, executions: int | None = None) -> LookAhead:
    """Estimate what pending jobs, and one more, add to the usage.

    Parameters
    ----------
    snapshot : SessionSnapshot
        The session or batch.
    now : float
        Service clock.
    executions : int, optional
        Of the one more.
    """
    emulated = snapshot.device_time is not None
    dedicated = snapshot.mode == "dedicated" and not emulated
    took = [
        job.finished - job.started if dedicated else job.charged_seconds
        for job in snapshot.jobs
        if job.status == "done" and not job.stray
        if job.started is not None and job.finished is not None
    ]
    known = [seconds for seconds in took[-JUDGED_BY:] if seconds is not None]
    # on IBM the first one may have waited for much that the next ones do not
    judged = len(known) >= (1 if emulated else 2)
    usual = median_low(known) if judged else 0.0
    estimated = emulated or not judged

    def expected(asked: int | None) -> float:
        return device_seconds(asked) if estimated and asked is not None else usual

    running, queued = 0.0, []
    counted = counted_of_pending(snapshot, now)
    for job in snapshot.pending():
        takes = expected(job.executions)
        if emulated:
            ran = min(counted, takes)
            counted -= ran
        else:
            ran = now - job.started if job.started is not None and snapshot.mode != "batch" else 0.0
        if job.status == "queued":
            queued.append(takes - ran if emulated else takes)
        else:
            running += max(0.0, takes - ran)
    return LookAhead(
        expected(executions), running, queued[0] if queued else 0.0, running + sum(queued)
    )


def _expected(rules: Policies, snapshot: SessionSnapshot, one: float, before: float) -> str:
    """Words for the usage that one more job is expected to add, and those before it."""

    def words(seconds: float) -> str:
        if rules.dollars is None:
            return format_duration(seconds)
        cost = dollars_of(seconds, snapshot.service.price_per_second)
        return f"≈ {format_money(cost or 0.0)}"

    more = f"jobs before it {words(before)} more; " if before > 0 else ""
    return f"{more}a job is expected to take {words(one)}"


def _queued(snapshot: SessionSnapshot) -> bool:
    return any(job.status == "queued" for job in snapshot.pending())


def _figures(rules: Policies, snapshot: SessionSnapshot, spent: float) -> str:
    # on the emulator it is the time of a device that counts, by an estimate
    where = "" if snapshot.device_time is None else ", estimated for a device"
    if rules.dollars is not None:
        cost = dollars_of(spent, snapshot.service.price_per_second, snapshot.usage_final) or 0.0
        return f"≈ {format_money(cost)} of {format_money(rules.dollars)}{where}"
    return f"{format_duration(spent)} of {format_duration(rules.budget or 0.0)}{where}"
