"""Labelled faults from a folder of data sets, each in one of three layouts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from observatory.errors import InvalidInputError
from observatory.evaluation.rootcause import nezha, petshop, plain
from observatory.evaluation.rootcause.cases import FaultCase

LAYOUTS = f"DAY{nezha.FAULTS}, {petshop.LISTED} beside {petshop.METRICS}, or {plain.LISTED} beside {plain.METRICS}"


def fault_cases(folder: Path, sets: Sequence[str] | None = None) -> list[FaultCase]:
    """Read the fault cases of a folder.

    Parameters
    ----------
    folder
        Holds a folder a set; its sub-folder ``dev`` is taken where it has one, and a folder of files is a set itself.
    sets
        Only these; all if None.

    Raises
    ------
    InvalidInputError
        There is no such folder or set, it holds no fault cases, or a file cannot be used; the file is named.
    """
    if not folder.is_dir():
        raise InvalidInputError(f"{folder} is no folder: give one with a folder of fault cases for each data set")
    root = folder / "dev" if (folder / "dev").is_dir() else folder
    places = {path.name: path for path in sorted(root.iterdir()) if path.is_dir() and _holds_cases(path)}
    if not places and _holds_cases(root):
        places = {root.name: root}
    if not places:
        raise InvalidInputError(f"{root} holds no fault cases: expected {LAYOUTS} in each folder of it")
    for name in sets or ():
        if name not in places:
            raise InvalidInputError(f"unknown set {name!r}: {root} has {', '.join(places)}")
    found = [case for name in places if not sets or name in sets for case in _read(places[name], name)]
    if not found:
        raise InvalidInputError(f"{root} lists no case that can be judged: each needs history and an incident")
    return found


def _holds_cases(folder: Path) -> bool:
    if any(folder.glob(f"*{nezha.FAULTS}")):
        return True
    return (folder / plain.LISTED).exists() and (
        (folder / petshop.METRICS).exists() or plain.metrics_file(folder) is not None
    )


def _read(folder: Path, group: str) -> list[FaultCase]:
    if any(folder.glob(f"*{nezha.FAULTS}")):
        return nezha.nezha_cases(folder, group)
    if (folder / petshop.METRICS).exists():
        return petshop.petshop_cases(folder, group)
    return plain.plain_cases(folder, group)
