"""Which session the primitives belong to that are built without a ``mode``.

One session is bound at a time, for the whole kernel: it does not matter in which cell, task or
thread a primitive is built. What the user passes as ``mode``, and the user's own ``with
Session(...)``, always win. Others may be open beside it, by name.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..notes.opened import tell_bound
from ..notices import NOTICES
from .callsite import whereabouts
from .noting import remember
from .seams import ModeSeam, SubmitSeam
from .strays import Strays

if TYPE_CHECKING:
    from qiskit_ibm_runtime import IBMBackend

    from ..options.table import OpenOptions
    from ..service.choosing import Chosen
    from ..views.panel import SessionPanel
    from ..watching.jobwatch import JobWatch
    from .live import LiveSession


MOST_ENDED = 20
"""Sessions that are remembered after their end, for a look back."""


@dataclass(frozen=True)
class JobMode:
    """What is bound on a plan without sessions: each job goes through the queue by itself.

    Attributes
    ----------
    backend : IBMBackend
        Where jobs run.
    chosen : Chosen
        The service.
    options : OpenOptions
        What was asked for.
    watch : JobWatch
        Watches the jobs that are sent from here.
    """

    backend: IBMBackend
    chosen: Chosen
    options: OpenOptions
    watch: JobWatch

    def panel(self) -> SessionPanel:
        """A panel that shows its jobs."""
        from ..views.panel import SessionPanel

        return SessionPanel(self.watch)


class Binding:
    """Holds the bound session.

    Attributes
    ----------
    bound : LiveSession or None
        The session that primitives without a mode join.
    last : LiveSession or None
        The session bound last, which views still show after it has ended.
    job_mode : JobMode or None
        The backend that primitives without a mode run on by themselves, where a plan has no
        sessions.
    """

    def __init__(self) -> None:
        self.bound: LiveSession | None = None
        self.last: LiveSession | None = None
        self.job_mode: JobMode | None = None
        self._known: list[LiveSession] = []
        self._aside: LiveSession | None = None
        self._lock = threading.Lock()
        self._seam = ModeSeam(self._current, self._block_begins)
        self._submits = SubmitSeam(Strays(self))
        self._blocks_told: set[tuple[str, str]] = set()

    def bind(self, live: LiveSession) -> None:
        """Make this the session of primitives without a mode."""
        with self._lock:
            self.bound = self.last = live
            self.job_mode = None
            if live not in self._known:
                over = [known for known in self._known if known.closed][:-MOST_ENDED]
                self._known = [known for known in self._known if known not in over] + [live]
            self._seam.install()
            self._submits.install()
        tell_bound(live.monitor.session_id)
        remember(live, bound=True)

    def bind_job_mode(self, job_mode: JobMode) -> None:
        """Let primitives without a mode run on a backend, in no session."""
        with self._lock:
            left, self.bound = self.bound, None
            self.job_mode = job_mode
            self._seam.install()
            self._submits.install()
        tell_bound(None)
        if left is not None and left.usable:
            NOTICES.say(
                f"The {left.word} on {left.backend.name} is no longer bound and stays open. "
                + left.ways_out(bound=False)
            )

    def unbind(self) -> None:
        """Let primitives without a mode belong to nothing again."""
        with self._lock:
            self.bound = self.job_mode = None
        tell_bound(None)

    def forget(self, live: LiveSession) -> None:
        """Know a session no more that cannot be reached, without ending it."""
        with self._lock:
            self._known = [known for known in self._known if known is not live]
            if self.bound is live:
                self.bound = None

    def sessions(self) -> list[LiveSession]:
        """Every session of this kernel that takes jobs, as far as is known; oldest first."""
        return [live for live in self._known if live.usable]

    def had(self, which: str) -> LiveSession | None:
        """The session of a name or an id, one that is closing or has ended among them.

        Of several with one name, that which is open goes first, then the newest.
        """
        found = [
            live for live in self._known if which and which in (live.name, live.monitor.session_id)
        ]
        return max(enumerate(found), key=_liveliest)[1] if found else None

    def services(self) -> list[Chosen]:
        """The services that are connected: of what is bound first, each of them once."""
        open_here = [live for live in self._known if not live.closed]
        of = [self.bound, self.job_mode, self.last, *open_here]
        return list({id(item.chosen): item.chosen for item in of if item is not None}.values())

    def named(self, name: str) -> LiveSession | None:
        """The open session of a name."""
        return next((live for live in self.sessions() if live.name == name), None)

    def with_id(self, session_id: str) -> LiveSession | None:
        """The open session of an id."""
        return next(
            (live for live in self.sessions() if live.monitor.session_id == session_id), None
        )

    def set_aside(self) -> None:
        """Unbind, and leave the client library as it was. Rules of open sessions go on."""
        self._aside = self.bound
        self.unbind()
        self._seam.remove()
        self._submits.remove()

    def take_up(self) -> LiveSession | None:
        """Bind again what was set aside, if it is still open; which one that is."""
        live, self._aside = self._aside, None
        if live is None or not live.usable:
            return None
        self.bind(live)
        return live

    def _block_begins(self, session: Any) -> None:
        """Tell of a second session that the user's own ``with`` block has opened, once a place."""
        live = self.bound
        if live is None or any(session is known.session for known in self.sessions()):
            return
        at = whereabouts()
        if live.usable and (live.monitor.session_id, at) not in self._blocks_told:
            self._blocks_told.add((live.monitor.session_id, at))
            NOTICES.say(
                f"{at}: this with block runs in a session of its own, a second one beside the "
                f"{live.word} bound on {live.backend.name}; leave the block out to use that one."
            )

    def _current(self) -> Any | None:
        live = self.bound
        if live is None:
            return None if self.job_mode is None else self.job_mode.backend
        # a session that has ended is still handed out: the primitive's run then says in a sentence
        # what became of it, where job mode would bill by accident
        return live.session


def _liveliest(numbered: tuple[int, LiveSession]) -> tuple[bool, bool, int]:
    number, live = numbered
    return live.usable, not live.closed, number


BINDING = Binding()
"""The kernel's binding."""
