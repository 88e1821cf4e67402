"""Serving: one process and one port for the pages, the REST API and the background worker."""

from __future__ import annotations

import contextlib
import secrets
import socket
import sys
from pathlib import Path

from pydantic import SecretStr

from observatory.config import Settings
from observatory.server.processes import others, share_port

PLUGIN = "observatory.api.plugin"
SERVER = Path(__file__).parent
PAGE = SERVER / "pages" / "observatory.py"


def names(settings: Settings) -> list[str]:
    """Names and addresses that pages may be opened under; Bokeh's websocket takes none of IPv6."""
    found = ["127.0.0.1", "localhost", *settings.hosts]
    if not settings.is_loopback:
        found.append(settings.host)
        with contextlib.suppress(OSError):
            found += [socket.gethostname(), *socket.gethostbyname_ex(socket.gethostname())[2]]
    unspecified = "0.0.0.0"  # noqa: S104 - it is left out
    return [name for name in dict.fromkeys(found) if name != unspecified and ":" not in name]


def login_arguments(settings: Settings) -> list[str]:
    """How the dashboard asks who somebody is."""
    secret = settings.cookie_secret.get_secret_value() if settings.cookie_secret else secrets.token_urlsafe(48)
    cookie = [f"--cookie-secret={secret}"]  # as one word: a secret may begin with a dash
    if settings.login in (None, "basic"):
        return ["--auth-module", str(SERVER / "login.py"), *cookie]
    return ["--oauth-provider", settings.login, "--oauth-expiry-days", str(settings.login_hours / 24), *cookie]


def tls_arguments(settings: Settings) -> list[str]:
    """The certificate to serve HTTPS with."""
    if settings.tls_cert is None:
        return []
    return ["--ssl-certfile", str(settings.tls_cert), "--ssl-keyfile", str(settings.tls_key)]


def panel_arguments(settings: Settings) -> list[str]:
    """What ``panel`` is called with."""
    ports = [f":{settings.port}", ""] if settings.hosts else [f":{settings.port}"]  # a proxy answers on the usual port
    return [
        "serve",
        str(PAGE),
        "--plugins",
        PLUGIN,
        "--address",
        settings.host,
        "--port",
        str(settings.port),
        "--index",
        "observatory",
        "--log-level",
        "warning" if settings.log_level == "INFO" else settings.log_level.lower(),
        *login_arguments(settings),
        *tls_arguments(settings),
        *(f"--allow-websocket-origin={name}{port}" for name in names(settings) for port in ports),
    ]


def serve(settings: Settings, processes: int = 1) -> None:
    """Run ``panel serve`` until it is interrupted: in this process, and in others beside it on the same port."""
    if processes == 1:
        run_panel(settings)
        return
    given = settings.cookie_secret
    secret = given.get_secret_value() if given else secrets.token_urlsafe(48)
    share_port()
    with others(settings, processes - 1, secret):
        run_panel(settings.model_copy(update={"cookie_secret": SecretStr(secret)}))


def run_panel(settings: Settings) -> None:
    """Run ``panel serve`` in this process."""
    from panel.command import main

    sys.argv = ["panel", *panel_arguments(settings)]  # Panel's entry point reads nothing else
    main()
