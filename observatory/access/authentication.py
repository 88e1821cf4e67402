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
from observatory.access.tokens import Tokens, granted
from observatory.errors import ForbiddenError, NotSignedInError
from observatory.runtime import Runtime

HINT = "send `Authorization: Bearer KEY`; `observatory keys create` makes one"


class Authenticator:
    """Turns what a request brings into a `Caller`; use `authenticator_of` to get the one of a runtime."""

    def __init__(self, runtime: Runtime) -> None:
        self.settings = runtime.settings
        self.keys = ApiKeys(runtime.store, runtime.clock)
        self.tokens = Tokens.of(runtime.settings, runtime.clock)
        file = runtime.settings.login_file
        self.passwords = None if file is None else Passwords(file)
        self.limiter = Limiter(runtime.settings)
        self.audit = Audit(runtime)
        self.proxies = networks(runtime.settings.trusted_proxies)

    @property
    def is_open(self) -> bool:
        """Whether nobody has to sign in: on loopback, as long as no way to do so was set up."""
        settings = self.settings
        asked = settings.auth == "required" or self.tokens is not None or settings.login is not None
        return settings.is_loopback and not asked and not self.keys.any()

    def caller(
        self,
        authorization: str | None,
        user: str | None = None,
        address: str | None = None,
        panel_login: bool = False,
    ) -> Caller:
        """Whoever sent these.

        Parameters
        ----------
        authorization
            The header of that name.
        user
            Who signed in to the dashboard, as its cookie has it.
        address
            Where the request came from; where nobody has to sign in, only this machine may ask.
        panel_login
            Whether Panel itself asks for a login, whatever the settings say.

        Raises
        ------
        NotSignedInError, ForbiddenError, TooManyRequestsError
            Nobody can tell; they may do nothing here; they tried in vain too often.
        """
        if authorization is not None:
            return self._counted(address, lambda: self.bearer(authorization))
        if self.is_open and not panel_login:
            if address is not None and not is_this_machine(address):
                raise NotSignedInError(f"other machines must sign in: {HINT}")
            return OPEN
        if user is not None:
            return self.signed_in(user, panel_login)
        raise NotSignedInError(f"sign in: {HINT}")

    def _counted(self, address: str | None, sign_in: Callable[[], Caller]) -> Caller:
        """Sign in; who tried in vain too often is not even looked at."""
        self.limiter.may_sign_in(address or "")
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

    def signed_in(self, user: str, panel_login: bool = False) -> Caller:
        """Who signed in to the dashboard, here or at Panel; raises NotSignedInError, ForbiddenError."""
        if self.settings.login is None and not panel_login:
            return self.keys.caller_of_session(user)
        if self.passwords is not None and not panel_login:
            user = self.passwords.user_of(user)
        try:
            return granted(user, "login", {}, self.settings.users)
        except ForbiddenError:
            if self.settings.login_role is None:
                raise
            return granted(user, "login", {"role": self.settings.login_role, "services": "*"}, {})


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
