"""How the state of one service lies in memory: one vector of float64, so that it can be stored, copied and
advanced with those of thousands of other services.

A head, the votes' histograms, one block a metric, and two matrices over the metrics.
"""

from __future__ import annotations

BINS = 96  # of the day
LAGS = 8  # regressors of the one-step prediction
SCALES = 9  # features of one metric
LEVELS = 128  # of a histogram
VOTES = 4
DAYS = 7  # remembered for recurrence

# Head
AGE, STUCK, RATE, SMOOTH, DAY, BIN, IN_BIN, RUN, SLOW_RATE, ANCHOR_AT = range(10)
RAISED, QUIET, LOUD, PERIOD, SLOWLY, HELD = range(10, 16)
HEAD = 16

# Scalars of a metric
MEAN, VARIANCE, BIN_SUM, OWN_AGE = range(4)
LAG1, LAG2, LAG3, LAST_PROFILE = range(4, 8)
E3, E5, E15, E60, EH, ROUGHNESS = range(8, 14)
ERROR_SD = 14
TAIL_A, TOTAL_A = 15, 19  # quantiles and mean excesses of the innovations' histogram, and its weight
TAIL_B, TOTAL_B = 20, 24  # those of the multi-scale distance
SLOW_MEAN, SLOW_VARIANCE, SOFT_MEAN = range(25, 28)
ANCHOR_MEAN, ANCHOR_SD, ANCHOR_SOFT = range(28, 31)
FAST_MEAN, FAST_VARIANCE, LEVEL, SEASONAL = range(31, 35)
SCALARS = 36

# Vectors and matrices of a metric, after its scalars
PROFILE = SCALARS
WEIGHTS = PROFILE + BINS
GAIN = WEIGHTS + LAGS
CENTRE = GAIN + LAGS * LAGS
SPREAD = CENTRE + SCALES
INVERSE = SPREAD + SCALES * SCALES
HISTOGRAM_A = INVERSE + SCALES * SCALES
HISTOGRAM_B = HISTOGRAM_A + LEVELS
METRIC = HISTOGRAM_B + LEVELS

# The service's own vectors, after the head
VISITS = HEAD
VOTE_HISTOGRAMS = VISITS + BINS
VOTE_TAILS = VOTE_HISTOGRAMS + VOTES * LEVELS
RECURRENCE = VOTE_TAILS + VOTES * 5
METRICS = RECURRENCE + DAYS * BINS


def size(metrics: int) -> int:
    """Numbers of the state of a service with so many metrics."""
    return METRICS + metrics * METRIC + 2 * metrics * metrics
