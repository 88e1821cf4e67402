"""Bands that explain alarms, fitted when one needs them."""

from __future__ import annotations

from datetime import datetime, timedelta

from observatory.config import Settings
from observatory.detectors.bands import Bands
from observatory.store import Store


class Expectations:
    """Bands that explain alarms: fitted when one needs them, and kept as long as a model."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._known: dict[str, tuple[Bands, datetime]] = {}

    def bands(self, name: str, since: datetime) -> Bands:
        """Bands of a service, learned from what was before `since`.

        Raises
        ------
        NotEnoughDataError
            Fewer than 30 samples.
        """
        bands, at = self._known.get(name, (None, since))
        if bands is None or since - at > timedelta(hours=self._settings.refit_hours):
            history = self._store.history(name, since - timedelta(days=self._settings.training_days), since)
            bands = Bands().fit(history)
            self._known[name] = bands, since
        return bands
