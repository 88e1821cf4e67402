"""Pictures for messages: the samples of the worst metric of an incident, read from the store and drawn."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from observatory.analysis.history import service_history
from observatory.config import Settings
from observatory.model import Anomaly, Incident, Symptom
from observatory.notifications.picture import Course, draw
from observatory.store import Store

log = logging.getLogger(__name__)

BEFORE = timedelta(hours=3)
"""So much of what was before the trouble is shown."""
AFTER = timedelta(minutes=30)
"""So much of what is after it."""
LONGEST = timedelta(hours=24)
POINTS = 300
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
        worst = sorted(incident.symptoms, key=lambda one: (not one.is_open, one.severity.rank, one.started_at))
        found = ((one, self._anomaly(one)) for one in worst)
        symptom, anomaly = next(((one, about) for one, about in found if about is not None), (None, None))
        if symptom is None or anomaly is None:
            return None
        end = now if symptom.is_open else min(now, symptom.ended_at + AFTER)
        start = max(symptom.started_at - BEFORE, end - LONGEST)
        history = service_history(
            self._store, self._settings, symptom.service_name, start, end, POINTS, with_episodes=False
        )
        name = anomaly.metrics[0]
        if name not in history.samples or history.samples[name].count() < FEWEST:
            return None
        index = pd.DatetimeIndex(history.samples.index)
        expected = history.expected
        bands = (
            {part: getattr(expected, part)[name].to_numpy(np.float64) for part in ("typical", "lower", "upper")}
            if expected is not None and name in expected.typical
            else {}
        )
        return Course(
            symptom.service_name,
            name,
            max(symptom.started_at, start),
            list(index.to_pydatetime()),
            history.samples[name].to_numpy(np.float64),
            **bands,
        )

    def _anomaly(self, symptom: Symptom) -> Anomaly | None:
        """The anomaly that a symptom is of; None where it is of the health score."""
        known = self._store.anomalies(start=symptom.started_at, end=symptom.ended_at, services=[symptom.service_name])
        return next(
            (one for one in known if (one.started_at, one.detector) == (symptom.started_at, symptom.detector)), None
        )
