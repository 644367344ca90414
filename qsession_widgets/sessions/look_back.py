"""Attaching of what takes no more jobs: its views are there, and nothing is bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..deferred_output import NOTICES
from ..messages.events import read_only
from .opening import OpenResult

if TYPE_CHECKING:
    from .binding import Binding
    from .live import LiveSession


def look_back(binding: Binding, live: LiveSession) -> OpenResult:
    """Keep a session that takes no more jobs, and say that it can only be looked at.

    Primitives belong to what they belonged to before.

    Parameters
    ----------
    binding : Binding
        The sessions of this kernel.
    live : LiveSession
        The session; its last jobs may still run.
    """
    binding.keep(live)
    NOTICES.emit(read_only(live.monitor.snapshot))
    return OpenResult("ended", live, live.target, granted=live.monitor.snapshot.max_ttl)
