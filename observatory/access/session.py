"""What a page of the dashboard shows: the workbench as whoever signed in may see it."""

from __future__ import annotations

import threading
from typing import Any
from weakref import WeakValueDictionary

from observatory.access.authentication import Authenticator, authenticator_of
from observatory.access.permissions import Caller
from observatory.access.scoped import ScopedReader
from observatory.errors import NotSignedInError
from observatory.runtime import Runtime
from observatory.runtime.reader import Reader

GUEST = "guest"
"""Whom Panel lets in without a login, where it was told to."""


class SessionReaders:
    """The readers of the people whose pages are open; the pages of one person share theirs."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._lock = threading.Lock()
        self._open: WeakValueDictionary[tuple[str | None, Caller], ScopedReader] = WeakValueDictionary()

    def get(self, authenticator: Authenticator, user: str | None, panel_login: bool) -> Reader:
        """The reader of `user`; raises NotSignedInError, ForbiddenError."""
        caller = _signed_in(authenticator, user, panel_login)
        with self._lock:
            found = self._open.get((user, caller))
            if found is None:
                found = ScopedReader(self._runtime, caller.scope, lambda: _signed_in(authenticator, user, panel_login))
                self._open[user, caller] = found
            return found


def reader_for(runtime: Runtime, user: str | None, panel_login: bool = False) -> Reader:
    """What a page of `user` is made from; the pages of one user share it.

    A page that stays open asks again whenever it reads, so that a key that was revoked shows nothing new.

    Raises
    ------
    NotSignedInError, ForbiddenError
        Nobody signed in; they may see nothing.
    """
    authenticator = authenticator_of(runtime)
    if authenticator.is_open and not panel_login:
        return runtime
    return runtime.parts.get(SessionReaders, lambda: SessionReaders(runtime)).get(authenticator, user, panel_login)


def reader_of_session(runtime: Runtime) -> Reader:
    """The same for the session of ``panel serve`` that is being made."""
    import panel as pn

    return reader_for(runtime, pn.state.user, has_panel_login(pn.config))


def has_panel_login(config: Any) -> bool:
    """Whether Panel itself was told to ask for a login."""
    return bool(config.basic_auth or config.oauth_provider)


def _signed_in(authenticator: Authenticator, user: str | None, panel_login: bool) -> Caller:
    if not user or user == GUEST:
        raise NotSignedInError("sign in to see the dashboard: start it with `observatory serve`, which asks for it")
    return authenticator.signed_in(user, panel_login)
