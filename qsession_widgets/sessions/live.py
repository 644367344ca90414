"""A session that is open in this kernel: the client's own object, its monitor and its policies."""

from __future__ import annotations

import functools
import os
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .. import fork_safety
from ..client.rest import release, set_active
from ..client.selection import Target
from ..client.unknown_outcome import end_session
from ..errors import ServiceError, UserError
from ..explanations import is_unknown, unanswered
from ..formatting import format_money
from ..messages import outcomes
from ..messages.events import ENDS
from ..messages.labels import price_source_words, price_words, usage_words
from ..model import EndReason, SessionSnapshot, noun, usage
from ..model.forecast import check
from ..monitoring.event_callbacks import EventCallbacks
from ..monitoring.event_log import EventLog
from ..monitoring.monitor import Monitor
from ..options.table import OpenOptions
from ..registry import history
from ..registry.forecasts import record
from ..resume.place import Place
from ..resume.runs import RUNS
from .labels import Labels
from .policies import Policies, PolicyEnforcer
from .session import Batch, Session, SubmitError

if TYPE_CHECKING:
    from qiskit_ibm_runtime import QiskitRuntimeService

    from ..views.panel import SessionPanel


STALE = {"local": 0.25, "joined": 2.0, "ibm": 5.0}
"""Seconds after which what is known of a session is asked for again before a submit."""
EXIT_PATIENCE = 4.0
"""Seconds to wait for an answer while the interpreter ends; Jupyter kills a kernel after five."""


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
    """

    def __init__(
        self,
        session: Session | Batch,
        target: Target,
        monitor: Monitor,
        options: OpenOptions,
        *,
        opened_here: bool = True,
    ):
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
        # the monitor is kept by panels that are shown, the service (2 MB) by this object only
        monitor.on_finished = functools.partial(_release, weakref.ref(target.connected.service))
        self.callbacks = EventCallbacks()
        self.labels = Labels()
        self.reporter = self._report()
        session._live = self

    def place(self) -> Place:
        """The place of its jobs, on which their results depend; the service is asked once."""
        if self._place is None:
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

    def _report(self) -> EventLog:
        options = self.options
        return EventLog(
            self.monitor,
            say=options.say,
            path=options.events,
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
        # the last job of those that it may have is not sent by two threads at once, and nor does
        # one end the moment for which an ended session hands back what was paid for
        limited = self.options.max_jobs is not None or RUNS.taken is not None
        try:
            with self._one_by_one if limited else nullcontext():
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
        self._set_simulation()
        self._place = None
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

    def _set_simulation(self) -> None:
        """Tell the emulator how to simulate its circuits, where that was asked for."""
        wishes = dict(self.options.simulation)
        if self.options.strict:
            wishes["strict"] = True
        if not wishes or self.target.info.kind != "local":
            return
        client = self.target.client.clone()
        try:
            client.set_simulation(self.monitor.session_id, wishes)
        except ServiceError as error:
            raise UserError(
                f"The emulator cannot be told how to simulate this {self.word}: {error}. If an "
                "older version started it, end it with qsession emulator stop."
            ) from None
        finally:
            client.close()

    def before_submit(self) -> None:
        """Refuse a job for a session that has ended elsewhere, before it is sent.

        Raises
        ------
        SubmitError
            The session takes no more jobs, or its budget is spent.
        """
        info = self.target.info
        age = (self.monitor.now() - self.monitor.snapshot.answered_at) / (info.speed or 1.0)
        if self.usable and age > STALE[info.where]:
            self.monitor.poll()
        if (refusal := self._refusal()) is not None:
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

    def _refusal(self) -> str | None:
        refusal = None if self.guard is None else self.guard.refusal()
        if refusal is None and not self.usable:
            why = "" if self.guard is None else self.guard.ended_why
            return ended_sentence(self.monitor.snapshot, why)
        return refusal

    def with_tags(self, options: dict[str, Any] | None) -> dict[str, Any] | None:
        """The client's options for a job, with the session's tags beside the job's own."""
        if not self.options.tags:
            return options
        options = dict(options or {})
        options["job_tags"] = list(
            dict.fromkeys([*(options.get("job_tags") or ()), *self.options.tags])
        )
        return options

    def end(self, action: str, by: EndReason = "notebook") -> str:
        """Close or cancel it, and say what came of it; see `Monitor.command` for errors."""
        said = outcomes.ended(self.monitor.command(action, by=by), self.word)
        if self.guard is not None:
            self.guard.stop()
        return " ".join(filter(None, [said, self._used_sentence()]))

    def close_at_exit(self) -> Callable[[], None]:
        """Close it while the interpreter shuts down, when no thread can be started any more.

        Returns
        -------
        callable
            Writes the outcome to the events file, if there is one; asks the service once more.

        Raises
        ------
        ServiceError
            The service refused, or did not answer soon.
        """
        self.monitor.stop()
        client = self.target.client.clone()
        client.timeout = EXIT_PATIENCE
        # what a poll that is under way finds would be told twice
        self.reporter.stop()
        change = end_session(client, "close", self.monitor.session_id)
        begun = time.monotonic()
        try:
            change.send()
        except ServiceError as error:
            late = time.monotonic() - begun > EXIT_PATIENCE / 2
            if late or not is_unknown(error) or (change.look() or change.send()) is None:
                raise

        def tell() -> None:
            state = client.session(self.monitor.session_id).data.get("state")
            over = state == "closed"
            text = "closed at the end of the kernel"
            text += "" if over else "; jobs it has finish first"
            self.reporter.emit("closed" if over else "closing", text, aloud=False, reason="exit")

        return tell

    def _used_sentence(self) -> str:
        """A sentence about its usage; empty before its end, and for a batch."""
        snapshot = self.monitor.snapshot
        if snapshot.state != "closed" or snapshot.started_at is None or snapshot.mode == "batch":
            return ""
        spent = usage(snapshot, self.monitor.now())
        used = f"It used {usage_words(spent)}".removesuffix(" so far")
        if spent.cost is None:
            return f"{used}."
        worth = f"≈ {format_money(spent.cost)} {price_words(snapshot.service)}"
        if snapshot.service.charged:
            return f"{used}, {worth}."
        return f"{used} of a device, estimated; the same work on IBM would cost {worth}."

    def price_sentence(self) -> str:
        """A sentence about its price; empty when nothing is known to be charged."""
        info = self.target.info
        if info.price_per_second is None or self.monitor.snapshot.mode == "batch":
            return ""
        source = price_source_words(info)
        per_minute = format_money(info.price_per_second * 60) + " a minute"
        whose = f" ({source})" if source else ""
        if info.charged:
            return f"While it is active it costs {per_minute}, idle time included{whose}."
        return f"It costs nothing here; on IBM it would be {per_minute} while active{whose}."

    def ways_out(self, *, bound: bool) -> str:
        """Sentences about its price while it stays open, and how to end it.

        Parameters
        ----------
        bound : bool
            Whether it is bound, and need not be named.
        """
        which = "" if bound and not self.name else self.called
        ends = f"%session close {which}".rstrip() + " ends it"
        if self.monitor.snapshot.pending():
            ends += f" once its jobs have finished; %session cancel {which}".rstrip()
            ends += " also cancels those that are queued"
        ends += "."
        return " ".join(filter(None, [self.price_sentence(), ends]))

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


def ended_sentence(snapshot: SessionSnapshot, why: str = "") -> str:
    """The reason why a session takes no more jobs, and the remedy.

    Parameters
    ----------
    snapshot : SessionSnapshot
        The session.
    why : str
        Why this kernel has closed it, as a clause; empty where it has not.
    """
    how = ENDS.get(snapshot.state_reason or "", "it ended")
    how = f"{how} {outcomes.ended_from(snapshot)}".rstrip()
    because = f" because {why}" if why else ""
    word = noun(snapshot)
    return f"This {word} takes no more jobs: {how}{because}. Open a new one with %%{word}."
