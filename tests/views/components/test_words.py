"""Times are said as people say them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from views.conftest import NOW, anomaly

from observatory.views.components.words import brief, in_words, plural, span, split_name, when


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0 s"),
        (45, "45 s"),
        (720, "12 min"),
        (3600, "1 h"),
        (12000, "3 h 20 min"),
        (86399, "1 d"),
        (187200, "2 d 4 h"),
    ],
)
def test_lengths_of_time(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_a_date_is_said_unless_it_is_today() -> None:
    assert when(NOW, NOW) == "09:15 UTC"
    assert when(NOW - timedelta(days=1), NOW) == "Mar 1, 09:15 UTC"


def test_names_and_numbers() -> None:
    assert split_name("a/b/c") == ("a/b", "c")
    assert split_name("c") == ("", "c")
    assert [plural(n, "anomaly", "anomalies") for n in (0, 1, 2000)] == ["0 anomalies", "1 anomaly", "2,000 anomalies"]
    assert [in_words(text) for text in ("1h", "24h", "7d")] == ["hour", "24 hours", "7 days"]


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (None, "s", ("–", "")),
        (0.0, "ratio", ("0", "%")),
        (0.00002, "ratio", ("<0.01", "%")),
        (0.0902, "ratio", ("9.02", "%")),
        (1.0, "ratio", ("100", "%")),
        (0.0142, "s", ("14.2", "ms")),
        (0.9996, "s", ("1.00", "s")),
        (99.96, "req/s", ("100", "req/s")),
        (9_999.4, "req/s", ("9999", "req/s")),
        (12_345.0, "req/s", ("12.3k", "req/s")),
        (1_234_567.0, "req/s", ("1,235k", "req/s")),
    ],
)
def test_values_are_brief_where_many_are_compared(value: float | None, unit: str, shown: tuple[str, str]) -> None:
    assert brief(value, unit) == shown


def test_a_sentence_leaves_out_the_service() -> None:
    assert anomaly("shop/cart", 10).sentence == "p95 latency 2 s, typically 100–400 ms"
