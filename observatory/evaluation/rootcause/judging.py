"""How often the guilty service is among the first that a ranking names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import pandas as pd

from observatory.evaluation.rootcause.baselines import largest_deviation, robust_scaler
from observatory.evaluation.rootcause.cases import FaultCase
from observatory.model import Progress
from observatory.rootcause import rank

Ranking = Callable[..., list[tuple[str, float]]]
RANKINGS: Mapping[str, Ranking] = {
    "observatory": rank,
    "without graph": lambda frames, start, end, graph=None: rank(frames, start, end),
    "largest deviation": largest_deviation,
    "robust scaler": robust_scaler,
}
"""What is compared, by the name in the table."""
FIRST = 5
"""Avg@5 is the mean of AC@1 to AC@5."""


@dataclass(frozen=True, slots=True)
class CauseResult:
    """One case and one ranking.

    Attributes
    ----------
    place
        Of the guilty service, from 1; None if it was not named.
    named, score
        The first service and its score.
    seconds
        Time it took [s].
    """

    ranking: str
    case: FaultCase
    place: int | None
    named: str
    score: float
    seconds: float


def judge_causes(cases: Sequence[FaultCase], progress: Progress | None = None) -> list[CauseResult]:
    """Every case by every ranking."""
    found = []
    for number, case in enumerate(cases):
        for name, ranking in RANKINGS.items():
            if name == "without graph" and not case.graph:
                continue  # the same as with one
            began = perf_counter()
            ranked = ranking(case.frames, case.start, case.end, case.graph)
            seconds = perf_counter() - began
            place = next((at for at, (service, _) in enumerate(ranked, 1) if service in case.causes), None)
            found.append(CauseResult(name, case, place, *ranked[0], seconds))
        if progress is not None:
            progress(number + 1, len(cases), case.name)
    return found


def cause_summary(results: Sequence[CauseResult]) -> pd.DataFrame:
    """A row a set and ranking: AC@1, AC@3 and Avg@5 of all cases, and AC@1 of the even and the odd ones.

    AC@k is the share of cases with the guilty service among the first k, Avg@5 the mean of AC@1 to AC@5.
    """
    rows = []
    for group in dict.fromkeys(result.case.group for result in results):
        for ranking in RANKINGS:
            mine = [result for result in results if result.case.group == group and result.ranking == ranking]
            if not mine:
                continue
            places = np.array([result.place or np.inf for result in mine])
            rows.append(
                {
                    "set": group,
                    "ranking": ranking,
                    "cases": len(mine),
                    "AC@1": _within(places, 1),
                    "AC@3": _within(places, 3),
                    "Avg@5": float(np.mean([_within(places, first) for first in range(1, FIRST + 1)])),
                    "AC@1 even": _within(places[::2], 1),
                    "AC@1 odd": _within(places[1::2], 1),
                    "ms a case": 1000 * float(np.median([result.seconds for result in mine])),
                }
            )
    return pd.DataFrame(rows)


def cause_table(results: Sequence[CauseResult]) -> pd.DataFrame:
    """A row a case and ranking: where the guilty service stands, and who was named first."""
    return pd.DataFrame(
        {
            "set": [result.case.group for result in results],
            "case": [result.case.name for result in results],
            "ranking": [result.ranking for result in results],
            "causes": [", ".join(sorted(result.case.causes)) for result in results],
            "place": pd.array([result.place for result in results], dtype="Int64"),
            "named first": [result.named for result in results],
            "score": [result.score for result in results],
        }
    )


def _within(places: np.ndarray[tuple[int, ...], np.dtype[np.float64]], first: int) -> float:
    return float(np.mean(places <= first)) if len(places) else float("nan")
