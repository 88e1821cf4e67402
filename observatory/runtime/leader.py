"""Leader election among the processes that share a store: one of them does a kind of work, the others leave it."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import socket
from collections.abc import Callable
from datetime import datetime, timedelta

from observatory.errors import ObservatoryError
from observatory.store import Store

log = logging.getLogger(__name__)


class LeaderElection:
    """The claim of this process on one kind of work.

    Parameters
    ----------
    store
        What the processes share.
    name
        The work.
    clock
        Tells the time, in UTC.
    length
        How long a process that fell silent is waited for.
    """

    def __init__(self, store: Store, name: str, clock: Callable[[], datetime], length: timedelta) -> None:
        self._leases = store.leases
        self._name = name
        self._clock = clock
        self._length = length
        self._secret = secrets.token_hex(4)
        self._pid = os.getpid()
        self.is_ours: bool | None = None

    @property
    def holder(self) -> str:
        """How this process is told apart."""
        return f"{socket.gethostname()}:{os.getpid()}:{self._secret}"

    def claim(self) -> bool:
        """Claim the work, or claim it further; False while another process has it. Raises StoreError."""
        taken = self._leases.take(self._name, self.holder, self._clock(), self._length)
        if taken is not self.is_ours:
            log.info("%s: %s", self._name, "this process does it" if taken else "another process does it")
        self.is_ours = taken
        return taken

    def release(self) -> None:
        """Leave the work to whoever comes next."""
        if self.is_ours and self._pid == os.getpid():
            self.is_ours = None
            with contextlib.suppress(ObservatoryError):  # it runs out by itself
                self._leases.end(self._name, self.holder)
