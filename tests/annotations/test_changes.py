"""A change is kept once, however often and by whomever it is reported, or refused with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observatory.annotations.changes import add_change, is_same_version
from observatory.errors import InvalidInputError, UnknownServiceError
from observatory.model import Change, ChangeKind, Service
from observatory.store import Store, open_store
from observatory.store.options import Retention

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DEPLOYMENT = ChangeKind.DEPLOYMENT


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store(":memory:") as opened:
        opened.register([Service("shop/cart"), Service("shop/web")])
        yield opened


def deploy(store: Store, version: str, minutes: float = 0, service: str = "shop/cart", **more: Any) -> Change:
    at = NOW + minutes * MINUTE
    return add_change(store, service, DEPLOYMENT, at, max(NOW, at), version=version, **more)


def test_a_change_is_kept_with_what_was_said_of_it(store: Store) -> None:
    told = deploy(store, "1.4.2", summary="Faster  carts\n\n😀 <b>now</b>", url="https://ci.example/7", source="key:ci")
    assert (told.service_name, told.at, told.kind, told.version) == ("shop/cart", NOW, DEPLOYMENT, "1.4.2")
    assert (told.summary, told.url, told.source) == ("Faster carts 😀 <b>now</b>", "https://ci.example/7", "key:ci")
    assert store.changes.get(told.id) == told
    assert store.changes.read(NOW, NOW, ["shop/cart"]) == [told]
    assert store.changes.read(services=["shop/web"]) == []
    assert store.changes.read(NOW + MINUTE) == store.changes.read(end=NOW - MINUTE) == []


def test_a_report_that_is_sent_again_is_the_same_change(store: Store) -> None:
    first = deploy(store, "2", source="ci")
    again = deploy(store, "2", 3, summary="said later", source="ci")
    assert store.changes.read() == [again]
    assert (again.id, again.at, again.summary) == (first.id, NOW, "said later")


def test_a_version_spelled_in_two_ways_is_one(store: Store) -> None:
    deploy(store, "1.4.2", source="prometheus")
    deploy(store, "v1.4.2", 10, source="ci")
    assert [(one.version, one.source) for one in store.changes.read()] == [("v1.4.2", "ci")]


def test_a_rollback_and_its_repair_are_changes_of_their_own(store: Store) -> None:
    for minutes, version in ((0, "2"), (8, "1"), (15, "2")):
        deploy(store, version, minutes)
    assert [one.version for one in store.changes.read()] == ["2", "1", "2"]


def test_other_services_kinds_and_days_are_other_changes(store: Store) -> None:
    deploy(store, "2")
    deploy(store, "2", service="shop/web")
    deploy(store, "2", 31)
    add_change(store, "shop/cart", ChangeKind.CONFIG, NOW, NOW, version="2")
    assert len({one.id for one in store.changes.read()}) == 4


def test_without_a_version_only_what_is_said_alike_at_once_is_one(store: Store) -> None:
    def flag(minutes: float, summary: str) -> None:
        add_change(store, "shop/cart", ChangeKind.FLAG, NOW - minutes * MINUTE, NOW, summary=summary)

    for minutes, summary in ((20, "new carts on"), (18, "new carts on"), (10, "new carts off"), (2, "new carts on")):
        flag(minutes, summary)
    assert [one.summary for one in store.changes.read()] == ["new carts on", "new carts off", "new carts on"]


@pytest.mark.slow
def test_a_former_name_leads_to_the_service(store: Store) -> None:
    store.names.rename("shop/cart", "shop/basket", NOW)
    assert deploy(store, "2").service_name == "shop/basket"


def test_an_unknown_service_is_named_with_close_ones(store: Store) -> None:
    with pytest.raises(UnknownServiceError, match="did you mean shop/cart"):
        deploy(store, "2", service="shop/kart")


def test_a_clock_may_be_a_little_ahead(store: Store) -> None:
    assert add_change(store, "shop/cart", DEPLOYMENT, NOW + 4 * MINUTE, NOW).at == NOW + 4 * MINUTE


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"at": NOW + 6 * MINUTE}, "at = 2026-03-01T12:06:00Z: lies in the future, it is 2026-03-01T12:00:00Z here"),
        ({"version": "v" * 201}, "version: has 201 characters, give at most 200"),
        ({"summary": "s" * 10_000}, "summary: has 10000 characters, give at most 1000"),
        ({"summary": "a\x1b[2J"}, "summary: has characters that cannot be printed"),
        ({"summary": "a\ud800"}, "summary: has characters that cannot be printed"),
        ({"version": "a\u202eb"}, "version: has characters that cannot be printed"),
        ({"url": "javascript:alert(1)"}, "url = 'javascript:alert.*: give an address that begins with https://"),
        ({"url": "https:///nowhere"}, "give an address that begins with"),
        ({"url": "http://["}, "give an address that begins with"),
        ({"url": "https://a.example/\nb"}, "give an address that begins with"),
        ({"url": "https://me:secret@ci.example/"}, "url: holds a user or a password"),
        ({"url": "https://a.example/" + "x" * 2000}, "url: has 2018 characters, give at most 2000"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(store: Store, more: dict[str, Any], message: str) -> None:
    facts = {"at": NOW, "now": NOW} | more
    with pytest.raises(InvalidInputError, match=message):
        add_change(store, "shop/cart", DEPLOYMENT, **facts)
    assert store.changes.read() == []


COMMITS = st.text("0123456789abcdef", min_size=40, max_size=40)


@given(COMMITS, st.integers(7, 40))
def test_a_commit_and_the_start_of_it_are_one_version(commit: str, length: int) -> None:
    assert is_same_version(commit[:length], f"sha-{commit}")
    assert is_same_version(commit, commit[:length])


@pytest.mark.parametrize(("one", "other"), [("1.4.2", "1.4.20"), ("1", "12"), ("abc", "abcdef0"), ("v1", "w1")])
def test_other_versions_are_not_taken_for_one(one: str, other: str) -> None:
    assert not is_same_version(one, other)


def test_old_changes_go_with_old_anomalies(store: Store) -> None:
    deploy(store, "1", -60 * 24 * 40)
    kept = deploy(store, "2")
    store.maintain(NOW, Retention(anomalies=30))
    assert store.changes.read() == [kept]
