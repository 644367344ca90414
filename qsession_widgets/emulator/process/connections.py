"""Connections, which are closed where nobody shows a key that is good.

Each takes one of the files that this process may have open, and so from everybody else; on the
loopback, too, from where other users of the machine reach it.
"""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

from ...platform_support import open_files

SILENT_SECONDS = 30.0
"""Seconds within which the first request comes."""

UNKNOWN_SECONDS = 60.0
"""Seconds within which a key is shown that is good."""

MOST_UNKNOWN = 2000
"""Connections without such a key at one time, and at the most half of the files that may be open;
one more ends the oldest of them."""


@cache
def keyed(made: Any) -> Any:
    """A protocol of uvicorn's for such a connection.

    Parameters
    ----------
    made : type
        The protocol for one that stays.
    """
    unknown: dict[Any, None] = {}

    class KeyedConnection(made):  # type: ignore[misc]
        """Connection that is closed unless a key comes in time."""

        def __init__(self, *words: Any, app_state: dict[str, Any], **options: Any):
            # a request hands it on in its scope
            told = {**app_state, "key_accepted": self._accept}
            super().__init__(*words, app_state=told, **options)

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            unknown[self] = None
            if len(unknown) > min(MOST_UNKNOWN, open_files() // 2):
                next(iter(unknown))._end_unknown()
            self.loop.call_later(SILENT_SECONDS, self._end_silent)
            self.loop.call_later(UNKNOWN_SECONDS, self._end_unknown)

        def connection_lost(self, exc: Exception | None) -> None:
            unknown.pop(self, None)
            super().connection_lost(exc)

        def _accept(self) -> None:
            unknown.pop(self, None)

        def _end_silent(self) -> None:
            if self.cycle is None:
                self.transport.abort()

        def _end_unknown(self) -> None:
            if self in unknown:
                del unknown[self]
                self.transport.abort()

    return KeyedConnection
