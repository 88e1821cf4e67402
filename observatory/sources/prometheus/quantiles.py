"""Quantiles of classic histograms, of buckets that a server has summed, as Prometheus takes them.

Three quantiles of the same buckets cost a server three times the work; of its buckets they cost us next to nothing.
The rules are those of ``histogram_quantile`` (promql/quantile.go): linear within a bucket, the first begins at 0 where
its end is positive, above the last finite end nothing is known but that end.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from observatory.model import SERVICE
from observatory.sources.prometheus.answers import FloatArray, Series


def quantiles_of(
    series: Sequence[Series], quantiles: Mapping[str, float], unit: float = 1.0
) -> dict[str, list[Series]]:
    """Quantiles [s] by metric, a series a service; NaN where there were no requests, or no buckets to tell.

    Parameters
    ----------
    series
        Cumulative buckets of one time, with the labels ``service_name`` and ``le``.
    quantiles
        The quantile, from 0 to 1, by metric.
    unit
        How many of the histogram's units are a second.
    """
    buckets: dict[str, dict[float, float]] = defaultdict(lambda: defaultdict(float))
    first: dict[str, Series] = {}
    for one in series:
        end = _end(one.labels.get("le", ""))
        if end is not None and len(one.values):
            name = one.labels.get(SERVICE, "")
            first.setdefault(name, one)
            buckets[name][end] += float(one.values[0])  # "1" and "1.0" are one bucket
    alike: dict[tuple[float, ...], list[str]] = defaultdict(list)
    for name, mine in buckets.items():
        alike[tuple(sorted(mine))].append(name)
    found: dict[str, list[Series]] = {metric: [] for metric in quantiles}
    for ends, names in alike.items():
        counts = np.array([[buckets[name][end] for end in ends] for name in names])
        for metric, q in quantiles.items():
            values = quantile(q, np.array(ends), counts) / unit
            for number, name in enumerate(names):
                labels = {label: value for label, value in first[name].labels.items() if label != "le"}
                found[metric].append(Series(labels, first[name].times[:1], values[number : number + 1]))
    return found


def quantile(q: float, ends: FloatArray, counts: FloatArray) -> FloatArray:
    """The quantile `q` of histograms with the same buckets.

    Parameters
    ----------
    q
        From 0 to 1.
    ends
        Upper ends of the buckets, ascending; the last is infinite. Shape (buckets,).
    counts
        Cumulative. Shape (histograms, buckets).

    Returns
    -------
    Shape (histograms,), in the unit of `ends`; NaN without observations, or without an infinite and a finite bucket.
    """
    if len(ends) < 2 or not math.isinf(ends[-1]):
        return np.full(len(counts), np.nan)
    counts = np.maximum.accumulate(counts, axis=1)
    rank = q * counts[:, -1]
    at = np.argmax(counts >= rank[:, None], axis=1)
    rows, bounded = np.arange(len(counts)), np.minimum(at, len(ends) - 2)
    begin = np.where(bounded > 0, ends[bounded - 1], 0.0)
    below = np.where(bounded > 0, counts[rows, bounded - 1], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (rank - below) / (counts[rows, bounded] - below)
        value = begin + (ends[bounded] - begin) * share
    value = np.where((bounded == 0) & (ends[0] <= 0), ends[0], value)
    value = np.where(at > bounded, ends[-2], value)
    return np.where(counts[:, -1] > 0, value, np.nan)


def _end(le: str) -> float | None:
    """The upper end of a bucket; None where the label is none, which Prometheus leaves out, too."""
    try:
        return float(le)
    except ValueError:
        return None
