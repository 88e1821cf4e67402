"""Ctrl-C at the moment a test wants it."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from support.servers import wait_until

ENDLESS = "SELECT sum(a.range * b.range) FROM range(100_000_000) a, range(100_000_000) b"
"""A query that nobody waits for."""


@contextmanager
def ctrl_c_within(function: Callable[..., Any]) -> Iterator[None]:
    """Send this process SIGINT once, as soon as its main thread waits within `function`."""
    main, over = threading.main_thread().ident, threading.Event()
    assert main is not None

    def send() -> None:
        wait_until(lambda: over.is_set() or _frame_of(main).f_code is function.__code__, 60, "the call")
        if not over.is_set():
            os.kill(os.getpid(), signal.SIGINT)

    sending = threading.Thread(target=send)
    sending.start()
    try:
        yield
    finally:
        over.set()
        sending.join()


def _frame_of(thread: int) -> FrameType:
    """Where a thread is. A collection meanwhile may hang the process for good: CPython gh-106883."""
    gc.disable()
    try:
        return sys._current_frames()[thread]
    finally:
        gc.enable()
