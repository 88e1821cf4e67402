"""Suspicion moves along the calls: a random walk that restarts, as personalised PageRank.

The idea of walking from affected callers to suspicious callees is that of MonitorRank (Kim, Sumbaly and Shah 2013,
doi:10.1145/2465529.2465753); the restart that of Page et al. (1999).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from observatory.rootcause.graph import CallGraph
from observatory.rootcause.options import Options
from observatory.rootcause.window import FloatArray

STEPS = 20
LEAST = 1e-6
"""Weight of a service without evidence, so that every row of the walk has a way on."""


@dataclass(frozen=True, slots=True)
class Walk:
    """Where suspicion ended.

    Attributes
    ----------
    scores
        Shape (services,); they add up to what the services had of their own.
    sources, targets, moved
        How much of a score came from which neighbour in the last step, shape (moves,) each.
    """

    scores: FloatArray
    sources: NDArray[np.intp]
    targets: NDArray[np.intp]
    moved: FloatArray


def walk(own: FloatArray, graph: CallGraph, options: Options) -> Walk:
    """Scores after suspicion has moved along the calls.

    With weights w = max(own, 1e-6), from u to v: w_v where u calls v, `back` · w_v where v calls u, and w_u to stay.
    Rows are normalised to P, and x ← (1 − `follow`) · w/Σw + `follow` · xP, 20 times from x = w/Σw. The scores are
    x · Σw. Without calls the scores are the services' own.
    """
    nowhere = np.array([], dtype=np.intp)
    if not len(graph.callers) or not options.follow or own.sum() <= 0:
        return Walk(own, nowhere, nowhere, np.array([]))
    count, weights = len(own), np.maximum(own, LEAST)
    sources = np.concatenate([graph.callers, graph.callees, np.arange(count)])
    targets = np.concatenate([graph.callees, graph.callers, np.arange(count)])
    factors = np.repeat([1.0, options.back, 1.0], [len(graph.callers), len(graph.callers), count])
    steps = factors * weights[targets]
    steps = steps / np.bincount(sources, steps, count)[sources]
    total = weights.sum()
    start = x = weights / total
    moved = np.zeros(len(steps))
    for _ in range(STEPS):
        moved = options.follow * x[sources] * steps
        x = (1 - options.follow) * start + np.bincount(targets, moved, count)
    others = sources != targets
    return Walk(x * total, sources[others], targets[others], moved[others] * total)
