"""API keys: made, shown once, checked, replaced, revoked.

A key reads ``obs_<id>_<secret>``. The secret has 256 random bits, so one round of a salted hash is enough: there is
nothing to guess, and each request is checked in microseconds.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from observatory.access.permissions import Caller, Role, Scope
from observatory.access.snapshot import Snapshot
from observatory.errors import InvalidInputError, NotFoundError, NotSignedInError
from observatory.store import Store
from observatory.store.tables.keys import StoredKey

PREFIX = "obs_"
FORM = re.compile(r"obs_([0-9a-f]{12})_([A-Za-z0-9_-]{43})", re.ASCII)
NAME = re.compile(r"[\w.@ -]{1,80}")
TOUCH = timedelta(minutes=1)
"""How exact the time of last use is."""


class ApiKeys:
    """The keys of a store.

    Parameters
    ----------
    store
        Where they are kept.
    clock
        Tells the time, in UTC.
    """

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store.keys
        self._clock = clock
        self._known = Snapshot(self._store.all, lambda key: key.id)
        self._touched: dict[str, datetime] = {}

    def create(
        self, name: str, role: Role, services: Iterable[str], expires: timedelta | None = None
    ) -> tuple[StoredKey, str]:
        """Make a key; returns it and its text, which is not kept anywhere.

        Raises
        ------
        InvalidInputError
            The name or a pattern cannot be used, or a key of that name is in use.
        """
        if not NAME.fullmatch(name) or name != name.strip():
            raise InvalidInputError(f"key name {name!r} cannot be used: up to 80 letters, digits, blanks and . @ - _")
        if any(key.name == name and key.revoked_at is None for key in self._store.all()):
            raise InvalidInputError(f"a key called {name!r} is in use: revoke or rotate it, or choose another name")
        scope = Scope.of(services)
        if not scope.patterns:
            raise InvalidInputError("a key needs at least one pattern of services: '*' for all")
        now = self._clock()
        salt, secret = secrets.token_hex(16), secrets.token_urlsafe(32)
        key = StoredKey(
            id=secrets.token_hex(6),
            name=name,
            role=str(role),
            services=scope.patterns,
            salt=salt,
            hash=hashed(salt, secret),
            created_at=now,
            expires_at=now + expires if expires else None,
        )
        self._store.add(key)
        self._known.forget()
        return key, f"{PREFIX}{key.id}_{secret}"

    def rotate(self, which: str, expires: timedelta | None = None) -> tuple[StoredKey, str]:
        """Give a key another secret; the old one is refused at once. It lives as long as `expires`, or as before."""
        key, now = self.named(which), self._clock()
        salt, secret = secrets.token_hex(16), secrets.token_urlsafe(32)
        lifetime = expires or (key.expires_at - key.created_at if key.expires_at else None)
        until = now + lifetime if lifetime else None
        self._store.renew(key.id, salt, hashed(salt, secret), until)
        self._known.forget()
        return replace(key, salt=salt, hash=hashed(salt, secret), expires_at=until), f"{PREFIX}{key.id}_{secret}"

    def revoke(self, which: str) -> StoredKey:
        """Refuse a key from now on, in every process after at most `FRESH` seconds."""
        key = self.named(which)
        self._store.revoke(key.id, self._clock())
        self._known.forget()
        return key

    def all(self) -> list[StoredKey]:
        """Every key there ever was, the oldest first."""
        return self._store.all()

    def named(self, which: str) -> StoredKey:
        """The key in use with that name or id; raises NotFoundError."""
        for key in self._store.all():
            if key.revoked_at is None and which in (key.name, key.id):
                return key
        raise NotFoundError(f"there is no key {which!r} in use: list them with `observatory keys list`")

    def any(self) -> bool:
        """Whether there ever was a key: where the last was revoked, the door stays closed."""
        return bool(self._known.all())

    def caller(self, text: str) -> Caller:
        """Whose key this is; raises NotSignedInError."""
        found = FORM.fullmatch(text)
        key = self._known.find(found[1]) if found else None
        if found is None or key is None or not hmac.compare_digest(key.hash, hashed(key.salt, found[2])):
            raise NotSignedInError("the API key is unknown")
        return self._accept(key)

    def session(self, text: str) -> str:
        """What the cookie of somebody holds who signs in with this key; raises NotSignedInError."""
        caller = self.caller(text)
        return f"{caller.id}:{self._known.all()[caller.id].hash[:16]}"

    def caller_of_session(self, session: str) -> Caller:
        """Whoever signed in with a key that has not been rotated since; raises NotSignedInError."""
        id_, _, mark = session.partition(":")
        key = self._known.find(id_)
        if key is None or not hmac.compare_digest(key.hash[:16], mark):
            raise NotSignedInError("the key you signed in with is no longer valid: sign in again")
        return self._accept(key)

    def _accept(self, key: StoredKey) -> Caller:
        now = self._clock()
        if key.revoked_at is not None:
            raise NotSignedInError("the API key was revoked")
        if key.expires_at is not None and now >= key.expires_at:
            raise NotSignedInError(f"the API key expired at {key.expires_at:%Y-%m-%d %H:%M} UTC")
        last = self._touched.get(key.id, key.last_used_at)
        if last is None or now - last >= TOUCH:
            self._touched[key.id] = now
            self._store.touch(key.id, now)
        return Caller("key", key.id, key.name, Role(key.role), Scope(key.services))


def hashed(salt: str, secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(bytes.fromhex(salt) + secret.encode()).hexdigest()
