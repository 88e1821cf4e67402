"""A service that is renamed, joined with others or removed is so in every table, in the archive too."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from support.every_table import (
    ANOMALY,
    CHANGES,
    FAULT,
    FEEDBACK,
    HOUR,
    MONTH,
    NOW,
    SERVICES,
    START,
    STATES,
    archive,
    fill,
    sampled,
)

from observatory.catalog import METRICS
from observatory.errors import ConflictError, InvalidInputError, UnknownServiceError
from observatory.model import Overlap, Service
from observatory.store import Store, open_store
from observatory.store.tables.every import TABLES
from observatory.store.tables.states import KeptState

pytestmark = pytest.mark.slow

CART, OTHER = (service.name for service in SERVICES)
NEW = "shop/basket"


def sample(service: str, hour: int, **values: float) -> pd.DataFrame:
    row = {"service_name": service, "timestamp": pd.Timestamp(START + hour * HOUR), **dict.fromkeys(METRICS), **values}
    return pd.DataFrame([row]).astype(dict.fromkeys(METRICS, float))


def at(store: Store, service: str, hour: int) -> dict[str, float | None]:
    row = store.history(service, START + hour * HOUR, START + hour * HOUR).iloc[0]
    return {str(name): None if pd.isna(value) else float(value) for name, value in row.items()}


def names_in(store: Store) -> set[str]:
    """Every name of a service in any table."""
    return {
        str(row["name"])
        for table in TABLES
        for column in table.service_columns
        for row in store._database.rows(f"SELECT DISTINCT {column} AS name FROM {table.name}")
    }


def whole(store: Store) -> bool:
    return all(finding.ok for finding in store.check())


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_with_a_name_of_a_service_follows(table: type) -> None:
    with open_store(":memory:") as store:
        columns = {row["column_name"] for row in store._database.rows(f"DESCRIBE {table.name}")}
    known = {"service_name", "caller", "callee", "root_cause"} & columns
    assert known == set(table.service_columns) or table.name == "archived_names"


def test_a_renamed_service_keeps_everything(store: Store) -> None:
    fill(store)
    before = {"buckets": store.buckets(CART, START, NOW, 3600), "counts": store.sample_counts().loc[CART]}
    store.names.rename(CART, NEW, NOW)
    assert names_in(store) == {NEW, OTHER}
    assert [service.name for service in store.services()] == [NEW, OTHER]
    assert (store.service(NEW).team, store.service(NEW).objective) == ("buy", 0.999)
    expected = sampled().replace({CART: NEW})
    pd.testing.assert_frame_equal(store.history_of_all(START, NOW), expected, check_dtype=False)
    pd.testing.assert_frame_equal(
        store.history(NEW, START, NOW).reset_index(drop=True), expected.iloc[:5, 2:], check_dtype=False
    )
    pd.testing.assert_frame_equal(store.buckets(NEW, START, NOW, 3600), before["buckets"])
    assert list(store.sample_counts().loc[NEW]) == list(before["counts"])
    assert store.calls() == [(NEW, OTHER)]
    assert [(a.service_name, a.evidence) for a in store.anomalies()] == [(NEW, ANOMALY.evidence)]
    assert [(fault.service_name, fault.root_cause) for fault in store.faults()] == [(NEW, NEW)]
    assert [(one.service_name, one.note) for one in store.feedback.read()] == [(NEW, FEEDBACK.note)]
    assert store.changes.read(services=[CART]) == []
    assert store.changes.read(services=[NEW]) == [replace(one, service_name=NEW) for one in CHANGES]
    assert [(one.service_name, one.state) for one in store.states.read("multiscale")] == [(NEW, STATES[0].state)]
    assert store.names.rules().name_of(CART) == NEW
    assert whole(store)


def test_a_name_of_before_still_finds_the_service(store: Store) -> None:
    fill(store)
    store.names.rename(CART, NEW, NOW)
    assert store.service(CART).name == NEW
    store.names.rename(NEW, "third", NOW)
    assert store.service(CART).name == store.service(NEW).name == "third"
    store.names.rename("third", CART, NOW)
    assert store.service(CART).name == store.service("third").name == CART


def test_what_cannot_be_is_refused_and_changes_nothing(store: Store) -> None:
    fill(store)
    names = store.names
    with pytest.raises(ConflictError, match=r"there is a service .* already: to join them, merge"):
        names.rename(CART, OTHER, NOW)
    with pytest.raises(UnknownServiceError, match="unknown service 'shop/crat': did you mean"):
        names.rename("shop/crat", NEW, NOW)
    with pytest.raises(UnknownServiceError):
        names.merge([CART], "shop/nothing", NOW)
    with pytest.raises(UnknownServiceError):
        names.remove([CART, "shop/nothing"], NOW)
    with pytest.raises(InvalidInputError, match="cannot become itself"):
        names.merge([OTHER, CART], CART, NOW)
    with pytest.raises(InvalidInputError, match="no blank at the ends"):
        names.rename(CART, " x", NOW)
    with pytest.raises(InvalidInputError, match="neither excluded nor renamed"):
        names.restore(CART)
    with pytest.raises(ConflictError, match=r"overlap at 5 times from 2026-01-31 22:00 to 2026-02-01 02:00 UTC"):
        names.merge([OTHER], CART, NOW)
    assert names.rules().rules == ()
    pd.testing.assert_frame_equal(store.history_of_all(START, NOW), sampled(), check_dtype=False)
    assert names_in(store) == {CART, OTHER}


def test_services_that_follow_each_other_become_one(store: Store) -> None:
    fill(store)
    store.register([Service("old", "eu", tier="2", team="former", desired_pods=9.0)])
    store.write_samples(pd.concat([sample("old", hour, request_rate=7.0) for hour in (-3, -2, -1)]))
    store.states.write([KeptState("old", "multiscale", "version 1", START, NOW, b"few")])
    store.maintain(NOW)
    store.repair(NOW)
    store.names.merge(["old"], CART, NOW)
    assert names_in(store) == {CART, OTHER}
    assert list(store.history(CART, START - 3 * HOUR, START - HOUR)["request_rate"]) == [7.0] * 3
    assert store.service(CART) == SERVICES[0], "what is known of the one that stays is kept"
    assert [one.state for one in store.states.read("multiscale")] == [STATES[0].state], "of most samples"
    assert store.sample_counts().loc[CART, "samples"] == 8
    assert list(store.buckets(CART, START - HOUR, START, 3600)["request_rate"].dropna()) == [7.0]
    assert whole(store)


def test_what_was_learned_of_the_most_samples_goes_on(store: Store) -> None:
    store.register([Service("new", team="us"), Service("old", tier="1")])
    store.write_samples(pd.concat([sample("old", hour, request_rate=1.0) for hour in range(4)]))
    store.write_samples(sample("new", 5, request_rate=2.0))
    states = [KeptState(name, "multiscale", "1", NOW, NOW, name.encode()) for name in ("old", "new")]
    store.states.write(states)
    store.names.merge(["old"], "new", NOW)
    assert [(one.service_name, one.state) for one in store.states.read("multiscale")] == [("new", b"old")]
    assert (store.service("new").team, store.service("new").tier) == ("us", "1")


def both(store: Store) -> None:
    """Two services at one time, and one of them alone before and after."""
    store.register([Service("a"), Service("b")])
    store.write_samples(
        pd.concat(
            [
                sample("a", 0, request_rate=1.0),
                sample("a", 1, request_rate=30.0, error_rate=0.1, latency_p95=0.2, cpu_usage=1.0, pod_count=2.0),
                sample("b", 1, request_rate=10.0, error_rate=0.5, latency_p95=0.4, cpu_usage=0.5, restart_count=1.0),
                sample("a", 2, request_rate=30.0, error_rate=0.1, latency_p95=0.2),
                sample("b", 2, request_rate=0.0, latency_p95=9.0),
                sample("b", 3, request_rate=2.0),
            ]
        )
    )
    store.maintain(NOW)


def test_samples_of_one_time_are_combined_as_far_as_that_is_true(store: Store) -> None:
    both(store)
    with pytest.raises(ConflictError, match="overlap at 2 times"):
        store.names.merge(["b"], "a", NOW)
    store.names.merge(["b"], "a", NOW, Overlap.COMBINE)
    found = at(store, "a", 1)
    assert found["request_rate"] == 40.0
    assert found["error_rate"] == pytest.approx(0.2)
    assert found["latency_p95"] is None, "no quantile follows from two"
    assert (found["cpu_usage"], found["pod_count"], found["restart_count"]) == (1.5, 2.0, 1.0)
    assert at(store, "a", 2)["latency_p95"] == 0.2, "only one had requests"
    assert [at(store, "a", hour)["request_rate"] for hour in range(4)] == [1.0, 40.0, 30.0, 2.0]
    buckets = store.buckets("a", START, NOW, 3600, ["request_rate"])["request_rate"]
    assert list(buckets) == [1.0, 40.0, 30.0, 2.0]
    assert names_in(store) == {"a"}
    assert whole(store)


def test_samples_of_the_service_that_stays_are_kept_if_asked_for(store: Store) -> None:
    both(store)
    store.names.merge(["b"], "a", NOW, Overlap.KEEP)
    assert [at(store, "a", hour)["request_rate"] for hour in range(4)] == [1.0, 30.0, 30.0, 2.0]
    assert list(store.buckets("a", START, NOW, 3600, ["request_rate"])["request_rate"]) == [1.0, 30.0, 30.0, 2.0]
    assert whole(store)


def test_only_the_newest_of_joined_anomalies_goes_on(store: Store) -> None:
    fill(store)
    store.write_anomalies([replace(ANOMALY, service_name=OTHER, started_at=START + HOUR, ended_at=NOW)])
    store.write_calls([(OTHER, OTHER), (OTHER, CART)])
    store.names.merge([OTHER], CART, NOW, Overlap.KEEP)
    assert [(one.started_at, one.is_open) for one in store.anomalies()] == [(START + HOUR, True), (START, False)]
    assert store.calls() == []


def test_a_removed_service_leaves_nothing(store: Store) -> None:
    fill(store)
    store.names.remove([CART], NOW, exclude=["shop/ca*"])
    assert names_in(store) <= {OTHER, ""}
    assert [service.name for service in store.services()] == [OTHER]
    assert store.names.rules().excluding(CART) == "shop/ca*"
    assert set(store.history_of_all(START, NOW)["service_name"]) == {OTHER}
    assert list(store.sample_counts().index) == [OTHER]
    assert whole(store)
    with pytest.raises(ConflictError, match=r"'shop/cake' is excluded by 'shop/ca\*': restore that first"):
        store.names.rename(OTHER, "shop/cake", NOW)
    with pytest.raises(InvalidInputError, match=r"'shop/cart' is excluded by 'shop/ca\*': restore that"):
        store.names.restore(CART)
    store.names.restore("shop/ca*")
    assert store.names.rules().rules == ()


def test_services_that_came_back_under_a_name_of_before_follow_their_rule(store: Store) -> None:
    fill(store)
    store.names.rename(CART, NEW, NOW)
    store.names.remove([OTHER], NOW, exclude=[OTHER])
    store.register([Service(CART), Service(OTHER)])
    store.write_samples(pd.concat([sample(CART, 5, request_rate=5.0), sample(OTHER, 5, request_rate=5.0)]))
    assert store.names.settle(NOW) == [CART, OTHER]
    assert names_in(store) <= {NEW, ""}
    assert at(store, NEW, 5)["request_rate"] == 5.0
    assert store.names.settle(NOW) == []


def test_deploys_become_one_service_and_may_be_taken_apart(store: Store) -> None:
    store.register([Service("a-1f2", "eu"), Service("a-2f3", "eu")])
    store.write_samples(pd.concat([sample("a-1f2", 0, request_rate=1.0), sample("a-2f3", 1, request_rate=2.0)]))
    assert store.names.settle(NOW, [("a-[0-9a-f]{3}", "a")]) == ["a-1f2", "a-2f3"]
    assert store.services() == [Service("a", "eu")]
    assert list(store.history("a", START, NOW)["request_rate"]) == [1.0, 2.0]
    assert store.service("a-2f3").name == "a"
    store.names.rename("a", "b", NOW)
    assert store.names.rules().name_of("a-9ab") == "b"
    store.names.restore("b")
    rules = store.names.rules()
    assert (rules.name_of("a-9ab"), rules.apart) == ("a-9ab", ("b",))


def archived_store(path: Path) -> Store:
    store = open_store(str(path / "x.duckdb"))
    fill(store)
    archive(store)
    return store


def test_archived_months_are_read_by_the_names_of_now(tmp_path: Path) -> None:
    with archived_store(tmp_path) as store:
        files = store.archive.paths()
        store.names.rename(CART, NEW, NOW)
        expected = sampled().replace({CART: NEW})
        pd.testing.assert_frame_equal(store.history_of_all(START, NOW), expected, check_dtype=False)
        store.names.rename(NEW, "third", NOW)
        assert len(store.history("third", START, NOW)) == 5
        assert store.archive.paths() == files, "files stay as they are"
        store.names.remove([OTHER], NOW)
        assert set(store.history_of_all(START, NOW)["service_name"]) == {"third"}
        assert whole(store)
    with open_store(str(tmp_path / "x.duckdb")) as store:
        assert len(store.history("third", START, NOW)) == 5
        late = sample("third", 0, request_rate=99.0)[["service_name", "timestamp", "request_rate"]]
        store.write_samples(late)
        store.archive.move(MONTH)
        assert at(store, "third", 0)["request_rate"] == 99.0
        assert len(store.history_of_all(START, NOW)) == 5
        assert store._database.rows("FROM archived_names") == [], "a month that is written anew has the names itself"
        assert whole(store)


def test_a_new_service_of_an_old_name_is_not_taken_for_it(tmp_path: Path) -> None:
    with archived_store(tmp_path) as store:
        store.names.rename(CART, NEW, NOW)
        store.names.restore(CART)
        store.register([Service(CART)])
        store.write_samples(sample(CART, 3, request_rate=1.0))
        assert len(store.history(CART, START, NOW)) == 1
        assert len(store.history(NEW, START, NOW)) == 5


def test_archived_samples_of_one_time_are_combined(tmp_path: Path) -> None:
    with archived_store(tmp_path) as store:
        pair = [at(store, name, 1)["request_rate"] or 0.0 for name in (CART, OTHER)]
        store.names.merge([OTHER], CART, NOW, Overlap.COMBINE)
        assert at(store, CART, 1)["request_rate"] == sum(pair)
        assert len(store.history(CART, START, NOW)) == 5
        store.archive.move(MONTH)
        assert at(store, CART, 1)["request_rate"] == sum(pair)
        assert len(store.history_of_all(START, NOW)) == 5
        assert whole(store)


def test_summaries_whose_samples_are_gone_follow_too(tmp_path: Path) -> None:
    with archived_store(tmp_path) as store:
        store.archive.forget(store.archive.months())
        before = store.buckets(CART, START, MONTH, 3600)
        store.names.rename(CART, NEW, NOW)
        pd.testing.assert_frame_equal(store.buckets(NEW, START, MONTH, 3600), before)
        with pytest.raises(ConflictError, match="overlap"):
            store.names.merge([OTHER], NEW, NOW)


def test_the_last_sample_of_one_and_the_first_of_the_next_share_a_summary(store: Store) -> None:
    store.register([Service("a"), Service("b")])
    minutes = [sample("a", 0, request_rate=1.0), sample("b", 0, request_rate=5.0)]
    minutes[1]["timestamp"] += timedelta(minutes=2)
    store.write_samples(pd.concat(minutes))
    store.maintain(NOW)
    store.names.merge(["b"], "a", NOW)
    found = store.buckets("a", START, START + HOUR, 3600, ["request_rate"]).iloc[0]
    assert (found["request_rate"], found["request_rate__min"], found["request_rate__max"]) == (3.0, 1.0, 5.0)
    assert whole(store)


def test_faults_and_verdicts_of_the_one_that_stays_win(store: Store) -> None:
    fill(store)
    store.feedback.write([replace(FEEDBACK, service_name=OTHER, note="another")])
    store.write_faults([replace(FAULT, service_name=OTHER, root_cause=OTHER)])
    store.names.merge([OTHER], CART, NOW, Overlap.KEEP)
    assert [(one.service_name, one.note) for one in store.feedback.read()] == [(CART, FEEDBACK.note)]
    assert store.faults() == [FAULT]
