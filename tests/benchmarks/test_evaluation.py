"""VUS-PR beside a plain implementation of its definition: loops over widths, thresholds and events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.labelled import case

from observatory.evaluation.events import runs
from observatory.evaluation.ranking import vus_pr

ROWS, EVENTS, WINDOW = 3000, 8, 20


def plain(labels: np.ndarray, scores: np.ndarray, window: int, thresholds: int = 250) -> float:
    """As the definition is written down."""
    first, last = runs(labels)
    lines = -np.sort(-scores)[np.linspace(0, len(scores) - 1, thresholds).astype(int)]
    areas = []
    for width in range(window + 1):
        reach, weight = width // 2, labels.astype(float)
        for a, b in zip(first, last, strict=True):
            after = np.arange(b + 1, min(b + reach + 1, len(labels)))
            before = np.arange(max(a - reach, 0), a)
            weight[after] += np.sqrt(1 - (after - b) / max(width, 1))
            weight[before] += np.sqrt(1 - (a - before) / max(width, 1))
        weight = np.minimum(weight, 1.0)
        near = runs(weight > 0)
        area = previous = 0.0
        for line in lines:
            predicted = scores >= line
            counted = np.where(labels, 1.0, weight * predicted)
            hits = float(counted @ predicted)
            seen = np.mean([predicted[a : b + 1].any() for a, b in zip(*near, strict=True)])
            recall = min(hits / ((labels.sum() + counted.sum()) / 2), 1.0) * seen
            area += (recall - previous) * hits / predicted.sum()
            previous = recall
        areas.append(area)
    return float(np.mean(areas))


@pytest.mark.parametrize("volume", [vus_pr, plain], ids=["ours", "plain"])
def test_vus_pr(benchmark: Any, volume: Callable[..., float]) -> None:
    benchmark.group = "VUS-PR"
    labels, scores = case(3, ROWS, EVENTS)
    result = benchmark.pedantic(volume, (labels, scores, WINDOW), rounds=3 if volume is vus_pr else 1)
    assert result == pytest.approx(vus_pr(labels, scores, WINDOW), abs=1e-9)
