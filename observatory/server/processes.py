"""Several processes on one port: each is a whole server, and the kernel deals out the connections.

They share the store as any processes do, and the first one's cookie secret. They are started afresh instead of forked,
because a DuckDB that is open does not survive a fork.
"""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from observatory.config import Settings
from observatory.config.environment import environment_of
from observatory.errors import ConfigError

PATIENCE = 60.0
"""Longest time the others are given to end, all together [s]."""
log = logging.getLogger(__name__)


def share_port() -> None:
    """Have the server of this process bind its port so that others may bind it too; raises ConfigError."""
    import socket

    import bokeh.server.server
    import tornado.netutil as netutil

    if not hasattr(socket, "SO_REUSEPORT"):
        raise ConfigError("--num-procs: this system lets no two processes share a port")

    def bind(address: str | None, port: int) -> tuple[list[Any], int]:
        return netutil.bind_sockets(port, address, reuse_port=True), port

    bokeh.server.server.bind_sockets = bind


@contextlib.contextmanager
def others(settings: Settings, number: int, secret: str) -> Iterator[None]:
    """That many servers more, while the block runs; they also end when this process dies."""
    command = [sys.executable, "-m", "observatory.server"]
    environment = environment_of(port=settings.port, host=settings.host, cookie_secret=secret)
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)  # noqa: S603 - ourselves
        for _ in range(number)
    ]
    try:
        yield
    finally:
        for process in started:
            process.terminate()
        deadline = time.monotonic() + PATIENCE
        for process in started:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("server process %d did not end within %g s and is killed", process.pid, PATIENCE)
                process.kill()
                process.wait()
