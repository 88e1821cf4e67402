"""A listening socket that stays calm when the process has no file left for one more connection.

Tornado would try again at once, and write a traceback each time, until somebody hangs up.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import time
from typing import Any

FULL = (errno.EMFILE, errno.ENFILE)
QUIET = 60.0
"""Time between two warnings [s]."""
log = logging.getLogger(__name__)


class Listener(socket.socket):
    """Takes over a bound socket; a connection that cannot be kept is closed, so that its client knows."""

    def __init__(self, bound: socket.socket) -> None:
        super().__init__(fileno=bound.detach())
        self.setblocking(False)
        self._spare = _any_file()
        self._warned_at = float("-inf")

    def accept(self) -> tuple[socket.socket, Any]:
        """See `socket.accept`.

        Raises
        ------
        ConnectionAbortedError
            One was closed, as there is no room for it.
        """
        try:
            return super().accept()
        except OSError as error:
            if error.errno not in FULL or self._spare is None:
                raise
            self._turn_away(self._spare)
            raise ConnectionAbortedError from error

    def close(self) -> None:
        """See `socket.close`."""
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None
        super().close()

    def _turn_away(self, spare: int) -> None:
        os.close(spare)  # makes room for one
        try:
            super().accept()[0].close()
        finally:
            self._spare = _any_file()
        if time.monotonic() - self._warned_at > QUIET:
            self._warned_at = time.monotonic()
            log.warning("connections are turned away: the process may have no more files open (see `ulimit -n`)")


def _any_file() -> int | None:
    """A file that is there only to be closed; None where another thread took the place."""
    try:
        return os.open(os.devnull, os.O_RDONLY)
    except OSError:
        return None
