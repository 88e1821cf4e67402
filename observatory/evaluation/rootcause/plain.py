"""Fault cases of your own: one table of metrics, a list of cases, and who calls whom.

``metrics.parquet`` (or ``.csv``) has ``timestamp``, ``service`` and a numeric column a metric. ``cases.json`` is a
list of objects with ``start``, ``end`` and ``cause``, the guilty service or a list of them, and, if it likes, ``name``.
``graph.csv``, where there is one, has ``caller, callee``.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from observatory.errors import InvalidInputError
from observatory.evaluation.rootcause.cases import FaultCase, Graph, field, need, read_list, time_of
from observatory.evaluation.series import FORMATS, read_table

METRICS, LISTED, CALLS = "metrics", "cases.json", "graph.csv"


def metrics_file(folder: Path) -> Path | None:
    """The table of metrics of a folder, if it has one."""
    return next((folder / (METRICS + ending) for ending in FORMATS if (folder / (METRICS + ending)).exists()), None)


def plain_cases(folder: Path, group: str) -> list[FaultCase]:
    """The cases of a folder; raises InvalidInputError that names the file at fault."""
    path, listed = metrics_file(folder), folder / LISTED
    if path is None:
        raise InvalidInputError(f"{folder} has no {METRICS}{' or '.join(FORMATS)}")
    table = read_table(path)
    need(table, ("timestamp", "service"), path)
    try:
        times = pd.DatetimeIndex(pd.to_datetime(table["timestamp"], utc=True))
    except (ValueError, TypeError) as error:
        raise InvalidInputError(f"{path}, column timestamp: {error}") from error
    metrics = table.drop(columns=["timestamp", "service"]).set_axis(times)
    frames = {str(service): rows for service, rows in metrics.groupby(table["service"].astype(str).to_numpy())}
    graph = _graph(folder / CALLS)
    found = []
    for number, case in enumerate(read_list(listed)):
        cause = field(case, "cause", listed)
        causes = frozenset(map(str, cause)) if isinstance(cause, list) else frozenset({str(cause)})
        unknown = sorted(causes - set(frames))
        if unknown or not causes:
            raise InvalidInputError(f"{listed}: cause {cause!r} is no service of {path.name}: name one of them")
        start, end = time_of(case, "start", listed), time_of(case, "end", listed)
        if end < start:
            raise InvalidInputError(f"{listed}: a case ends at {end} before it starts at {start}")
        found.append(FaultCase(group, str(case.get("name", number)), frames, start, end, causes, graph))
    return found


def _graph(path: Path) -> Graph | None:
    if not path.exists():
        return None
    table = read_table(path)
    need(table, ("caller", "callee"), path)
    return tuple(zip(table["caller"].astype(str), table["callee"].astype(str), strict=True))
