"""Named plug-ins: the modules beside each other in one package, and entry points of other packages.

A registry is filled the first time somebody asks it for a name, so that importing the
workbench never imports a detector's heavy libraries.
"""

from __future__ import annotations

import importlib
import pkgutil
import threading
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from observatory.errors import UnknownPluginError

T = TypeVar("T")


class Registry(Generic[T]):
    """Things of one kind by name.

    Parameters
    ----------
    kind
        What is registered, for messages: ``"detector"``.
    package
        Its modules are imported on first use; each registers what it holds.
        Other packages add theirs through entry points of the same group name.
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self.package = package
        self._items: dict[str, T] = {}
        self._loaded = False
        self._lock = threading.RLock()  # a module being loaded may ask for another's name

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator: register the decorated thing under `name`."""

        def keep(item: T) -> T:
            self._items[name] = item
            return item

        return keep

    def get(self, name: str) -> T:
        """The thing called `name`.

        Raises
        ------
        UnknownPluginError
            No such name; the message lists the names there are.
        """
        self._load()
        if name not in self._items:
            raise UnknownPluginError(f"unknown {self.kind} {name!r}: choose one of {', '.join(self)}")
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        self._load()
        return iter(sorted(self._items))

    def _load(self) -> None:
        with self._lock:
            if self._loaded:
                return
            self._loaded = True
            package = importlib.import_module(self.package)
            for module in pkgutil.iter_modules(package.__path__):
                importlib.import_module(f"{self.package}.{module.name}")
            for entry in entry_points(group=self.package):
                self._items.setdefault(entry.name, entry.load())
