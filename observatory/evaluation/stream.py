"""Scores as they would have been given live, and whether a detector looks ahead."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from observatory.detection.replay import replay
from observatory.detectors import make_detector
from observatory.detectors.base import Detector, Scores
from observatory.errors import InvalidInputError

DEFAULT = "multiscale"
TRAINING = timedelta(days=14)
CUTS = (0.55, 0.75, 0.93)
"""Shares of the scored rows after which `first_look_ahead` cuts a stream."""


def score_stream(frame: pd.DataFrame, train_rows: int, detector: str | Detector | None = None) -> NDArray[np.float64]:
    """Scores of a stream as they would have been given live.

    Parameters
    ----------
    frame
        A UTC ``DatetimeIndex`` and any numeric columns; unknown metrics count in both directions.
    train_rows
        Rows at the beginning that may be learned from before the first score.
    detector
        A name, an instance, or None for the default.

    Returns
    -------
    One score a row, shape (n,): NaN in the first `train_rows`, that of row *t* from rows up to *t* only;
    1.0 and more is an alarm.

    Raises
    ------
    InvalidInputError
        The index is no ordered UTC time, or `train_rows` leaves nothing to learn from.
    """
    return _replayed(frame, train_rows, detector).total.to_numpy()


def explain_stream(
    frame: pd.DataFrame, train_rows: int, detector: str | Detector | None = None
) -> tuple[NDArray[np.float64], pd.DataFrame]:
    """The scores of `score_stream`, and what each metric contributed: shape (n, metrics), rows sum to 1 or are 0."""
    scored = _replayed(frame, train_rows, detector)
    return scored.total.to_numpy(), scored.shares


def first_look_ahead(
    frame: pd.DataFrame,
    train_rows: int,
    detector: str | Detector | None = None,
    cuts: Sequence[float] = CUTS,
    scores: NDArray[np.float64] | None = None,
) -> int | None:
    """Look for a score that knew what came after it: the score of a prefix must be the prefix of the score.

    Parameters
    ----------
    frame, train_rows, detector
        As in `score_stream`.
    cuts
        Where the stream is cut, as shares of the rows after `train_rows`.
    scores
        Those of the whole stream, where they are known already.

    Returns
    -------
    The first row whose score differs when later rows are missing, or None.
    """
    whole = score_stream(frame, train_rows, detector) if scores is None else scores
    for cut in sorted(cuts):
        rows = train_rows + int(cut * (len(frame) - train_rows))
        if not train_rows < rows < len(frame):
            continue
        part = score_stream(frame.iloc[:rows], train_rows, detector)
        differs = np.flatnonzero(~np.isclose(part, whole[:rows], rtol=1e-6, atol=1e-9, equal_nan=True))
        if len(differs):
            return int(differs[0])
    return None


def _replayed(frame: pd.DataFrame, train_rows: int, detector: str | Detector | None) -> Scores:
    index = frame.index
    if not isinstance(index, pd.DatetimeIndex) or index.tz is None or not index.is_monotonic_increasing:
        raise InvalidInputError("frame: must have an increasing DatetimeIndex with a time zone")
    if not 0 < train_rows <= len(frame):
        raise InvalidInputError(f"train_rows = {train_rows}: must be from 1 to the {len(frame)} rows of the frame")
    made = detector if isinstance(detector, Detector) else make_detector(detector or DEFAULT)
    return replay(frame, made, train_rows, TRAINING)
