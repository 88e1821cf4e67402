"""Who asks: one answer for the API, the dashboard and its events."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from observatory.access.audit import Audit
from observatory.access.keys import PREFIX, ApiKeys
from observatory.access.passwords import Passwords
from observatory.access.permissions import OPEN, Caller
from observatory.access.proxies import networks
from observatory.access.rate_limits import Limiter
from observatory.access.sessions import Sessions
from observatory.access.tokens import Tokens, granted
from observatory.errors import ForbiddenError, NotSignedInError
from observatory.runtime import Runtime

HINT = "send `Authorization: Bearer KEY`; `observatory keys create` makes one"


class Authenticator:
    """Turns what a request brings into a `Caller`; use `authenticator_of` to get the one of a runtime."""

    def __init__(self, runtime: Runtime) -> None:
        self.settings = runtime.settings
        self.keys = ApiKeys(runtime.store, runtime.clock)
        self.sessions = Sessions(runtime.store, runtime.clock, runtime.settings.login_hours)
        self.tokens = Tokens.of(runtime.settings, runtime.clock)
        file = runtime.settings.login_file
        self.passwords = None if file is None else Passwords(file)
        self.limiter = Limiter(runtime.settings)
        self.audit = Audit(runtime)
        self.proxies = networks(runtime.settings.trusted_proxies)
        self.asks_panel = runtime.settings.login not in (None, "basic")
        """Whether Panel's own login says who somebody is: as the settings say, or `panel serve` was told."""

    @property
    def is_open(self) -> bool:
        """Whether nobody has to sign in: on loopback, as long as no way to do so was set up."""
        settings = self.settings
        asked = settings.auth == "required" or self.tokens is not None or settings.login is not None or self.asks_panel
        return settings.is_loopback and not asked and not self.keys.any()

    def caller(self, authorization: str | None, session: str | None = None, address: str | None = None) -> Caller:
        """Whoever sent these.

        Parameters
        ----------
        authorization
            The header of that name.
        session
            The session of who signed in to the dashboard: the hash of what their cookie holds.
        address
            Where the request came from; where nobody has to sign in, only this machine may ask.

        Raises
        ------
        NotSignedInError, ForbiddenError, TooManyRequestsError
            Nobody can tell; they may do nothing here; they tried in vain too often.
        """
        if authorization is not None:
            return self._counted(address, lambda: self.bearer(authorization))
        if self.is_open:
            if address is not None and not is_this_machine(address):
                raise NotSignedInError(f"other machines must sign in: {HINT}")
            return OPEN
        if session is not None:
            return self.caller_of_session(session)
        raise NotSignedInError(f"sign in: {HINT}")

    def sign_in(self, subject: str) -> tuple[str, Caller]:
        """Begin the session of somebody whose key or password was right; returns what their cookie holds.

        Raises
        ------
        NotSignedInError, ForbiddenError
            `subject` is nobody; they may do nothing here.
        """
        caller = self.signed_in(subject)
        return self.sessions.begin(self._way, subject, caller), caller

    def sign_in_at_panel(self, user: str) -> str:
        """Begin the session of whom Panel's own login let in; they may do nothing here, and the page says so."""
        try:
            return self.sign_in(user)[0]
        except ForbiddenError:
            return self.sessions.begin(self._way, user, None)

    def caller_of_session(self, id_hash: str) -> Caller:
        """Whose session this is, while they may do what they might when it began; raises as `signed_in`."""
        session = self.sessions.find(id_hash)
        if session.way != self._way:
            raise NotSignedInError("one signs in another way by now: sign in again")
        caller = self.signed_in(session.subject)
        if (str(caller.role), caller.scope.patterns) != (session.role, session.services):
            raise NotSignedInError("what you may do has changed: sign in again")
        return caller

    @property
    def _way(self) -> str:
        """How people sign in to the dashboard."""
        if self.asks_panel:
            return "panel"
        return "key" if self.passwords is None else "password"

    def _counted(self, address: str | None, sign_in: Callable[[], Caller]) -> Caller:
        """Sign in. Who fails too often is told to wait; a right key always passes, and cannot be guessed."""
        try:
            return sign_in()
        except NotSignedInError:
            self.limiter.failed(address or "")
            raise

    def bearer(self, authorization: str) -> Caller:
        """Whoever sent this header; raises NotSignedInError, ForbiddenError."""
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise NotSignedInError(f"the header Authorization cannot be used: {HINT}")
        if token.startswith(PREFIX):
            return self.keys.caller(token)
        if self.tokens is None:
            raise NotSignedInError("the token is no API key, and no other tokens are accepted here")
        return self.tokens.caller(token)

    def signed_in(self, subject: str) -> Caller:
        """What the key or the user of a session may do now; raises NotSignedInError, ForbiddenError."""
        if self.settings.login is None and not self.asks_panel:
            return self.keys.caller_of_session(subject)
        if self.passwords is not None and not self.asks_panel:
            subject = self.passwords.user_of(subject)
        try:
            return granted(subject, "login", {}, self.settings.users)
        except ForbiddenError:
            if self.settings.login_role is None:
                raise
            return granted(subject, "login", {"role": self.settings.login_role, "services": "*"}, {})


def is_this_machine(address: str) -> bool:
    """Whether an address is loopback; a socket without one is."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address == ""
    mapped = getattr(found, "ipv4_mapped", None)
    return bool((mapped or found).is_loopback)


def authenticator_of(runtime: Runtime) -> Authenticator:
    """The authenticator of a runtime: one for its API, its dashboard and its log-in, so that they count together."""
    return runtime.parts.get(Authenticator, lambda: Authenticator(runtime))
