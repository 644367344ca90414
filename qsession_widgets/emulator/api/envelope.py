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
from ..lifecycle import Refused
from . import iam
from .common import PREFIX

log = logging.getLogger(__name__)

BASE = "/experimental"
"""The client leaves an address alone when this word is in it; routes are the same without it."""

LARGEST_BODY = 128 * 1024 * 1024
"""Bytes of a request's body."""

FROM_ANYBODY = 64 * 1024
"""Bytes of a body that are taken before anybody has looked at the sender's key.

A body is read and parsed before its route asks who sent it, and while a large one is parsed nobody
else is answered.
"""


class _Exchange:
    """One request and its answer: how much came in, and whether anything went out.

    Parameters
    ----------
    receive, send : callable
        The server's.
    clock : Clock
        Dates the answer.
    trace : str
        The id of the request.
    allowed : callable
        Says how many bytes the body may have, or refuses its sender; asked once, when there are
        more than anybody may send.

    Attributes
    ----------
    refused : Refused or None
        Why the body is not taken.
    """

    def __init__(
        self,
        receive: Receive,
        send: Send,
        clock: Clock,
        trace: str,
        allowed: Callable[[], int],
    ):
        self.refused: Refused | None = None
        self._receive = receive
        self._send = send
        self._clock = clock
        self._trace = trace
        self._allowed = allowed
        self._limit: int | None = None
        self._received = 0
        self._begun = False

    def weigh(self, size: int) -> None:
        """Look whether a body may have that many bytes.

        Raises
        ------
        Refused
            It may not.
        """
        if size <= FROM_ANYBODY:
            return
        try:
            if self._limit is None:
                self._limit = self._allowed()
            if size > self._limit:
                raise _too_large(self._limit)
        except Refused as refused:
            self.refused = refused
            raise

    async def receive(self) -> Message:
        """Take the next part of the body; see `weigh` for errors."""
        message = await self._receive()
        self._received += len(message.get("body", b""))
        self.weigh(self._received)
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer; nothing of what is made of a body that broke off."""
        if self.refused is None:
            await self._write(message)

    async def fail(self, refused: Refused) -> None:
        """Answer with an error, unless an answer has begun."""
        if not self._begun:
            body = error_body(refused.code, refused.message, refused.solution, self._trace)
            await _answer(self._write, refused.status, body)

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
        exchange = _Exchange(
            receive, send, self.emulator.clock, trace, lambda: self._allowed(scope)
        )
        try:
            exchange.weigh(_announced(scope))
            await self._pass_on(scope, exchange, send)
        except Exception as error:
            if error is not exchange.refused:
                log.exception(
                    "Request %s could not be answered: %s %s", trace, scope["method"], path
                )
                await exchange.fail(
                    Refused(500, "The emulator met a situation it was not made for.")
                )
        if exchange.refused is not None:
            await exchange.fail(exchange.refused)

    def _allowed(self, scope: Scope) -> int:
        """How large the body of a request may be, which is known to be large; or a refusal."""
        if scope["path"] == iam.TOKEN:
            return FROM_ANYBODY
        self.emulator.identity.user(_header(scope, b"authorization"))
        return LARGEST_BODY

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


def _too_large(limit: int) -> Refused:
    if limit < LARGEST_BODY:
        return Refused(413, f"The body is larger than {limit // 2**10} KiB.", "Send the key only.")
    return Refused(
        413, f"The body is larger than {limit // 2**20} MiB.", "Split the job into smaller ones."
    )


def _announced(scope: Scope) -> int:
    size = _header(scope, b"content-length")
    return int(size) if size is not None and size.isdecimal() else 0


def _header(scope: Scope, wanted: bytes) -> str | None:
    for name, value in scope["headers"]:
        if name == wanted:
            return str(value.decode("latin-1"))
    return None


async def _answer(send: Send, status: int, body: dict[str, Any]) -> None:
    data = json.dumps(body).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(data)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})
