"""What surrounds every request: its address, its size, the service's date, a trace, faults."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..core import Emulator
from ..errors import error_body

log = logging.getLogger(__name__)

BASE = "/experimental"
"""The client leaves an address alone when this word is in it; routes are the same without it."""

LARGEST_BODY = 128 * 1024 * 1024
"""Bytes of a request's body."""


class _TooLarge(Exception):
    pass


class Envelope:
    """Wraps the application.

    Parameters
    ----------
    app : ASGI application
        What answers.
    emulator : Emulator
        Whose clock dates the answers.
    """

    def __init__(self, app: ASGIApp, emulator: Emulator):
        self.app = app
        self.emulator = emulator
        self.stop: Callable[[], None] = lambda: None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self.emulator.touch()
        trace = str(uuid.uuid4())
        path = scope["path"]
        if path.startswith(BASE + "/"):
            path = path[len(BASE) :]
        scope = {
            **scope,
            "path": path,
            "raw_path": path.encode(),
            "trace": trace,
            "stop": self.stop,
        }
        begun = False
        received = 0

        async def dated(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                date = formatdate(self.emulator.clock.now(), usegmt=True)
                headers = [
                    *message.get("headers", ()),
                    (b"date", date.encode()),
                    (b"x-request-id", trace.encode()),
                ]
                message = {**message, "headers": headers}
            await send(message)

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > LARGEST_BODY:
                raise _TooLarge
            return message

        try:
            if _announced(scope) > LARGEST_BODY:
                raise _TooLarge
            await self.app(scope, limited, dated)
        except _TooLarge:
            if not begun:
                await _answer(
                    dated,
                    413,
                    error_body(
                        413,
                        f"The body is larger than {LARGEST_BODY // 2**20} MiB.",
                        "Split the job into smaller ones.",
                        trace,
                    ),
                )
        except Exception:
            log.exception("Request %s could not be answered: %s %s", trace, scope["method"], path)
            if not begun:
                body = error_body(
                    500, "The emulator met a situation it was not made for.", "", trace
                )
                await _answer(dated, 500, body)


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


async def _answer(send: Send, status: int, body: dict[str, Any]) -> None:
    data = json.dumps(body).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(data)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})
