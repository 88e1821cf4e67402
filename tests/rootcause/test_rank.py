"""The likeliest cause comes first, and what makes no difference makes none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.faults import END, ROWS, SHOP, SHOP_CALLS, START, TIMES, fault, quiet_shop

from observatory.errors import InvalidInputError
from observatory.rootcause import CLEAR, rank, suspects


def first(frames: dict[str, pd.DataFrame], graph: list[tuple[str, str]] | None = None) -> str:
    return rank(frames, START, END, graph)[0][0]


@pytest.mark.parametrize("root", SHOP)
def test_the_guilty_service_is_first_with_and_without_a_graph(root: str) -> None:
    frames = fault(root)
    assert first(frames, SHOP_CALLS) == root
    assert first(frames) == root


@pytest.mark.parametrize("root", ["db", "mail"])
def test_a_callee_that_is_as_slow_as_its_callers_goes_before_them(root: str) -> None:
    """Only latency tells, and all are equally slow: the calls decide, and their direction."""
    frames = fault(root, cpu=1.0)
    assert first(frames, SHOP_CALLS) == root
    assert first(frames, [(callee, caller) for caller, callee in SHOP_CALLS]) != root


def test_nothing_is_clear_in_a_quiet_shop() -> None:
    assert rank(quiet_shop(), START, END, SHOP_CALLS)[0][1] < CLEAR


def test_restarts_and_errors_of_one_service_count() -> None:
    frames = quiet_shop()
    frames["mail"]["restart_count"] = 0.0
    frames["mail"].loc[START:END, "restart_count"] = 3.0
    assert first(frames, SHOP_CALLS) == "mail"


def test_a_service_that_stops_reporting_is_the_first() -> None:
    frames = quiet_shop()
    frames["db"] = frames["db"].loc[: START - pd.Timedelta(minutes=1)]
    assert first(frames, SHOP_CALLS) == "db"


def test_fewer_errors_than_a_tenth_of_what_is_worth_a_word_are_not_far_out() -> None:
    """Without errors in all of history a ten-thousandth would be infinitely many spreads."""
    frames = quiet_shop()
    for frame in frames.values():
        frame["error_rate"] = 0.0
    frames["web"].loc[START:END, "error_rate"] = 0.0001
    assert rank(frames, START, END)[0][1] < CLEAR


def test_three_failures_of_a_hundred_count_where_nothing_ever_failed() -> None:
    frames = quiet_shop()
    for frame in frames.values():
        frame["success_ratio"] = 1.0
    frames["mail"].loc[START:END, "success_ratio"] = 0.97
    service, score = rank(frames, START, END)[0]
    assert service == "mail"
    assert score > 1.7


def test_a_harmless_fall_counts_less_than_a_rise() -> None:
    frames = quiet_shop()
    frames["web"].loc[START:END, "cpu_usage"] /= 4
    frames["mail"].loc[START:END, "cpu_usage"] *= 4
    assert first(frames) == "mail"


def test_rows_after_the_incident_are_not_read() -> None:
    frames = fault("db")
    middle = START + (END - START) / 2
    cut = {service: frame.loc[:middle] for service, frame in frames.items()}
    assert rank(frames, START, middle, SHOP_CALLS) == rank(cut, START, middle, SHOP_CALLS)


def unsorted(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.iloc[np.random.default_rng(1).permutation(len(frame))]


def doubled(frame: pd.DataFrame) -> pd.DataFrame:
    """Every time twice; the later row is the right one."""
    return pd.concat([frame * 7, frame])


def as_column(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.rename_axis("timestamp").reset_index()


@pytest.mark.parametrize(
    "change",
    [
        unsorted,
        doubled,
        as_column,
        lambda frame: frame.tz_localize(None),
        lambda frame: frame.tz_convert("Asia/Tokyo"),
        lambda frame: frame.assign(version="1.2"),
        lambda frame: frame.astype("Float64"),
        lambda frame: pd.concat([frame, frame.iloc[:1].set_axis(pd.DatetimeIndex([pd.NaT]).tz_localize("UTC"))]),
    ],
    ids=["unsorted", "double times", "column", "naive", "another zone", "text", "nullable", "no time"],
)
def test_how_a_frame_is_laid_out_makes_no_difference(change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    frames = fault("db")
    changed = {service: change(frame) for service, frame in frames.items()}
    assert rank(changed, START, END, SHOP_CALLS) == rank(frames, START, END, SHOP_CALLS)


def test_start_and_end_may_be_naive_or_text() -> None:
    frames = fault("db")
    expected = rank(frames, START, END)
    assert rank(frames, START.tz_localize(None), END.to_pydatetime()) == expected
    assert rank(frames, str(START), str(END)) == expected


def test_infinities_are_missing_values() -> None:
    frames = fault("db")
    holes = {service: frame.copy() for service, frame in frames.items()}
    for frame in holes.values():
        frame.iloc[5:60:7, 2] = np.nan
    infinite = {service: frame.fillna(np.inf) for service, frame in holes.items()}
    assert rank(infinite, START, END, SHOP_CALLS) == rank(holes, START, END, SHOP_CALLS)


def test_calls_to_itself_to_strangers_and_twice_change_nothing() -> None:
    frames = fault("db")
    noise = [("web", "web"), ("web", "user"), ("user", "db"), *SHOP_CALLS, *reversed(SHOP_CALLS)]
    assert rank(frames, START, END, noise) == rank(frames, START, END, SHOP_CALLS)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(),
        pd.DataFrame(index=TIMES),
        pd.DataFrame({"cpu_usage": []}, index=pd.DatetimeIndex([])),
        pd.DataFrame({"cpu_usage": np.nan}, index=TIMES),
        pd.DataFrame({"cpu_usage": 1.0}, index=TIMES),
        pd.DataFrame({"cpu_usage": 1.0}, index=TIMES[-3:]),
        pd.DataFrame({"cpu_usage": 1.0}, index=TIMES[:1]),
        pd.DataFrame({"cpu_usage": 1e308}, index=TIMES),
        pd.DataFrame({"cpu_usage": 5e-324}, index=TIMES),
        pd.DataFrame({"version": "1.2"}, index=TIMES),
    ],
    ids=["nothing", "no metrics", "no rows", "NaN", "constant", "new", "one row", "huge", "tiny", "text"],
)
def test_a_service_that_says_nothing_stands_behind_the_guilty_one(frame: pd.DataFrame) -> None:
    frames = fault("db") | {"odd": frame}
    ranked = rank(frames, START, END, [*SHOP_CALLS, ("web", "odd"), ("odd", "db")])
    assert ranked[0][0] == "db"
    assert {service for service, _ in ranked} == {*SHOP, "odd"}
    assert len(rank({"odd": frame}, START, END)) == 1


def test_no_services_are_no_suspects() -> None:
    assert rank({}, START, END, SHOP_CALLS) == []
    assert suspects({}, START, END) == []


@pytest.mark.slow
def test_many_calls_in_circles() -> None:
    random = np.random.default_rng(0)
    names = [f"s{number}" for number in range(200)]
    quiet = quiet_shop()["web"].iloc[-40:]
    frames = {name: quiet * random.uniform(0.9, 1.1) for name in names}
    frames["s7"] = fault("web")["web"].iloc[-40:]
    calls = [(names[a], names[b]) for a, b in random.integers(0, 200, (5000, 2))]
    ranked = rank(frames, START, END, calls)
    assert len(ranked) == 200
    assert ranked[0][0] == "s7"


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (END, START, "ends at .* before it starts at .*: exchange start and end"),
        ("yesterday-ish", END, "start = 'yesterday-ish' is no time"),
        (START, None, "end = None is no time"),
    ],
)
def test_times_that_cannot_be_used_are_named(start: object, end: object, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        rank(quiet_shop(), start, end)


def test_a_frame_without_times_is_named() -> None:
    with pytest.raises(InvalidInputError, match="the frame of 'web' has no times"):
        rank({"web": pd.DataFrame({"cpu_usage": [1.0, 2.0]})}, START, END)


NAMES = ["a", "b", "c", "d"]
METRICS = ["latency_p95", "error_rate", "cpu_usage", "restart_count", "ORDERS", "http_5xx"]
VALUES = st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.sampled_from([0.0, 1.0, 2.0, 100.0]))


@st.composite
def incidents(draw: st.DrawFn) -> tuple[dict[str, pd.DataFrame], list[tuple[str, str]]]:
    """Any frames of up to four services, and any calls, with strangers."""
    frames = {}
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
        metrics = draw(st.lists(st.sampled_from(METRICS), unique=True))
        rows = draw(st.lists(st.integers(0, 30), max_size=31))
        values = [[draw(VALUES) for _ in metrics] for _ in rows]
        index = TIMES[[ROWS - 31 + row for row in rows]]
        frames[name] = pd.DataFrame(values, index=index, columns=metrics, dtype=float)
    ends = st.sampled_from([*NAMES, "stranger"])
    return frames, draw(st.lists(st.tuples(ends, ends), max_size=12))


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(incidents(), st.randoms(use_true_random=False))
def test_whatever_comes_every_service_is_ranked_once_and_points_add_up(
    incident: tuple[dict[str, pd.DataFrame], list[tuple[str, str]]], random: object
) -> None:
    frames, calls = incident
    start = TIMES[ROWS - 10]
    ranked = rank(frames, start, END, calls)
    assert sorted(service for service, _ in ranked) == sorted(frames)
    scores = [score for _, score in ranked]
    assert all(np.isfinite(scores))
    assert scores == sorted(scores, reverse=True)
    assert not scores or scores[-1] >= 0
    found = suspects(frames, start, END, calls)
    assert [(suspect.service, suspect.score) for suspect in found] == ranked
    for suspect in found:
        points = sum(part.points for part in suspect.contributions)
        assert points == pytest.approx(suspect.score, abs=1e-6)
    shuffled = dict(reversed(frames.items()))
    assert rank(shuffled, start, END, [*reversed(calls), *calls]) == ranked
    later = {
        name: pd.concat([frame, frame.set_axis(frame.index + pd.Timedelta(days=1))]) for name, frame in frames.items()
    }
    assert rank(later, start, END, calls) == ranked
