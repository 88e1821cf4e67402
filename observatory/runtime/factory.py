"""The scorer that the settings name."""

from __future__ import annotations

from observatory.config import Settings
from observatory.detection.fitted import Fitted
from observatory.detection.scoring import Judge, detector_of
from observatory.detection.streaming import Streamed
from observatory.detectors.base import StreamingDetector
from observatory.store import Store


def judge_of(store: Store, settings: Settings) -> Judge:
    """The judge for the detector that the settings name."""
    detector = detector_of(settings)
    if isinstance(detector, StreamingDetector):
        return Streamed(store, settings, detector)
    return Fitted(store, settings)
