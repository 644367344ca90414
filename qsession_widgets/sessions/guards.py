"""Rules that end a session before it costs more than it should.

`judge` is the rule, a function of a snapshot and of now. `Guard` is the wiring: a thread that wakes
when something changed or when the next limit is due, and ends the session when the rule says so.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from ..durations import money, words
from ..errors import UserError
from ..options.readers import read_budget
from ..options.table import OpenOptions
from ..snapshot import ServiceInfo, SessionSnapshot, idle_since, noun, usage

if TYPE_CHECKING:
    from collections.abc import Hashable

logger = logging.getLogger(__name__)

WARN_AT = 0.8
"""The share of a budget at which a warning is given."""
RETRY = 5.0
"""Seconds after which an end that failed is tried again."""
SENDING = 1.0
"""Seconds after which to look again while a job is being sent."""
PATIENCE = 60.0
"""The most seconds between two looks while usage goes on."""


@dataclass(frozen=True)
class Rules:
    """When a session is to be ended.

    Attributes
    ----------
    idle_close : float or None
        Seconds with nothing pending.
    budget : float or None
        Seconds of usage.
    dollars : float or None
        The budget in US dollars, when it was given in them.
    """

    idle_close: float | None = None
    budget: float | None = None
    dollars: float | None = None

    def __bool__(self) -> bool:
        return self.idle_close is not None or self.budget is not None

    @classmethod
    def of(cls, options: OpenOptions, info: ServiceInfo) -> Rules:
        """The rules that options ask for, at a service's price.

        Raises
        ------
        UserError
            A budget in dollars where the service has no price.
        """
        if not options.budget:
            return cls(options.idle_close)
        seconds, dollars = read_budget(options.budget)
        if seconds is None:
            if not info.price_per_second:
                raise UserError(
                    f"--budget {options.budget!r} needs a price, and this plan has none: give the "
                    "budget as a time, such as --budget 5m."
                )
            seconds = (dollars or 0.0) / info.price_per_second
        return cls(options.idle_close, seconds, dollars)


@dataclass(frozen=True)
class Verdict:
    """What the rules say at one moment.

    Attributes
    ----------
    end : str or None
        Why it is to be ended, as a clause.
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
    """

    end: str | None = None
    how: Literal["close", "cancel"] = "close"
    refuse: str | None = None
    warn: str | None = None
    again_in: float | None = None


def judge(rules: Rules, snapshot: SessionSnapshot, now: float, *, sending: bool = False) -> Verdict:
    """Apply rules to what is known of a session.

    Parameters
    ----------
    rules : Rules
        The rules.
    snapshot : SessionSnapshot
        The session.
    now : float
        Service clock.
    sending : bool
        Whether a job is on its way that the service has not accepted yet.
    """
    if snapshot.state == "closed":
        return Verdict()
    word = noun(snapshot)
    end = refuse = warn = None
    how: Literal["close", "cancel"] = "close"
    due: list[float] = []
    if rules.budget is not None:
        spent = usage(snapshot, now).total
        figures = _figures(rules, snapshot, spent)
        if spent >= rules.budget:
            refuse = (
                f"The budget of this {word} is spent ({figures}): the job was not sent. Open "
                f"another {word} with a budget of its own to go on."
            )
            end, how = f"its budget is spent ({figures})", "cancel"
        else:
            if spent >= WARN_AT * rules.budget:
                warn = (
                    f"{spent / rules.budget:.0%} of the budget is used ({figures}). At 100% the "
                    f"{word} ends and queued jobs are cancelled."
                )
            if snapshot.state == "active" and snapshot.mode != "batch":
                limits = (WARN_AT * rules.budget, rules.budget)
                due += [limit - spent for limit in limits if limit > spent]
    if rules.idle_close is not None and not snapshot.pending() and snapshot.accepting_jobs:
        since = idle_since(snapshot)
        left = since + rules.idle_close - now
        if left > 0:
            due.append(left)
        elif sending:
            due.append(SENDING)
        else:
            end = end or f"nothing was pending for {words(rules.idle_close)} (--idle-close)"
    if not snapshot.accepting_jobs and not (how == "cancel" and _queued(snapshot)):
        end = None
    return Verdict(end, how, refuse, warn, min(due) if due else None)


def _queued(snapshot: SessionSnapshot) -> bool:
    return any(job.status == "queued" for job in snapshot.pending())


def _figures(rules: Rules, snapshot: SessionSnapshot, spent: float) -> str:
    if rules.dollars is not None:
        price = snapshot.service.price_per_second or 0.0
        return f"≈ {money(spent * price)} of {money(rules.dollars)}"
    return f"{words(spent)} of {words(rules.budget or 0.0)}"


class _Watches(Protocol):
    @property
    def snapshot(self) -> SessionSnapshot: ...
    def now(self) -> float: ...
    def subscribe(self, callback: Callable[[SessionSnapshot], object], /) -> Callable[[], None]: ...
    def command(self, action: str, job_id: str | None = None) -> str: ...


class Guard:
    """Keeps one session to its rules, on a thread of its own.

    Parameters
    ----------
    rules : Rules
        The rules; at least one.
    monitor : Monitor
        Watches the session and ends it.
    say : callable
        Takes what happened, one of `qsession_widgets.snapshot.events.KINDS`, and a sentence for the
        user; on the guard's thread.
    sending : callable
        Whether a job is being sent.

    Attributes
    ----------
    ended_why : str
        Why it has ended the session, as a clause; empty while it has not.
    """

    def __init__(
        self,
        rules: Rules,
        monitor: _Watches,
        say: Callable[[str, str], object],
        sending: Callable[[], bool] = lambda: False,
    ):
        self.rules = rules
        self.ended_why = ""
        self._monitor = monitor
        self._say = say
        self._sending = sending
        self._said: set[Hashable] = set()
        self._changed = threading.Event()
        self._stopped = threading.Event()
        self._unsubscribe = monitor.subscribe(lambda _snapshot: self._changed.set())
        self._thread = threading.Thread(target=self._watch, name="qsession-guard", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let the session go on as it likes."""
        self._unsubscribe()
        self._stopped.set()
        self._changed.set()

    def refusal(self) -> str | None:
        """Why a job must not be sent now; None when it may be."""
        return judge(self.rules, self._monitor.snapshot, self._monitor.now()).refuse

    def _watch(self) -> None:
        wait: float | None = 0.0
        while not self._stopped.is_set():
            self._changed.wait(wait)
            self._changed.clear()
            if self._stopped.is_set():
                return
            try:
                wait = self._look()
            except Exception:
                # whatever it was, the session must not go on unguarded
                logger.exception("A guard failed to look at its session")
                wait = RETRY

    def _look(self) -> float | None:
        """Do what the rules say; real seconds until the next look, None for the next change."""
        snapshot = self._monitor.snapshot
        if snapshot.state == "closed":
            self.stop()
            return 0.0
        verdict = judge(self.rules, snapshot, self._monitor.now(), sending=self._sending())
        if verdict.warn is not None and "warn" not in self._said:
            self._said.add("warn")
            self._say("guard_warned", verdict.warn)
        if verdict.end is not None and verdict.how not in self._said:
            return self._end(verdict.end, verdict.how)
        if verdict.again_in is None:
            return None
        return min(PATIENCE, verdict.again_in / (snapshot.service.speed or 1.0) + 0.01)

    def _end(self, why: str, how: str) -> float | None:
        try:
            said = self._monitor.command(how)
        except UserError as error:
            if "failed" not in self._said:
                self._said.add("failed")
                self._say(
                    "guard_failed",
                    f"This {noun(self._monitor.snapshot)} was to be ended because {why}. {error}",
                )
            return RETRY
        self._said.add(how)
        self.ended_why = why
        self._say("guard_closed", f"{said} It was ended because {why}.")
        return None
