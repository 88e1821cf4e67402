"""What would have alarmed at other sensitivities."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from observatory.annotations.masks import learned_history
from observatory.config import Settings
from observatory.detection.episodes import GAP
from observatory.detection.replay import first_row, replay
from observatory.detection.scoring import configured_detector
from observatory.detection.threshold import Threshold
from observatory.frames import ReadableFrame
from observatory.store.reader import StoreReader

SENSITIVITIES = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)


def what_if(
    store: StoreReader,
    settings: Settings,
    service: str,
    start: datetime,
    end: datetime,
    sensitivities: Sequence[float] = SENSITIVITIES,
) -> pd.DataFrame:
    """What would have alarmed at other sensitivities; a row each.

    Columns ``sensitivity``, ``alarms`` (episodes), ``minutes`` (in alarm), ``first`` and ``highest`` (score, 1 is the
    alarm line). The samples are scored once, each from what was known before it.
    """
    service = store.service(service).name
    training = timedelta(days=settings.training_days)
    frame = learned_history(store)(service, start - training, end)
    first = first_row(frame, start, settings.minimum_samples)
    columns = ["sensitivity", "alarms", "minutes", "first", "highest"]
    if first >= len(frame):
        return ReadableFrame([], columns=columns, nothing=f"no samples of {service} to score")
    scores = replay(frame, configured_detector(settings), first, training).total.iloc[first:]
    times = pd.DatetimeIndex(scores.index)
    rows = []
    for sensitivity in sensitivities:
        threshold = Threshold(sensitivity=sensitivity)
        alarms = np.flatnonzero(threshold.classify(scores))
        begins = alarms[np.diff(alarms, prepend=-GAP - 1) > GAP]
        rows.append(
            (
                sensitivity,
                len(begins),
                round(len(alarms) * settings.interval / 60),
                times[begins[0]] if len(begins) else pd.NaT,
                round(float(np.nanmax(threshold.relative(scores))), 2),
            )
        )
    return pd.DataFrame(rows, columns=columns)
