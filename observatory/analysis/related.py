"""What moved together with a metric of a service."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from observatory.config import Settings
from observatory.detectors.bands import Bands
from observatory.errors import InvalidInputError, NotEnoughDataError
from observatory.frames import ReadableFrame
from observatory.model import SERVICE, TIMESTAMP
from observatory.store.reader import StoreReader

LEAST_TOGETHER = 12
"""Samples two metrics must have at the same times before they are compared."""


def deviations(frame: pd.DataFrame, start: datetime) -> pd.DataFrame:
    """How far each sample from `start` on lies from typical, in half-widths of its band; with a sign.

    Shape (n, metrics), NaN where a sample is missing.

    Raises
    ------
    NotEnoughDataError
        The history is too short for bands.
    """
    recent = frame[frame.index >= pd.Timestamp(start)]
    expected = Bands().fit(frame).evaluate(pd.DatetimeIndex(recent.index))
    half = (expected.upper - expected.lower) / 2
    result: pd.DataFrame = (recent - expected.typical) / half.where(half > 0)
    return result


def related(
    store: StoreReader,
    settings: Settings,
    service: str,
    start: datetime,
    end: datetime,
    metric: str | None = None,
    most: int = 10,
) -> pd.DataFrame:
    """What moved together with a metric of a service, the strongest first.

    Parameters
    ----------
    store, settings
        Where samples are, and how much history bands are made from.
    service, metric
        What is compared with everything else; without a metric the one that left its band the farthest.
    start, end
        The time compared over.
    most
        Rows of the answer.

    Returns
    -------
    Columns ``service``, ``metric``, ``correlation`` (Pearson's, of deviations from what is typical for the hour, so
    that the daily rhythm all services share does not count), ``farthest`` (largest deviation in half-widths of the
    band) and ``relation``. The row of the metric itself comes first.
    """
    service = store.service(service).name
    frame = store.history_of_all(start - timedelta(days=settings.training_days), end)
    moved: dict[str, pd.DataFrame] = {}
    for name, rows in frame.groupby(SERVICE):
        try:
            moved[str(name)] = deviations(rows.drop(columns=SERVICE).set_index(TIMESTAMP), start)
        except NotEnoughDataError:
            continue
    own = moved.get(service, pd.DataFrame())
    known = [str(name) for name in own if own[name].nunique() > 1]
    columns = ["service", "metric", "correlation", "farthest", "relation"]
    if not known:
        return ReadableFrame([], columns=columns, nothing=f"no samples of {service} to compare with others")
    if metric is not None and metric not in known:
        raise InvalidInputError(f"metric {metric!r} of {service} has no samples then: choose from {', '.join(known)}")
    chosen = metric or str(own[known].abs().max().idxmax())
    relations = _relations(service, store.calls())
    found = []
    for name, values in moved.items():
        for other in values:
            if values[other].nunique() < 2:
                continue  # what never moves goes together with nothing
            together = own[chosen].corr(values[other], min_periods=LEAST_TOGETHER)
            if np.isfinite(together):
                farthest = float(values[other].iloc[int(np.nanargmax(values[other].abs()))])
                row = (name, str(other), round(together, 3), round(farthest, 3), relations.get(name, ""))
                found.append(row)
    table = pd.DataFrame(found, columns=columns)
    itself = (table["service"] == service) & (table["metric"] == chosen)
    strength = table["correlation"].abs().where(~itself, np.inf)
    order = strength.sort_values(ascending=False, kind="stable").index
    return table.loc[order].head(most).reset_index(drop=True)


def _relations(service: str, calls: Sequence[tuple[str, str]]) -> dict[str, str]:
    """How others stand to a service in the graph of calls."""
    callers = {caller: "calls it" for caller, callee in calls if callee == service}
    callees = {callee: "is called by it" for caller, callee in calls if caller == service}
    return callers | callees | {service: "itself"}
