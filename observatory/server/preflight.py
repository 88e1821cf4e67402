"""What must be so before the server starts."""

from __future__ import annotations

import socket

from observatory.access import authenticator_of
from observatory.errors import ConfigError
from observatory.runtime import Runtime


def require_free_port(host: str, port: int) -> None:
    """Raise ConfigError when somebody listens there already, or the address is not this machine's."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise ConfigError(f"setting host = {host!r}: no address of this machine ({error.strerror})") from None
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise ConfigError(
                f"port {port} on {host} cannot be used ({error.strerror}): stop what runs there, "
                f"or choose another: PORT={port + 1 if port < 65535 else 5007} ./start.sh"
            ) from None


def require_sign_in(runtime: Runtime) -> None:
    """Raise ConfigError where nobody could sign in: the login cannot work, or other machines reach the server."""
    settings, authenticator = runtime.settings, authenticator_of(runtime)
    if settings.login not in (None, "basic"):
        _require_provider(settings.login)
    ways = authenticator.keys.any() or authenticator.tokens is not None or settings.login is not None
    if not settings.is_loopback and not ways:
        raise ConfigError(
            f"setting host = {settings.host!r}: other machines reach it, and nobody could sign in: make a key first "
            "(`observatory keys create NAME --role admin`), or set up a login or JWT (`observatory help access`)"
        )


def _require_provider(login: str) -> None:
    """Panel would fail with less to say, or only when somebody signs in."""
    from panel.auth import AUTH_PROVIDERS
    from panel.config import config

    if login not in AUTH_PROVIDERS:
        raise ConfigError(f"setting login = {login!r}: choose one of basic, {', '.join(sorted(AUTH_PROVIDERS))}")
    if login != "pam" and not config.oauth_key:
        raise ConfigError(
            f"setting login = {login!r}: set PANEL_OAUTH_KEY, and PANEL_OAUTH_SECRET, to what it gave you"
        )
