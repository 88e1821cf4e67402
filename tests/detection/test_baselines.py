"""Bands that explain are fitted on what came before, and kept as long as a model."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd
import pytest
from support.series import series

from observatory.detection import BandCache
from observatory.errors import NotEnoughDataError

FRAME = series(3)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def read_by(asked: list[tuple[str, datetime, datetime]]) -> BandCache:
    def history(service: str, start: datetime, end: datetime) -> pd.DataFrame:
        asked.append((service, start, end))
        return FRAME[(FRAME.index >= start) & (FRAME.index <= end)]

    return BandCache(history, training=DAY, refit_after=6 * HOUR)


def test_bands_are_kept_until_they_are_old() -> None:
    asked: list[tuple[str, datetime, datetime]] = []
    cache, noon = read_by(asked), FRAME.index[2000].to_pydatetime()
    first = cache.bands("a", noon)
    assert cache.bands("a", noon + 6 * HOUR) is first
    assert cache.bands("b", noon) is not first
    assert cache.bands("a", noon + 7 * HOUR) is not first
    assert asked == [("a", noon - DAY, noon), ("b", noon - DAY, noon), ("a", noon - DAY + 7 * HOUR, noon + 7 * HOUR)]


def test_too_few_samples_are_an_error_and_asked_for_again() -> None:
    asked: list[tuple[str, datetime, datetime]] = []
    cache, early = read_by(asked), FRAME.index[10].to_pydatetime()
    for _ in range(2):
        with pytest.raises(NotEnoughDataError, match="11 of 30"):
            cache.bands("a", early)
    assert len(asked) == 2
