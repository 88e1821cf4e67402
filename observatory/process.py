"""The process itself: its name among others, and SIGTERM as Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn


def this_process() -> str:
    """Machine and number of this process."""
    return f"{socket.gethostname()}:{os.getpid()}"


def is_ending(error: Exception) -> bool:
    """Whether `error` only says that Python has begun to end, and starts no more threads."""
    return isinstance(error, RuntimeError) and "interpreter shutdown" in str(error)


@contextmanager
def ends_on_sigterm() -> Iterator[None]:
    """Make what ends services and jobs of others' schedulers the same as Ctrl-C: what was done is kept."""

    def stop(number: int, frame: Any) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def wait_or_end(child: subprocess.Popen[Any], seconds: float, patience: float) -> None:
    """Wait for a process to end; one that does not in time is asked, and after `patience` seconds made, to."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(seconds)
        return
    child.terminate()
    try:
        child.wait(patience)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
