"""Folders of data sets: a folder a set, in a folder that may have them in ``dev``, or be a set itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from observatory.errors import InvalidInputError


def set_folders(
    folder: Path, sets: Sequence[str] | None, is_set: Callable[[Path], object], *, holds: str, expected: str
) -> dict[str, Path]:
    """The folders of the sets that are wanted, by name.

    Parameters
    ----------
    folder
        Holds a folder a set; its sub-folder ``dev`` is taken where it has one, and a folder of files is a set itself.
    sets
        Only these; all if None or empty.
    is_set
        Whether a folder is one of a set.
    holds, expected
        What a set holds, and where it is expected, for messages.

    Raises
    ------
    InvalidInputError
        There is no such folder or set.
    """
    if not folder.is_dir():
        raise InvalidInputError(f"{folder} is no folder: give one with a folder of {holds} for each set")
    root = folder / "dev" if (folder / "dev").is_dir() else folder
    places = {path.name: path for path in sorted(root.iterdir()) if path.is_dir() and is_set(path)}
    if not places and is_set(root):
        places = {root.name: root}
    if not places:
        raise InvalidInputError(f"{root} holds no {holds}: expected {expected}")
    for name in sets or ():
        if name not in places:
            raise InvalidInputError(f"unknown set {name!r}: {root} has {', '.join(places)}")
    return {name: place for name, place in places.items() if not sets or name in sets}
