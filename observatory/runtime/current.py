"""The runtime of this process."""

from __future__ import annotations

import threading

from observatory.config import load_settings
from observatory.runtime import Runtime

_current: Runtime | None = None
_current_lock = threading.Lock()


def current() -> Runtime:
    """The runtime of the process, made from the settings at first use."""
    global _current
    with _current_lock:
        if _current is None:
            _current = Runtime(load_settings())
        return _current


def use(runtime: Runtime | None) -> None:
    """Make `runtime` the one that `current` answers with."""
    global _current
    with _current_lock:
        _current = runtime
