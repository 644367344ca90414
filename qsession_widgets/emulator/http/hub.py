"""Users of the JupyterHub whose service an emulator is: their servers' tokens are their keys.

The Hub is asked whose a token is, so that nobody hands out keys: a user has an instance from the
first request on, and no access once the Hub has ended the token, as it does with the server.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from ..rules.refusals import Refusal
from .auth import Identity
from .invitations import digest

log = logging.getLogger(__name__)

FRESH = 10.0
"""Real seconds for which an answer of the Hub's counts, also one that it does not know a token."""

ANSWER_TIMEOUT = 5.0
"""Real seconds that the Hub has to answer."""

MOST_AT_ONCE = 8
"""Questions that the Hub is asked at one time."""

MOST_REMEMBERED = 10_000
"""Answers that are remembered."""


@dataclass(frozen=True)
class Hub:
    """A JupyterHub, as it describes itself to a service that it manages.

    Attributes
    ----------
    url : str
        Its REST API.
    service : str
        The name of the service that the emulator is.
    """

    url: str
    service: str

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Hub | None:
        """The Hub that has started this process; None without one."""
        url = environment.get("JUPYTERHUB_API_URL", "")
        service = environment.get("JUPYTERHUB_SERVICE_NAME", "")
        return cls(url.rstrip("/"), service) if url and service else None

    def user_of(self, token: str) -> str | None:
        """The name of the user whose token it is; None where it may not use this service.

        Raises
        ------
        OSError
            The Hub does not answer, or not as a Hub does.
        """
        # a token is one line of letters and digits; anything else is nobody's
        if not token.isascii() or not token.isalnum():
            return None
        request = Request(f"{self.url}/user", headers={"Authorization": f"token {token}"})
        try:
            # beside this machine: no proxy has a say in it
            with build_opener(ProxyHandler({})).open(request, timeout=ANSWER_TIMEOUT) as answer:
                found: Any = json.load(answer)
        except HTTPError as error:
            if error.code in (401, 403, 404):
                return None
            raise
        except (ValueError, HTTPException) as error:
            raise OSError(f"its answer cannot be read: {error}") from error
        scopes = found.get("scopes") or ()
        allowed = {"access:services", f"access:services!service={self.service}"}
        named = found.get("kind") == "user" and allowed & set(scopes)
        return str(found["name"]) if named else None


class HubUsers:
    """The users of a Hub, entered into an emulator's identity as they come.

    Parameters
    ----------
    hub : Hub
        Knows whose a token is.
    identity : Identity
        Gets an instance for each user.
    """

    def __init__(self, hub: Hub, identity: Identity):
        self._hub = hub
        self._identity = identity
        self._asked: dict[str, float] = {}
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)

    async def admit(self, key: str) -> None:
        """Ask the Hub whose a key is that the identity does not know, and enter the user.

        Raises
        ------
        Refusal
            The Hub does not answer (503), or its user cannot be entered (400, 507).
        """
        known, identity = digest(key), self._identity
        if identity.user_of_key(key) is not None and known not in identity.hub_keys:
            # the owner's, or an instance's
            return
        if self._asked.get(known, -math.inf) < time.monotonic() - FRESH:
            async with self._turns:
                await self._ask(key, known)

    async def _ask(self, key: str, known: str) -> None:
        try:
            name = await asyncio.to_thread(self._hub.user_of, key)
        except OSError as error:
            log.warning("The Hub at %s does not answer: %s.", self._hub.url, error)
            raise Refusal(
                503, "The Hub does not answer, which knows whose this key is.", "Try again."
            ) from None
        while len(self._asked) >= MOST_REMEMBERED:
            oldest = next(iter(self._asked))
            self._identity.hub_keys.pop(oldest, None)
            del self._asked[oldest]
        if name is None:
            self._identity.hub_keys.pop(known, None)
        else:
            self._enter(name)
            self._identity.hub_keys[known] = name
        self._asked[known] = time.monotonic()

    def _enter(self, name: str) -> None:
        if name in self._identity.invited:
            return
        try:
            self._identity.enter_from_hub(name)
        except OSError as error:
            raise Refusal(507, f"The user cannot be written down: {error.strerror}.") from None
