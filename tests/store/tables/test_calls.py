"""Calls: how each is known, since when and until when, and what is outside."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.actors import START, Actor

from observatory.model import Call, Cycle, End, Service
from observatory.store import Store, open_store
from observatory.store.options import Retention

pytestmark = pytest.mark.slow

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EDGE = Call("shop/web", "shop/cart", "istio", "eu")
SHOP = [Service(name) for name in ("shop/web", "shop/cart", "shop/orders")]


def seen(store: Store) -> list[tuple[str, datetime | None, datetime | None]]:
    return [(call.kind, call.first_seen, call.last_seen) for call in store.graph(everything=True)]


def test_a_call_comes_back_with_how_it_is_known_and_what_its_ends_are(store: Store) -> None:
    calls = [
        Call("shop/orders", "orders", "spans", "eu", callee_is=End.DATABASE),
        EDGE,
        Call("user", "shop/web", "service graph", "eu", caller_is=End.USER),
    ]
    store.write_calls(calls, NOW)
    assert store.graph() == [replace(call, first_seen=NOW, last_seen=NOW) for call in calls]
    assert store.calls() == [("shop/web", "shop/cart")]


def test_the_first_and_the_last_sight_are_those_of_all_writers_in_any_order(store: Store) -> None:
    for at in (NOW, NOW - HOUR, NOW - DAY, NOW + HOUR, None, NOW):
        store.write_calls([EDGE], at)
    assert seen(store) == [("istio", NOW - DAY, NOW + HOUR)]


def test_processes_that_see_calls_at_once_lose_none(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    actors = [Actor("see", path, f"s{number}", number) for number in range(3)]
    for actor in actors:
        actor.wait_for(1)
        actor.end()
    with open_store(str(path)) as store:
        assert store.calls() == [("web", "cart"), ("web", "s0"), ("web", "s1"), ("web", "s2")]
        assert seen(store) == [("istio", START, START + 39 * HOUR)] * 4


def test_each_way_in_which_a_call_is_known_has_its_own_times_and_the_pair_counts_once(store: Store) -> None:
    store.write_calls([EDGE], NOW)
    store.write_calls([replace(EDGE, kind="spans"), replace(EDGE, source="us")], NOW + HOUR)
    assert [(call.kind, call.source) for call in store.graph()] == [("istio", "eu"), ("istio", "us"), ("spans", "eu")]
    assert store.calls() == [("shop/web", "shop/cart")]


def test_what_was_not_seen_for_a_week_counts_no_more_and_is_still_known(store: Store) -> None:
    store.write_calls([EDGE], NOW)
    store.write_calls([replace(EDGE, callee="shop/orders")], NOW + 7 * DAY)
    assert len(store.calls()) == 2
    store.write_calls([replace(EDGE, callee="shop/orders")], NOW + 7 * DAY + HOUR)
    assert store.calls() == [("shop/web", "shop/orders")]
    assert [call.callee for call in store.graph()] == ["shop/orders"]
    assert [call.callee for call in store.graph(everything=True)] == ["shop/cart", "shop/orders"]


def test_a_mesh_that_is_gone_is_forgotten_as_cycles_go_on(store: Store) -> None:
    store.write_calls([EDGE], NOW)
    store.write_cycle(Cycle(NOW + 7 * DAY, 1.0, 1, 1, 0, (), ()))
    assert store.calls() == [("shop/web", "shop/cart")]
    store.write_cycle(Cycle(NOW + 8 * DAY, 1.0, 1, 1, 0, (), ()))
    assert store.calls() == []


def test_pairs_told_without_a_time_count_until_they_are_said_otherwise(store: Store) -> None:
    store.write_calls([("shop/web", "shop/cart")])
    store.write_cycle(Cycle(NOW, 1.0, 1, 1, 0, (), ()))
    assert store.calls() == [("shop/web", "shop/cart")]


def test_calls_not_seen_for_90_days_are_removed(store: Store) -> None:
    store.write_calls([EDGE], NOW - 91 * DAY)
    store.write_calls([replace(EDGE, kind="spans")], NOW - 89 * DAY)
    store.maintain(NOW, Retention())
    assert [call.kind for call in store.graph(everything=True)] == ["spans"]


def test_a_source_that_tells_all_its_calls_loses_those_it_tells_no_more(store: Store) -> None:
    store.write_calls([EDGE], NOW)
    mine = Call("shop/web", "shop/orders", "settings", "settings")
    store.calls_table.replace("settings", [mine, replace(mine, callee="shop/cart")], NOW)
    store.calls_table.replace("settings", [mine], NOW + HOUR)
    assert [(call.callee, call.source) for call in store.graph()] == [("shop/cart", "eu"), ("shop/orders", "settings")]
    store.calls_table.replace("settings", [], NOW + 2 * HOUR)
    assert [call.source for call in store.graph()] == ["eu"]


def test_a_renamed_service_keeps_its_calls_and_no_database_of_its_name_follows(store: Store) -> None:
    store.register(SHOP)
    database = Call("shop/web", "shop/orders", "spans", "eu", callee_is=End.DATABASE)
    store.write_calls([EDGE, replace(EDGE, callee="shop/orders"), database], NOW)
    store.names.rename("shop/orders", "shop/order", NOW)
    assert store.calls() == [("shop/web", "shop/cart"), ("shop/web", "shop/order")]
    assert [call.callee for call in store.graph() if call.callee_is is End.DATABASE] == ["shop/orders"]


def test_joined_services_have_the_calls_of_both_with_the_times_of_both(store: Store) -> None:
    store.register(SHOP)
    store.write_calls([EDGE], NOW)
    store.write_calls([replace(EDGE, callee="shop/orders")], NOW - HOUR)
    store.write_calls([replace(EDGE, callee="shop/orders")], NOW + HOUR)
    store.write_calls([Call("shop/cart", "shop/orders", "istio", "eu")], NOW)
    store.names.merge(["shop/orders"], "shop/cart", NOW)
    assert [(call.caller, call.callee) for call in store.graph()] == [("shop/web", "shop/cart")]
    assert seen(store) == [("istio", NOW - HOUR, NOW + HOUR)]


def test_a_removed_service_takes_its_calls_along_and_no_database_of_its_name(store: Store) -> None:
    store.register(SHOP)
    database = Call("shop/web", "shop/orders", "spans", "eu", callee_is=End.DATABASE)
    store.write_calls([EDGE, Call("shop/cart", "shop/orders", "istio", "eu"), database], NOW)
    store.names.remove(["shop/orders"], NOW)
    assert [(call.callee, call.callee_is) for call in store.graph()] == [
        ("shop/cart", End.SERVICE),
        ("shop/orders", End.DATABASE),
    ]


def test_five_thousand_calls_are_kept_and_read(store: Store) -> None:
    calls = [
        Call(f"s{number % 500}", f"s{(number * 7 + number // 500) % 500}", "istio", "eu") for number in range(5000)
    ]
    store.write_calls(calls, NOW)
    assert len(store.graph()) == len({(call.caller, call.callee) for call in calls}) > 4000
