"""A suspect: a service with its score, and what the score is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from observatory.rootcause.options import CLEAR

ContributionKind = Literal["metric", "reporting", "known", "neighbour", "walk"]


@dataclass(frozen=True, slots=True)
class Contribution:
    """One part of a score.

    Attributes
    ----------
    kind
        ``metric``: a metric is unusual. ``reporting``: the service is new, or stopped reporting. ``known``: something
        beside metrics, such as a deployment. ``neighbour``: suspicion that `service`, a caller or a callee, passed to
        this one. ``walk``: what it passed on to its neighbours (negative), or what
        stayed with it on the way (positive).
    points
        How much of the score it is.
    words
        The same as a sentence without its full stop.
    metric, service
        Which, where it is about one.
    """

    kind: ContributionKind
    points: float
    words: str
    metric: str | None = None
    service: str | None = None


@dataclass(frozen=True, slots=True)
class Suspect:
    """A service as the cause of an incident; likely, never certain.

    Attributes
    ----------
    service
        Its name.
    score
        The sum of the points of `contributions`; only to be compared within one incident.
    metric
        The metric to blame: a resource or an event before a symptom. None where nothing is unusual.
    deviation
        How far out it is [spreads], negative for a fall.
    onset
        Since when, in UTC; None where it never left its usual range for two rows.
    contributions
        What the score is made of, the largest first.
    remarks
        What the graph says and does not count by itself: affected callers, a callee that explains it.
    """

    service: str
    score: float
    metric: str | None
    deviation: float
    onset: pd.Timestamp | None
    contributions: tuple[Contribution, ...]
    remarks: tuple[str, ...] = ()

    @property
    def clear(self) -> bool:
        """Whether the score is high enough for a clear suspect, when it is the first one."""
        return self.score >= CLEAR

    @property
    def reason(self) -> str:
        """Its evidence in words."""
        own = [part.words for part in self.contributions if part.kind in ("metric", "reporting", "known")]
        return "; ".join([*own, *self.remarks]) or "nothing unusual"
