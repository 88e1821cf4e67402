"""Who is signed in to the dashboard: kept in the store, so that ending a session ends it in every process.

The browser holds a random id of 256 bits, the store its hash: nothing that is stored opens anything. What was granted
at the sign-in is kept too; who may do something else by now has to sign in again.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from observatory.access.permissions import Caller
from observatory.errors import NotSignedInError
from observatory.store import Store
from observatory.store.tables.sessions import StoredSession

FRESH = 2.0
"""How long sessions read from the store are relied on [s]: so long may one ended elsewhere still work."""
UNKNOWN_FRESH = 0.25
"""The same before a session is said to be unknown [s]: one that began elsewhere works at once."""


class Sessions:
    """The sessions of a store.

    Parameters
    ----------
    store
        Where they are kept.
    clock
        Tells the time, in UTC.
    hours
        How long one stays signed in [h].
    """

    def __init__(self, store: Store, clock: Callable[[], datetime], hours: float) -> None:
        self._store = store.sessions
        self._clock = clock
        self._lasts = timedelta(hours=hours)
        self._lock = threading.Lock()
        self._known: dict[str, StoredSession] = {}
        self._read_at = float("-inf")

    def begin(self, way: str, subject: str, caller: Caller | None) -> str:
        """Keep that `subject` signed in; returns what their cookie holds, which is not kept anywhere.

        Parameters
        ----------
        way
            How they signed in: a session is worth nothing where people sign in another way.
        subject
            The key or the user, as `Authenticator.signed_in` takes it.
        caller
            What they may do; None where that is nothing yet.
        """
        text, now = secrets.token_urlsafe(32), self._clock()
        role, services = (str(caller.role), caller.scope.patterns) if caller else ("", ())
        self._store.add(StoredSession(hash_of(text), way, subject, role, services, now, now + self._lasts))
        self._forget()
        return text

    def end(self, id_hash: str) -> None:
        """End a session, in every process after at most `FRESH` seconds."""
        self._store.end(id_hash)
        self._forget()

    def find(self, id_hash: str) -> StoredSession:
        """The session whose id has that hash; raises NotSignedInError."""
        found = self._snapshot(FRESH).get(id_hash) or self._snapshot(UNKNOWN_FRESH).get(id_hash)
        if found is None or self._clock() >= found.expires_at:
            raise NotSignedInError("you are no longer signed in: sign in again")
        return found

    def _snapshot(self, fresh: float) -> dict[str, StoredSession]:
        with self._lock:
            if time.monotonic() - self._read_at > fresh:
                self._known = {session.id_hash: session for session in self._store.all()}
                self._read_at = time.monotonic()
            return self._known

    def _forget(self) -> None:
        with self._lock:
            self._read_at = float("-inf")


def hash_of(text: str) -> str:
    """What is kept of the id in a cookie; it is random, so there is nothing to guess."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
