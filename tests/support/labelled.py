"""Made-up labels and scores, and folders of labelled files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

MINUTE = pd.Timedelta(minutes=1)


def case(seed: int, rows: int, events: int, rounded: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Labels and scores that are higher in events; rounded ones have many ties."""
    random = np.random.default_rng(seed)
    labels = np.zeros(rows, dtype=bool)
    for first in random.integers(0, rows, events):
        labels[first : first + int(random.integers(1, 30))] = True
    scores = random.normal(size=rows) + labels * random.uniform(0.5, 2.0)
    return labels, np.round(scores) if rounded else scores


def table(rows: int = 600, train: int = 400, metrics: int = 3, seed: int = 0) -> pd.DataFrame:
    """Noise with a jump in the first metric in rows 500 to 519, in the layout of labelled files."""
    random = np.random.default_rng(seed)
    columns = {f"m{i:02d}": random.normal(size=rows) for i in range(metrics)}
    columns["m00"][500:520] += 30
    label = np.zeros(rows, dtype=int)
    label[500:520] = 1
    split = np.where(np.arange(rows) < train, "train", "test")
    start = pd.Timestamp("2026-01-05")
    times = pd.DatetimeIndex([start + i * MINUTE for i in range(rows)])
    return pd.DataFrame({"series": "one", "timestamp": times, **columns, "label": label, "split": split})


def write(table: pd.DataFrame, path: Path) -> Path:
    """A file of labelled rows, Parquet or CSV by its ending."""
    import duckdb

    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    else:
        with duckdb.connect() as connection:
            connection.from_df(table.reset_index(drop=True).copy()).write_parquet(str(path))
    return path
