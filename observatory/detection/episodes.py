"""From scores to anomalies: rows above the line become episodes with a beginning, an end and an explanation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

import numpy as np
import pandas as pd

from observatory.detection.explain import AFFECTED, evidence, sentence, severity
from observatory.detectors import Detector, StreamingDetector, make_detector
from observatory.detectors.bands import Bands
from observatory.errors import NotEnoughDataError
from observatory.model.samples import Anomaly, Learning, Severity

GAP = 5
"""Quiet rows that end an episode; alarms with fewer between them are one."""
CONTEXT = 10
"""Rows before those judged that a detector looks back on."""
RECENT = 3
"""Rows of which one explains an alarm."""
REFIT_ROWS = 1440


def detect(
    service: str,
    frame: pd.DataFrame,
    scores: pd.Series,
    bands: Callable[[], Bands],
    still_open: Anomaly | None = None,
    *,
    detector_name: str,
    sensitivity: float = 1.0,
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
    sensitivity
        Divides the alarm line.

    Returns
    -------
    Episodes that began, went on or ended in these rows, oldest first. The last may be open.
    """
    current, ended = still_open, []
    if current is None or scores.empty:
        quiet = 0
    else:
        quiet = int(((frame.index > pd.Timestamp(current.ended_at)) & (frame.index < scores.index[0])).sum())
    for at, score in (scores * sensitivity).items():
        if score >= 1.0:
            current = _alarm(service, current, frame.loc[:at], float(score), bands(), detector_name)
            quiet = 0
        elif current is not None:
            quiet += 1
            if quiet >= GAP:
                ended.append(replace(current, is_open=False))
                current = None
    return [*ended, current] if current else ended


def replay(
    service: str,
    frame: pd.DataFrame,
    detector: str,
    start: datetime,
    *,
    sensitivity: float = 1.0,
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
        for anomaly in detect(service, chunk, judged, bands, running, detector_name=detector, sensitivity=sensitivity):
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


def learning(samples: int, needed: int, interval: float, now: datetime) -> Learning | None:
    """The learning state of a service with so many samples; None once it is judged."""
    if samples >= needed:
        return None
    ready = now + timedelta(seconds=(needed - samples) * interval) if samples else None
    return Learning(samples, needed, ready)


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
    telling = _telling(deviation)
    moment = recent.iloc[[telling]]
    found = evidence(moment, bands, deviation.iloc[telling])
    beyond = float(deviation.iloc[telling].max()) if len(deviation.columns) else 0.0
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


def _telling(deviation: pd.DataFrame) -> int:
    """The row that explains an alarm on the last one: detectors look back, and it may itself be fine again."""
    affected = np.flatnonzero((deviation >= AFFECTED).to_numpy().any(axis=1))
    return int(affected[-1]) if affected.size else len(deviation) - 1


def _worse(one: Severity, other: Severity) -> Severity:
    return one if one.rank < other.rank else other
