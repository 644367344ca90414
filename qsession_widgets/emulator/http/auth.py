"""Authentication and authorization: keys, tokens and the instances they reach.

An emulator has one key for its owner, which reaches every instance and the emulator's own
controls, and one key for each instance, which reaches nothing else. Like IBM's, a key is exchanged
for a token that expires; the client does that by itself. Of a user who was invited while it runs,
only a digest of the key is kept: the key itself is in the answer to the invitation and nowhere
else.
"""

from __future__ import annotations

import hmac
import json
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ...files import write_atomically
from ..rules.records import Instance
from ..rules.refusals import INSTANCE_NOT_FOUND, Refusal, invalid, not_found, unauthorized
from .invitations import MOST_USERS, InvitedUser, check_names, digest, new_crn, numbered
from .tokens import Tokens

OWNER = "owner@emulator"
"""The owner's user name; no instance can have it."""

TOKEN_SECONDS = 3600
HUB_TOKEN_SECONDS = 600
"""Real seconds for which a token is good that a JupyterHub's was exchanged for."""

FROM_HUB = "hub"
"""Stands for the digest of a key where a JupyterHub knows the keys."""

PAGE_SECONDS = 6 * 3600
TICKET_SECONDS = 60.0
"""Real seconds within which a ticket is used, once."""


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
        By CRN; those of invited users have no key here.
    invited : dict of str to InvitedUser
        By name, those whose key was revoked too.
    seen : dict of str to float
        When a user's credentials were last accepted by this process, seconds since the epoch.
    hub_keys : dict of str to str
        Users by the digests of their tokens of a JupyterHub, which are keys as long as it says so.
    """

    def __init__(
        self,
        key: str,
        account: str,
        instances: Mapping[str, Instance],
        absent: Iterable[Mapping[str, Any]] = (),
        invited: Iterable[InvitedUser] = (),
    ):
        self.key = key
        self.account = account
        self.instances = dict(instances)
        self.invited: dict[str, InvitedUser] = {}
        self.seen: dict[str, float] = {}
        self._by_digest: dict[str, str] = {}
        self.hub_keys: dict[str, str] = {}
        self._tickets: dict[str, float] = {}
        self._absent = list(absent)
        self._path: Path | None = None
        for user in invited:
            self._enter(user)
        self._tokens = Tokens(key, account)

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
        invited = [InvitedUser(**item) for item in saved.get("invited", ())]
        for name, plan in wanted.items():
            old = known.get(name, {})
            crn = old.get("crn") or new_crn(account)
            instances[crn] = Instance(name, crn, plan, old.get("key") or secrets.token_urlsafe(32))
        absent = [item for name, item in known.items() if name not in wanted]
        key = saved.get("key") or secrets.token_urlsafe(32)
        return cls(key, account, instances, absent, invited)

    @classmethod
    def load(cls, path: Path, wanted: Mapping[str, str]) -> Identity:
        """Read an identity from a file, or make it and write it there for its owner only."""
        saved = json.loads(path.read_text("utf-8")) if path.exists() else None
        identity = cls.of(wanted, saved)
        identity._path = path
        if identity.to_json() != saved:
            identity._save()
        return identity

    def _save(self) -> None:
        if self._path is not None:
            # durable: a file that a power failure left empty would lock everybody out
            write_atomically(self._path, json.dumps(self.to_json(), indent=1), durable=True)

    def to_json(self) -> dict[str, Any]:
        """The content of the file, with the instances that only an earlier process had.

        Whoever starts the emulator with one of them again finds its key and its jobs as they were.
        """
        instances = [*self.listed(), *self._absent]
        invited = [asdict(user) for user in self.invited.values()]
        kept = {"key": self.key, "account": self.account, "instances": instances}
        return {**kept, "invited": invited} if invited else kept

    def listed(self) -> list[dict[str, Any]]:
        """The instances that the emulator was started with, as plain JSON types."""
        return [
            asdict(instance)
            for instance in self.instances.values()
            if instance.name not in self.invited
        ]

    @property
    def default(self) -> Instance:
        """The first instance."""
        return next(iter(self.instances.values()))

    def plan_of(self, user: str) -> str:
        """The plan of a user's instance; the default one's for the owner."""
        named = (one for one in self.instances.values() if one.name == user)
        return next(named, self.default).plan

    # ----------------------------------------------------------------------------------------------
    # Users who are invited

    def invite(self, names: Sequence[str], count: int, plan: str) -> dict[str, str]:
        """Make a key for each of some users, who are new or whose key was revoked.

        Somebody whose key was revoked gets back his instance, with the jobs in it.

        Parameters
        ----------
        names : sequence of str
            Their names.
        count : int
            How many more, who are named ``student-01`` and so on.
        plan : str
            The plan of their instances.

        Returns
        -------
        dict of str to str
            The keys by name. They are kept nowhere.

        Raises
        ------
        Refusal
            A name cannot be taken (400).
        OSError
            The users cannot be written down; nobody was invited.
        """
        known = {instance.name for instance in self.instances.values()}
        free = {user.name for user in self.invited.values() if not user.digest}
        names = [*names, *numbered(count, {*known, *names})]
        check_names(names, known - free)
        if len({*self.invited, *names}) > MOST_USERS:
            raise invalid(f"An emulator has at most {MOST_USERS} users.", "Invite fewer.")
        before = dict(self.invited)
        # a key that began with a hyphen would be an option on a command line
        keys = {name: f"qs_{secrets.token_urlsafe(32)}" for name in names}
        for name, key in keys.items():
            crn = before[name].crn if name in before else new_crn(self.account)
            self._enter(InvitedUser(name, crn, plan, digest(key), time.time()))
        self._save_or_restore(before)
        return keys

    def revoke(self, name: str) -> Instance:
        """End a user's key, and every token that it was exchanged for.

        Returns
        -------
        Instance
            His instance.

        Raises
        ------
        Refusal
            Nobody of that name has a key by invitation (404).
        OSError
            That cannot be written down; the key is still good.
        """
        user = self.invited.get(name)
        if user is None or not user.digest:
            raise not_found("User", name)
        before = dict(self.invited)
        self._enter(replace(user, digest=""))
        self._save_or_restore(before)
        return self.instances[user.crn]

    def enter_from_hub(self, name: str) -> None:
        """Give an instance to a user whose keys a JupyterHub knows.

        Raises
        ------
        Refusal
            The name cannot be taken, or there are too many users (400).
        OSError
            The user cannot be written down.
        """
        check_names([name], {instance.name for instance in self.instances.values()})
        if len(self.invited) >= MOST_USERS:
            raise invalid(f"An emulator has at most {MOST_USERS} users.", "Ask who runs it.")
        before = dict(self.invited)
        crn = new_crn(self.account)
        self._enter(InvitedUser(name, crn, self.default.plan, FROM_HUB, time.time()))
        self._save_or_restore(before)

    def _enter(self, user: InvitedUser) -> None:
        self.invited[user.name] = user
        self.instances[user.crn] = Instance(user.name, user.crn, user.plan, "")
        self._by_digest = {one.digest: one.name for one in self.invited.values() if one.digest}

    def _save_or_restore(self, before: Mapping[str, InvitedUser]) -> None:
        try:
            self._save()
        except OSError:
            for name in [*self.invited]:
                user = self.invited.pop(name)
                self.instances.pop(user.crn)
            for user in before.values():
                self._enter(user)
            raise

    # ----------------------------------------------------------------------------------------------
    # Keys and tokens

    def user_of_key(self, key: str) -> str | None:
        """Find the user of a key, None for an unknown one, in constant time."""
        given = key.encode("utf-8", "surrogateescape")
        found = OWNER if hmac.compare_digest(given, self.key.encode()) else None
        for instance in self.instances.values():
            if instance.key and hmac.compare_digest(given, instance.key.encode()):
                found = instance.name
        # what is compared is a digest, whose digits tell nothing of the key
        known = digest(key)
        user = self.invited.get(self.hub_keys.get(known, ""))
        # not any more once who runs the emulator has revoked that user
        of_hub = user.name if user is not None and user.digest == FROM_HUB else None
        return found or self._by_digest.get(known) or of_hub

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
        user = self.user_of_key(key)
        if user is None:
            raise unauthorized("The API key is not valid.", "Use the key of this emulator.")
        seconds = HUB_TOKEN_SECONDS if digest(key) in self.hub_keys else TOKEN_SECONDS
        return self._token(user, int(time.time() if now is None else now), seconds)

    def new_ticket(self) -> str:
        """A ticket for one token of the owner's, so that a key need not stand in a link."""
        now = time.monotonic()
        self._tickets = {known: end for known, end in self._tickets.items() if end > now}
        ticket = secrets.token_urlsafe(32)
        self._tickets[digest(ticket)] = now + TICKET_SECONDS
        return ticket

    def use_ticket(self, ticket: str) -> str | None:
        """Exchange a ticket for a token of the owner's; None for one that is used or too old."""
        end = self._tickets.pop(digest(ticket), 0.0)
        if end < time.monotonic():
            return None
        return self._token(OWNER, int(time.time()), PAGE_SECONDS)[0]

    def _token(self, user: str, issued: int, seconds: int) -> tuple[str, int]:
        return self._tokens.make(user, self._credential(user), issued, seconds)

    def _credential(self, user: str) -> str:
        """Names the key of an invited user, so that its tokens end with it; empty for others."""
        invited = self.invited.get(user)
        return invited.digest[:16] if invited is not None else ""

    def expire_tokens(self) -> None:
        """Let no token that was handed out so far be good any more."""
        self._tokens.expire_all()

    def user(self, authorization: str | None) -> str:
        """Authenticate an ``Authorization`` header and return its user.

        Raises
        ------
        Refusal
            401: it is missing, unknown, expired or revoked.
        """
        user = self._user(authorization)
        self.seen[user] = time.time()
        return user

    def _user(self, authorization: str | None) -> str:
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
        claims = self._tokens.read(token)
        user = str(claims["sub"])
        if user in self.invited and claims.get("credential") != (self._credential(user) or None):
            raise unauthorized("The API key was revoked.", "Ask for a new one.")
        return user

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
