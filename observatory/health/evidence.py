"""The error ratio that health is judged by: as much of the last minutes as says the same as the newest sample.

A short rate window shows an outage at its full height and its end at once, but one sample of it holds few requests:
at ten requests a second and a true 0.3 % every tenth minute is above 1 %. So the newest sample is judged alone only
where it differs from those before it by more than its count can explain (two proportions, three standard errors);
otherwise they are taken together.

Of a few requests only what they make certain counts: one that failed out of five says little, five out of five much.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import betaincinv

from observatory.catalog import FloatArray

REACH = 300.0
"""Samples that are so old are still looked at [s]."""
STANDARD_ERRORS = 3.0
NO_REQUEST = 1e-9
"""Fewer in a sample are what rounding left of none."""
DOUBT = 0.00135
"""What three standard errors leave out on one side."""


def judged_ratio(rates: FloatArray, ratios: FloatArray, seconds: float) -> float | None:
    """The ratio of errors to judge by; None where the newest sample has none.

    Parameters
    ----------
    rates, ratios
        Requests a second, and errors per request, of the last samples, oldest first: shape ``(n,)``.
    seconds
        How many seconds a sample stands for.

    Examples
    --------
    >>> judged_ratio(np.array([10.0] * 5), np.array([0.0, 0.0, 0.012, 0.002, 0.011]), 60)
    0.005
    >>> judged_ratio(np.array([10.0] * 3), np.array([0.0, 0.0, 0.36]), 60)
    0.36
    """
    if not len(ratios) or not math.isfinite(ratios[-1]):
        return None
    known = np.isfinite(ratios) & np.isfinite(rates) & (rates * seconds > NO_REQUEST)
    if not known[-1]:
        return float(ratios[-1])
    counts, errors = rates[known] * seconds, rates[known] * seconds * ratios[known]
    newest, before = (errors[-1], counts[-1]), (errors[:-1].sum(), counts[:-1].sum())
    if not before[1]:
        return float(ratios[-1])
    pooled = (newest[0] + before[0]) / (newest[1] + before[1])
    spread = math.sqrt(max(pooled * (1 - pooled), 0.0) * (1 / newest[1] + 1 / before[1]))
    differs = abs(newest[0] / newest[1] - before[0] / before[1]) > STANDARD_ERRORS * spread
    return round(float(ratios[-1] if differs else pooled), 9)


def least_ratio(ratio: float, requests: float) -> float:
    """The lower end of what the true ratio may be: the one-sided bound of Clopper and Pearson (1934).

    Examples
    --------
    >>> [round(least_ratio(failed / 10, 10), 4) for failed in (0, 1, 3, 10)]
    [0.0, 0.0001, 0.0233, 0.5165]
    """
    failed = min(ratio, 1.0) * requests
    return float(betaincinv(failed, requests - failed + 1, DOUBT)) if failed > 0 else 0.0
