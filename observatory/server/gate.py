"""The gate in front of every handler of the server: pages, sockets, files, logins and the API.

Bokeh's application is replaced by one whose table may hold only what `observatory.server.routes` declares, and whose
handlers ask `observatory.access.gate` before they do anything. Panel and Bokeh offer no place for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import quote

from tornado.web import RequestHandler, stream_request_body

from observatory.access.gate import ARRIVED, VISITOR, Access, Arrival, Gate
from observatory.access.proxies import unwrap
from observatory.access.sessions import hash_of
from observatory.errors import (
    ForbiddenError,
    MisdirectedError,
    NotSignedInError,
    ObservatoryError,
    StoreError,
    TooManyRequestsError,
)
from observatory.server.cookies import COOKIE, end, remember
from observatory.server.routes import Kind, Route
from observatory.server.tokens import refuse_chosen_session, refuse_foreign_token

STATUSES: Mapping[type[ObservatoryError], int] = {
    MisdirectedError: 421,
    ForbiddenError: 403,
    NotSignedInError: 401,
    TooManyRequestsError: 429,
    StoreError: 503,
}
"""The first that an error is one of decides."""
LOGIN_STEPS = ("panel-oauth-state", "panel-oauth-code")
"""Cookies of a login at a provider while it goes on. Its tokens stay here: no browser is given them."""
THREADS = ThreadPoolExecutor(2, "observatory-gate")
"""Ask the store beside the event loop."""
visitor_session: ContextVar[str] = ContextVar("visitor_session", default="")
"""The session of whoever sent the request that is being answered."""


class Gated(RequestHandler):  # type: ignore[misc]
    """What stands before a handler of the table; `gated` makes one."""

    route: ClassVar[Route]

    @property
    def gate(self) -> Gate:
        """The gate of the server."""
        found: Gate = self.application.gate
        return found

    def set_default_headers(self) -> None:
        """Of every answer, whatever a framework would set instead."""
        self.clear_header("Server")
        for name, value in self.application.page_headers.items():
            self.set_header(name, value)

    def set_cookie(self, name: str, value: Any, *more: Any, **options: Any) -> None:
        """See `RequestHandler.set_cookie`; for this site alone, and for no script."""
        kept = {"httponly": True, "samesite": "Lax", "secure": self.request.protocol == "https"}
        super().set_cookie(name, value, *more, **kept | options)

    async def prepare(self) -> None:
        """Let nobody through whom the gate refuses."""
        unwrap(self.request, self.gate.authenticator.proxies)
        cookie = self.get_signed_cookie(COOKIE, max_age_days=self.gate.settings.login_hours / 24)
        session = None if cookie is None else hash_of(cookie.decode("utf-8", "replace"))
        request = self.request
        arrival = Arrival.of(request.method or "", request.headers.get, request.remote_ip, session)
        setattr(request, ARRIVED, arrival)
        if self.route.kind is not Kind.API:  # each of its routes asks the gate with what it declares
            try:
                await self._admit(arrival)
            except ObservatoryError as error:
                self._refuse(error)
        if not self._finished:
            goes_on = super().prepare()
            if goes_on is not None:
                await goes_on

    async def _admit(self, arrival: Arrival) -> None:
        kind, gate = self.route.kind, self.gate
        if arrival.method not in self.route.methods:
            self._say(405, f"only {', '.join(self.route.methods)} is taken here")
            return
        is_link = kind is not Kind.LOGOUT  # a link of another site signs nobody out
        gate.look(arrival if is_link else replace(arrival, mode=None), Access.READ)
        refuse_chosen_session(self)
        name = self.request.path.rstrip("/").rpartition("/")[2]
        if kind is Kind.PAGE and name and self.request.path.endswith("/"):  # what a page names lies beside it
            self.redirect(f"../{name}" + (f"?{self.request.query}" if self.request.query else ""))
            return
        loop = asyncio.get_running_loop()
        if kind is Kind.LOGOUT:
            await loop.run_in_executor(THREADS, end, self, gate.authenticator)
            self.clear_cookie(COOKIE)
        if self.route.access is Access.PUBLIC:
            return
        visitor = await loop.run_in_executor(THREADS, gate.identify, arrival)
        gate.require(visitor, self.route.access)
        setattr(self.request, VISITOR, visitor)
        visitor_session.set(visitor.session)
        if kind is Kind.SOCKET:
            refuse_foreign_token(self)

    def _refuse(self, error: ObservatoryError) -> None:
        is_stranger = isinstance(error, NotSignedInError)
        if is_stranger and self.route.kind is Kind.PAGE and not self.gate.authenticator.is_open:
            following = quote(self.request.uri or "/", safe="/")
            self.redirect(f".{self.application.auth_provider.login_url}?next={following}")
            return
        status = next((status for kind, status in STATUSES.items() if isinstance(error, kind)), 500)
        if isinstance(error, TooManyRequestsError):
            self.set_header("Retry-After", str(error.retry_after))
        self.gate.authenticator.audit.record(
            "nobody",
            f"{self.request.method} {self.route.pattern}",
            self.request.path,
            status,
            self.request.remote_ip or "",
            detail=str(error),
        )
        self._say(status, str(error))

    def _say(self, status: int, text: str) -> None:
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{text}\n")


class GatedSocket(Gated):
    """Before a socket."""

    def check_origin(self, _: str) -> bool:
        """The gate has looked at it."""
        return True

    async def _receive(self, fragment: str | bytes) -> Any:
        """See Bokeh's `WSHandler`, which writes a message that it cannot read into the log, however long it is."""
        try:
            return await super()._receive(fragment)
        except Exception as error:  # noqa: BLE001 - whatever a broken message makes the reader raise
            self._protocol_error(f"a message cannot be read ({type(error).__name__})")
            return None

    def _protocol_error(self, message: str) -> None:
        super()._protocol_error(_short(message))

    def _internal_error(self, message: str) -> None:
        super()._internal_error(_short(message))


def _short(message: str) -> str:
    """A reason as it may stand in the log, and in the frame that closes a socket: both would take what was sent."""
    return message.encode("ascii", "replace").decode()[:100]


class GatedLogin(Gated):
    """Before a login: who is let in gets a session of ours, and Panel's cookies are not needed."""

    def set_signed_cookie(self, name: str, value: str | bytes, *more: Any, **options: Any) -> None:
        """See `RequestHandler.set_signed_cookie`; Panel's logins call it with who has signed in."""
        if name == COOKIE:
            user = value.decode() if isinstance(value, bytes) else value
            remember(self, self.gate.authenticator, self.gate.authenticator.sign_in_at_panel(user))
        elif name in LOGIN_STEPS:
            super().set_signed_cookie(name, value, *more, **options)

    set_secure_cookie = set_signed_cookie


class Missing(Gated):
    """Where nothing is served."""

    route = Route("", "", Kind.REFUSED, Access.PUBLIC)

    async def prepare(self) -> None:
        """Say so, whoever asks."""
        self._say(404, "there is nothing here")


@stream_request_body
class TooLong(Gated):
    """Takes a body that is too long without keeping any of it: a client that sends reads no answer before its end."""

    route = Missing.route

    async def prepare(self) -> None:
        """Wait for the end."""

    def data_received(self, chunk: bytes) -> None:
        """Drop it."""

    def _answer(self) -> None:
        from observatory.api.problems import MEDIA_TYPE, Problem

        self.set_status(413)
        self.set_header("Content-Type", MEDIA_TYPE)
        self.finish(Problem(413, "the body is longer than anything that is taken here").body(self.request.path))

    get = head = post = put = patch = delete = options = _answer


STANDING = {Kind.SOCKET: GatedSocket, Kind.LOGIN: GatedLogin}


def gated(handler: type[RequestHandler], route: Route) -> type[Gated]:
    """The class of `handler` behind the gate."""
    if route.kind is Kind.REFUSED:
        return Missing
    before = STANDING.get(route.kind, Gated)
    made: type[Gated] = type(f"Gated{handler.__name__}", (before, handler), {"route": route})
    return made
