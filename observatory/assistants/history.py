"""History: one metric of one service, thinned to a few rows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from observatory.assistants.answers import Answer, Rows
from observatory.assistants.arguments import History, time_range
from observatory.catalog import METRICS
from observatory.runtime.reader import Reader

NARROW = "ask for less time (start, end), or raise points"


def history(reader: Reader, asked: History) -> Answer:
    """A metric over time with its least, mean and largest value; null is what is not known."""
    metric = METRICS[asked.metric]
    start, end = time_range(reader, asked.start, asked.end)
    found = reader.history(
        asked.service, start, end, asked.points, with_expected=asked.expected, with_episodes=False, with_extremes=True
    )
    values = found.samples[metric.name].astype(float)
    known = values.dropna()
    lowest, highest = (found.samples.get(f"{metric.name}__{which}", values) for which in ("min", "max"))
    columns = ["at", metric.name]
    series = [values]
    facts: dict[str, object] = {
        "service": found.service.name,
        "metric": metric.name,
        "unit": metric.unit or "count",
        "gets_worse": {"up": "as it rises", "down": "as it falls", "both": "either way"}[metric.worse],
        "start": start,
        "end": end,
        "seconds_between_rows": found.step,
        "each_row_is": "a sample" if found.step <= reader.settings.interval else f"{metric.aggregate} over that time",
    }
    if known.empty:
        facts["note"] = "no value of this metric is known in this time: that is not zero"
    else:
        facts |= {
            "newest": metric.show(float(known.iloc[-1])),
            "newest_at": _time(known.index[-1]),
            "least": metric.show(float(np.nanmin(lowest.astype(float)))),
            "mean": metric.show(float(known.mean())),
            "largest": metric.show(float(np.nanmax(highest.astype(float)))),
        }
    if asked.expected:
        if found.expected is None:
            facts["expected"] = "not known: too little was learned of this service"
        else:
            columns += ["typical", "lower", "upper"]
            frames = (found.expected.typical, found.expected.lower, found.expected.upper)
            series += [frame[metric.name] for frame in frames]
    if len(known) < len(values):
        facts["rows_not_known"] = len(values) - len(known)
    facts["columns"] = columns
    times = [_time(at) for at in values.index]
    rows = [list(row) for row in zip(times, *(column.astype(float).tolist() for column in series), strict=True)]
    return Answer(facts, Rows("rows", rows, len(rows), NARROW))


def _time(at: object) -> object:
    return pd.Timestamp(at).to_pydatetime() if isinstance(at, pd.Timestamp) else at
