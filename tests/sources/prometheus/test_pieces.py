"""A range that hits a limit is asked for in smaller pieces, and nothing of it is lost or asked for twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observatory.errors import AnswerTooLargeError, QueryLimitError, QueryRefusedError, QueryTooLongError
from observatory.sources.prometheus.pieces import FORGOTTEN_AFTER, Pieces

STEP = 60.0


class Limited:
    """Refuses pieces of more points than `limit`."""

    def __init__(self, limit: float, error: type[Exception] = QueryLimitError) -> None:
        self.limit, self.error = limit, error
        self.asked: list[int] = []

    def __call__(self, first: float, last: float) -> list[float]:
        points = round((last - first) / STEP) + 1
        self.asked.append(points)
        if points > self.limit:
            raise self.error("too many samples")
        return [first + turn * STEP for turn in range(points)]


def times(pieces: Pieces, ask: Callable[[float, float], list[float]], points: int, query: str = "up") -> list[float]:
    return [time for answer in pieces.answers(query, 0, (points - 1) * STEP, STEP, ask) for time in answer]


@given(limit=st.integers(1, 3000), points=st.integers(1, 3000))
def test_every_point_comes_once_and_in_order(limit: int, points: int) -> None:
    assert times(Pieces(), Limited(limit), points) == [turn * STEP for turn in range(points)]


@pytest.mark.parametrize("error", [QueryLimitError, AnswerTooLargeError])
def test_what_is_too_much_is_halved_until_it_passes(error: type[Exception]) -> None:
    ask = Limited(400, error)
    times(Pieces(), ask, 1440)
    assert ask.asked == [1440, 720, 360, 360, 360, 360]


def test_the_size_that_passed_is_remembered_for_that_query_and_forgotten_after_an_hour() -> None:
    now = [0.0]
    pieces, ask = Pieces(lambda: now[0]), Limited(400)
    times(pieces, ask, 1440)
    ask.asked.clear()
    times(pieces, ask, 1440)
    assert ask.asked == [360] * 4
    ask.asked.clear()
    times(pieces, ask, 1440, "another")
    assert ask.asked[0] == 1440
    ask.asked.clear()
    now[0], ask.limit = FORGOTTEN_AFTER, 2000
    times(pieces, ask, 1440)
    assert ask.asked == [1440]


def test_a_single_point_that_is_refused_is_the_error_and_costs_one_question_the_next_time() -> None:
    pieces, ask = Pieces(), Limited(0)
    with pytest.raises(QueryLimitError):
        times(pieces, ask, 1440)
    assert ask.asked[-1] == 1
    ask.asked.clear()
    with pytest.raises(QueryLimitError):
        times(pieces, ask, 1440)
    assert ask.asked == [1]


def test_sizes_grow_again_where_another_time_has_fewer_series() -> None:
    pieces, ask = Pieces(), Limited(0)
    with pytest.raises(QueryLimitError):
        times(pieces, ask, 1440)
    ask.limit = 1440
    ask.asked.clear()
    assert len(times(pieces, ask, 1440)) == 1440
    assert len(ask.asked) < 15


@pytest.mark.parametrize("error", [QueryTooLongError, QueryRefusedError])
def test_what_no_shorter_range_helps_is_not_halved(error: type[Exception]) -> None:
    ask = Limited(0, error)
    with pytest.raises(error):
        times(Pieces(), ask, 1440)
    assert ask.asked == [1440]
