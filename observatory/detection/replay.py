"""Judge the past as if its samples had come in live."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache

import numpy as np
import pandas as pd

from observatory.detection.episodes import detect
from observatory.detection.threshold import DEFAULT, Threshold
from observatory.detectors import make_detector
from observatory.detectors.bands import Bands
from observatory.detectors.base import Detector, StreamingDetector
from observatory.errors import NotEnoughDataError
from observatory.model import Anomaly

CONTEXT = 10
"""Rows before those judged that a detector looks back on."""
REFIT_ROWS = 1440


def replay(
    service: str,
    frame: pd.DataFrame,
    detector: str,
    start: datetime,
    *,
    threshold: Threshold = DEFAULT,
    minimum_samples: int = 120,
    training: timedelta = timedelta(days=7),
    still_open: Anomaly | None = None,
    scores: pd.Series | None = None,
) -> list[Anomaly]:
    """Judge the rows of `frame` from `start` on as they would have been judged live, with bands made anew each day.

    `scores` are those of the rows where they are known already; else each is found from what was known then.
    """
    least = max(minimum_samples, int(frame.index.searchsorted(pd.Timestamp(start))))
    if scores is None:
        scores = pd.Series(stream_scores(frame, detector, least, training), index=frame.index)
    scores = scores.dropna()
    found: dict[datetime, Anomaly] = {a.started_at: a for a in ([still_open] if still_open else [])}
    for first, last in _chunks(frame, least):
        chunk = frame.iloc[max(0, first - CONTEXT) : last]
        judged = scores[(scores.index >= frame.index[first]) & (scores.index <= frame.index[last - 1])]
        bands = cache(lambda until=first: Bands().fit(_training(frame, until, training)))
        running = next((anomaly for anomaly in found.values() if anomaly.is_open), None)
        for anomaly in detect(service, chunk, judged, bands, running, detector_name=detector, threshold=threshold):
            found[anomaly.started_at] = anomaly
    return sorted(found.values(), key=lambda anomaly: anomaly.started_at)


def stream_scores(frame: pd.DataFrame, detector: str | Detector, first: int, training: timedelta) -> np.ndarray:
    """One score a row from row `first` on, each from what was known then; NaN before. Shape (n,)."""
    result = np.full(len(frame), np.nan)
    made = make_detector(detector) if isinstance(detector, str) else detector
    if isinstance(made, StreamingDetector):
        made.fit(frame.iloc[:first])
        result[first:] = made.advance(frame.iloc[first:]).total.to_numpy()
        return result
    for begin, end in _chunks(frame, first):
        model = made.fit(_training(frame, begin, training))
        context = max(0, begin - CONTEXT)
        result[begin:end] = model.score(frame.iloc[context:end]).total.to_numpy()[begin - context :]
    return result


def _chunks(frame: pd.DataFrame, first: int) -> Iterator[tuple[int, int]]:
    """Rows to judge with one model each, as (first, last + 1): at most `REFIT_ROWS`, fewer while history is short."""
    while first < len(frame):
        last = min(len(frame), first + min(REFIT_ROWS, first))
        yield first, last
        first = last


def _training(frame: pd.DataFrame, first: int, training: timedelta) -> pd.DataFrame:
    history = frame.iloc[:first]
    recent: pd.DataFrame = history[history.index >= history.index[-1] - training]
    if len(recent) < 2:
        raise NotEnoughDataError(len(recent), 2)
    return recent
