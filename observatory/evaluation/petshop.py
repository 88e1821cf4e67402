"""Fault cases that are a few rows each, beside one long record of normal operation (the layout of PetShop).

``metrics_long.parquet`` has ``scenario, case, t, node, metric, stat, value``, where ``case = noissue`` is normal; each
case in ``cases.json`` names the node where the fault was noticed. A case becomes a series: normal operation of that
node, of which two thirds are learned from, and then the case at its own time of day.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from observatory.errors import InvalidInputError
from observatory.evaluation.series import LabelledSeries, read_table

COLUMNS = ("scenario", "case", "t", "node", "metric", "stat", "value")
NORMAL = "noissue"
LEARNED = 2 / 3
DAY = 86_400


def scenario_series(folder: Path, group: str) -> list[LabelledSeries]:
    """A series a case; raises InvalidInputError that names the file at fault."""
    path = folder / "metrics_long.parquet"
    table = read_table(path)
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise InvalidInputError(f"{path} has no column {missing[0]}: it has {', '.join(map(str, table))}")
    listed = folder / "cases.json"
    try:
        cases = [
            (c["scenario"], c["case"], c["target"]["node"]) for c in json.loads(listed.read_text(encoding="utf-8"))
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInputError(f"{listed}: cases need scenario, case and target.node: {error}") from error
    found = []
    for scenario, case, node in cases:
        rows = table[(table["scenario"] == scenario) & (table["node"] == node)]
        normal, fault = _wide(rows[rows["case"] == NORMAL]), _wide(rows[rows["case"] == case])
        if fault.empty:
            raise InvalidInputError(f"{path} has no rows of {scenario}, {case}, {node}, which cases.json names")
        if normal.empty:
            continue  # nothing to learn from
        fault = fault.reindex(columns=normal.columns)
        step = int(np.median(np.diff(normal.index)))
        days = -((fault.index[0] - normal.index[-1] - step) // DAY)
        fault.index = fault.index + days * DAY
        joined = pd.concat([normal, fault])
        labels = np.arange(len(joined)) >= len(normal)
        joined.index = pd.to_datetime(joined.index, unit="s", utc=True).as_unit("us").rename("timestamp")
        found.append(LabelledSeries(group, f"{scenario}/{case}", joined, labels, int(LEARNED * len(normal))))
    return found


def _wide(rows: pd.DataFrame) -> pd.DataFrame:
    """A row a time, a column a statistic of a metric."""
    names = rows["metric"].astype(str) + "_" + rows["stat"].astype(str)
    long = pd.DataFrame({"t": rows["t"], "name": names, "value": rows["value"].astype(float)})
    return long.pivot_table(index="t", columns="name", values="value", aggfunc="mean").sort_index()
