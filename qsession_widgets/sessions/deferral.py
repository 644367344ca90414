"""Deferred sessions: they open with their first new job, or the first use of their id.

Where jobs of an earlier run are taken up, all of them may have been paid for, and then there is
nothing for which a session would be open.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

from ..client.connected_service import longest
from ..errors import OutcomeUnknown, ServiceError, UserError
from ..messages.resume import NOT_FROM_A_CHILD

if TYPE_CHECKING:
    from ..client.selection import Target
    from ..monitoring.deferred_poller import DeferredPoller
    from ..options.open_options import OpenOptions
    from .session_owner import SessionOwner

_numbers = count(1)


class Deferral:
    """The opening of one session that is still to come.

    Parameters
    ----------
    poller : DeferredPoller
        Polls the jobs that are taken up in its place.
    opens : callable
        Takes the `LiveSession`, and opens it.

    Attributes
    ----------
    key : str
        Stands for the id of the session within this kernel.
    unknown : bool
        Whether a request to open it may have taken effect, although its answer was lost or not
        waited for.
    """

    def __init__(self, poller: DeferredPoller, opens: Callable[[Any], object]):
        self.key = f"not-opened-{next(_numbers)}"
        self.poller = poller
        self._opens = opens
        self._opening = self.unknown = False

    def open(self, live: SessionOwner) -> None:
        """Open it, unless that was done, or it was dropped; called by one thread at a time.

        Raises
        ------
        UserError
            The service refused, or this process was forked from that of the session.
        """
        if live.deferral is not self or self.poller.dropped:
            return
        if live.inherited:
            raise UserError(NOT_FROM_A_CHILD.format(word=live.word))
        if self._opening:
            # what opens it asks for its id
            return
        self._opening = True
        try:
            self._opens(live)
            self.unknown = False
        except (OutcomeUnknown, KeyboardInterrupt):
            self.unknown = True
            raise
        finally:
            self._opening = False

    def drop(self, live: SessionOwner) -> None:
        """Open it no more, unless it is open; called by one thread at a time."""
        if live.deferral is self:
            self.poller.drop()


def may_wait(target: Target, options: OpenOptions) -> bool:
    """True if the service will open what is asked for, as far as is known.

    Anything else is requested at once, so that its refusal is told when the cell starts.
    """
    info, most = target.info, longest(target.info.plan)
    if info.plan == "open" and options.mode != "batch":
        return False
    if info.kind == "ibm":
        if not info.plan or target.backend.configuration().simulator:
            return False
    else:
        try:
            most = target.client.emulator("status").data["options"].get("max_ttl") or most
        except (ServiceError, KeyError):
            return False
    return options.max_time is None or 1 <= options.max_time <= most
