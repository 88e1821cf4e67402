"""What can be varied in research, and limits that need not be."""

from __future__ import annotations

from typing import NamedTuple

from observatory.detectors.multiscale import layout as at


class Options(NamedTuple):
    """What can be varied in research; users set only the sensitivity."""

    line: float = 4.6  # surprise at which the alarm is raised
    young: float = 60.0  # rows before the first score
    memory: float = 28.0  # days
    first: float = 500.0  # rows that histograms remember at least,
    share: float = 1.0  # and of the history while it is young
    # votes
    top: float = 0.75  # × √metrics: of how many the evidence is averaged
    vote_top: float = 1.0
    vote_breadth: float = 0.5
    vote_memory: float = 0.5
    power: float = 2.0  # of the mean over the votes
    smooth: float = 0.4
    instant: float = 0.3
    # a fault is not learned while it lasts
    frozen: float = 4.5  # surprise from which on hardly anything is learned
    freeze: float = 0.01  # how much still is at first
    freeze_power: float = 4.0  # how late the fast parts give in within a day
    thaw: float = 0.25  # rows of an alarm forgotten a quiet row
    bound: float = 7.0  # days until the long memory gives in
    slow_wait: float = 0.04  # days until it stops learning
    # the anchor of the long memory
    ridge: float = 0.3
    anchor_days: float = 14.0  # between renewals at most,
    anchor_growth: float = 1.25  # and while young, growth of the history
    anchor_keep: float = 0.1  # weight of what the vote's histogram knew of the last one
    # one metric alone
    level: float = 2.3  # surprise a standard deviation of a catalogued metric from its hour or its anchor
    gone: float = 1.5  # how much more, where what should be there is gone altogether
    single: float = 10.0  # surprise at which one metric alarms by itself, and what
    single_growth: float = 1.6  # it needs more for each e-fold of metrics
    # the line after an alarm, and what lingers below it
    raise_by: float = 0.75
    raise_most: float = 10.0
    slow_span: float = 60.0  # rows
    hold: float = 0.7
    hold_days: float = 0.5


LOW_M, WIDTH_M = -4.0, 12.0 / at.LEVELS  # half the logarithm of the squared distance over scales
LOW_V, WIDTH_V = -3.5, 11.0 / at.LEVELS  # logarithm of a vote's statistic
FAR = 50.0  # standard deviations
CLIPPED = 20.0  # of a value from which a scale is learned
SURPRISED = 25.0
MERGED = 5  # rows between alarms that are one
PIECE = 60  # rows after which a lasting alarm raises the line again
