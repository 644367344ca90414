"""Tokens of one emulator: signed, with a user and an end, good until then or until all expire."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from ..rules.refusals import unauthorized

_ALGORITHM = "HS256"


class Tokens:
    """Makes and reads the tokens of one emulator.

    Parameters
    ----------
    key : str
        The owner's key, from which the secret that signs them follows.
    account : str
        The account that they name, as IBM's do.
    """

    def __init__(self, key: str, account: str):
        self._account = account
        self._generation = 0
        self._secret = hmac.new(key.encode(), b"tokens", hashlib.sha256).digest()

    def make(self, user: str, credential: str, issued: int, seconds: int) -> tuple[str, int]:
        """A token and its end, in seconds since the epoch.

        Parameters
        ----------
        user : str
            Whom it stands for.
        credential : str
            Names the key it was made for, so that it ends with that key; empty for none.
        issued, seconds : int
            From when, in seconds since the epoch, and for how long it is good.
        """
        import jwt

        claims = {
            "iss": "qsession-emulator",
            "sub": user,
            "account": {"bss": self._account},
            "generation": self._generation,
            "credential": credential,
            "iat": issued,
            "exp": issued + seconds,
        }
        return jwt.encode(claims, self._secret, _ALGORITHM), issued + seconds

    def read(self, token: str) -> Mapping[str, Any]:
        """The claims of a token, ``sub`` and ``credential`` among them.

        Raises
        ------
        Refusal
            401: it is not one of this emulator's, or has expired.
        """
        import jwt

        try:
            claims = jwt.decode(
                token, self._secret, [_ALGORITHM], options={"require": ["exp", "iat", "sub"]}
            )
        except jwt.ExpiredSignatureError:
            claims = {}
        except jwt.InvalidTokenError:
            raise unauthorized(
                "The token is not valid.", "Exchange the API key for a new one."
            ) from None
        if claims.get("generation") != self._generation:
            raise unauthorized("The token has expired.", "Exchange the API key for a new one.")
        return claims

    def expire_all(self) -> None:
        """Let no token that was made so far be good any more."""
        self._generation += 1
