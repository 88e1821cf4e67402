"""Where the scores of new rows come from: the interface that streaming and fitted scoring share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from observatory.config import Settings
from observatory.detectors import make_detector
from observatory.detectors.base import Detector


@dataclass(slots=True)
class Verdicts:
    """Scores of rows, shape (n,), NaN where none is due; and why services could not be judged."""

    scores: NDArray[np.float64]
    failed: dict[str, Exception] = field(default_factory=dict)


class Judge(ABC):
    """Scores what is new."""

    @abstractmethod
    def scores(self, rows: pd.DataFrame, since: Mapping[str, datetime], now: datetime) -> Verdicts:
        """Judge the rows of each service after its time in `since`; those before are context.

        `rows` has the columns of `Store.history_of_all`, and its order.
        """

    @abstractmethod
    def replay(self, name: str, frame: pd.DataFrame, start: datetime) -> pd.Series:
        """Scores of the rows of one service from `start` on, each from what was known then: NaN where none is due."""

    def forget(self, name: str) -> None:  # noqa: B027 - most can score the same rows again
        """Be ready to score the last rows of a service once more: what came of their scores was lost."""

    def keep(self, now: datetime, *, everything: bool = False) -> None:  # noqa: B027 - most have nothing to keep
        """Save what would be lost at the end of the process: what is due, or all that changed."""

    def close(self) -> None:  # noqa: B027 - nor anything that runs
        """End what runs in the background."""


def detector_of(settings: Settings) -> Detector:
    """The detector that the settings name, with their parameters, of which nothing is known yet."""
    return make_detector(settings.detector, **settings.detector_parameters)
