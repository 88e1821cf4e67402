"""Who is signed in to the dashboard: kept in the store, so that ending a session ends it in every process.

The browser holds a random id of 256 bits, the store its hash: nothing that is stored opens anything. What was granted
at the sign-in is kept too; who may do something else by now has to sign in again.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from observatory.access.permissions import Caller
from observatory.access.snapshot import Snapshot
from observatory.errors import NotSignedInError
from observatory.store import Store
from observatory.store.tables.sessions import StoredSession


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
        self._known = Snapshot(self._store.all, lambda session: session.id_hash)

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
        self._known.forget()
        return text

    def end(self, id_hash: str) -> None:
        """End a session, in every process after at most `FRESH` seconds."""
        self._store.end(id_hash)
        self._known.forget()

    def find(self, id_hash: str) -> StoredSession:
        """The session whose id has that hash; raises NotSignedInError."""
        found = self._known.find(id_hash)
        if found is None or self._clock() >= found.expires_at:
            raise NotSignedInError("you are no longer signed in: sign in again")
        return found


def hash_of(text: str) -> str:
    """What is kept of the id in a cookie; it is random, so there is nothing to guess."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
