"""Serving: one process and one port for the pages, the REST API and the background worker."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

from pydantic import SecretStr

from observatory.config import Settings
from observatory.server.processes import others, share_port

PLUGIN = "observatory.api.plugin"
SERVER = Path(__file__).parent
PAGE = SERVER / "pages" / "observatory.py"


def login_arguments(settings: Settings) -> list[str]:
    """Which of Panel's logins asks who somebody is; ours needs no word. No secret stands among the arguments."""
    if settings.login in (None, "basic"):
        return []
    return ["--oauth-provider", settings.login, "--oauth-expiry-days", str(settings.login_hours / 24)]


def tls_arguments(settings: Settings) -> list[str]:
    """The certificate to serve HTTPS with."""
    if settings.tls_cert is None:
        return []
    return ["--ssl-certfile", str(settings.tls_cert), "--ssl-keyfile", str(settings.tls_key)]


def panel_arguments(settings: Settings) -> list[str]:
    """What ``panel`` is called with."""
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
    from panel.config import config

    if settings.login not in (None, "basic"):
        config.cookie_secret = secrets.token_urlsafe(48)  # Panel insists on one; the gate has its own
    sys.argv = ["panel", *panel_arguments(settings)]  # Panel's entry point reads nothing else
    main()
