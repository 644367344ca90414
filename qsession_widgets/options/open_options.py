"""Options of one session, as they were given: what the table's options fill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Mode = Literal["dedicated", "batch"]


@dataclass(frozen=True)
class OpenOptions:
    """The options of one session; None and empty where nothing was requested.

    Attributes
    ----------
    backend : str or None
        Name of the backend.
    use_fractional_gates : bool
        Whether the backend has its fractional gates.
    max_time : int or None
        Maximum time in seconds.
    service, instance, account
        Which service (the emulator where one of its options is given), and which instance and
        saved account of IBM's.
    name : str
        The user's name for it.
    tags : tuple of str
        Tags that every job in it gets.
    expect : int or None
        How many jobs there will be.
    another : bool
        Whether a second one is meant, beside an open one.
    once : bool
        Whether it is closed at the end of the cell.
    strict : bool
        Whether a job for its backend but outside of it is refused, and on the emulator one whose
        result would not be exact or that has an option without effect.
    idle_close : float or None
        Seconds with nothing pending after which it is closed.
    max_jobs : int or None
        Number of jobs after which it is closed.
    budget : str
        Usage or cost at which it is ended and its queued jobs are cancelled, as typed: ``5m``
        or ``$20``.
    on_error, on_exit : str
        What happens to it when its cell fails, and when the kernel ends.
    on_crash : str
        What happens to it when the kernel dies without closing it; empty for what
        `qsession_widgets.sessions.crash_policy` says.
    fallback : str
        What to do on a plan without sessions.
    resume : str
        Which run's jobs are taken up: ``auto``, ``any``, or an id, a name or a file; empty for
        none.
    say : str
        Whether what happens to it is told as lines of text.
    events : str
        File that what happens to it is appended to, as JSON lines; empty for none.
    names : tuple of (str, str)
        The notebook's names for session and backend.
    local : mapping
        How to start the emulator when none runs.
    simulation : mapping
        How the emulator simulates this session's circuits.
    mode : {"dedicated", "batch"}
        A session or a batch.
    given : frozenset of str
        Which of these were asked for, whatever their value; configured defaults are not.
    """

    backend: str | None = None
    use_fractional_gates: bool = False
    max_time: int | None = None
    service: str = "auto"
    instance: str | None = None
    account: str | None = None
    name: str = ""
    tags: tuple[str, ...] = ()
    expect: int | None = None
    another: bool = False
    once: bool = False
    strict: bool = False
    idle_close: float | None = None
    max_jobs: int | None = None
    budget: str = ""
    on_error: str = "keep"
    on_exit: str = "close"
    on_crash: str = ""
    fallback: str = "job"
    resume: str = ""
    say: str = "auto"
    events: str = ""
    names: tuple[str, str] = ("session", "backend")
    local: Mapping[str, Any] = field(default_factory=dict)
    simulation: Mapping[str, Any] = field(default_factory=dict)
    mode: Mode = "dedicated"
    given: frozenset[str] = frozenset()

    @property
    def word(self) -> str:
        """Its noun: session or batch."""
        return "batch" if self.mode == "batch" else "session"

    @property
    def request(self) -> tuple[Any, ...]:
        """The options that identify a session, to recognise the same request again."""
        return (
            self.mode,
            self.backend,
            self.use_fractional_gates,
            self.max_time,
            self.service,
            self.instance,
            self.account,
            self.name,
            self.another,
            tuple(sorted(self.local.items())),
            tuple(sorted(self.simulation.items())),
        )
