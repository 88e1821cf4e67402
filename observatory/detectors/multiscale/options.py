"""What can be varied in research, and limits that need not be."""

from __future__ import annotations

from typing import NamedTuple

from observatory.detectors.multiscale import layout as at


class Options(NamedTuple):
    """What can be varied in research; users set only the sensitivity."""

    line: float = 5.0  # mean surprise of the votes at which the alarm is raised
    young: float = 60.0  # rows before the first score
    memory: float = 28.0  # days
    fast_weight: float = 1.0  # of the innovation, against
    scale_weight: float = 2.0  # that of the multi-scale distance
    top: float = 0.75  # × √metrics: how many metrics are averaged
    ridge: float = 0.3
    power: float = 3.0  # of the mean over the votes
    vote_top: float = 1.0
    vote_breadth: float = 0.5
    vote_memory: float = 0.5
    vote_worst: float = 0.0
    floor: float = 0.05
    smooth: float = 0.4
    instant: float = 0.3
    frozen: float = 4.5  # score above which learning stops
    thaw: float = 0.25
    freeze: float = 0.01
    freeze_power: float = 4.0
    bound: float = 7.0  # days until the long memory gives in
    anchor_days: float = 14.0
    anchor_growth: float = 1.25
    anchor_keep: float = 0.1
    raise_by: float = 0.75
    raise_most: float = 10.0
    recurrence: float = 0.0
    slow_wait: float = 0.04
    slow_span: float = 60.0  # rows
    hold: float = 0.7
    level: float = 2.3  # surprise a standard deviation of a catalogued metric from its hour or its anchor
    hold_days: float = 0.5
    single: float = 10.0  # surprise at which a single metric alarms by itself, and what
    single_growth: float = 1.6  # it needs more for each e-fold of metrics


LOW_A, WIDTH_A = -8.0, 16.0 / at.LEVELS  # arcsinh of the innovation in standard deviations
LOW_B, WIDTH_B = -4.0, 12.0 / at.LEVELS  # half the logarithm of the squared distance
LOW_V, WIDTH_V = -3.5, 11.0 / at.LEVELS  # logarithm of a vote's statistic
FAR = 50.0
CLIPPED = 20.0
SURPRISED = 25.0
MERGED = 5
PIECE = 60
