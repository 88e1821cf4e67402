"""The demo shop is the same every time it is asked, lives like a shop, and is well but for its labelled faults."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from observatory.errors import InvalidInputError, UnknownServiceError
from observatory.health.score import Targets, score
from observatory.model import SERVICE, TIMESTAMP, End
from observatory.sources import ChangesSource, Source
from observatory.sources.demo.deployments import BEFORE_FAULT, BEFORE_LIVE_FAULT
from observatory.sources.demo.shop import CALLS, MEASURED, SHOP, DemoSource

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)  # a Wednesday
FOREVER = timedelta(days=3650)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def healthy(seed: int = 7, **more) -> DemoSource:
    """A shop whose faults lie in another decade."""
    return DemoSource(seed, NOW - FOREVER, **more)


def wide(source: DemoSource, metric: str, start: datetime, end: datetime, step: float = 60) -> pd.DataFrame:
    """One metric: a column a service, indexed by time."""
    return source.history(start, end, step).frame.pivot(index=TIMESTAMP, columns=SERVICE, values=metric)


@pytest.fixture(scope="module")
def weeks() -> pd.DataFrame:
    """Two weeks of a healthy shop, a sample every five minutes."""
    return healthy().history(NOW - 14 * DAY, NOW, 300).frame


# -- the same every time ----------------------------------------------------------------------


@pytest.mark.slow
def test_the_same_seed_gives_the_same_data() -> None:
    first, second = (DemoSource(7, NOW).history(NOW - DAY, NOW, 60).frame for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_another_seed_gives_other_data() -> None:
    first, second = (DemoSource(seed, NOW).history(NOW - HOUR, NOW, 60).frame["request_rate"] for seed in (7, 8))
    assert (first != second).all()


@pytest.mark.slow
@pytest.mark.parametrize("step", [60.0, 70.0, 1.5])
def test_asking_in_pieces_equals_asking_at_once(step: float) -> None:
    source, names = DemoSource(7, NOW, step=step), ["shop/search", "shop/shipping"]
    start = NOW - 45 * HOUR  # across midnights and a crash loop
    edges = [start, start + 11 * HOUR, start + 12 * HOUR + timedelta(seconds=1), start + 20 * HOUR, start + 23 * HOUR]
    whole = source.history(edges[0], edges[-1], step, names).frame
    pieces = [
        DemoSource(7, NOW, step=step).history(first, last - timedelta(microseconds=1), step, names).frame
        for first, last in pairwise(edges)
    ]
    pieces.append(source.history(edges[-1], edges[-1], step, names).frame)
    joined = pd.concat(pieces).sort_values([SERVICE, TIMESTAMP], ignore_index=True)
    pd.testing.assert_frame_equal(joined, whole.sort_values([SERVICE, TIMESTAMP], ignore_index=True))


@pytest.mark.slow
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(seconds=st.integers(-7 * 86400, 3600), step=st.sampled_from([60.0, 30.0, 70.0]))
def test_a_single_sample_equals_the_history_at_that_step(seconds: int, step: float) -> None:
    source = DemoSource(7, NOW, live_since=NOW, step=step)
    at = NOW + timedelta(seconds=seconds)
    one = source.collect(at).frame
    assert len(one) == len(SHOP)
    (moment,) = set(one[TIMESTAMP])
    assert timedelta() <= at - moment < timedelta(seconds=step)
    before = source.history(moment - HOUR, moment, step).frame
    pd.testing.assert_frame_equal(one, before[before[TIMESTAMP] == moment].reset_index(drop=True))


@pytest.mark.slow
def test_the_past_does_not_depend_on_whether_it_is_live() -> None:
    past, live = DemoSource(7, NOW), DemoSource(7, NOW, live_since=NOW)
    pd.testing.assert_frame_equal(past.history(NOW - DAY, NOW, 60).frame, live.history(NOW - DAY, NOW, 60).frame)


def test_a_longer_step_picks_from_the_samples() -> None:
    source = healthy()
    minutes, quarters = (source.history(NOW - HOUR, NOW, step, ["shop/cart"]).frame for step in (60, 900))
    assert quarters[TIMESTAMP].tolist() == [NOW - HOUR + timedelta(minutes=15 * turn) for turn in range(5)]
    pd.testing.assert_frame_equal(quarters, minutes.iloc[::15].reset_index(drop=True))


def test_a_range_between_two_samples_is_empty_even_before_midnight() -> None:
    midnight = datetime(2026, 3, 4, tzinfo=UTC)
    answer = healthy().history(midnight - timedelta(seconds=40), midnight - timedelta(seconds=20), 60)
    assert answer.frame.empty
    assert list(answer.frame.columns) == [SERVICE, TIMESTAMP, *MEASURED]


# -- what it is asked -------------------------------------------------------------------------


def test_it_is_a_source_of_twelve_services_and_nine_metrics() -> None:
    source = DemoSource(7, NOW)
    assert isinstance(source, Source)
    assert [service.name for service in source.discover()] == sorted(SHOP)
    assert len(SHOP) == 12
    answer = source.collect(NOW)
    assert list(answer.frame.columns) == [SERVICE, TIMESTAMP, *MEASURED]
    assert answer.queries == 9
    assert answer.frame.notna().all(axis=None)
    calls = source.graph()
    assert [(call.caller, call.callee) for call in calls if call.is_between_services] == list(CALLS)
    assert {end for call in calls for end in (call.caller_is, call.callee_is)} == set(End) - {End.UNKNOWN}
    assert {(call.kind, call.source) for call in calls} == {("demo", "demo")}
    assert all(name in SHOP for call in calls for name in call.services)


def test_only_the_services_asked_for_are_in_the_answer() -> None:
    source = DemoSource(7, NOW)
    assert source.collect(NOW, ["shop/cart", "shop/email"]).frame[SERVICE].tolist() == ["shop/cart", "shop/email"]
    nobody = source.collect(NOW, []).frame
    assert nobody.empty
    assert list(nobody.columns) == [SERVICE, TIMESTAMP, *MEASURED]


def test_a_service_the_shop_does_not_have_is_unknown_with_a_hint() -> None:
    with pytest.raises(UnknownServiceError, match=r"'shop/kart': did you mean .*shop/cart"):
        DemoSource(7, NOW).collect(NOW, ["shop/kart"])


@pytest.mark.parametrize("name", ["anchor", "live_since", "at", "start", "end"])
def test_a_time_without_a_zone_is_refused_by_name(name: str) -> None:
    naive = NOW.replace(tzinfo=None)
    times = dict.fromkeys(("anchor", "live_since", "at", "start", "end"), NOW) | {name: naive}

    def ask() -> None:
        source = DemoSource(7, times["anchor"], live_since=times["live_since"])
        source.collect(times["at"])
        source.history(times["start"], times["end"], 60)

    with pytest.raises(InvalidInputError, match=f"{name} = .* has no time zone"):
        ask()


def test_an_end_before_its_start_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="is before start"):
        DemoSource(7, NOW).history(NOW, NOW - HOUR, 60)


def test_a_time_of_another_zone_is_the_same_time() -> None:
    from zoneinfo import ZoneInfo

    source = DemoSource(7, NOW)
    there = source.collect(NOW.astimezone(ZoneInfo("Asia/Kathmandu"))).frame
    pd.testing.assert_frame_equal(there, source.collect(NOW).frame)


# -- what a shop is like ----------------------------------------------------------------------


@pytest.mark.slow
def test_values_are_possible_and_quantiles_in_order(weeks: pd.DataFrame) -> None:
    assert (weeks[list(MEASURED)] >= 0).all(axis=None)
    assert weeks["error_rate"].max() <= 0.01
    assert (weeks["latency_p50"] <= weeks["latency_p95"]).all()
    assert (weeks["latency_p95"] <= weeks["latency_p99"]).all()
    assert (weeks["restart_count"] == 0).all()


def test_nights_are_quiet_and_evenings_busy(weeks: pd.DataFrame) -> None:
    hour = weeks[TIMESTAMP].dt.hour
    for name, of_service in weeks.groupby(SERVICE):
        by_hour = of_service.groupby(hour)["request_rate"].mean()
        assert by_hour[20] > 2 * by_hour[4], name
        assert by_hour.idxmin() in range(2, 8), name
        assert by_hour.idxmax() in range(14, 24), name


def test_weekends_are_calmer(weeks: pd.DataFrame) -> None:
    weekend = weeks[TIMESTAMP].dt.dayofweek >= 5
    means = weeks.groupby([SERVICE, weekend.rename("weekend")])["request_rate"].mean().unstack("weekend")
    assert (means[True] / means[False]).between(0.6, 0.9).all()


def test_days_and_weeks_repeat_themselves(weeks: pd.DataFrame) -> None:
    rates = weeks.pivot(index=TIMESTAMP, columns=SERVICE, values="request_rate")
    for name, rate in rates.items():
        assert rate.autocorr(7 * 288) > 0.8, name
        assert rate.autocorr(7 * 288) > rate.autocorr(int(6.5 * 288)), name


@pytest.mark.parametrize("metric", ["request_rate", "latency_p50", "error_rate", "cpu_usage"])
def test_noise_has_heavier_tails_than_a_gaussian(metric: str) -> None:
    changes = np.log(wide(healthy(), metric, NOW - 3 * DAY, NOW)).diff().dropna()
    assert (changes.kurt() > 0.3).all()  # 0 for a Gaussian


def test_noise_has_a_memory_of_minutes() -> None:
    latency = np.log(wide(healthy(), "latency_p50", NOW - 2 * DAY, NOW))
    noise = latency - latency.rolling(181, center=True).median()
    for name in noise:
        assert noise[name].autocorr(1) > noise[name].autocorr(60) + 0.2, name


def test_callers_and_callees_are_busy_together() -> None:
    rates = np.log(wide(healthy(), "request_rate", NOW - 2 * DAY, NOW))
    noise = rates - rates.rolling(121, center=True).median()  # without the time of day
    correlations = noise.corr()
    for caller, callee in CALLS:
        assert correlations.loc[caller, callee] > 0.4, (caller, callee)


def test_a_shop_that_is_well_scores_near_100(weeks: pd.DataFrame) -> None:
    services = {service.name: service for service in DemoSource(7, NOW).discover()}
    scores = []
    for row in weeks.iloc[::97].to_dict("records"):
        service = services[row[SERVICE]]
        values = {name: row[name] for name in MEASURED}
        targets = Targets(objective=0.999, latency=service.latency_target)
        scores.append(score(values, service, targets, window=300).score)
    assert np.median(scores) >= 95
    assert np.mean(np.array(scores) >= 80) > 0.95


def test_limits_leave_room_for_the_busiest_hour(weeks: pd.DataFrame) -> None:
    worst = weeks.groupby(SERVICE)[["cpu_usage", "memory_usage", "pod_count"]].max()
    for service in DemoSource(7, NOW).discover():
        assert worst.loc[service.name, "cpu_usage"] < 0.8 * service.cpu_limit
        assert worst.loc[service.name, "memory_usage"] < 0.8 * service.memory_limit
        assert worst.loc[service.name, "pod_count"] >= service.desired_pods


# -- what is deployed -------------------------------------------------------------------------


def test_some_deployments_do_nothing_and_one_begins_a_cascade() -> None:
    source = DemoSource(7, NOW)
    assert isinstance(source, ChangesSource)
    changes, faults = source.changes(NOW - 7 * DAY, NOW), source.faults(NOW - 7 * DAY, NOW)
    roots = {(fault.root_cause, fault.kind): fault.start for fault in faults if fault.service_name == fault.root_cause}

    def followed(change) -> list[str]:
        """Kinds of faults of the service that begin within two hours."""
        return [
            kind
            for (root, kind), at in roots.items()
            if root == change.service_name and 0 * HOUR <= at - change.at < 2 * HOUR
        ]

    (guilty,) = [one for one in changes if followed(one)]
    assert (guilty.service_name, followed(guilty)) == ("shop/inventory", ["cascade"])
    assert roots["shop/inventory", "cascade"] - guilty.at == BEFORE_FAULT
    assert len(changes) > 5
    assert len(roots) > 5, "most faults have another cause"
    assert changes == sorted(changes, key=lambda one: one.at)
    assert source.changes(guilty.at, guilty.at) == [guilty]


@pytest.mark.parametrize("days", [0.2, 2.0, 7.0])
def test_no_harmless_deployment_is_close_to_a_fault_of_its_service(days: float) -> None:
    source = DemoSource(7, NOW, days=days)
    for change in source.changes(NOW - 7 * DAY, NOW):
        near = [
            f for f in source.faults(change.at - HOUR / 4, change.at + HOUR / 4) if f.root_cause == change.service_name
        ]
        assert not near or change.service_name == "shop/inventory"


def test_the_first_live_cascade_is_preceded_by_a_deployment() -> None:
    source = DemoSource(7, NOW, live_fault_after=75)
    assert source.changes(NOW, NOW + DAY) == []
    source.go_live(NOW)
    (change,) = source.changes(NOW, NOW + DAY)
    (root,) = [f for f in source.faults(NOW, NOW + HOUR) if f.service_name == f.root_cause]
    assert (change.service_name, root.start - change.at) == (root.service_name, BEFORE_LIVE_FAULT)
