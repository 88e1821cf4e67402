"""What can be varied in research; the defaults are the ones that were judged (`observatory/help/incidents.md`)."""

from __future__ import annotations

from dataclasses import dataclass

CLEAR = 3.0
"""A first suspect with this score or more is a clear one."""
LOOKBACK_DAYS = 1.0
"""History before the incident that is compared with [days]."""
MOST_ROWS = 1500
"""Rows of history that are used at most, the latest ones."""
LEAST_ROWS = 3
"""Values of history below which a metric cannot be unusual."""
LARGEST = 1000.0
"""A deviation is cut at this many spreads."""


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of the ranking.

    Attributes
    ----------
    share
        Share of the incident's rows, the worst ones, that speak for a metric.
    usual
        How much of what the metric does in quiet times is taken off.
    pool
        Rows of history that the spread of the same metric elsewhere counts as.
    decay
        Weight of each further kind of evidence of a service.
    explained
        How much of a caller's symptom a callee with the same symptom takes away.
    follow
        Probability of the walk to go on along the calls.
    back
        Weight of the way from a callee back to its caller.
    """

    share: float = 1 / 3
    usual: float = 0.5
    pool: float = 10.0
    decay: float = 0.5
    explained: float = 0.3
    follow: float = 0.65
    back: float = 0.3


DEFAULTS = Options()
