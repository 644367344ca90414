"""Authentication and authorization: keys, tokens and the instances they reach.

An emulator has one key for its owner, which reaches every instance and the emulator's own
controls, and one key for each instance, which reaches nothing else. Like IBM's, a key is exchanged
for a token that expires; the client does that by itself.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...files import write_atomically
from ..rules.records import Instance
from ..rules.refusals import INSTANCE_NOT_FOUND, Refusal, unauthorized

OWNER = "owner@emulator"
"""The owner's user name; no instance can have it."""

TOKEN_SECONDS = 3600
_ALGORITHM = "HS256"


@dataclass(frozen=True)
class Caller:
    """The sender of a request, and the instance it is about.

    Attributes
    ----------
    user : str
        `OWNER`, or the name of the instance whose key was used.
    instance : Instance or None
        The instance the request is about; None where it is about none.
    """

    user: str
    instance: Instance | None = None


class Identity:
    """The keys and instances of one emulator, kept beside its data to outlive the process.

    Attributes
    ----------
    key : str
        The owner's key.
    instances : dict of str to Instance
        By CRN.
    """

    def __init__(
        self,
        key: str,
        account: str,
        instances: Mapping[str, Instance],
        absent: Iterable[Mapping[str, Any]] = (),
    ):
        self.key = key
        self.account = account
        self.instances = dict(instances)
        self._absent = list(absent)
        self._generation = 0
        self._secret = hmac.new(key.encode(), b"tokens", hashlib.sha256).digest()

    @classmethod
    def of(cls, wanted: Mapping[str, str], saved: Mapping[str, Any] | None = None) -> Identity:
        """Make an identity.

        Parameters
        ----------
        wanted : mapping of str to str
            Names of instances and their plans.
        saved : mapping, optional
            What `to_json` gave for an earlier process: keys and CRNs are taken from there.
        """
        saved = saved or {}
        account = saved.get("account") or secrets.token_hex(16)
        known = {item["name"]: item for item in saved.get("instances", ())}
        instances = {}
        for name, plan in wanted.items():
            old = known.get(name, {})
            crn = old.get("crn") or (
                f"crn:v1:bluemix:public:quantum-computing:us-east:a/{account}:{uuid.uuid4()}::"
            )
            instances[crn] = Instance(name, crn, plan, old.get("key") or secrets.token_urlsafe(32))
        absent = [item for name, item in known.items() if name not in wanted]
        return cls(saved.get("key") or secrets.token_urlsafe(32), account, instances, absent)

    @classmethod
    def load(cls, path: Path, wanted: Mapping[str, str]) -> Identity:
        """Read an identity from a file, or make it and write it there for its owner only."""
        saved = json.loads(path.read_text("utf-8")) if path.exists() else None
        identity = cls.of(wanted, saved)
        if identity.to_json() != saved:
            # durable: a file that a power failure left empty would lock everybody out
            write_atomically(path, json.dumps(identity.to_json(), indent=1), durable=True)
        return identity

    def to_json(self) -> dict[str, Any]:
        """The content of the file, with the instances that only an earlier process had.

        Whoever starts the emulator with one of them again finds its key and its jobs as they were.
        """
        instances = [*self.listed(), *self._absent]
        return {"key": self.key, "account": self.account, "instances": instances}

    def listed(self) -> list[dict[str, Any]]:
        """The instances as plain JSON types."""
        return [asdict(instance) for instance in self.instances.values()]

    @property
    def default(self) -> Instance:
        """The first instance."""
        return next(iter(self.instances.values()))

    # ----------------------------------------------------------------------------------------------
    # Keys and tokens

    def user_of_key(self, key: str) -> str | None:
        """Find the user of a key, None for an unknown one, in constant time."""
        given = key.encode("utf-8", "surrogateescape")
        found = OWNER if hmac.compare_digest(given, self.key.encode()) else None
        for instance in self.instances.values():
            if hmac.compare_digest(given, instance.key.encode()):
                found = instance.name
        return found

    def token(self, key: str, now: float | None = None) -> tuple[str, int]:
        """Exchange a key for a token.

        Expiry is in real time even when the service's clock runs faster, because the client
        compares it with its own.

        Returns
        -------
        token : str
            A JWT.
        expiry : int
            When it expires, seconds since the epoch.

        Raises
        ------
        Refusal
            Nobody has that key.
        """
        import jwt

        user = self.user_of_key(key)
        if user is None:
            raise unauthorized("The API key is not valid.", "Use the key of this emulator.")
        issued = int(time.time() if now is None else now)
        claims = {
            "iss": "qsession-emulator",
            "sub": user,
            "account": {"bss": self.account},
            "generation": self._generation,
            "iat": issued,
            "exp": issued + TOKEN_SECONDS,
        }
        return jwt.encode(claims, self._secret, _ALGORITHM), issued + TOKEN_SECONDS

    def expire_tokens(self) -> None:
        """Let no token that was handed out so far be good any more."""
        self._generation += 1

    def user(self, authorization: str | None) -> str:
        """Authenticate an ``Authorization`` header and return its user.

        Raises
        ------
        Refusal
            401: it is missing, unknown or expired.
        """
        scheme, _, credential = (authorization or "").partition(" ")
        credential = credential.strip()
        if scheme.lower() == "apikey":
            user = self.user_of_key(credential)
            if user is not None:
                return user
            raise unauthorized("The API key is not valid.", "Use the key of this emulator.")
        if scheme.lower() == "bearer" and credential:
            return self._user_of_token(credential)
        raise unauthorized(
            "The request has no credentials.",
            "Send the header Authorization: Bearer, with a token from /identity/token.",
        )

    def _user_of_token(self, token: str) -> str:
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
        return str(claims["sub"])

    def caller(self, authorization: str | None, crn: str | None) -> Caller:
        """Authenticate a request and check that its key reaches the instance.

        Raises
        ------
        Refusal
            Bad credentials (401), no instance named (400), or one that this key does not reach
            (404, code 1279).
        """
        user = self.user(authorization)
        if not crn:
            raise Refusal(
                400,
                "The header Service-CRN is missing.",
                "Send the CRN of the instance.",
            )
        instance = self.instances.get(crn)
        if instance is None or user not in (OWNER, instance.name):
            raise Refusal(
                404,
                "Instance not found.",
                "Check the CRN, and that the API key belongs to the same account.",
                INSTANCE_NOT_FOUND,
            )
        return Caller(user, instance)
