"""The protocol over HTTP (Streamable HTTP), behind the gate that the REST API has.

Every request stands for itself: there are no sessions and no open streams, so that a server that starts again, or a
connection that was idle, costs a client nothing. Who asks is asked each time: a key that was revoked reads no more.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping
from typing import Any, cast

import anyio
import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.transport_security import TransportSecuritySettings
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from observatory.access.addresses import block_of
from observatory.access.gate import Access, Arrival, Gate, Visitor, gate_of
from observatory.access.permissions import Caller
from observatory.access.scoped import scoped
from observatory.api.problems import MEDIA_TYPE, Problem
from observatory.assistants.server import Context, make_server
from observatory.config import Settings
from observatory.config.loopback import LOOPBACK
from observatory.errors import MisdirectedError, ObservatoryError
from observatory.runtime import Runtime
from observatory.runtime.reader import Reader

log = logging.getLogger(__name__)

PATH = "/mcp"
LARGEST_REQUEST = 1 << 20
CALLER = "observatory.caller"
"""Where the gate leaves who sent a request; no header of a client can say so."""
MOST_CONNECTIONS = 500
PATIENCE = 5
"""Longest time that requests are waited for at the end [s]."""


def make_app(runtime: Runtime) -> ASGIApp:
    """The application, behind the gate."""
    return Gated(sdk_app(runtime), gate_of(runtime), allowed_names(runtime.settings))


def sdk_app(runtime: Runtime) -> ASGIApp:
    """The application of the SDK, with its own check of names; `Gated` tells it who asks."""

    def reader_of(context: Context) -> Reader:
        request = cast(Request, context.request)
        caller: Caller = request.scope[CALLER]
        return scoped(runtime, caller)

    server: Server[Any] = make_server(reader_of, runtime.settings.slow_queries)
    names = allowed_names(runtime.settings)
    return server.streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        stateless_http=True,
        max_request_body_size=LARGEST_REQUEST,
        transport_security=TransportSecuritySettings(
            allowed_hosts=[*names, *(f"{name}:*" for name in names)],
            allowed_origins=[*runtime.settings.cors_origins, *(origin for name in names for origin in _origins(name))],
        ),
    )


class Gated:
    """What stands before the application: path, method, names, then the gate.

    Parameters
    ----------
    app
        Is given what was let through, with the caller in its scope.
    gate
        The gate of the runtime.
    names
        Of this server, as clients may call it.
    """

    def __init__(self, app: ASGIApp, gate: Gate, names: tuple[str, ...]) -> None:
        self._app = app
        self._gate = gate
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # the application's own start and end
            await self._app(scope, receive, send)
            return
        if scope["path"] != PATH:  # clients look for logins that there are not
            problem = Problem(404, f"there is nothing here: the protocol is at {PATH}")
            await _refused(problem, scope)(scope, receive, send)
            return
        if scope["method"] != "POST":  # GET would open a stream that nothing is ever sent on
            problem = Problem(405, "only POST is taken here", headers={"Allow": "POST"})
            await _refused(problem, scope)(scope, receive, send)
            return
        arrival = _arrival(scope)
        try:
            caller = await anyio.to_thread.run_sync(self._admit, arrival)
        except ObservatoryError as error:
            await _refused(Problem.of_error(error), scope)(scope, receive, send)
            return
        await self._app({**scope, CALLER: caller}, receive, send)

    def _admit(self, arrival: Arrival) -> Caller:
        """Who sent a request; raises ObservatoryError, which is also written down."""
        gate, visitor = self._gate, None
        try:
            self._require_name(arrival.host)
            gate.look(arrival, Access.READ)
            try:
                visitor = gate.identify(arrival)
            finally:
                self._count(visitor, arrival.address or "")
            gate.require(visitor, Access.READ)
        except ObservatoryError as error:
            who = "nobody" if visitor is None else visitor.caller
            status = Problem.of_error(error).status
            gate.authenticator.audit.record(who, f"POST {PATH}", PATH, status, arrival.address or "", detail=str(error))
            raise
        return visitor.caller

    def _require_name(self, host: str) -> None:
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        if name not in self._names:
            raise MisdirectedError(
                f"Host {host[:200]!r} is not this server: ask for {' or '.join(self._names)} "
                "(OBSERVATORY_HOSTS adds names and addresses)"
            )

    def _count(self, visitor: Visitor | None, address: str) -> None:
        limiter = self._gate.authenticator.limiter
        if visitor is None or visitor.caller.kind == "open":
            limiter.hit("address", block_of(address))
        else:
            limiter.hit(visitor.caller.kind, visitor.caller.id)


def http_server(runtime: Runtime) -> uvicorn.Server:
    """What answers at the host and port of the settings, once it runs and until the process is told to end."""
    settings = runtime.settings
    proxies = list(settings.trusted_proxies)
    config = uvicorn.Config(
        make_app(runtime),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        ssl_certfile=None if settings.tls_cert is None else str(settings.tls_cert),
        ssl_keyfile=None if settings.tls_key is None else str(settings.tls_key),
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=PATIENCE,
    )
    return uvicorn.Server(config)


def allowed_names(settings: Settings) -> tuple[str, ...]:
    """How clients may call this server: loopback, its address and name, and what the settings add."""
    own = () if settings.is_loopback else (settings.host, socket.gethostname())
    names = (*LOOPBACK, *own, *settings.hosts)
    return tuple(dict.fromkeys(f"[{name}]" if ":" in name else name for name in names))


def _origins(name: str) -> tuple[str, ...]:
    return tuple(f"{scheme}://{name}{port}" for scheme in ("http", "https") for port in ("", ":*"))


def _arrival(scope: Mapping[str, Any]) -> Arrival:
    client = scope.get("client")
    return Arrival.of(scope["method"], Headers(raw=scope["headers"]).get, client[0] if client else "")


def _refused(problem: Problem, scope: Mapping[str, Any]) -> Response:
    return Response(problem.body(scope["path"]), problem.status, dict(problem.headers), media_type=MEDIA_TYPE)
