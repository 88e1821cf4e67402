"""Bands that explain alarms: fitted when one needs them, and kept as long as a model."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

import pandas as pd

from observatory.detectors.bands import Bands

History = Callable[[str, datetime, datetime], pd.DataFrame]
"""Reads the samples of a service between two times, both included, indexed by time."""


class BandCache:
    """The bands of services.

    Parameters
    ----------
    history
        Reads what bands are fitted on.
    training
        How much of it.
    refit_after
        Age at which bands are fitted anew.
    """

    def __init__(self, history: History, *, training: timedelta, refit_after: timedelta) -> None:
        self._history = history
        self._training = training
        self._refit_after = refit_after
        self._known: dict[str, tuple[Bands, datetime]] = {}

    def forget(self, services: Collection[str]) -> None:
        """Fit the bands of services anew when they are asked for."""
        for service in services:
            self._known.pop(service, None)

    def bands(self, service: str, since: datetime) -> Bands:
        """Bands of a service, learned from what was before `since`.

        Raises
        ------
        NotEnoughDataError
            Fewer than 30 samples.
        """
        bands, at = self._known.get(service, (None, since))
        if bands is None or since - at > self._refit_after:
            bands = Bands().fit(self._history(service, since - self._training, since))
            self._known[service] = bands, since
        return bands
