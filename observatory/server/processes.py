"""Several processes on one port: each is a whole server, and the kernel deals out the connections.

They share the store as any processes do, and the first one's cookie secret. They are started afresh instead of forked,
because a DuckDB that is open does not survive a fork.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

from observatory.config.settings import Settings, environment_of, load_settings
from observatory.errors import ConfigError


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
    command = [sys.executable, "-c", "from observatory.server.processes import main; main()"]
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
        for process in started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(15)
            process.kill()


def main() -> None:
    """One of the others: serve until told to end, or until whoever started this one is gone."""
    from observatory.cli.common import set_up_logs
    from observatory.runtime import Runtime, use
    from observatory.server.panel import run_panel

    settings = load_settings()
    set_up_logs(settings)
    threading.Thread(target=_end_with_parent, name="observatory-parent", daemon=True).start()
    use(Runtime(settings))
    share_port()
    run_panel(settings)


def _end_with_parent() -> None:
    while sys.stdin.buffer.read(1):  # nobody writes: it ends when the other end is closed
        pass
    os.kill(os.getpid(), signal.SIGTERM)
