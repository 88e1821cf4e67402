"""Fault cases of a few rows each, beside one long record of normal operation, with call graphs (the layout of PetShop).

Files are those of `observatory.evaluation.petshop`; a case in ``cases.json`` also names ``root_cause.node``, and
``SCENARIO_graph.csv`` is a matrix: 1 where the node of the row calls the node of the column. The normal record is
moved so that the case follows it (it was recorded months later).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from observatory.evaluation.petshop import COLUMNS, NORMAL
from observatory.evaluation.rootcause.cases import FaultCase, Graph, field, need, read_list
from observatory.evaluation.series import read_table

METRICS, LISTED = "metrics_long.parquet", "cases.json"


def petshop_cases(folder: Path, group: str) -> list[FaultCase]:
    """Cases whose scenario has a normal record, by what was noticed: ``GROUP/latency``, ``GROUP/availability``.

    Raises InvalidInputError that names the file at fault.
    """
    table = read_table(folder / METRICS)
    need(table, COLUMNS, folder / METRICS)
    wide = _wide(table)
    listed = folder / LISTED
    found = []
    for case in read_list(listed):
        scenario, name = str(field(case, "scenario", listed)), str(field(case, "case", listed))
        normal, fault = wide.get((scenario, NORMAL)), wide.get((scenario, name))
        if normal is None or fault is None:
            continue  # nothing to compare with
        frames, start, end = _joined(normal, fault)
        kind = f"{group}/{field(case, 'target.metric', listed)}"
        causes = frozenset({str(field(case, "root_cause.node", listed))})
        graph = _graph(folder / f"{scenario}_graph.csv")
        found.append(FaultCase(kind, f"{scenario}/{name}", frames, start, end, causes, graph))
    return found


def _wide(table: pd.DataFrame) -> dict[tuple[str, str], dict[str, pd.DataFrame]]:
    """Frames by scenario and case, then by node: a row a time, a column a statistic of a metric."""
    text = {name: table[name].astype(str) for name in ("scenario", "case", "node")}
    column = table["metric"].astype(str) + "_" + table["stat"].astype(str)
    long = pd.DataFrame({**text, "t": table["t"], "column": column, "value": table["value"].astype(float)})
    found: dict[tuple[str, str], dict[str, pd.DataFrame]] = {}
    for (scenario, case, node), rows in long.groupby(["scenario", "case", "node"]):
        frame = rows.pivot_table(index="t", columns="column", values="value", aggfunc="mean").sort_index()
        found.setdefault((str(scenario), str(case)), {})[str(node)] = frame
    return found


def _joined(
    normal: dict[str, pd.DataFrame], fault: dict[str, pd.DataFrame]
) -> tuple[dict[str, pd.DataFrame], pd.Timestamp, pd.Timestamp]:
    """The normal record, moved to end one row before the case begins."""
    first, last = min(frame.index[0] for frame in fault.values()), max(frame.index[-1] for frame in fault.values())
    usual = max(normal.values(), key=len).index
    step = int(np.median(np.diff(usual))) if len(usual) > 1 else 0
    shift = int(first) - step - max(int(frame.index[-1]) for frame in normal.values())
    frames = {}
    for node in sorted({*normal, *fault}):
        parts = [normal[node].set_axis(normal[node].index + shift)] if node in normal else []
        frame = pd.concat([*parts, fault[node]] if node in fault else parts)
        frames[node] = frame.set_axis(pd.DatetimeIndex(pd.to_datetime(frame.index, unit="s", utc=True)))
    return frames, pd.Timestamp(first, unit="s", tz="UTC"), pd.Timestamp(last, unit="s", tz="UTC")


def _graph(path: Path) -> Graph | None:
    if not path.exists():
        return None
    matrix = pd.read_csv(path, index_col=0)
    rows, columns = np.nonzero(matrix.to_numpy(float) > 0)
    callers, callees = [str(name) for name in matrix.index], [str(name) for name in matrix.columns]
    return tuple((callers[row], callees[column]) for row, column in zip(rows, columns, strict=True))
