"""Files that are for the user alone who runs this, whatever the umask says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

FILE, FOLDER = 0o600, 0o700
OTHERS = 0o077


def make_new_files_private() -> None:
    """Have everything this process makes from now on, and what it starts, be its user's alone.

    DuckDB makes its files by itself (the write-ahead log anew after each checkpoint), so only the umask reaches all.
    """
    os.umask(os.umask(OTHERS) | OTHERS)


def make_private(*places: Path) -> None:
    """Take from others what they may do with files, and with folders and all that is in them.

    What belongs to another user stays as it is: `exposed` finds it.
    """
    for place in _within(places):
        mode = place.stat().st_mode
        if mode & OTHERS and place.stat().st_uid == os.geteuid():
            place.chmod(mode & 0o700)


def exposed(*places: Path) -> list[Path]:
    """Files and folders among `places`, and in them, that others may read or write."""
    return [place for place in _within(places) if place.stat().st_mode & OTHERS]


def _within(places: tuple[Path, ...]) -> Iterator[Path]:
    for place in places:
        if place.is_symlink() or not place.exists():
            continue
        yield place
        if place.is_dir():
            yield from (found for found in place.rglob("*") if not found.is_symlink() and found.exists())
