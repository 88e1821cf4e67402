"""From scores to anomalies: what scores new rows, which scores are alarms, and the episodes they form."""

from __future__ import annotations

from observatory.detection.baselines import BandCache
from observatory.detection.episodes import detect
from observatory.detection.fitted import FittedScorer
from observatory.detection.replay import detect_past, replay, replay_episodes
from observatory.detection.scoring import HistoryRequest, Scored, Scorer, Snapshot
from observatory.detection.streaming import StreamingScorer
from observatory.detection.threshold import Threshold

__all__ = [
    "BandCache",
    "FittedScorer",
    "HistoryRequest",
    "Scored",
    "Scorer",
    "Snapshot",
    "StreamingScorer",
    "Threshold",
    "detect",
    "detect_past",
    "replay",
    "replay_episodes",
]
