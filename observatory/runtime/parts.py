"""What the layers above keep with a runtime, such as who may sign in: made at first use, once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Parts:
    """One object of each class; they live as long as this does.

    >>> parts = Parts()
    >>> parts.get(list, lambda: [1]) is parts.get(list, lambda: [2])
    True
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._made: dict[type, object] = {}

    def get(self, kind: type[T], make: Callable[[], T]) -> T:
        """The part of that class; the first who asks makes it."""
        with self._lock:
            found = self._made.get(kind)
            if not isinstance(found, kind):
                found = self._made[kind] = make()
            return found
