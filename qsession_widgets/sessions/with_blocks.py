"""The user's own ``with Session(...)`` blocks.

The client library remembers one block, in a context variable. So it forgets the outer block when
an inner one is left, and a thread that a block starts knows nothing of the block. The primitives
built there would quietly join the session that is bound; here they are kept from it.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from .. import fork_safety
from ..deferred_output import NOTICES
from ..errors import UserError
from ..messages.outcomes import left_to_parent
from ..resume.runs import RUNS

_open_here: ContextVar[tuple[Any, ...]] = ContextVar("qsession_open_blocks", default=())


class BlockHidden(UserError, ValueError):
    """A primitive without a mode was built beside a ``with`` block that its thread cannot see."""


def _is_good_end(error: BaseException) -> bool:
    return isinstance(error, SystemExit) and not error.code


class WithBlocks:
    """Follows which ``with`` blocks of the client's sessions and batches are open, and where.

    Parameters
    ----------
    begins : callable
        Takes the session of each block that begins; on the user's thread.
    inherited : callable, optional
        Takes a session: whether this is a forked child of the process that it belongs to.
    """

    def __init__(
        self,
        begins: Callable[[Any], object],
        inherited: Callable[[Any], bool] = lambda _session: False,
    ) -> None:
        self._begins = begins
        self._inherited = inherited
        self._lock = fork_safety.lock()
        self._open: list[tuple[int, Any, int]] = []
        self._originals: tuple[Callable[..., Any], Callable[..., Any]] | None = None

    def install(self) -> None:
        """Begin to follow them."""
        if self._originals is not None:
            return
        from qiskit_ibm_runtime import Batch, Session
        from qiskit_ibm_runtime.utils.default_session import set_cm_session

        enter, leave = self._originals = Session.__enter__, Session.__exit__

        @functools.wraps(enter)
        def entered(session: Any) -> Any:
            result = enter(session)
            _open_here.set((*_open_here.get(), session))
            with self._lock:
                self._open.append((threading.get_ident(), session, fork_safety.generation()))
            self._begins(session)
            return result

        @functools.wraps(leave)
        def left(session: Any, *error: Any) -> Any:
            _open_here.set(_without_last(_open_here.get(), session))
            with self._lock:
                begun = [generation for _, known, generation in self._open if known is session]
                self._open = [known for known in self._open if known[1] is not session]
            if any(isinstance(one, BaseException) and not _is_good_end(one) for one in error):
                RUNS.failed_block()
            of_parent = any(generation != fork_safety.generation() for generation in begun)
            # a session of this package's knows by itself what it is
            others = getattr(session, "_live", None) is None
            if others and (of_parent or self._inherited(session)) and session.session_id:
                # the block ends in this child, and the session with the process that it is of
                set_cm_session(None)
                noun = "batch" if isinstance(session, Batch) else "session"
                NOTICES.emit(left_to_parent(noun, session.session_id, "close"))
                return None
            return leave(session, *error)

        Session.__enter__, Session.__exit__ = entered, left

    def remove(self) -> None:
        """Follow them no more."""
        if self._originals is not None:
            from qiskit_ibm_runtime import Session

            Session.__enter__, Session.__exit__ = self._originals
            self._originals = None

    def innermost(self) -> Any | None:
        """The session of the block that this code is in, if any.

        Raises
        ------
        BlockHidden
            This thread sees no block, and may be meant to be in one that is open in another. The
            main thread runs cells one after another: what it does not see is none of its business.
        """
        seen = _open_here.get()
        if seen:
            return seen[-1]
        if threading.current_thread() is not threading.main_thread():
            here = threading.get_ident()
            with self._lock:
                hidden = any(thread != here for thread, *_ in self._open)
            if hidden:
                raise BlockHidden(
                    "This thread cannot see the with Session(...) block that is open in another "
                    "one: pass mode= to say which session this primitive belongs to."
                )
        return None


def _without_last(sessions: tuple[Any, ...], session: Any) -> tuple[Any, ...]:
    for place in reversed(range(len(sessions))):
        if sessions[place] is session:
            return sessions[:place] + sessions[place + 1 :]
    return sessions
