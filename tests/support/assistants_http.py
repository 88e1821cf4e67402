"""A server of the tools over HTTP, in this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from support.servers import HANGS_AFTER, wait_until

from observatory.assistants.http import http_server
from observatory.runtime import Runtime


@contextmanager
def serving(runtime: Runtime) -> Iterator[str]:
    """The address of a server of a runtime, for as long as the block runs."""
    server = http_server(runtime)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive(), HANGS_AFTER, "the server to start")
        yield f"http://127.0.0.1:{runtime.settings.port}/mcp"
    finally:
        server.should_exit = True
        thread.join()
