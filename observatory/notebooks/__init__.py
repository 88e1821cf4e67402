"""Notebooks as programs: found by name, their parameters checked, executed by papermill, exported and recorded."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

import observatory
from observatory.errors import ConfigError, NotFoundError

SUFFIX = ".ipynb"


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
    for place in (package.parent / "notebooks", package / "_notebooks"):
        if place.is_dir():
            return place
    raise ConfigError(f"the notebooks are missing beside {package}: name a file, or install the package again")


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
    close = difflib.get_close_matches(stem, known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}? " if close else ""
    raise NotFoundError(
        f"unknown notebook {name!r}: {hint}choose one of {', '.join(known)}, or name a file that ends in {SUFFIX}"
    )
