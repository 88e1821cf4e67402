"""Serving: one process and one port for the pages, the REST API and the background worker."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import observatory
from observatory.config import Settings
from observatory.errors import ConfigError

PLUGIN = "observatory.api.plugin"


def app_file() -> Path:
    """The dashboard that ``panel serve`` runs: in the repository, or in an installed package."""
    package = Path(observatory.__file__).parent
    for folder in (package.parent / "dashboards", package / "_dashboards"):
        if (folder / "observatory.py").is_file():
            return folder / "observatory.py"
    raise ConfigError(f"the dashboard is missing beside {package}: install the package again")


def require_free_port(host: str, port: int) -> None:
    """Raise ConfigError when somebody listens there already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigError(
                f"port {port} on {host} cannot be used ({error.strerror}): stop what runs there, "
                f"or choose another: PORT={port + 1 if port < 65535 else 5007} ./start.sh"
            ) from None


def panel_arguments(settings: Settings) -> list[str]:
    """What ``panel`` is called with."""
    origins = [f"{name}:{settings.port}" for name in ("127.0.0.1", "localhost")]
    return [
        "serve",
        str(app_file()),
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
        *(f"--allow-websocket-origin={origin}" for origin in origins),
    ]


def serve(settings: Settings) -> None:
    """Run ``panel serve`` in this process until it is interrupted."""
    from panel.command import main

    sys.argv = ["panel", *panel_arguments(settings)]  # Panel's entry point reads nothing else
    main()
