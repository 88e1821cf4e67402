"""A labelled series, and a table read as one."""

from __future__ import annotations

import glob
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from observatory.errors import InvalidInputError
from observatory.evaluation.events import BoolArray
from observatory.evaluation.explanation import Cause, read_causes
from observatory.evaluation.nab import LONGEST_PROBATION, PROBATION

META = ("series", "timestamp", "t", "label", "split")
FORMATS = (".parquet", ".csv")
ROW_SECONDS = {"asd": 300.0}
"""Time between rows that are only numbered, where it is not a minute [s], by set."""
NUMBERED = 100_000_000
"""A ``t`` below this counts rows: as seconds it would lie in the seventies."""
FIRST_ROW = pd.Timestamp("2026-01-05", tz="UTC")


@dataclass(frozen=True, slots=True)
class LabelledSeries:
    """One stream with its truth.

    Attributes
    ----------
    group, name
        The set, and the series in it.
    frame
        A UTC index and numeric columns, shape (n, metrics).
    labels
        Whether each row belongs to an event, shape (n,).
    train_rows
        Rows at the beginning that are learned from and not scored.
    causes
        What caused the events, where that is known.
    """

    group: str
    name: str
    frame: pd.DataFrame
    labels: BoolArray
    train_rows: int
    causes: tuple[Cause, ...] = field(default=())

    @property
    def step(self) -> float:
        """Usual time between two rows [s]."""
        gaps = np.diff(self.frame.index.to_numpy()) / np.timedelta64(1, "s")
        return float(np.median(gaps)) if len(gaps) else 60.0


def read_table(path: Path) -> pd.DataFrame:
    """A file as it is; raises InvalidInputError that names it."""
    import duckdb

    try:
        if path.suffix == ".csv":
            return pd.read_csv(path)
        with duckdb.connect() as connection:
            return connection.read_parquet(glob.escape(str(path))).df()
    except (duckdb.Error, ValueError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{path} cannot be read: {error}") from error


def series_of(path: Path, group: str, name: str, table: pd.DataFrame) -> LabelledSeries:
    metrics = [str(column) for column in table.columns if column not in META]
    if not metrics:
        raise InvalidInputError(f"{path} has no metric: columns beside {', '.join(META)} are needed")
    for column in metrics:
        if table[column].dtype.kind not in "iufb":
            raise InvalidInputError(f"{path}, column {column}: holds {table[column].dtype}, a metric must be numeric")
    labels = table["label"]
    if labels.dtype.kind not in "iufb" or not labels.isin([0, 1]).all():
        raise InvalidInputError(f"{path}, column label: must be 0 or 1 in every row")
    frame = table[metrics].astype(float).set_axis(_times(path, group, table))
    causes = path.parent / "interpretation" / f"{path.stem}.txt"
    return LabelledSeries(
        group,
        name,
        frame,
        labels.to_numpy(dtype=bool),
        _train_rows(path, table),
        tuple(read_causes(causes, len(metrics))) if causes.exists() else (),
    )


def _times(path: Path, group: str, table: pd.DataFrame) -> pd.DatetimeIndex:
    column = "timestamp" if "timestamp" in table else "t"
    values = table[column]
    try:
        if column == "timestamp":
            index = pd.DatetimeIndex(pd.to_datetime(values, utc=True))
        elif values.max() < NUMBERED:
            index = pd.DatetimeIndex(FIRST_ROW + pd.to_timedelta(values * ROW_SECONDS.get(group, 60.0), unit="s"))
        else:
            index = pd.DatetimeIndex(pd.to_datetime(values, unit="s", utc=True))
    except (ValueError, TypeError) as error:
        raise InvalidInputError(f"{path}, column {column}: holds no times: {error}") from error
    if index.hasnans or not index.is_monotonic_increasing:
        raise InvalidInputError(f"{path}, column {column}: times must be there and never go back")
    return index.as_unit("us").rename("timestamp")


def _train_rows(path: Path, table: pd.DataFrame) -> int:
    """Rows to learn from; where a file does not say, as many as NAB lets one learn from."""
    if "split" not in table:
        return max(1, min(int(PROBATION * len(table)), LONGEST_PROBATION))
    train = (table["split"] == "train").to_numpy()
    rows = int(train.sum())
    if not train[:rows].all():
        raise InvalidInputError(f"{path}, column split: rows marked train must come first")
    if not 0 < rows < len(table):
        raise InvalidInputError(f"{path}, column split: needs rows marked train and others, {rows} of {len(table)} are")
    return rows
