"""A value written as a literal is the value DuckDB reads."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from observatory.store.sql.literals import arguments, literal

CONNECTION = duckdb.connect()
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def back(value: object) -> object:
    row = CONNECTION.execute(f"SELECT {literal(value)}").fetchone()
    assert row is not None
    return row[0]


@pytest.mark.slow
@settings(deadline=None)
@given(st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXT | st.lists(TEXT, min_size=1))
def test_it_comes_back(value: object) -> None:
    assert back(value) == value


@settings(deadline=None)
@given(st.floats())
def test_numbers_come_back_to_the_last_bit(value: float) -> None:
    found = back(value)
    assert found == value or (math.isnan(value) and math.isnan(float(str(found))))


@settings(deadline=None)
@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(timezone(timedelta(hours=2)))))  # noqa: DTZ001
def test_times_are_the_same_moment(value: datetime) -> None:
    found = CONNECTION.execute(f"SELECT epoch_us({literal(value)})").fetchone()
    assert found is not None
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=found[0]) == value


@pytest.mark.parametrize("text", ["'; DROP TABLE services; --", "it''s", "\\' OR 1=1", "a\0b", "$1 ? :x", "\n\t"])
def test_text_is_never_more_than_text(text: str) -> None:
    assert back(text) == text


def test_what_has_no_literal_is_refused() -> None:
    with pytest.raises(TypeError, match="no literal for dict"):
        literal({})
    with pytest.raises(TypeError, match="without its zone"):
        literal(datetime(2026, 1, 1))  # noqa: DTZ001


def test_numpys_numbers_are_numbers() -> None:
    assert literal(np.float64(1.5)) == "1.5::DOUBLE"
    assert literal(np.int64(3)) == "3"


def test_arguments_go_by_place_or_by_name() -> None:
    assert arguments(()) == ""
    assert arguments([1, None]) == "(1, NULL)"
    assert arguments({"end": "x"}) == "(\"end\" := 'x')"
