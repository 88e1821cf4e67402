"""Bokeh's application behind the gate, and what it is made with instead of what `panel serve` would choose."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

from bokeh.server.tornado import BokehTornado
from tornado.httputil import HTTPServerRequest
from tornado.ioloop import PeriodicCallback
from tornado.web import Application, RequestHandler

from observatory.access.gate import VISITOR, Gate, Visitor, gate_of
from observatory.access.snapshot import FRESH
from observatory.config import Settings
from observatory.errors import ForbiddenError, NotSignedInError, ObservatoryError
from observatory.runtime import Runtime
from observatory.server.auth import GateAuth
from observatory.server.cookies import secret_for
from observatory.server.gate import THREADS, Missing, TooLong, gated, visitor_session
from observatory.server.hardening import LARGEST_BODY, PAGE_HEADERS
from observatory.server.routes import declared, rows

log = logging.getLogger(__name__)

PASSED_ON = {"include_cookies": ["observatory-dark"], "include_headers": ["Host", "User-Agent"]}
"""What a page may know of the request that opened it; it stands in the page's text, so it can be no secret."""
LEFT_OUT = ("exclude_cookies", "exclude_headers", "sign_sessions", "secret_key", "generate_session_ids", *PASSED_ON)
LONGEST_MESSAGE = 1 << 20
"""Longest part of a message that a page may send [bytes]."""
SIGNED_OUT = 1008
"""The code a socket is closed with: what it does is not allowed any more."""


class GateApplication(Application):  # type: ignore[misc]
    """A Tornado application whose every handler is behind the gate.

    Parameters
    ----------
    runtime
        Its gate says who may enter.

    Raises
    ------
    ConfigError
        A handler is not declared.
    """

    def __init__(self, *arguments: Any, runtime: Runtime, **options: Any) -> None:
        self.gate: Gate = gate_of(runtime)
        tls = runtime.settings.tls_cert is not None
        self.page_headers = PAGE_HEADERS | ({"Strict-Transport-Security": "max-age=31536000"} if tls else {})
        self._behind: set[type[RequestHandler]] = {Missing, TooLong}
        secret = secret_for(runtime.settings, "login")
        super().__init__(*arguments, **options | {"cookie_secret": secret})
        self._guard()

    @property
    def pages(self) -> Iterable[str]:
        """Paths of the pages."""
        return ()

    def get_handler_delegate(
        self, request: HTTPServerRequest, target_class: type[RequestHandler], *arguments: Any, **options: Any
    ) -> Any:
        """See `Application.get_handler_delegate`: every request is given its handler here."""
        if target_class not in self._behind:  # one that was added later, or Tornado's own for what is not there
            return super().get_handler_delegate(request, Missing)
        largest = target_class.route.largest
        length = request.headers.get("Content-Length", "0")
        is_longer = length.isdecimal() and int(length) > largest
        if request.connection is not None:
            request.connection.set_max_body_size(LARGEST_BODY if is_longer else largest)
        if is_longer:
            return super().get_handler_delegate(request, TooLong)
        return super().get_handler_delegate(request, target_class, *arguments, **options)

    def _guard(self) -> None:
        for rule in rows(self.default_router):
            rule.target = gated(rule.target, declared(rule, self.pages))
            self._behind.add(rule.target)


class GatedTornado(GateApplication, BokehTornado):  # type: ignore[misc]
    """Bokeh's application behind the gate; see `BokehTornado`."""

    def __init__(
        self,
        applications: Any,
        *,
        runtime: Runtime,
        auth_provider: Any = None,
        cookie_secret: Any = None,
        **options: Any,
    ) -> None:
        provider = GateAuth(auth_provider)
        authenticator = gate_of(runtime).authenticator
        authenticator.asks_panel = authenticator.asks_panel or provider.is_panels
        self._settings: Settings = runtime.settings
        kept = {name: value for name, value in options.items() if name not in LEFT_OUT}
        kept["websocket_max_message_size_bytes"] = LONGEST_MESSAGE
        super().__init__(applications, runtime=runtime, auth_provider=provider, sign_sessions=True, **PASSED_ON, **kept)
        self._sweeper = PeriodicCallback(self._sweep, 1000 * min(FRESH, runtime.settings.refresh))

    @property
    def pages(self) -> Iterable[str]:
        """See `GateApplication.pages`."""
        return list(self._applications)

    @property
    def secret_key(self) -> bytes:
        """Signs sessions and tokens of whoever sent the request that is being answered: nobody else can use them."""
        return secret_for(self._settings, "page", visitor_session.get())

    def start(self) -> None:
        """See `BokehTornado.start`."""
        super().start()
        self._sweeper.start()

    def stop(self, wait: bool = True) -> None:
        """See `BokehTornado.stop`."""
        self._sweeper.stop()
        super().stop(wait)

    async def _sweep(self) -> None:
        """Close the sockets of those whose sign-in has ended."""
        open_now: dict[Visitor, list[Any]] = {}
        for connection in list(self._clients):
            visitor: Visitor = getattr(connection._socket.request, VISITOR)
            open_now.setdefault(visitor, []).append(connection)
        loop = asyncio.get_running_loop()
        for visitor, connections in open_now.items():
            try:
                await loop.run_in_executor(THREADS, self.gate.still, visitor)
            except (NotSignedInError, ForbiddenError) as error:
                for connection in connections:
                    connection.session.request_expiration()
                    connection._socket.close(SIGNED_OUT, str(error)[:120])
            except ObservatoryError as error:  # the store cannot be read: pages show that themselves
                log.warning("nobody can tell who is still signed in: %s", error)
