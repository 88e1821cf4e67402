"""Labelled faults from a folder of data sets, each in one of three layouts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from observatory.errors import InvalidInputError
from observatory.evaluation.rootcause import nezha, petshop, plain
from observatory.evaluation.rootcause.cases import FaultCase
from observatory.evaluation.sets import set_folders

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
    places = set_folders(folder, sets, _holds_cases, holds="fault cases", expected=f"{LAYOUTS} in each folder of it")
    found = [case for name, place in places.items() for case in _read(place, name)]
    if not found:
        raise InvalidInputError(f"{folder} lists no case that can be judged: each needs history and an incident")
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
