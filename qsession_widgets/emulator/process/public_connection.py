"""Connections of other machines, which are closed where nobody shows a key that is good.

Each takes one of the files that this process may have open, and so from everybody else.
"""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

SILENT_SECONDS = 30.0
"""Seconds within which the first request comes."""

UNKNOWN_SECONDS = 60.0
"""Seconds within which a key is shown that is good."""


@cache
def public(made: Any) -> Any:
    """A protocol of uvicorn's for one such connection.

    Parameters
    ----------
    made : type
        The protocol for any other.
    """

    class PublicConnection(made):  # type: ignore[misc]
        """Connection that is closed unless a key comes in time."""

        def __init__(self, *words: Any, app_state: dict[str, Any], **options: Any):
            # a request hands it on in its scope
            told = {**app_state, "key_accepted": self._accept}
            super().__init__(*words, app_state=told, **options)
            self._known = False

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            self.loop.call_later(SILENT_SECONDS, self._end_silent)
            self.loop.call_later(UNKNOWN_SECONDS, self._end_unknown)

        def _accept(self) -> None:
            self._known = True

        def _end_silent(self) -> None:
            if self.cycle is None:
                self.transport.abort()

        def _end_unknown(self) -> None:
            if not self._known:
                self.transport.abort()

    return PublicConnection
