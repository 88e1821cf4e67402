"""Long ranges are answered from roll-ups, and so are times whose samples were removed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from observatory.analysis.history import service_history
from observatory.config import Settings
from observatory.model import SERVICE, Service
from observatory.store import Store, open_store
from observatory.store.options import Retention

pytestmark = pytest.mark.slow

START = datetime(2026, 1, 1, tzinfo=UTC)
END = START + timedelta(days=40)
SETTINGS = Settings(store=":memory:", training_days=1)


@pytest.fixture
def store() -> Store:
    """Forty days of a sample every ten minutes, of which the raw ones of the first thirty are gone."""
    opened = open_store(":memory:")
    opened.register([Service("a")])
    at = pd.date_range(START, END, freq="10min")
    opened.write_samples(pd.DataFrame({SERVICE: "a", "timestamp": at, "request_rate": range(len(at))}))
    opened.maintain(END, Retention(archive=None, raw=10))
    assert len(opened.history("a", START, END)) == 10 * 144 + 1
    return opened


@pytest.mark.parametrize(("days", "step"), [(1, 120), (7, 900), (30, 3600), (40, 7200), (365, 46800)])
def test_the_step_of_a_long_range_is_one_of_a_roll_up(store: Store, days: int, step: float) -> None:
    start = END + timedelta(days=1)
    assert service_history(store, SETTINGS, "a", start, start + timedelta(days=days)).step == step


def test_a_range_longer_than_the_samples_are_kept_is_whole(store: Store) -> None:
    found = service_history(store, SETTINGS, "a", START, END)
    assert len(found.samples) == 40 * 12 + 1
    assert found.samples["request_rate"].iloc[0] == sum(range(12)) / 12


def test_a_short_range_of_which_only_roll_ups_are_left_is_answered_too(store: Store) -> None:
    found = service_history(store, SETTINGS, "a", START, START + timedelta(hours=2))
    assert (found.step, len(found.samples)) == (300, 12)
