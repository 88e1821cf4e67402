"""From scores to anomalies: rows above the line become episodes with a beginning, an end and an explanation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from observatory.catalog import detected
from observatory.detection.explain import AFFECTED, evidence, sentence, severity
from observatory.detection.threshold import DEFAULT, Threshold
from observatory.detectors.bands import Bands
from observatory.model import Anomaly, Severity

GAP = 5
"""Quiet rows that end an episode; alarms with fewer between them are one."""
RECENT = 3
"""Rows of which one explains an alarm."""


def detect(
    service: str,
    frame: pd.DataFrame,
    scores: pd.Series,
    bands: Callable[[], Bands],
    still_open: Anomaly | None = None,
    *,
    detector_name: str,
    threshold: Threshold = DEFAULT,
) -> list[Anomaly]:
    """Form episodes from the scores of new rows.

    Parameters
    ----------
    service
        Whose samples these are.
    frame
        Samples, oldest first: the new ones and some before them as context.
    scores
        One a new row, indexed by its time.
    bands
        Gives the bands that explain; called only when there is an alarm.
    still_open
        An episode that had not ended by then; it is continued or closed, and is in the answer either way.
    detector_name
        Kept with each episode.
    threshold
        Tells which scores are alarms.

    Returns
    -------
    Episodes that began, went on or ended in these rows, oldest first. The last may be open.
    """
    frame = frame[detected(frame.columns)]
    current, ended = still_open, []
    if current is None or scores.empty:
        quiet = 0
    else:
        quiet = int(((frame.index > pd.Timestamp(current.ended_at)) & (frame.index < scores.index[0])).sum())
    sizes, alarms = threshold.relative(scores), threshold.classify(scores)
    for at, size, is_alarm in zip(scores.index, sizes, alarms, strict=True):
        if is_alarm:
            current = _alarm(service, current, frame.loc[:at], float(size), bands(), detector_name)
            quiet = 0
        elif current is not None:
            quiet += 1
            if quiet >= GAP:
                ended.append(replace(current, is_open=False))
                current = None
    return [*ended, current] if current else ended


def _alarm(
    service: str,
    current: Anomaly | None,
    seen: pd.DataFrame,
    score: float,
    bands: Bands,
    detector_name: str,
) -> Anomaly:
    """The episode after one more row above the line, the last one seen; its severity never falls while it lasts."""
    time = seen.index[-1].to_pydatetime()
    began = current.started_at if current else time
    rows = int((seen.index >= pd.Timestamp(began)).sum())
    if current is not None and score <= current.score:
        level = severity(current.score, current.evidence, rows)
        return replace(current, ended_at=time, severity=_worse(level, current.severity))
    recent = seen.iloc[-RECENT:]
    deviation = bands.deviation(recent)
    place = _explaining_row(deviation)
    moment = recent.iloc[[place]]
    found = evidence(moment, bands, deviation.iloc[place])
    beyond = float(deviation.iloc[place].max()) if len(deviation.columns) else 0.0
    level = severity(max(score, beyond), found, rows)
    return Anomaly(
        service_name=service,
        started_at=began,
        ended_at=time,
        peak_at=moment.index[0].to_pydatetime(),
        is_open=True,
        severity=_worse(level, current.severity) if current else level,
        score=score,
        detector=detector_name,
        message=sentence(service, found),
        evidence=found,
    )


def _explaining_row(deviation: pd.DataFrame) -> int:
    """The row that explains an alarm on the last one: detectors look back, and it may itself be fine again."""
    affected = np.flatnonzero((deviation >= AFFECTED).to_numpy().any(axis=1))
    return int(affected[-1]) if affected.size else len(deviation) - 1


def _worse(one: Severity, other: Severity) -> Severity:
    return one if one.rank < other.rank else other
