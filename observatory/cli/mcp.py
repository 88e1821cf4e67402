"""``observatory mcp``: what AI assistants may ask, over the Model Context Protocol."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

from observatory.cli.common import read_settings, say, settings_to_read
from observatory.errors import ConfigError

if TYPE_CHECKING:
    from observatory.runtime import Runtime

PORT = 5010


def mcp(
    http: Annotated[
        bool, typer.Option("--http", help="Serve over HTTP, instead of standard input and output.")
    ] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="With --http: the port.")] = PORT,
    host: Annotated[
        str, typer.Option(help="With --http: address to bind; beyond loopback only where callers need a key.")
    ] = "127.0.0.1",
    services: Annotated[
        list[str] | None,
        typer.Option(
            "--services",
            "--service",
            "-s",
            help="Without --http: show these only, names or patterns (`shop/*`), by commas or repeated.",
        ),
    ] = None,
) -> None:
    """Let AI assistants read health, incidents and metrics (Model Context Protocol).

    A client starts this and talks to it over standard input and output. With `--http` it answers at `/mcp`, to the same
    keys as the REST API.
    """
    _require_sdk()
    if http and services:
        raise typer.BadParameter("over HTTP a key says which services are shown: `observatory keys create --services`")
    if http:
        _over_http(host, port)
    else:
        _over_stdio(services)


def _require_sdk() -> None:
    if find_spec("mcp") is None or find_spec("mcp_types") is None:  # mcp 1 has no mcp_types
        raise ConfigError("observatory mcp needs a package more: pip install 'cloudwatch-observatory[mcp]'")


def _over_stdio(services: list[str] | None) -> None:
    from observatory.assistants.stdio import LateReader, protocol_streams, serve_stdio

    patterns = [part.strip() for word in services or () for part in word.split(",") if part.strip()]
    if services:
        from observatory.access.permissions import Scope  # brings much with it

        Scope.of(patterns)
    if sys.stdin.isatty():
        say("an AI assistant's program starts this and talks to it here: see `observatory help mcp`", err=True)
    with protocol_streams() as (given, output):
        from observatory.assistants.server import make_server

        settings = settings_to_read()

        def open_runtime() -> Runtime:
            from observatory.runtime import Runtime

            return Runtime(settings)

        with LateReader(open_runtime, patterns if services else ["*"]) as reader:
            serve_stdio(make_server(lambda _: reader.get(), settings.slow_queries), given, output)


def _over_http(host: str, port: int) -> None:
    from observatory.assistants.http import PATH, http_server
    from observatory.config import reading
    from observatory.process import ends_on_sigterm
    from observatory.runtime import Runtime
    from observatory.server.preflight import require_free_port, require_sign_in

    settings = reading.settings_to_read(read_settings(host=host, port=port))
    require_free_port(host, port)
    runtime = Runtime(settings)
    try:
        require_sign_in(runtime)
        scheme = "https" if settings.tls_cert else "http"
        say(f"assistants may ask at {scheme}://{host}:{port}{PATH}", err=True)
        with ends_on_sigterm():
            http_server(runtime).run()
    finally:
        runtime.close()
