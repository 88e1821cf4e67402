"""The login of the dashboard: with an API key, or a password where the settings say so."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote, urlsplit

from jinja2 import Template
from tornado.web import RequestHandler

from observatory.access.authentication import Authenticator, authenticator_of
from observatory.access.permissions import Caller
from observatory.config.login_file import LONGEST
from observatory.errors import ForbiddenError, NotSignedInError, TooManyRequestsError
from observatory.runtime.current import current
from observatory.server.cookies import remember

LOGIN, LOGOUT = "/login", "/logout"
PAGE = Template(Path(__file__).with_name("login.html").read_text("utf-8"))
ONE_BY_ONE = ThreadPoolExecutor(1, "observatory-sign-in")
"""Signs people in beside the event loop, as a hash takes some 50 ms; one by one, so that failures count in time."""


class LoginHandler(RequestHandler):  # type: ignore[misc]
    """A form that takes an API key, or a user and a password."""

    def get(self) -> None:
        """Show the form."""
        self._show(200, "")

    async def post(self) -> None:
        """Sign in."""
        authenticator = authenticator_of(current())
        try:
            session, caller = await asyncio.get_running_loop().run_in_executor(ONE_BY_ONE, self._sign_in, authenticator)
        except TooManyRequestsError as error:
            self.set_header("Retry-After", str(error.retry_after))
            self._show(429, _sentence(error))
            return
        except (NotSignedInError, ForbiddenError) as error:
            status = 401 if isinstance(error, NotSignedInError) else 403
            authenticator.audit.record(
                "nobody", "sign in", "dashboard", status, self.request.remote_ip, detail=str(error)
            )
            self._show(status, _sentence(error))
            return
        authenticator.audit.record(caller, "sign in", "dashboard", 302, self.request.remote_ip)
        remember(self, authenticator, session)
        self.redirect(safe_next(self.get_argument("next", "/")))

    def _sign_in(self, authenticator: Authenticator) -> tuple[str, Caller]:
        """What the cookie is to hold, and for whom; raises NotSignedInError, ForbiddenError, TooManyRequestsError."""
        user = "" if authenticator.passwords is None else self._field("username").strip()
        if user:
            authenticator.limiter.may_sign_in(self.request.remote_ip, user)
        try:
            return authenticator.sign_in(self._subject(authenticator))
        except NotSignedInError:
            authenticator.limiter.failed(self.request.remote_ip, user)
            raise

    def _subject(self, authenticator: Authenticator) -> str:
        """Whose key or password it is; raises NotSignedInError."""
        if authenticator.passwords is None:
            return authenticator.keys.session(self._field("key").strip())
        return authenticator.passwords.session(self._field("username").strip(), self._field("password"))

    def _field(self, name: str) -> str:
        text: str = self.get_body_argument(name, "", strip=False)
        return text[:LONGEST]

    def _show(self, status: int, error: str) -> None:
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        following = quote(safe_next(self.get_argument("next", "/")), safe="/")
        takes_keys = authenticator_of(current()).passwords is None
        self.finish(PAGE.render(takes_keys=takes_keys, login_endpoint=f"?next={following}", errormessage=error))


class LogoutHandler(RequestHandler):  # type: ignore[misc]
    """Shown to who has signed out; the gate has ended the session."""

    def get(self) -> None:
        """Lead to the login."""
        self.redirect(LOGIN)


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


def safe_next(address: str) -> str:
    """Where to go after the login: only ever a path of this server."""
    parts = urlsplit(address.replace("\\", "/"))
    if parts.scheme or parts.netloc or not parts.path.startswith("/") or parts.path.startswith("//"):
        return "/"
    return parts.path + (f"?{parts.query}" if parts.query else "")
