"""The protocol over standard input and output, for a client that starts this process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, Self

import anyio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from observatory.errors import ObservatoryError, StoreError

if TYPE_CHECKING:
    from observatory.runtime import Runtime
    from observatory.runtime.reader import Reader


@contextmanager
def protocol_streams() -> Iterator[tuple[TextIOWrapper, TextIOWrapper]]:
    """Standard input and output, for the protocol alone.

    What anything else prints while the block runs goes to standard error. Lines end in a line feed on every system; in
    the SDK they would end in CR LF on Windows.
    """
    sys.stdout.flush()
    source, wire, nothing = os.dup(0), os.dup(1), os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    try:
        given = TextIOWrapper(os.fdopen(source, "rb", closefd=False), encoding="utf-8", errors="replace", newline="\n")
        yield given, TextIOWrapper(os.fdopen(wire, "wb", closefd=False), encoding="utf-8", newline="\n")
    finally:
        sys.stdout.flush()
        os.dup2(wire, 1)
        os.dup2(source, 0)


def serve_stdio(server: Server[Any], given: TextIOWrapper, output: TextIOWrapper) -> None:
    """Answer until the client closes our input; raises KeyboardInterrupt on Ctrl-C and SIGTERM."""

    async def run() -> None:
        async with stdio_server(Lines(given), anyio.wrap_file(output)) as (read, write):
            await server.run(read, write, server.create_initialization_options())

    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # asyncio ends well on that
    try:
        anyio.run(run)
    finally:
        signal.signal(signal.SIGTERM, before)


class Lines(anyio.AsyncFile[str]):
    """Lines of a file, read by a thread that nobody waits for: a read of a pipe cannot be interrupted."""

    async def __aiter__(self) -> AsyncIterator[str]:
        """Each line with its end."""
        loop, lines = asyncio.get_running_loop(), asyncio.Queue[str]()

        def read() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                for line in self.wrapped:
                    loop.call_soon_threadsafe(lines.put_nowait, line)
                loop.call_soon_threadsafe(lines.put_nowait, "")

        threading.Thread(target=read, name="observatory-mcp-input", daemon=True).start()
        while line := await lines.get():
            yield line


class LateReader:
    """What may be read, opened beside the first messages: some clients wait a few seconds only for a server to start.

    A store that cannot be opened now is tried again with the next call. Use it as a context manager.

    Parameters
    ----------
    open_
        Opens the runtime; may raise ObservatoryError.
    patterns
        The services that are shown; ``*`` for all.
    """

    def __init__(self, open_: Callable[[], Runtime], patterns: Iterable[str]) -> None:
        self._open = open_
        self._patterns = tuple(patterns)
        self._lock = threading.Lock()
        self._runtime: Runtime | None = None
        self._is_closed = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._prepare, name="observatory-mcp-open", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:  # a store that is being opened is closed again
            self._is_closed = True
            if self._runtime is not None:
                self._runtime.close()

    def get(self) -> Reader:
        """The reader, once it is open.

        Raises
        ------
        ObservatoryError
            It cannot be opened.
        """
        from observatory.access.audit import shell_caller
        from observatory.access.permissions import Caller, Role, Scope
        from observatory.access.scoped import scoped

        with self._lock:
            if self._is_closed:
                raise StoreError("the server ends")
            if self._runtime is None:
                self._runtime = self._open()
            who = shell_caller()
            return scoped(self._runtime, Caller("cli", who, who, Role.VIEWER, Scope.of(self._patterns)))

    def _prepare(self) -> None:
        with contextlib.suppress(ObservatoryError):  # whoever asks first is told
            self.get()
