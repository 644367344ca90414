"""A session that is open in this kernel: the client's own object, its monitor and its policies."""

from __future__ import annotations

import functools
import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .. import fork_safety
from ..client.private_api import release, set_active, set_session
from ..client.selection import Target
from ..errors import UserError
from ..explanations import unanswered
from ..messages import outcomes
from ..messages.costs import price_sentence, used_sentence
from ..messages.events import ended_sentence
from ..messages.left_open import Standing, left_open
from ..messages.resume import ENDED_UNOPENED, MAY_BE_OPEN, not_opened, reused_words
from ..model import EndReason, SessionSnapshot, noun, reused
from ..model.forecast import check
from ..monitoring.event_callbacks import EventCallbacks
from ..monitoring.event_log import EventLog
from ..monitoring.monitor import Monitor
from ..options.open_options import OpenOptions
from ..registry import history, journal
from ..registry.forecasts import record
from ..resume.place import Place
from ..resume.runs import RUNS
from .labels import Labels
from .policies import Policies
from .policy_enforcer import PolicyEnforcer
from .routed_circuits import RoutedCircuits
from .session import Batch, Session, SubmitError
from .simulation_choice import choose_simulation

if TYPE_CHECKING:
    from qiskit_ibm_runtime import QiskitRuntimeService

    from ..views.panel import SessionPanel
    from .deferral import Deferral

STALE = {"local": 0.25, "joined": 2.0, "ibm": 5.0}
"""Seconds after which what is known of a session is asked for again before a submit."""


class LiveSession:
    """One open session with everything this kernel holds of it.

    Parameters
    ----------
    session : Session or Batch
        The client library's object.
    target : Target
        Its service, its backend, and the client that its monitor uses.
    monitor : Monitor
        Polls it.
    options : OpenOptions
        The options it was opened or attached with.
    opened_here : bool
        False for a session that was opened elsewhere and attached.

    Attributes
    ----------
    request : tuple
        The options that identify it, to recognise the same request again.
    process : int
        Id of the process that opened or attached it; a forked child of that one must not end it.
    submits : int
        Number of jobs that were sent to it from here.
    sending : int
        Number of jobs that are being sent, and not accepted yet.
    jobs_before : frozenset of str
        Ids of the jobs that it had when it was taken up of an earlier kernel.
    guard : PolicyEnforcer or None
        Enforces its policies, where it has any.
    callbacks : EventCallbacks
        The user's functions that are called for its events.
    reporter : EventLog
        Reports its events.
    labels : Labels
        The user's labels for jobs.
    routed : RoutedCircuits
        Says once that a circuit has more qubits than it needs, on the emulator.
    deferral : Deferral or None
        What opens it with its first new job; None once it is open.
    """

    def __init__(
        self,
        session: Session | Batch,
        target: Target,
        monitor: Monitor,
        options: OpenOptions,
        *,
        opened_here: bool = True,
        deferral: Deferral | None = None,
    ):
        self.deferral = deferral
        self.session = session
        self.target = target
        self.monitor = monitor
        self.options = options
        self.request = options.request
        self.opened_here = opened_here
        self.jobs_before: frozenset[str] = frozenset()
        self.process = os.getpid()
        self.submits = 0
        self.sending = 0
        self._counting = fork_safety.lock()
        self._one_by_one = fork_safety.reentrant_lock()
        self.guard: PolicyEnforcer | None = None
        self._panel: SessionPanel | None = None
        self._place: Place | None = None
        self._unsubscribe = monitor.subscribe(self._follow)
        if deferral is None:
            self._release_at_end()
        else:
            monitor.session_id = deferral.key
            set_session(session, deferral.key)
        self.callbacks = EventCallbacks()
        self.labels = Labels()
        self.reporter = self._report()
        self.routed = RoutedCircuits(monitor, self._tell_once)
        session._live = self

    def _release_at_end(self) -> None:
        # the monitor is kept by panels that are shown, the service (2 MB) by this object only
        service = weakref.ref(self.target.connected.service)
        self.monitor.on_finished = functools.partial(_release, service)

    def open(self) -> None:
        """Open it, where that was put off until now.

        Raises
        ------
        UserError
            The service refused, or this process was forked from that of the session.
        """
        if (deferral := self.deferral) is not None:
            with self._one_by_one:
                deferral.open(self)

    def opened(self, session_id: str) -> None:
        """Go on as the session of this id, which was opened for it."""
        self.monitor.session_id = session_id
        journal.add_points(session_id, self.monitor.snapshot.points)
        set_session(self.session, session_id)
        self.deferral = None
        self._release_at_end()
        self.monitor.start()

    def drop(self) -> None:
        """Do not open it any more, if it is not open; the service has nothing of it."""
        if (deferral := self.deferral) is not None:
            with self._one_by_one:
                deferral.drop(self)

    def place(self) -> Place:
        """The place of its jobs, on which their results depend; the service is asked once."""
        if self._place is None:
            if self.deferral is not None:
                self._place = Place(self.target, simulation=self.options.simulation)
            else:
                self._place = Place(self.target, self.monitor.session_id)
        return self._place

    @property
    def inherited(self) -> bool:
        """True in a forked child of the process that opened or attached it."""
        return self.process != os.getpid()

    def after_fork(self) -> None:
        """Leave polling, policies, reports and panel to the parent, in a forked child."""
        self.monitor.after_fork()
        self._panel = None
        self._unsubscribe = self.monitor.subscribe(self._follow)

    def report_anew(self) -> None:
        """Report its events as its options say now."""
        self.reporter.stop()
        self.reporter = self._report()

    def _tell_once(self, kind: str, text: str, **data: Any) -> None:
        self.reporter.emit(kind, text, aloud=self.options.say != "never", **data)

    def _report(self) -> EventLog:
        return EventLog(
            self.monitor,
            say=self.options.say,
            path=self.options.events,
            opened_here=self.opened_here,
            callbacks=self.callbacks,
        )

    @property
    def name(self) -> str:
        """The user's name for it; empty when it has none."""
        return self.options.name

    @property
    def called(self) -> str:
        """Its name, or else its id, as written after ``%session close``."""
        name = f"'{self.name}'" if " " in self.name else self.name
        return name or self.monitor.session_id

    @property
    def word(self) -> str:
        """Its noun: session or batch."""
        return noun(self.monitor.snapshot)

    @property
    def closed(self) -> bool:
        """True if it is closed, as far as is known."""
        return self.monitor.snapshot.state == "closed"

    @property
    def closing(self) -> bool:
        """True if it takes no more jobs, and still has some."""
        return not self.closed and not self.usable

    @property
    def service_kind(self) -> str:
        """``ibm`` or ``local``."""
        return self.target.info.kind

    @property
    def usable(self) -> bool:
        """True if it takes another job."""
        snapshot = self.monitor.snapshot
        return snapshot.state != "closed" and snapshot.accepting_jobs

    def panel(self) -> SessionPanel:
        """A panel for this session; views of one panel share a single model."""
        if self._panel is None or self._panel.comm is None:
            from ..views.panel import SessionPanel

            self._panel = SessionPanel(self.monitor)
            # a page that shows it asks for what it missed
            self._panel.on_msg(self.reporter.seen)
        return self._panel

    @contextmanager
    def send(self) -> Iterator[None]:
        """Count a job as being sent, in which time its session is not idle."""
        with self._counting:
            self.sending += 1
        # the last job of those that it may have, or that its budget allows, is not sent by two
        # threads at once, and nor does one end the moment for which an ended session hands back
        # what was paid for
        limits = self.options.max_jobs is not None or bool(self.options.budget)
        limited = limits or RUNS.taken is not None
        try:
            with self._one_by_one if limited else nullcontext(), self.monitor.sending():
                yield
        finally:
            with self._counting:
                self.sending -= 1

    def set_policies(self) -> None:
        """Enforce the policies of its options from now on, in place of earlier ones.

        Raises
        ------
        UserError
            A budget in dollars where the plan has no price.
        """
        policies = replace(Policies.of(self.options, self.target.info), before=self.jobs_before)
        self._place = None
        if self.deferral is not None:
            return
        choose_simulation(self.target, self.monitor.session_id, self.options, self.word)
        if self.guard is not None:
            self.guard.stop()
            self.guard = None
        self.monitor.set_policies(
            idle_close=policies.idle_close,
            # of all that the session has, as the panel counts them
            max_jobs=policies.max_jobs and policies.max_jobs + len(policies.before),
            budget_seconds=policies.budget,
            budget_dollars=policies.dollars,
            strict=self.options.strict,
            expected_jobs=self.options.expect,
        )
        if policies and not self.inherited:
            self.guard = PolicyEnforcer(
                policies, self.monitor, self.reporter.emit, lambda: self.sending > 0
            )

    def before_submit(self, executions: int | None = None) -> None:
        """Refuse a job for a session that has ended elsewhere, before it is sent.

        Parameters
        ----------
        executions : int, optional
            How many it asks for.

        Raises
        ------
        SubmitError
            The session takes no more jobs, or its budget is spent.
        """
        self.open()
        info = self.target.info
        age = (self.monitor.now() - self.monitor.snapshot.answered_at) / (info.speed or 1.0)
        if self.usable and age > STALE[info.where]:
            self.monitor.poll()
        refusal = self._refusal(executions)
        if refusal is not None and self.usable:
            # jobs may have ended since, sooner than expected
            self.monitor.poll()
            refusal = self._refusal(executions)
        if refusal is not None:
            raise SubmitError(refusal)

    def refused(self, sentence: str, error: BaseException) -> str:
        """The reason why a job was not accepted: the session's end, or else the service's words."""
        if unanswered(error):
            self.monitor.wake()
            return sentence
        # it may have been refused because of something not known here yet
        self.monitor.poll()
        return self._refusal() or sentence

    def accepted_all_the_same(self) -> str:
        """The consequence if a job was accepted although its answer was lost, as sentences."""
        return f"If it was, it runs in this {self.word}. {self.price_sentence()}".rstrip()

    def _refusal(self, executions: int | None = None) -> str | None:
        refusal = None if self.guard is None else self.guard.refusal(executions)
        if self.deferral is not None and self.closed:
            return ENDED_UNOPENED.format(word=self.word)
        if refusal is None and not self.usable:
            why = "" if self.guard is None else self.guard.ended_why
            return ended_sentence(self.monitor.snapshot, why)
        return refusal

    def with_tags(self, options: dict[str, Any] | None) -> dict[str, Any] | None:
        """The client's options for a job, with the session's tags beside the job's own."""
        if not self.options.tags:
            return options
        options = dict(options or {})
        tags = [*(options.get("job_tags") or ()), *self.options.tags]
        options["job_tags"] = list(dict.fromkeys(tags))
        return options

    def end(self, action: str, by: EndReason = "notebook") -> str:
        """Close or cancel it, and say what came of it; see `Monitor.command` for errors.

        Raises
        ------
        UserError
            This is a forked child of the process that it belongs to.
        """
        if self.inherited and self.deferral is None:
            raise UserError(outcomes.left_to_parent(self.word, self.monitor.session_id, action))
        self.drop()
        if self.deferral is not None:
            return self.not_opened()
        said = outcomes.ended(self.monitor.command(action, by=by), self.word)
        if self.guard is not None:
            self.guard.stop()
        return f"{said} {used_sentence(self.monitor.snapshot, self.monitor.now())}".rstrip()

    def not_opened(self) -> str:
        """A sentence about it where it was not opened: what was not paid again."""
        if self.deferral is not None and self.deferral.unknown:
            return MAY_BE_OPEN.format(word=self.word)
        found = reused(self.monitor.snapshot)
        charged = self.target.info.charged
        worth = found and reused_words(found.jobs, found.of, found.dollars, charged)
        return not_opened(self.word, worth or "")

    def price_sentence(self) -> str:
        """A sentence about its price; empty when nothing is known to be charged."""
        return price_sentence(self.target.info, self.monitor.snapshot.mode)

    def left_open(self, *, bound: bool, counted: bool = False) -> str:
        """Sentences about it while it is left as it is; see `messages.left_open`.

        Parameters
        ----------
        bound : bool
            Whether it is bound, and need not be named.
        counted : bool
            Whether to say how many jobs go on in it.
        """
        standing: Standing = "open"
        if self.deferral is not None:
            standing = "unknown" if self.deferral.unknown else "deferred"
        called = "" if bound and not self.name else self.called
        pending = len(self.monitor.snapshot.pending())
        price = self.price_sentence()
        return left_open(standing, self.word, called, price, pending, counted=counted)

    def _follow(self, snapshot: SessionSnapshot) -> None:
        if not snapshot.accepting_jobs:
            set_active(self.session, False)
        if snapshot.usage_final and (checked := check(snapshot)) is not None:
            # the next forecasts go without it
            with suppress(OSError):
                record(snapshot, checked)
        if snapshot.state == "closed" and snapshot.usage_final:
            history.record(snapshot, by_kernel=True)
            # nothing comes after it
            self._unsubscribe()
            if self.guard is not None:
                self.guard.stop()


def _release(service: weakref.ref[QiskitRuntimeService]) -> None:
    if (known := service()) is not None:
        release(known)
