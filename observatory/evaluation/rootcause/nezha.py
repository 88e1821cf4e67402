"""Faults of a day, each a time and a pod, beside a row a minute and a pod (the layout of Nezha).

``DAY.parquet`` has ``t`` [s since 1970], ``series`` (the pod), ``label`` and metrics. ``DAY_faults.json`` lists
``inject_time`` (UTC), ``inject_pod`` and ``inject_type``, and ``DAY_dependency.csv``, where there is one, has
``Source, Target``. A pod is called by its service: the two hashes of a Deployment are cut off.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from observatory.errors import InvalidInputError
from observatory.evaluation.rootcause.cases import FaultCase, Graph, field, need, read_list, time_of
from observatory.evaluation.series import read_table

FAULTS = "_faults.json"
LASTS = pd.Timedelta(minutes=4)
"""How long a fault is looked at: the data say when it began, not when it ended."""
POD = re.compile(r"-[a-z0-9]{6,10}-[a-z0-9]{5}$")


def nezha_cases(folder: Path, group: str) -> list[FaultCase]:
    """The faults of every day in the folder; raises InvalidInputError that names the file at fault."""
    found = []
    for listed in sorted(folder.glob(f"*{FAULTS}")):
        day = listed.name.removesuffix(FAULTS)
        frames = _frames(folder / f"{day}.parquet")
        calls = folder / f"{day}_dependency.csv"
        graph = _graph(calls) if calls.exists() else None
        for number, fault in enumerate(read_list(listed)):
            start = time_of(fault, "inject_time", listed)
            cause = POD.sub("", str(field(fault, "inject_pod", listed)))
            if cause not in frames:
                raise InvalidInputError(f"{folder / day}.parquet has no rows of {cause}, which {listed.name} names")
            name = f"{number:02d} {cause} {fault.get('inject_type', '')}".rstrip()
            kind = f"{group}/{day.partition('_')[0]}"
            found.append(FaultCase(kind, name, frames, start, start + LASTS, frozenset({cause}), graph))
    return found


def _frames(path: Path) -> dict[str, pd.DataFrame]:
    if not path.exists():
        raise InvalidInputError(f"{path} is missing: it holds the metrics of {path.stem}{FAULTS}")
    table = read_table(path)
    need(table, ("t", "series"), path)
    times = pd.DatetimeIndex(pd.to_datetime(table["t"], unit="s", utc=True))
    metrics = table.drop(columns=["t", "series", "label"], errors="ignore").set_axis(times)
    services = table["series"].astype(str).str.replace(POD, "", regex=True)
    return {str(service): rows for service, rows in metrics.groupby(services.to_numpy())}


def _graph(path: Path) -> Graph:
    table = read_table(path)
    need(table, ("Source", "Target"), path)
    return tuple(zip(table["Source"].astype(str), table["Target"].astype(str), strict=True))
