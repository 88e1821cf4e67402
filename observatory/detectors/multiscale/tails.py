"""Streaming tail probabilities: decayed histograms, exponential beyond their 98 % quantile.

A statistic's surprise is :math:`-\\ln p` of its own history. Within the histogram :math:`p` is counted; beyond the
quantile :math:`u` that 2 % exceed, :math:`-\\ln p = -\\ln 0.02 + (x - u) / β` with :math:`β` the mean excess over
:math:`u` (peaks over threshold with an exponential tail; Pickands 1975, doi:10.1214/aos/1176343003).
"""

from __future__ import annotations

import numpy as np
from numba import njit

SHARE = 0.02
EDGE = -np.log(SHARE)
LEAST = 0.05  # mean excess of a tail, and this share of the range between the outer quantiles
FADE = 0.98


@njit(cache=True)
def survival(histogram, x, low, width):
    """Weight above `x`."""
    place = (x - low) / width
    count = histogram.shape[0]
    if place <= 0:
        place = 0.0
    if place >= count:
        return 0.0
    k = int(place)
    above = histogram[k] * (1 - (place - k))
    for j in range(k + 1, count):
        above += histogram[j]
    return above


@njit(cache=True)
def refresh(histogram, total, low, width, tail):
    """Recompute `tail`: upper and lower quantile, mean excess over the upper one."""
    count = histogram.shape[0]
    part, k = 0.0, 0
    while k < count - 1 and part + histogram[k] < SHARE * total:
        part += histogram[k]
        k += 1
    tail[1] = low + width * (k + (SHARE * total - part) / max(histogram[k], 1e-12))
    part, k = 0.0, count - 1
    while k > 0 and part + histogram[k] < SHARE * total:
        part += histogram[k]
        k -= 1
    tail[0] = low + width * (k + 1 - (SHARE * total - part) / max(histogram[k], 1e-12))
    least = LEAST * max(tail[0] - tail[1], 1.0)
    above, weight = 0.0, 0.0
    for j in range(count):
        middle = low + width * (j + 0.5)
        if middle > tail[0]:
            above += histogram[j] * (middle - tail[0])
            weight += histogram[j]
    tail[2] = max(above / weight if weight > 0 else 0.0, least)


@njit(cache=True)
def upper(histogram, total, x, low, width, tail):
    """Surprise of a large `x`."""
    if x > tail[0]:
        return EDGE + (x - tail[0]) / tail[2]
    if x < tail[1]:
        return 0.0
    return -np.log(max(survival(histogram, x, low, width) / total, SHARE))


@njit(cache=True)
def learn(histogram, total, x, low, width, weight, memory):
    """Count `x`; the new total. What is older than `memory` rows fades."""
    count = histogram.shape[0]
    k = min(max(int((x - low) / width), 0), count - 1)
    histogram[k] += weight
    total += weight
    if total > memory:
        for j in range(count):
            histogram[j] *= FADE
        total *= FADE
    return total


@njit(cache=True)
def logistic(histogram, low, width, centre, scale, total):
    """Fill `histogram` with pseudo-counts, so that young tails are wide."""
    weight = 0.0
    for j in range(histogram.shape[0]):
        e = np.exp(-abs(low + width * (j + 0.5) - centre) / scale)
        histogram[j] = e / (1 + e) ** 2
        weight += histogram[j]
    for j in range(histogram.shape[0]):
        histogram[j] *= total / weight
