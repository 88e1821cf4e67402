"""Whether an explanation names the metrics that caused an event.

HitRate@P% takes the first P % as many metrics as truly were the cause, and tells which share of the causes is among
them (Su et al. 2019, doi:10.1145/3292500.3330672); NDCG also asks for the causes to come first.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from observatory.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Cause:
    """Which columns caused an event in rows `first` to `last` of the scored part, both inclusive."""

    first: int
    last: int
    metrics: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """How well events were explained, as means over them; NaN where there are none."""

    events: int
    hit_rate_100: float
    hit_rate_150: float
    ndcg: float


def read_causes(path: Path, metrics: int) -> list[Cause]:
    """Read lines of ``first-last:metrics``: rows of the scored part from 0, metrics from 1, comma-separated.

    Raises
    ------
    InvalidInputError
        Naming the file and the line that cannot be read, or a metric beyond the `metrics` there are.
    """
    causes = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            rows, _, names = line.partition(":")
            first, _, last = rows.partition("-")
            cause = Cause(int(first), int(last), tuple(int(name) - 1 for name in names.split(",")))
        except ValueError:
            raise InvalidInputError(
                f"{path}, line {number}: {line!r} is not first-last:metrics, such as 246-252:1,2,9"
            ) from None
        if not all(0 <= metric < metrics for metric in cause.metrics):
            raise InvalidInputError(f"{path}, line {number}: {line!r} names a metric that is not from 1 to {metrics}")
        causes.append(cause)
    return causes


def evaluate_explanations(shares: pd.DataFrame, scores: np.ndarray, causes: Collection[Cause]) -> Explained:
    """Hold what each metric contributed against the true causes.

    Parameters
    ----------
    shares
        Of each metric at each scored row, shape (n, metrics); see `observatory.detectors.base.Scores`.
    scores
        Of each scored row, shape (n,): rows of an event count by their score.
    causes
        True causes of each event.
    """
    figures = []
    weight = np.nan_to_num(scores, nan=0.0, posinf=1e6)
    values = np.nan_to_num(shares.to_numpy(float))
    for cause in causes:
        rows = slice(cause.first, cause.last + 1)
        contribution = weight[rows] @ values[rows]
        figures.append(
            (
                hit_rate(contribution, cause.metrics, 1.0),
                hit_rate(contribution, cause.metrics, 1.5),
                ndcg(contribution, cause.metrics),
            )
        )
    means = np.mean(figures, axis=0) if figures else np.full(3, np.nan)
    return Explained(len(figures), *(float(mean) for mean in means))


def hit_rate(contribution: np.ndarray, causes: Collection[int], share: float) -> float:
    """Share of the causes among the first ``share × len(causes)`` metrics by contribution."""
    first = _ranked(contribution)[: int(share * len(causes))]
    return len(set(first) & set(causes)) / len(causes)


def ndcg(contribution: np.ndarray, causes: Collection[int]) -> float:
    """Normalised discounted cumulative gain of the first ``len(causes)`` metrics: 1 if they are the causes."""
    discount = 1 / np.log2(np.arange(2, len(causes) + 2))
    gain = sum(d for d, metric in zip(discount, _ranked(contribution), strict=False) if metric in causes)
    return float(gain / discount.sum())


def _ranked(contribution: np.ndarray) -> list[int]:
    """Metrics by contribution, the largest first; those without any are not named."""
    order = np.argsort(-contribution, kind="stable")
    return [int(metric) for metric in order if contribution[metric] > 0]
