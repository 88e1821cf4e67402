"""The past scored as if its samples had come in live: the score of a row knows only what came before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache

import numpy as np
import pandas as pd

from observatory.catalog import detected
from observatory.detection.episodes import detect
from observatory.detection.threshold import DEFAULT, Threshold
from observatory.detectors import make_detector
from observatory.detectors.bands import Bands
from observatory.detectors.base import Detector, Scores, StreamingDetector
from observatory.errors import NotEnoughDataError
from observatory.model import Anomaly

CONTEXT_ROWS = 10
"""Rows before those scored that a detector may look back on."""
REFIT_ROWS = 1440
MINIMUM_SAMPLES = 120
TRAINING = timedelta(days=7)


def replay(frame: pd.DataFrame, detector: Detector, first: int, training: timedelta = TRAINING) -> Scores:
    """Score the rows from row `first` on as they would have been scored live.

    A streaming detector learns with every row. Any other is fitted anew for each day of rows, on what came before.

    Parameters
    ----------
    frame
        Samples of one service, oldest first: shape (n, metrics).
    detector
        Of which nothing is known yet; it is fitted here.
    first
        Rows before it are learned from, and are not scored.
    training
        Time before each day that a detector is fitted on.

    Returns
    -------
    Scores of all rows: before `first` the total is NaN and the shares are 0.

    Raises
    ------
    NotEnoughDataError
        The rows before `first` are too few to learn from.
    """
    names = [str(column) for column in frame.columns]
    total, shares = np.full(len(frame), np.nan), np.zeros(frame.shape)
    for begin, scored in _pieces(frame[detected(frame.columns)], detector, first, training):
        rows = slice(begin, begin + len(scored.total))
        total[rows] = scored.total.to_numpy()
        shares[rows] = scored.shares.rename(columns=str).reindex(columns=names, fill_value=0.0).to_numpy()
    return Scores(
        pd.Series(total, index=frame.index, name="score"),
        pd.DataFrame(shares, index=frame.index, columns=frame.columns),
    )


def replay_episodes(
    service: str,
    frame: pd.DataFrame,
    scores: pd.Series,
    first: int,
    *,
    detector_name: str,
    threshold: Threshold = DEFAULT,
    training: timedelta = TRAINING,
    still_open: Anomaly | None = None,
) -> list[Anomaly]:
    """Form the episodes of rows of the past from their scores, with bands fitted anew for each day of rows.

    Parameters
    ----------
    service, detector_name, threshold, still_open
        As in `observatory.detection.episodes.detect`.
    frame
        Samples of the service, oldest first.
    scores
        Of rows of `frame`, indexed by their times; missing ones are passed over.
    first
        Row of `frame` from which on episodes are formed.
    training
        Time before each day that the bands are fitted on.

    Returns
    -------
    Episodes, oldest first, `still_open` among them. The last may be open.

    Raises
    ------
    NotEnoughDataError
        There is an alarm, and fewer than 30 rows before it.
    """
    scores = scores.dropna()
    found = {} if still_open is None else {still_open.started_at: still_open}
    for begin, end in _days(len(frame), first):
        piece = frame.iloc[max(0, begin - CONTEXT_ROWS) : end]
        new = scores[(scores.index >= frame.index[begin]) & (scores.index <= frame.index[end - 1])]
        bands = cache(lambda until=begin: Bands().fit(_before(frame, until, training)))
        running = next((anomaly for anomaly in found.values() if anomaly.is_open), None)
        for anomaly in detect(service, piece, new, bands, running, detector_name=detector_name, threshold=threshold):
            found[anomaly.started_at] = anomaly
    return sorted(found.values(), key=lambda anomaly: anomaly.started_at)


def detect_past(
    service: str,
    frame: pd.DataFrame,
    detector: str,
    start: datetime,
    training: timedelta = TRAINING,
) -> list[Anomaly]:
    """Find the anomalies from `start` on as they would have been found live, by the detector of that name.

    See `replay` and `replay_episodes`; rows before which there are fewer than `MINIMUM_SAMPLES` are not scored.
    """
    first = first_row(frame, start, MINIMUM_SAMPLES)
    scores = replay(frame, make_detector(detector), first, training).total
    return replay_episodes(service, frame, scores, first, detector_name=detector, training=training)


def first_row(frame: pd.DataFrame, start: datetime, minimum_samples: int) -> int:
    """The first row that is scored: that of `start`, or later where fewer than `minimum_samples` come before."""
    return max(minimum_samples, int(frame.index.searchsorted(pd.Timestamp(start))))


def _pieces(frame: pd.DataFrame, detector: Detector, first: int, training: timedelta) -> Iterator[tuple[int, Scores]]:
    """Scores of rows that one model scores, with the number of the first of them."""
    if isinstance(detector, StreamingDetector):
        yield first, detector.fit(frame.iloc[:first]).advance(frame.iloc[first:])
        return
    for begin, end in _days(len(frame), first):
        context = max(0, begin - CONTEXT_ROWS)
        scored = detector.fit(_before(frame, begin, training)).score(frame.iloc[context:end])
        yield begin, Scores(scored.total.iloc[begin - context :], scored.shares.iloc[begin - context :])


def _days(rows: int, first: int) -> Iterator[tuple[int, int]]:
    """Rows with one model each, as (first, last + 1): at most `REFIT_ROWS`, fewer while history is short."""
    while first < rows:
        last = min(rows, first + min(REFIT_ROWS, first))
        yield first, last
        first = last


def _before(frame: pd.DataFrame, row: int, training: timedelta) -> pd.DataFrame:
    history = frame.iloc[:row]
    recent: pd.DataFrame = history[history.index >= history.index[-1] - training]
    if len(recent) < 2:
        raise NotEnoughDataError(len(recent), 2)
    return recent
