"""The gate: the one check of address, Host, origin and identity, which everything that is served passes first.

The API asks it for each of its routes, and `observatory.server.gate` for every handler of the server. A browser calls
on behalf of any page it shows, and where nobody has to sign in that is enough; hence the checks of ``Host`` (a foreign
name that resolves to this machine), ``Origin`` and ``Sec-Fetch-Site``.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from observatory.access.authentication import Authenticator, authenticator_of
from observatory.access.permissions import Caller, Role
from observatory.config import Settings
from observatory.config.loopback import is_loopback
from observatory.errors import ForbiddenError, MisdirectedError, NotSignedInError
from observatory.runtime import Runtime

HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::([0-9]{1,5}))?")
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
ARRIVED, VISITOR = "observatory_arrival", "observatory_visitor"
"""What the server's gate leaves at a request of Tornado: how it arrived, and whom it let in."""
OWN_SITE = (None, "same-origin", "none")
"""What ``Sec-Fetch-Site`` says of requests that no other site caused: browsers of old, and programs, do not send it."""


class Access(StrEnum):
    """What a caller must be allowed to; what is `PUBLIC` tells nothing about services."""

    PUBLIC = "public"
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    @property
    def role(self) -> Role:
        """The least role that has it."""
        return {"write": Role.OPERATOR, "admin": Role.ADMIN}.get(self, Role.VIEWER)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request as the gate sees it.

    `address` is the client's, and `host` the server's as the client knows it, whatever proxies are between them.
    `site`, `mode` and `destination` are what a browser says of it in ``Sec-Fetch-…``. `session` is the hash of what
    the cookie of a login holds, if its signature is ours.
    """

    method: str
    host: str
    address: str | None = None
    origin: str | None = None
    site: str | None = None
    mode: str | None = None
    destination: str | None = None
    authorization: str | None = None
    session: str | None = None

    @classmethod
    def of(
        cls, method: str, header: Callable[[str], str | None], address: str | None, session: str | None = None
    ) -> Arrival:
        """What the headers of a request say, each of which `header` gives."""
        return cls(
            method,
            header("Host") or "",
            address,
            header("Origin"),
            header("Sec-Fetch-Site"),
            header("Sec-Fetch-Mode"),
            header("Sec-Fetch-Dest"),
            header("Authorization"),
            session,
        )

    @property
    def is_link(self) -> bool:
        """Whether a browser opens it as a page of its own: links of any site may lead here."""
        return self.method in SAFE and self.mode == "navigate" and self.destination in (None, "document")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whom the gate let in; `session` tells sign-ins of one caller apart, and is empty where they used none."""

    caller: Caller
    session: str = ""


class Gate:
    """The gate of a runtime; use `gate_of`.

    Parameters
    ----------
    authenticator
        Says who somebody is.
    """

    def __init__(self, authenticator: Authenticator) -> None:
        self.authenticator = authenticator

    @property
    def settings(self) -> Settings:
        """Those that it goes by."""
        return self.authenticator.settings

    def look(self, arrival: Arrival, access: Access) -> None:
        """Refuse what came under a foreign name, or was caused by another site's page.

        Raises
        ------
        MisdirectedError, ForbiddenError
        """
        has_key = arrival.authorization is not None  # a key in hand is nobody's cookie
        if access is not Access.PUBLIC and not has_key and not serves(self.settings, arrival.host):
            raise MisdirectedError(
                f"Host {arrival.host[:200]!r} is not this server: ask for {expected_hosts(self.settings)}"
            )
        is_safe = arrival.method in SAFE
        if is_safe and (access is Access.PUBLIC or has_key or arrival.is_link):
            return
        if arrival.origin in self.settings.cors_origins and (is_safe or has_key):
            return
        if arrival.site not in OWN_SITE:
            raise ForbiddenError(f"a page of another site may not do this (Sec-Fetch-Site: {arrival.site[:80]})")
        if arrival.origin is not None and not self._is_own(arrival.origin, arrival.host):
            raise ForbiddenError(f"a page of another site may not do this (Origin: {arrival.origin[:200]})")

    def identify(self, arrival: Arrival) -> Visitor:
        """Who sent it; raises NotSignedInError, ForbiddenError, TooManyRequestsError."""
        caller = self.authenticator.caller(arrival.authorization, arrival.session, arrival.address)
        by_session = arrival.authorization is None and caller.kind != "open"
        return Visitor(caller, arrival.session or "" if by_session else "")

    def require(self, visitor: Visitor, access: Access) -> None:
        """Refuse who may not do so much; raises ForbiddenError."""
        caller = visitor.caller
        if lacking := caller.lacks(access.role):
            raise ForbiddenError(lacking)
        if access is Access.ADMIN and not caller.scope.is_everything:
            raise ForbiddenError(f"this concerns every service, and {caller.name!r} may see {caller.scope}")

    def still(self, visitor: Visitor) -> None:
        """Refuse a visitor of a page whose sign-in has ended, or who never signed in and would have to by now.

        Raises
        ------
        NotSignedInError, ForbiddenError
        """
        if not visitor.session:
            if not self.authenticator.is_open:
                raise NotSignedInError("one has to sign in by now: load the page again")
        elif self.authenticator.caller_of_session(visitor.session) != visitor.caller:
            raise NotSignedInError("what you may do has changed: sign in again")

    def _is_own(self, origin: str, host: str) -> bool:
        """Whether an origin is this server: as the request names it, or, behind a proxy that does not say, as set."""
        try:
            parts = urlsplit(origin.lower())
            name, port = parts.hostname, parts.port
        except ValueError:
            return False
        if parts.scheme not in ("http", "https"):
            return False
        named = name in {known.lower() for known in self.settings.hosts} and port in (None, self.settings.port)
        return parts.netloc == host.lower() or named


def gate_of(runtime: Runtime) -> Gate:
    """The gate of a runtime."""
    return runtime.parts.get(Gate, lambda: Gate(authenticator_of(runtime)))


def serves(settings: Settings, host: str) -> bool:
    """Whether a ``Host`` header means this server. Addresses always do: only a name can be pointed at another's."""
    found = HOST.fullmatch(host)
    if found is None or int(found[2] or 0) > 65535:
        return False
    name = found[1].lower()
    if is_loopback(name) or name in {known.lower() for known in settings.hosts}:
        return True
    if settings.is_loopback:
        return False
    return name in (settings.host.lower(), socket.gethostname().lower()) or _is_address(name.strip("[]"))


def expected_hosts(settings: Settings) -> str:
    """The names it answers to, for messages."""
    own = ["127.0.0.1", "localhost"] if settings.is_loopback else ["its address"]
    return " or ".join([*own, *settings.hosts]) + " (OBSERVATORY_HOSTS adds names)"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
