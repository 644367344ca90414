"""ASGI middleware: strips the prefix, limits sizes, adds date and trace id, injects faults."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Callable
from email.utils import formatdate
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..clock import Clock
from ..core import Emulator
from ..rules.refusals import Refusal, error_body
from .auth import Identity
from .common import PREFIX, key_accepted
from .fault_injection import Fault, Faults
from .hub import HubUsers
from .routes import iam

log = logging.getLogger(__name__)

BASE = "/experimental"
"""The client leaves an address alone when this word is in it; routes are the same without it."""

LARGEST_BODY = 128 * 1024 * 1024
"""Bytes of a request's body."""

BODY_SECONDS = 15.0
"""Real seconds to wait for the next part of a body.

Two processes that share a connection after a fork announce bodies that never come whole.
"""

FROM_ANYBODY = 64 * 1024
"""Bytes of a body that are taken before anybody has looked at the sender's key.

A body is read and parsed before its route asks who sent it, and while a large one is parsed nobody
else is answered.
"""


class _Exchange:
    """One request and its answer: bytes received, and if an answer has begun.

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
    refused : Refusal or None
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
        self.refused: Refusal | None = None
        self._receive = receive
        self._send = send
        self._clock = clock
        self._trace = trace
        self._allowed = allowed
        self._limit: int | None = None
        self._received = 0
        self._whole = False
        self._begun = False

    def check_size(self, size: int) -> None:
        """Look whether a body may have that many bytes.

        Raises
        ------
        Refusal
            It may not.
        """
        if size <= FROM_ANYBODY:
            return
        try:
            if self._limit is None:
                self._limit = self._allowed()
            if size > self._limit:
                raise _too_large(self._limit)
        except Refusal as refused:
            self.refused = refused
            raise

    async def receive(self) -> Message:
        """Take the next part of the body; see `check_size` for errors."""
        try:
            message = await asyncio.wait_for(self._receive(), None if self._whole else BODY_SECONDS)
        except asyncio.TimeoutError:
            self.refused = Refusal(
                408,
                f"The rest of the body did not come within {BODY_SECONDS:g} seconds.",
                "Send the request again.",
            )
            raise self.refused from None
        self._whole = not message.get("more_body", False)
        self._received += len(message.get("body", b""))
        self.check_size(self._received)
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer; nothing of what is made of a body that broke off."""
        if self.refused is None:
            await self._write(message)

    async def fail(self, refused: Refusal) -> None:
        """Answer with an error, unless an answer has begun."""
        if not self._begun:
            body = error_body(refused.code, refused.message, refused.solution, self._trace)
            await _answer(self._write, refused.status, json.dumps(body).encode())

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


class Middleware:
    """The middleware around the application.

    Parameters
    ----------
    app : ASGI application
        What answers.
    emulator : Emulator
        Whose clock dates the answers.
    identity : Identity
        Keys, for requests whose body is large.
    faults : Faults or None
        Faults to apply; None where the faults plane is off.
    open_path : str
        A path below which every key is the owner's, and every unknown instance the default one;
        none when empty. Only who is told it knows it.

    Attributes
    ----------
    hub : HubUsers or None
        Who knows keys that the identity does not; None without a JupyterHub.
    hosts : tuple of str
        Names, in lower case, by which clients may address it, beside addresses and ``localhost``.
    stop : callable
        Ends the process.
    """

    def __init__(
        self,
        app: ASGIApp,
        emulator: Emulator,
        identity: Identity,
        faults: Faults | None = None,
        open_path: str = "",
    ):
        self.app = app
        self.open_path = open_path
        self.emulator = emulator
        self.identity = identity
        self.faults = faults
        self._late: set[asyncio.Task[None]] = set()
        self.hub: HubUsers | None = None
        self.hosts: tuple[str, ...] = ()
        self.stop: Callable[[], None] = lambda: None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        trace = str(uuid.uuid4())
        path = scope["path"]
        if self.open_path and path.startswith(self.open_path + "/"):
            path = path[len(self.open_path) :]
            scope = {**scope, "headers": self._let_in(scope["headers"]), "any_key": True}
        if path.startswith(BASE + "/"):
            path = path[len(BASE) :]
        scope = {
            **scope,
            "path": path,
            "raw_path": path.encode(),
            "trace": trace,
            "stop": self.stop,
            "hub": self.hub,
        }
        if not self._known_host(_header(scope, b"host")):
            refused = Refusal(
                421,
                "The Host header does not name this emulator.",
                "Send requests to the address it announced.",
            )
            body = error_body(refused.code, refused.message, refused.solution, trace)
            await _answer(send, refused.status, json.dumps(body).encode())
            return
        exchange = _Exchange(
            receive, send, self.emulator.clock, trace, lambda: self._allowed(scope)
        )
        try:
            await self._admit(scope, exchange)
            exchange.check_size(_announced(scope))
            await self._pass_on(scope, exchange, send)
        except Exception as error:
            if error is not exchange.refused:
                log.exception(
                    "Request %s could not be answered: %s %s", trace, scope["method"], path
                )
                await exchange.fail(
                    Refusal(500, "The emulator met a situation it was not made for.")
                )
        if exchange.refused is not None:
            await exchange.fail(exchange.refused)

    async def _admit(self, scope: Scope, exchange: _Exchange) -> None:
        """Ask the JupyterHub, if there is one, for the user of a key in the headers."""
        scheme, _, key = (_header(scope, b"authorization") or "").partition(" ")
        if self.hub is not None and scheme.lower() == "apikey":
            try:
                await self.hub.admit(key.strip())
            except Refusal as refused:
                exchange.refused = refused
                raise

    def _known_host(self, header: str | None) -> bool:
        """True for addresses, the loopback's names and the host that was asked to listen.

        A name that a web page's owner has pointed at this machine is none of them, so that a page
        in a browser here cannot be made to read answers.
        """
        if header is None:
            return True  # no browser leaves it out
        try:
            name = urlsplit(f"//{header}").hostname or ""
            return name in ("localhost", *self.hosts) or bool(ip_address(name.partition("%")[0]))
        except ValueError:
            return False

    def _let_in(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """The headers of a request whose key and instance are another service's, as the owner's."""
        identity = self.identity
        found = []
        for name, value in headers:
            if name == b"authorization" and value.lower().startswith(b"apikey "):
                key = value[len(b"apikey ") :].strip().decode("latin-1")
                if identity.user_of_key(key) is None:
                    value = b"apikey " + identity.key.encode()
            if name == b"service-crn" and value.decode("latin-1") not in identity.instances:
                value = identity.default.crn.encode()
            found.append((name, value))
        return found

    def _allowed(self, scope: Scope) -> int:
        """Bytes that a large body may have; refuses a sender without a valid key."""
        if scope["path"] == iam.TOKEN:
            return FROM_ANYBODY
        self.identity.user(_header(scope, b"authorization"))
        key_accepted(scope)
        return LARGEST_BODY

    async def _pass_on(self, scope: Scope, exchange: _Exchange, send: Send) -> None:
        fault = self._fault(scope["method"], scope["path"])
        if fault is None:
            await self.app(scope, exchange.receive, exchange.send)
        else:
            await self._inject(fault, scope, exchange.receive, exchange.send, send)

    def _fault(self, method: str, path: str) -> Fault | None:
        if self.faults is None or path.startswith("/emulator/"):
            return None
        return self.faults.take(method, path.removeprefix(PREFIX) or "/")

    async def _inject(
        self, fault: Fault, scope: Scope, receive: Receive, dated: Send, send: Send
    ) -> None:
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        if fault.late is not None:
            parts = [await receive()]
            while parts[-1].get("more_body"):
                parts.append(await receive())
            self._late.add(task := asyncio.create_task(self._later(fault.late, scope, parts)))
            task.add_done_callback(self._late.discard)
        if fault.after:
            await self.app(scope, receive, keep)
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if not (fault.after or fault.drop or fault.status):
            await self.app(scope, receive, keep)
        if fault.drop:
            _hang_up(send)
        elif fault.status:
            code = fault.status if fault.code is None else fault.code
            error = error_body(code, fault.message, "Send the request again.", scope["trace"])
            body = fault.spoil(json.dumps(error).encode())
            await _answer(dated, fault.status, body, fault.retry_after, html=fault.body == "html")
        elif fault.half:
            start, *rest = answer
            whole = b"".join(message.get("body", b"") for message in rest)
            part = whole[: len(whole) // 2]
            await dated(start)
            await dated({"type": "http.response.body", "body": part, "more_body": True})
            _hang_up(send)
        elif fault.body:
            start, *rest = answer
            body = fault.spoil(b"".join(message.get("body", b"") for message in rest))
            # no body may follow this status
            status = 200 if start["status"] == 204 else start["status"]
            await _answer(dated, status, body, html=fault.body == "html")
        else:
            for message in answer:
                await dated(message)

    async def _later(self, seconds: float, scope: Scope, body: list[Message]) -> None:
        """Let a request take effect when its sender is gone, and its answer with it."""

        async def again() -> Message:
            return body.pop(0) if body else {"type": "http.disconnect"}

        async def nowhere(message: Message) -> None:
            """Drop the answer."""

        await asyncio.sleep(seconds)
        await self.app(scope, again, nowhere)


def _hang_up(send: Send) -> None:
    """Close the connection as it is: ASGI has no word for that, so this reaches into uvicorn."""
    transport = send.__self__.transport  # type: ignore[attr-defined]
    # what was written is sent first; then the other side finds nothing more
    transport.close()


def _too_large(limit: int) -> Refusal:
    if limit < LARGEST_BODY:
        return Refusal(413, f"The body is larger than {limit // 2**10} KiB.", "Send the key only.")
    return Refusal(
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


async def _answer(
    send: Send, status: int, body: bytes, retry_after: int | None = None, *, html: bool = False
) -> None:
    headers = [
        (b"content-type", b"text/html" if html else b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    if retry_after is not None:
        headers.append((b"retry-after", str(retry_after).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
