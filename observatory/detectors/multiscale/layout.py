"""How the state of one service lies in memory: one vector of float64, so that it can be stored, copied and
advanced with those of thousands of other services.

A head, the votes' histograms, one block a metric, and two matrices over the metrics.
"""

from __future__ import annotations

BINS = 96  # of the day
SCALES = 9  # features of one metric
LEVELS = 128  # of a histogram
VOTES = 3  # of the worst metrics, of breadth, of the long memory
VOTE = 4  # numbers of a vote: its histogram's tail, and weight

# Head
AGE, STUCK, RATE, SMOOTH, BIN, IN_BIN, RUN, SLOW_RATE, ANCHOR_AT = range(9)
RAISED, QUIET, LOUD, PERIOD, SLOWLY, HELD, LONE = range(9, 16)
HEAD = 16

# Scalars of a metric
MEAN, VARIANCE, BIN_SUM, OWN_AGE, LAG = range(5)
E3, E5, E15, E60, EH, ROUGHNESS = range(5, 11)
TAIL, TOTAL = 11, 14  # quantiles and mean excess of the distances' histogram, and its weight
SLOW_MEAN, SLOW_VARIANCE, SOFT_MEAN = range(15, 18)
ANCHOR_MEAN, ANCHOR_SD, ANCHOR_SOFT = range(18, 21)
FAST_MEAN, FAST_VARIANCE, LEVEL = range(21, 24)
SEASONAL, SEASONAL_VARIANCE, SEASONAL_AGE = range(24, 27)
SCALARS = 27

# Vectors and matrices of a metric, after its scalars
PROFILE = SCALARS
CENTRE = PROFILE + BINS
SPREAD = CENTRE + SCALES
INVERSE = SPREAD + SCALES * SCALES
HISTOGRAM = INVERSE + SCALES * SCALES
METRIC = HISTOGRAM + LEVELS

# The service's own vectors, after the head
VISITS = HEAD
VOTE_HISTOGRAMS = VISITS + BINS
VOTE_TAILS = VOTE_HISTOGRAMS + VOTES * LEVELS
METRICS = VOTE_TAILS + VOTES * VOTE


def size(metrics: int) -> int:
    """Numbers of the state of a service with so many metrics."""
    return METRICS + metrics * METRIC + 2 * metrics * metrics
