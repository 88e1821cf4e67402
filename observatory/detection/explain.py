"""Why a service is called anomalous: actual, typical and bounds of each affected metric, and a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from observatory.catalog import Metric, metric
from observatory.detectors.bands import Bands
from observatory.model import Evidence, Severity

AFFECTED = 1.0
SEVERITIES = ((4.0, Severity.CRITICAL), (2.0, Severity.HIGH), (1.4, Severity.MEDIUM))
MANY = 3  # metrics affected together, and
LONG = 60  # rows above the line, are one step worse
QUANTILE = re.compile(r"_p\d+$")


def evidence(row: pd.DataFrame, bands: Bands, deviation: pd.Series | None = None) -> tuple[Evidence, ...]:
    """The affected metrics of a one-row frame, the largest share first; at least the worst one.

    Shares are proportional to the deviations, which a caller may know already, and sum to 1; empty where nothing can
    be judged.
    """
    if deviation is None:
        deviation = bands.deviation(row).iloc[0]
    expected = bands.evaluate(pd.DatetimeIndex(row.index))
    affected = deviation[deviation >= AFFECTED]
    if affected.empty:
        affected = deviation[deviation > 0].nlargest(1)
    affected = affected.sort_values(ascending=False, kind="stable")
    found = []
    for name, size in affected.items():
        actual, typical = float(row[name].iloc[0]), float(expected.typical[name].iloc[0])
        found.append(
            Evidence(
                metric=str(name),
                actual=actual,
                typical=typical,
                lower=float(expected.lower[name].iloc[0]),
                upper=float(expected.upper[name].iloc[0]),
                share=float(size / affected.sum()),
                direction="up" if actual >= typical else "down",
            )
        )
    return tuple(found)


def severity(score: float, found: Sequence[Evidence], rows: int) -> Severity:
    """How bad: by how far beyond the line, one step worse where many metrics are affected or where it lasts.

    Parameters
    ----------
    score
        The highest of the episode, 1.0 being the alarm line, or how far a value lay outside its band, 1.0 being
        the edge: whichever is more.
    found
        What was affected at that moment; quantiles of one latency count as one metric.
    rows
        Length of the episode so far.
    """
    level = next((word for least, word in SEVERITIES if score >= least), Severity.LOW)
    signals = {QUANTILE.sub("", item.metric) for item in found}
    worse = len(signals) >= MANY or rows >= LONG
    return list(Severity)[max(0, level.rank - 1)] if worse else level


def sentence(service: str, found: Iterable[Evidence], limit: int = 3) -> str:
    """What a person should read first: ``shop/checkout: p99 latency 4.1 s, typically 200–400 ms at this hour``."""
    items = list(found)
    phrases = [_phrase(item, first=i == 0) for i, item in enumerate(items[:limit])]
    more = f"; and {len(items) - limit} more" if len(items) > limit else ""
    return f"{service}: " + ("; ".join(phrases) + more if phrases else "several metrics are unusual together")


def _phrase(item: Evidence, first: bool) -> str:
    row = metric(item.metric)
    hour = " at this hour" if first else ""
    if row.name in ("restart_count", "pod_count"):
        return _count(row, item)
    return f"{row.label} {row.show(item.actual)}, typically {_typically(row, item)}{hour}"


def _typically(row: Metric, item: Evidence) -> str:
    low, high = row.show(item.lower), row.show(item.upper)
    if row.worse == "up" and (item.lower <= 0 or low == row.show(0.0)):
        return f"below {high}"
    if low == high:
        return row.show(item.typical)
    value, _, unit = low.rpartition(" ")
    return f"{value if value and high.endswith(f' {unit}') else low}–{high}"


def _count(row: Metric, item: Evidence) -> str:
    actual = int(np.ceil(item.actual - 1e-9))
    typical = f"{item.typical:.0f}" if round(item.typical) else "none"
    noun = row.label.removesuffix("s") if actual == 1 else row.label
    return f"{actual if actual else 'no'} {noun}, typically {typical}"
