"""Notebooks as programs: found by name, their parameters checked, executed by papermill, exported and recorded."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import observatory
from observatory.errors import ConfigError, InvalidInputError, NotFoundError
from observatory.suggest import did_you_mean

SUFFIX = ".ipynb"
INSTALLED = "_notebooks"
"""Where they are inside an installed package."""


def quicken() -> None:
    """Call before `nbformat` or `papermill` is imported: it saves a second.

    jsonschema, which both use, can check URIs with a grammar that takes so long to build; notebooks hold no URIs.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def folder() -> Path:
    """Where the notebooks are: in the repository, or in an installed package.

    Raises
    ------
    ConfigError
        They were not installed.
    """
    package = Path(observatory.__file__).parent
    for place in (package.parent / "notebooks", package / INSTALLED):
        if place.is_dir():
            return place
    raise ConfigError(f"the notebooks are missing beside {package}: name a file, or install the package again")


def to_edit(place: Path) -> tuple[Path, list[str]]:
    """A folder of notebooks that may be edited: the repository's; where they were installed, `place` with copies.

    Returns
    -------
    The folder, and the names of those that were copied; a file that is there stays as it is.

    Raises
    ------
    InvalidInputError
        `place` cannot be written.
    """
    source = folder()
    if source.name != INSTALLED:
        return source, []
    copied = []
    try:
        place.mkdir(parents=True, exist_ok=True)
        for path in sorted(source.glob(f"*{SUFFIX}")):
            if not (place / path.name).exists():
                shutil.copyfile(path, place / path.name)  # its mode is that of a file of the user's, not of a package's
                copied.append(path.stem)
    except OSError as error:
        raise InvalidInputError(
            f"folder {place} cannot be written ({error.strerror}): work in another, or name one with --folder"
        ) from None
    return place, copied


def names() -> list[str]:
    """Names of the notebooks that come with the workbench."""
    return sorted(path.stem for path in folder().glob(f"*{SUFFIX}"))


def find(name: str) -> Path:
    """The notebook called `name`, or the file of that path (``reports/mine.ipynb``).

    Raises
    ------
    NotFoundError
        There is none; the message lists those there are.
    """
    if name.endswith(SUFFIX):
        path = Path(name)
        if path.is_file():
            return path.resolve()
        if len(path.parts) > 1:
            raise NotFoundError(f"unknown notebook {name!r}: there is no such file")
    known = names()
    stem = name.removesuffix(SUFFIX)
    if stem in known:
        return folder() / f"{stem}{SUFFIX}"
    hint = did_you_mean(stem, known)
    raise NotFoundError(
        f"unknown notebook {name!r}: {hint and hint + ' '}choose one of {', '.join(known)}, "
        f"or name a file that ends in {SUFFIX}"
    )
