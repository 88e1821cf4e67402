"""A small shop with one fault in it, and folders of labelled faults."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
from support.labelled import write

SHOP_CALLS = [("web", "cart"), ("web", "catalog"), ("cart", "db"), ("catalog", "db"), ("cart", "mail")]
SHOP = ["cart", "catalog", "db", "mail", "web"]
ROWS, FAULT_ROWS = 300, 12
TIMES = pd.date_range("2026-03-01", periods=ROWS, freq="60s", tz="UTC")
START, END = TIMES[ROWS - FAULT_ROWS], TIMES[-1]


def quiet_shop(seed: int = 0) -> dict[str, pd.DataFrame]:
    """Five services in which nothing is wrong."""
    random = np.random.default_rng(seed)
    frames = {}
    for service in SHOP:
        noise = random.normal(1, 0.05, (ROWS, 5))
        frame = pd.DataFrame(noise * [50.0, 0.002, 0.1, 0.4, 4e8], index=TIMES)
        frames[service] = frame.set_axis(
            ["request_rate", "error_rate", "latency_p95", "cpu_usage", "memory_usage"], axis="columns"
        )
    return frames


def fault(root: str, seed: int = 0, seconds: float = 0.8, cpu: float = 4.0) -> dict[str, pd.DataFrame]:
    """`root` is short of CPU and slow, and whoever waits for it is slow by the same time."""
    frames = quiet_shop(seed)
    slow = {root}
    while True:
        more = {caller for caller, callee in SHOP_CALLS if callee in slow} - slow
        if not more:
            break
        slow |= more
    for service in slow:
        frames[service].loc[START:END, "latency_p95"] += seconds
    frames[root].loc[START:END, "cpu_usage"] *= cpu
    return frames


def write_cases(folder: Path, roots: list[str]) -> Path:
    """The plain layout: a case a root, a day apart."""
    tables, cases = [], []
    for day, root in enumerate(roots):
        for service, frame in fault(root, seed=day).items():
            shifted = frame.set_axis(frame.index + pd.Timedelta(days=2 * day))
            tables.append(shifted.rename_axis("timestamp").reset_index().assign(service=service))
        shift = pd.Timedelta(days=2 * day)
        cases.append({"name": f"{root} slow", "start": str(START + shift), "end": str(END + shift), "cause": root})
    write(pd.concat(tables, ignore_index=True), folder / "metrics.parquet")
    (folder / "cases.json").write_text(json.dumps(cases))
    lines = ["caller,callee", *(f"{caller},{callee}" for caller, callee in SHOP_CALLS)]
    (folder / "graph.csv").write_text("\n".join(lines) + "\n")
    return folder
