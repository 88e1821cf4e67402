"""Labelled series from a folder of files: ``FOLDER/SET/SERIES.parquet``, or CSV.

A file has a row a sample: ``timestamp`` (or ``t``: seconds since 1970, or numbered rows), ``label`` (1 in an event),
numeric metrics, and, if it likes, ``series`` (several in one file) and ``split`` (``train`` rows come first and may
be learned from). A folder ``interpretation`` beside the files may tell causes: `observatory.evaluation.explanation`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from observatory.errors import InvalidInputError
from observatory.evaluation.series import FORMATS, LabelledSeries, read_table, series_of
from observatory.evaluation.sets import set_folders


def labelled_folder(folder: Path, sets: Sequence[str] | None = None) -> list[LabelledSeries]:
    """Read the labelled series of a folder.

    Parameters
    ----------
    folder
        Holds a folder a set; its sub-folder ``dev`` is taken where it has one, and a folder of files is a set itself.
    sets
        Only these; all if None.

    Returns
    -------
    The series by set and name.

    Raises
    ------
    InvalidInputError
        There is no such folder or set, or a file cannot be used; file and column are named.
    """
    expected = f"SET/SERIES{' or '.join(FORMATS)}"
    places = set_folders(folder, sets, _files, holds="labelled files", expected=expected)
    return [series for name, place in places.items() for series in _read_set(name, place)]


def read_labelled(path: Path, group: str) -> list[LabelledSeries]:
    """Read one file; raises InvalidInputError that names file and column."""
    table = read_table(path)
    missing = [name for name in ("label",) if name not in table] + (
        [] if "timestamp" in table or "t" in table else ["timestamp (or t)"]
    )
    if missing:
        raise InvalidInputError(
            f"{path} has no column {' and no column '.join(missing)}: it has {', '.join(map(str, table))}"
        )
    if "series" not in table:
        return [series_of(path, group, path.stem, table)]
    names = table["series"].astype(str)
    several = names.nunique() > 1
    return [
        series_of(path, group, f"{path.stem}/{name}" if several else path.stem, rows)
        for name, rows in table.groupby(names, sort=True)
    ]


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in FORMATS)


def _read_set(group: str, folder: Path) -> list[LabelledSeries]:
    if (folder / "cases.json").exists() and (folder / "metrics_long.parquet").exists():
        from observatory.evaluation.petshop import scenario_series

        return scenario_series(folder, group)
    # Tables that describe the others (call graphs, times of requests) lie beside Parquet files as CSV.
    files = _files(folder)
    parquet = [path for path in files if path.suffix == ".parquet"]
    return [series for path in parquet or files for series in read_labelled(path, group)]
