"""Pictures for messages: the samples of the worst metric of an incident, read from the store and drawn."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from observatory.annotations.masks import masks_of
from observatory.catalog import METRICS
from observatory.config import Settings
from observatory.detectors.bands import Bands
from observatory.errors import NotEnoughDataError
from observatory.model import Incident, Symptom
from observatory.model.incidents import OF_HEALTH
from observatory.notifications.picture import Course, FloatArray, draw
from observatory.store import Store

log = logging.getLogger(__name__)

BEFORE = timedelta(hours=3)
"""So much of what was before the trouble is shown."""
AFTER = timedelta(minutes=30)
"""So much of what is after it."""
SEEN_LATE = timedelta(minutes=5)
"""So much later than its first sample trouble may be seen: a health score is judged by as much."""
LONGEST = timedelta(hours=24)
FEWEST = 2
"""Samples of which a course is drawn."""


class Pictures:
    """Draws what is worst of an incident.

    Parameters
    ----------
    store
        Where samples and anomalies are.
    settings
        How long bands are learned from.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def of(self, incident: Incident, now: datetime) -> bytes | None:
        """A picture as PNG; None where there is none to draw, or drawing failed, which is logged."""
        try:
            course = self._course(incident, now)
            return None if course is None else draw(course)
        except Exception:  # a message without a picture is better than none
            log.warning("incident %s is told without a picture, for it could not be drawn", incident.id, exc_info=True)
            return None

    def _course(self, incident: Incident, now: datetime) -> Course | None:
        if not incident.symptoms:
            return None
        symptom = min(incident.symptoms, key=lambda one: (not one.is_open, one.severity.rank, one.started_at))
        end = now if symptom.is_open else min(now, symptom.ended_at + AFTER)
        start = max(symptom.started_at - BEFORE, end - LONGEST)
        learned = timedelta(days=self._settings.training_days)
        known = self._store.history(symptom.service_name, symptom.started_at - learned, end)
        masks = masks_of(self._store, symptom.started_at - learned, end)
        shown = known[known.index >= pd.Timestamp(start)]
        trouble = pd.Timestamp(symptom.started_at - SEEN_LATE)
        try:
            learned_from = masks.learned(symptom.service_name, known[known.index < trouble])
            bands = Bands().fit(learned_from)
        except NotEnoughDataError:
            bands = None
        name = self._blamed(symptom) or _farthest_out(bands, shown[shown.index >= trouble])
        if name is None or name not in shown or shown[name].count() < FEWEST:
            return None
        index = pd.DatetimeIndex(shown.index)
        band: dict[str, FloatArray] = {}
        if bands is not None and name in bands.metrics:
            expected = bands.evaluate(index)
            band = {part: getattr(expected, part)[name].to_numpy(np.float64) for part in ("typical", "lower", "upper")}
        actual = shown[name].to_numpy(np.float64)
        return Course(
            symptom.service_name, name, max(symptom.started_at, start), list(index.to_pydatetime()), actual, **band
        )

    def _blamed(self, symptom: Symptom) -> str | None:
        """The metric that an anomaly is due to; None where the symptom is of the health score."""
        if symptom.detector == OF_HEALTH:
            return None
        known = self._store.anomalies(start=symptom.started_at, end=symptom.ended_at, services=[symptom.service_name])
        same = (one for one in known if (one.started_at, one.detector) == (symptom.started_at, symptom.detector))
        return next((one.metrics[0] for one in same if one.metrics), None)


def _farthest_out(bands: Bands | None, trouble: pd.DataFrame) -> str | None:
    """The metric that is farthest on the bad side of its band in these samples; None where none is out."""
    if bands is None or trouble.empty:
        return None
    farthest = bands.deviation(trouble).max()
    out = farthest[[name for name in farthest.index if METRICS[name].detect and farthest[name] > 1]]
    return None if out.empty else str(out.idxmax())
