"""What surrounds every request: its address, its size, the service's date, a trace, faults."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..clock import Clock
from ..core import Emulator
from ..errors import error_body
from ..faults import Fault
from .common import PREFIX

log = logging.getLogger(__name__)

BASE = "/experimental"
"""The client leaves an address alone when this word is in it; routes are the same without it."""

LARGEST_BODY = 128 * 1024 * 1024
"""Bytes of a request's body."""


class _TooLarge(Exception):
    pass


class _Exchange:
    """One request and its answer: how much came in, and whether anything went out."""

    def __init__(self, receive: Receive, send: Send, clock: Clock, trace: str):
        self.too_large = False
        self._receive = receive
        self._send = send
        self._clock = clock
        self._trace = trace
        self._received = 0
        self._begun = False

    async def receive(self) -> Message:
        """Take the next part of the body.

        Raises
        ------
        _TooLarge
            That is more than a body may have.
        """
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self._received > LARGEST_BODY:
            self.too_large = True
            raise _TooLarge
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer; nothing of what is made of a body that broke off."""
        if not self.too_large:
            await self._write(message)

    async def fail(self, status: int, message: str, solution: str) -> None:
        """Answer with an error, unless an answer has begun."""
        if not self._begun:
            body = error_body(status, message, solution, self._trace)
            await _answer(self._write, status, body)

    async def _write(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._begun = True
            date = formatdate(self._clock.now(), usegmt=True)
            headers = [
                *message.get("headers", ()),
                (b"date", date.encode()),
                (b"x-request-id", self._trace.encode()),
            ]
            message = {**message, "headers": headers}
        await self._send(message)


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
        exchange = _Exchange(receive, send, self.emulator.clock, trace)
        exchange.too_large = _announced(scope) > LARGEST_BODY
        try:
            if not exchange.too_large:
                await self._pass_on(scope, exchange, send)
        except _TooLarge:
            pass
        except Exception:
            log.exception("Request %s could not be answered: %s %s", trace, scope["method"], path)
            await exchange.fail(500, "The emulator met a situation it was not made for.", "")
        if exchange.too_large:
            await exchange.fail(
                413,
                f"The body is larger than {LARGEST_BODY // 2**20} MiB.",
                "Split the job into smaller ones.",
            )

    async def _pass_on(self, scope: Scope, exchange: _Exchange, send: Send) -> None:
        fault = self._fault(scope["method"], scope["path"])
        if fault is None:
            await self.app(scope, exchange.receive, exchange.send)
        else:
            await self._go_wrong(fault, scope, exchange.receive, exchange.send, send)

    def _fault(self, method: str, path: str) -> Fault | None:
        if not self.emulator.options.faults or path.startswith("/emulator/"):
            return None
        return self.emulator.faults.take(method, path.removeprefix(PREFIX) or "/")

    async def _go_wrong(
        self, fault: Fault, scope: Scope, receive: Receive, dated: Send, send: Send
    ) -> None:
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.after or not (fault.drop or fault.status):
            await self.app(scope, receive, keep)
        if fault.drop:
            _hang_up(send)
        elif fault.status:
            code = fault.status if fault.code is None else fault.code
            body = error_body(code, fault.message, "Send the request again.", scope["trace"])
            await _answer(dated, fault.status, body)
        elif fault.half:
            start, *rest = answer
            whole = b"".join(message.get("body", b"") for message in rest)
            part = whole[: len(whole) // 2]
            await dated(start)
            await dated({"type": "http.response.body", "body": part, "more_body": True})
            _hang_up(send)
        else:
            for message in answer:
                await dated(message)


def _hang_up(send: Send) -> None:
    """Close the connection as it is: ASGI has no word for that, so this reaches into uvicorn."""
    transport = send.__self__.transport  # type: ignore[attr-defined]
    # what was written is sent first; then the other side finds nothing more
    transport.close()


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
