"""A caller's symptom is partly explained by a callee that shows the same symptom, at least as large."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from observatory.rootcause.evidence import Evidence
from observatory.rootcause.graph import CallGraph
from observatory.rootcause.signals import SYMPTOMS, signal_of
from observatory.rootcause.window import FloatArray, Window

LEAST_NAMED = 0.5
"""A callee that explains less of a symptom is not named."""
LEAST_STRENGTH = 1.0
"""A symptom with less strength needs no explanation."""


def explain(
    windows: Sequence[Window], evidence: Sequence[Evidence], graph: CallGraph, taken: float
) -> tuple[list[FloatArray], list[dict[int, float]]]:
    """Strengths with what callees explain taken off, and for each service which callees explain how much.

    For caller u, callee v and a metric c that tells of latency or errors, x = min(1, Δv/Δu) · min(1, Ev/Eu), where
    Δ is the change for the worse in the metric's own unit: a callee explains seconds with seconds. A callee that
    stopped reporting explains all. The strength becomes (1 − `taken` · max x) · E.
    """
    left = [found.strength.copy() for found in evidence]
    named: list[dict[int, float]] = [{} for _ in evidence]
    symptoms = [
        {metric: column for column, metric in enumerate(window.metrics) if signal_of(metric) in SYMPTOMS}
        for window in windows
    ]
    for caller in np.unique(graph.callers):
        callees, own = graph.callees_of(caller), evidence[caller]
        for metric, column in symptoms[caller].items():
            if own.strength[column] <= 0:
                continue
            share = 0.0
            for callee in callees:
                found = _share(own, column, evidence[callee], symptoms[callee].get(metric))
                share = max(share, found)
                if found > LEAST_NAMED and own.strength[column] > LEAST_STRENGTH:
                    named[caller][callee] = max(found, named[caller].get(callee, 0.0))
            left[caller][column] *= 1 - taken * share
    return left, named


def _share(caller: Evidence, column: int, callee: Evidence, same: int | None) -> float:
    """How much of the caller's symptom in `column` the callee explains, from 0 to 1."""
    if callee.standing == "stopped":
        return 1.0
    if same is None or caller.worsening[column] <= 0:
        return 0.0
    size = callee.worsening[same] / caller.worsening[column]
    return float(min(1.0, size) * min(1.0, callee.strength[same] / caller.strength[column]))
