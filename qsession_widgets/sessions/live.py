"""A session that is open in this kernel: the client's own object, and what watches it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..durations import money, words
from ..errors import unanswered
from ..finding.places import ended_as
from ..options.table import OpenOptions
from ..service.choosing import Chosen
from ..service.client import ServiceClient, set_active
from ..snapshot import SessionSnapshot, noun, usage
from ..snapshot.events import ENDS
from ..watching.monitor import Monitor
from ..watching.reporting import Reporter
from .session import Batch, Session, SubmitError

if TYPE_CHECKING:
    from qiskit_ibm_runtime import IBMBackend

    from ..views.panel import SessionPanel
    from .guards import Guard


STALE = {"local": 0.25, "ibm": 5.0}
"""Seconds after which what is known of a session is asked for again before a submit."""
EXIT_PATIENCE = 4.0
"""Seconds to wait for an answer while the interpreter ends; Jupyter kills a kernel after five."""


class LiveSession:
    """One open session with everything this kernel holds of it.

    Parameters
    ----------
    session : Session or Batch
        The client's object.
    backend : IBMBackend
        Where it runs.
    chosen : Chosen
        The service.
    monitor : Monitor
        Watches it.
    options : OpenOptions
        What was asked for when it was opened, or attached.
    opened_here : bool
        False for one that was opened elsewhere and attached.

    Attributes
    ----------
    request : tuple
        What was asked for, to recognise the same request again.
    submits : int
        How many jobs were sent to it from here.
    sending : int
        How many are being sent, and not accepted yet.
    guard : Guard or None
        Closes it by its rules, where it has any.
    reporter : Reporter
        Tells what happens to it.
    """

    def __init__(
        self,
        session: Session | Batch,
        backend: IBMBackend,
        chosen: Chosen,
        monitor: Monitor,
        options: OpenOptions,
        *,
        opened_here: bool = True,
    ):
        self.session = session
        self.backend = backend
        self.chosen = chosen
        self.monitor = monitor
        self.options = options
        self.request = options.request
        self.opened_here = opened_here
        self.submits = 0
        self.sending = 0
        self._counting = threading.Lock()
        self.guard: Guard | None = None
        self._panel: SessionPanel | None = None
        self._unsubscribe = monitor.subscribe(self._follow)
        self.reporter = self._report()
        session._live = self

    def report_anew(self) -> None:
        """Tell what happens to it as its options say now."""
        self.reporter.stop()
        self.reporter = self._report()

    def _report(self) -> Reporter:
        options = self.options
        return Reporter(
            self.monitor, say=options.say, path=options.events, opened_here=self.opened_here
        )

    @property
    def name(self) -> str:
        """The user's name for it; empty when it has none."""
        return self.options.name

    @property
    def called(self) -> str:
        """What to write for it after ``%session close``: its name, or else its id."""
        name = f"'{self.name}'" if " " in self.name else self.name
        return name or self.monitor.session_id

    @property
    def word(self) -> str:
        """What to call it: a session or a batch."""
        return noun(self.monitor.snapshot)

    @property
    def closed(self) -> bool:
        """Whether it is closed, as far as is known."""
        return self.monitor.snapshot.state == "closed"

    @property
    def closing(self) -> bool:
        """Whether it takes no more jobs, and still has some."""
        return not self.closed and not self.usable

    @property
    def usable(self) -> bool:
        """Whether it takes another job."""
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
        try:
            yield
        finally:
            with self._counting:
                self.sending -= 1

    def before_submit(self) -> None:
        """Refuse a job for a session that has ended elsewhere, before it is sent.

        Raises
        ------
        SubmitError
            The session takes no more jobs, or its budget is spent.
        """
        info = self.chosen.info
        age = (self.monitor.now() - self.monitor.snapshot.answered_at) / (info.speed or 1.0)
        if self.usable and age > STALE[info.kind]:
            self.monitor.poll()
        if (refusal := self._refusal()) is not None:
            raise SubmitError(refusal)

    def refused(self, sentence: str, error: BaseException) -> str:
        """Why a job was not accepted: what became of the session, or else what the service said."""
        if unanswered(error):
            self.monitor.wake()
            return sentence
        # it may have been refused because of something not known here yet
        self.monitor.poll()
        return self._refusal() or sentence

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

    def end(self, action: str) -> str:
        """Close or cancel it, and say what came of it; see `Monitor.command` for errors."""
        said = ended_as(self.word, self.monitor.command(action))
        if self.guard is not None:
            self.guard.stop()
        return " ".join(filter(None, [said, self._used_sentence()]))

    def close_at_exit(self) -> Callable[[], None]:
        """Close it while the interpreter shuts down, when no thread can be started any more.

        Returns
        -------
        callable
            Writes down what came of it, where events are written; asks the service once more.

        Raises
        ------
        ServiceError
            The service refused, or did not answer soon.
        """
        self.monitor.stop()
        client = ServiceClient(self.chosen.service, self.session._instance)
        client.patience = EXIT_PATIENCE
        # what a poll that is under way finds would be told twice
        self.reporter.stop()
        client.close(self.monitor.session_id)

        def tell() -> None:
            state = client.session(self.monitor.session_id).data.get("state")
            over = state == "closed"
            text = "closed at the end of the kernel"
            text += "" if over else "; jobs it has finish first"
            self.reporter.tell("closed" if over else "closing", text, aloud=False, reason="exit")

        return tell

    def _used_sentence(self) -> str:
        """What it used up, as a sentence; empty before its end, and for a batch."""
        snapshot = self.monitor.snapshot
        if snapshot.state != "closed" or snapshot.started_at is None or snapshot.mode == "batch":
            return ""
        spent = usage(snapshot, self.monitor.now())
        used = f"It used {words(spent.total)}"
        if spent.cost is None:
            return f"{used}."
        if snapshot.service.charged:
            return f"{used}, ≈ {money(spent.cost)}."
        return f"{used}; the same seconds on IBM would cost ≈ {money(spent.cost)}."

    def price_sentence(self) -> str:
        """What it costs from now on, as a sentence; empty when nothing is known to be charged."""
        info = self.chosen.info
        if info.price_per_second is None or self.monitor.snapshot.mode == "batch":
            return ""
        per_minute = money(info.price_per_second * 60)
        if info.charged:
            return f"While it is active it costs {per_minute} a minute, idle time included."
        return f"It costs nothing here; on IBM it would be {per_minute} a minute while active."

    def ways_out(self, *, bound: bool) -> str:
        """What it costs while it stays open, and how to end it, as sentences.

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


def ended_sentence(snapshot: SessionSnapshot, why: str = "") -> str:
    """Why a session takes no more jobs, and what to do.

    Parameters
    ----------
    snapshot : SessionSnapshot
        The session.
    why : str
        Why this kernel has closed it, as a clause; empty where it has not.
    """
    how = ENDS.get(snapshot.state_reason or "", "it ended")
    because = f" because {why}" if why else ""
    word = noun(snapshot)
    return f"This {word} takes no more jobs: {how}{because}. Open a new one with %%{word}."
