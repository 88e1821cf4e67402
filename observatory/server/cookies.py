"""The cookie of a login: it holds the id of a session, signed, and nothing about anybody."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from functools import lru_cache

from tornado.web import RequestHandler

from observatory.access.authentication import Authenticator
from observatory.access.gate import ARRIVED, Arrival
from observatory.config import Settings

COOKIE = "user"


def remember(handler: RequestHandler, authenticator: Authenticator, text: str) -> None:
    """Hand the id of a session to the browser; the session it had until now ends."""
    end(handler, authenticator)
    days = authenticator.settings.login_hours / 24
    RequestHandler.set_signed_cookie(handler, COOKIE, text, expires_days=days)


def forget(handler: RequestHandler, authenticator: Authenticator) -> None:
    """End the session of a request, and take its cookie away."""
    end(handler, authenticator)
    handler.clear_cookie(COOKIE)


def end(handler: RequestHandler, authenticator: Authenticator) -> None:
    """End the session that a request came with, if there is one."""
    arrival: Arrival = getattr(handler.request, ARRIVED)
    if arrival.session is not None:
        authenticator.sessions.end(arrival.session)


def secret_for(settings: Settings, purpose: str, whom: str = "") -> bytes:
    """A key for one purpose, and for one person where that is said: what it signs proves nothing to any other."""
    base = _made() if settings.cookie_secret is None else settings.cookie_secret.get_secret_value()
    return hmac.new(base.encode(), f"{purpose}\n{whom}".encode(), hashlib.sha256).hexdigest().encode()


@lru_cache(maxsize=1)
def _made() -> str:
    """The secret of a process that was given none."""
    return secrets.token_urlsafe(48)
