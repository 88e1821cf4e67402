"""How much room a store takes, and how much is left."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from observatory.errors import StoreError


@dataclass(frozen=True, slots=True)
class Space:
    """Of a store's file with its log, and of the file system that it lies on [bytes]."""

    size: int
    available: int
    filesystem: int


def space_of(path: Path) -> Space:
    """The room of the store in a file.

    Raises
    ------
    StoreError
        The folder cannot be looked at.
    """
    try:
        usage = shutil.disk_usage(path.parent)
        return Space(size_of(path), usage.free, usage.total)
    except OSError as error:
        raise StoreError(f"the room for {path} cannot be told: {error}") from error


def size_of(path: Path) -> int:
    """Size of a store's file with its log [bytes]."""
    parts = (path, path.with_name(path.name + ".wal"))
    return sum(part.stat().st_size for part in parts if part.is_file())
