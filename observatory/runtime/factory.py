"""The scorer that the settings name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from observatory.config import Settings
from observatory.detection.fitted import FittedScorer
from observatory.detection.scoring import Scorer, configured_detector
from observatory.detection.streaming import StreamingScorer
from observatory.detectors.base import StreamingDetector


def make_scorer(settings: Settings, metrics: Sequence[str]) -> Scorer[Any]:  # its state is nobody else's business
    """The scorer of the detector that the settings name, for samples with these metrics."""
    detector = configured_detector(settings)
    training = timedelta(days=settings.training_days)
    if isinstance(detector, StreamingDetector):
        return StreamingScorer(
            detector,
            metrics,
            interval=settings.interval,
            minimum_samples=settings.minimum_samples,
            training=training,
        )
    return FittedScorer(
        lambda: configured_detector(settings),
        interval=settings.interval,
        minimum_samples=settings.minimum_samples,
        training=training,
        refit_after=timedelta(hours=settings.refit_hours),
    )
