"""Calls that block, beside the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def in_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Call a function that may block, on a thread of its own.

    Unlike the loop's own executor this one is not waited for when the process ends: a service that
    keeps a question open for half a minute must not keep the server up for as long.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def settle(set_it: Callable[[Any], None], value: Any) -> None:
        if not outcome.done():
            set_it(value)

    def call() -> None:
        try:
            value, set_it = function(*arguments), outcome.set_result
        except BaseException as error:
            value, set_it = error, outcome.set_exception  # type: ignore[assignment]
        # the loop may be gone by now, and with it whoever asked
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, set_it, value)

    threading.Thread(target=call, name="qsession-server", daemon=True).start()
    return await outcome
