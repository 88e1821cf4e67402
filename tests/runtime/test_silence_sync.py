"""Silences are kept in step with a real Alertmanager: ours are made there, theirs here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from support.destinations import an_incident, happens
from support.servers import Alertmanager as Server
from support.servers import FaultyServer, Reply, free_port
from support.silences import HOUR, a_silence

from observatory.annotations.in_force import in_force
from observatory.annotations.silences import end_silence, extend_silence
from observatory.config.notify import NotifySettings
from observatory.errors import DeliveryError
from observatory.integrations import make_destination
from observatory.integrations.alertmanager import Alertmanager
from observatory.integrations.alertmanager_silences import regex_of, silence_of
from observatory.model import Service, Severity, Silence
from observatory.runtime.hand_out import Told
from observatory.runtime.silence_sync import SilenceSync, SilenceSyncs
from observatory.store import Store, open_store

servers = pytest.mark.servers
NOW = datetime.now(UTC).replace(microsecond=0)
LONG = 12 * HOUR
"""Longer than any run of the tests, for the Alertmanager goes by its own clock."""
NAMES = ("pay/api", "shop/cart", "shop/web")


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store(":memory:") as store:
        store.register(Service(name, "eu") for name in NAMES)
        yield store


def sync_of(store: Store, *addresses: str, mode: str = "both", **options: Any) -> SilenceSync:
    made = make_destination("am", NotifySettings(kind="alertmanager", urls=addresses, silences=mode, **options))
    assert isinstance(made, Alertmanager)
    return SilenceSync(store, made)


def ours(*services: str, **facts: Any) -> Silence:
    known = {"id": "s0123", "created_at": NOW, "starts_at": NOW - HOUR, "ends_at": NOW + LONG}
    return a_silence(*services, **known | facts)


def there(server: Server, *, state: str = "active") -> list[dict[str, Any]]:
    found = requests.get(f"{server.url}/api/v2/silences", timeout=30).json()
    return [one for one in found if one["status"]["state"] == state]


def make_there(server: Server, *matchers: tuple[str, str, bool, bool], hours: float = 12) -> str:
    body = {
        "matchers": [
            {"name": name, "value": value, "isRegex": is_regex, "isEqual": is_equal}
            for name, value, is_regex, is_equal in matchers
        ],
        "startsAt": NOW.isoformat(),
        "endsAt": (NOW + hours * HOUR).isoformat(),
        "createdBy": "bob",
        "comment": "night shift",
    }
    reply = requests.post(f"{server.url}/api/v2/silences", json=body, timeout=30)
    assert reply.status_code == 200, reply.text
    return str(reply.json()["silenceID"])


def covered(store: Store) -> dict[str, tuple[str, ...]]:
    """What is silenced here, by the id there."""
    return {one.silence.origin: one.silence.services for one in in_force(store, datetime.now(UTC))}


@servers
def test_ours_silences_our_alerts_there_and_no_other(server: Server, store: Store) -> None:
    store.silences.write([ours("shop/*", "pay/[!b]pi", reason="new (disks)")])
    sync = sync_of(store, server.url)
    for _ in range(2):
        sync.step(NOW)
    (made,) = there(server)
    assert (made["createdBy"], made["comment"].startswith("new (disks) [observatory s0123 ")) == ("key:ann", True)
    now = datetime.now(UTC)
    labels = [
        {"alertname": alertname, "service": service, "incident": "a"}
        for alertname in ("ObservatoryIncident", "Other")
        for service in ("shop/cart", "pay/api", "pay/bpi")
    ]
    alerts = [{"labels": one, "startsAt": now.isoformat()} for one in labels]
    requests.post(f"{server.url}/api/v2/alerts", json=alerts, timeout=30).raise_for_status()
    silenced = {
        (one["labels"]["alertname"], one["labels"]["service"])
        for one in requests.get(f"{server.url}/api/v2/alerts", timeout=30).json()
        if one["status"]["silencedBy"]
    }
    assert silenced == {("ObservatoryIncident", "shop/cart"), ("ObservatoryIncident", "pay/api")}


@servers
def test_one_with_times_to_the_microsecond_is_made_once(server: Server, store: Store) -> None:
    odd = timedelta(microseconds=123_456)
    store.silences.write([ours("shop/*", starts_at=NOW - HOUR + odd, ends_at=NOW + LONG + odd)])
    sync = sync_of(store, server.url)
    sync.step(NOW)
    before = there(server)
    for _ in range(2):
        sync.step(NOW)
    assert [one["updatedAt"] for one in there(server)] == [one["updatedAt"] for one in before]
    assert there(server, state="expired") == []


@servers
def test_ours_is_extended_and_ended_there(server: Server, store: Store) -> None:
    store.silences.write([ours("shop/*")])
    sync = sync_of(store, server.url, mode="ours")
    sync.step(NOW)
    extend_silence(store.silences, "s0123", NOW + 3 * HOUR, NOW)
    sync.step(NOW)
    (made,) = there(server)
    assert datetime.fromisoformat(made["endsAt"]) == NOW + 3 * HOUR
    end_silence(store.silences, "s0123", "key:ann", NOW)
    sync.step(NOW)
    assert there(server) == []


@servers
@pytest.mark.parametrize(("mode", "goes_on"), [("both", False), ("ours", True)])
def test_ours_that_is_ended_there_is_over_here_where_that_is_wished(
    server: Server, store: Store, mode: str, goes_on: bool
) -> None:
    store.silences.write([ours("shop/*")])
    sync = sync_of(store, server.url, mode=mode)
    sync.step(NOW)
    (made,) = there(server)
    requests.delete(f"{server.url}/api/v2/silence/{made['id']}", timeout=30).raise_for_status()
    sync.step(NOW)
    assert there(server) == []  # it is not made again
    assert bool(in_force(store, NOW)) is goes_on
    assert store.silences.get("s0123").ended_by == ("" if goes_on else "alertmanager am")


@servers
def test_one_that_comes_again_is_made_there_each_time(server: Server, store: Store) -> None:
    hourly = ours("shop/*", cron="0 * * * *", duration=timedelta(minutes=30), ends_at=NOW + 48 * HOUR)
    store.silences.write([hourly])
    sync = sync_of(store, server.url, mode="ours")
    begins = (datetime.now(UTC) + 2 * HOUR).replace(minute=0, second=0, microsecond=0)
    sync.step(begins - timedelta(minutes=10))
    assert there(server, state="pending") == []
    sync.step(begins - timedelta(minutes=4))
    (coming,) = there(server, state="pending")
    assert datetime.fromisoformat(coming["startsAt"]) == begins
    assert datetime.fromisoformat(coming["endsAt"]) == begins + timedelta(minutes=30)


@servers
def test_what_is_no_label_there_stays_here(server: Server, store: Store) -> None:
    store.silences.write(
        [ours("shop/*", severities=(Severity.LOW,)), ours("shop/*", id="s0456", metrics=("cpu_usage",))]
    )
    sync_of(store, server.url, mode="ours").step(NOW)
    assert there(server) == []


@servers
def test_theirs_is_taken_over_with_who_and_why_and_ends_with_theirs(server: Server, store: Store) -> None:
    shop = make_there(server, ("service", "shop/.*", True, True))
    make_there(server, ("alertname", "NodeDown", False, True))
    make_there(server, ("service", "shop/.*", True, True), ("job", "node", False, True))
    rest = make_there(server, ("service", "shop/.*", True, False), ("team", "shop", False, True))
    everything = make_there(server, ("alertname", "Observatory.*", True, True))
    sync = sync_of(store, server.url, labels={"team": "shop"})
    for _ in range(2):
        sync.step(datetime.now(UTC))
    assert covered(store) == {shop: ("shop/cart", "shop/web"), rest: ("pay/api",), everything: ("*",)}
    (one,) = [one for one in store.silences.read() if one.origin == shop]
    assert (one.created_by, one.reason, one.source) == ("bob", "night shift", "alertmanager am")
    requests.delete(f"{server.url}/api/v2/silence/{shop}", timeout=30).raise_for_status()
    sync.step(datetime.now(UTC))
    assert covered(store).keys() == {rest, everything}
    assert len(there(server)) == 4  # nothing of it was made there again


@servers
def test_theirs_of_one_alert_is_about_that_incident_only(server: Server, store: Store) -> None:
    for key, service in (("aaa", "shop/cart"), ("bbb", "shop/web")):
        happens(store, an_incident(key, service=service), "opened")
    labels = ("alertname", "ObservatoryIncident"), ("incident", "aaa"), ("service", "shop/cart")
    make_there(server, *((name, value, False, True) for name, value in labels))
    sync_of(store, server.url, mode="theirs").step(datetime.now(UTC))
    (one,) = in_force(store, datetime.now(UTC))
    assert (one.silence.services, one.silence.incidents) == (("shop/cart",), ("aaa",))
    assert not one.silence.is_whole


@servers
def test_theirs_that_is_ended_here_does_not_come_back(server: Server, store: Store) -> None:
    make_there(server, ("service", "shop/.*", True, True))
    sync = sync_of(store, server.url, mode="theirs")
    sync.step(datetime.now(UTC))
    (one,) = store.silences.read()
    end_silence(store.silences, one.id, "key:ann", datetime.now(UTC))
    sync.step(datetime.now(UTC))
    assert covered(store) == {}


@servers
def test_a_member_that_is_down_is_passed_over(server: Server, store: Store) -> None:
    store.silences.write([ours("shop/*")])
    sync_of(store, f"http://127.0.0.1:{free_port()}", f"{server.url}/api/v2/alerts").step(NOW)
    assert len(there(server)) == 1


def test_where_it_does_not_answer_nothing_changes_and_it_is_said(store: Store) -> None:
    with FaultyServer(Reply(200, b"[]")) as server:
        theirs = ours("shop/*", id="a1", source="alertmanager am", origin="x")
        store.silences.write([theirs])
        told = make_destination("am", NotifySettings(kind="alertmanager", url=server.url, silences="both"))
    syncs = SilenceSyncs(store, {"am": Told(NotifySettings(kind="alertmanager"), told)}, lambda: NOW)
    syncs.step()
    assert "cannot be reached" in syncs.errors["am"]
    assert store.silences.read() == [theirs]


def test_an_answer_that_is_none_changes_nothing(store: Store) -> None:
    theirs = ours("shop/*", id="a1", source="alertmanager am", origin="x")
    store.silences.write([theirs])
    for body in (b"<html>", b"{}", b'[{"id": "x"}', b""):
        with FaultyServer(Reply(200, body)) as server, pytest.raises(DeliveryError, match="not understood"):
            sync_of(store, server.url).step(NOW)
    assert store.silences.read() == [theirs]


def test_one_that_is_not_understood_is_passed_over(store: Store) -> None:
    odd = b'[{"id": "x", "matchers": [{"name": "service", "value": "(", "isRegex": true}]}, 7]'
    with FaultyServer(Reply(200, odd)) as server:
        sync_of(store, server.url).step(NOW)
    assert store.silences.read() == []


def test_only_destinations_that_want_it_are_kept_in_step(store: Store) -> None:
    settings = NotifySettings(kind="alertmanager")
    assert SilenceSyncs(store, {"am": Told(settings, make_destination("am", settings))}, lambda: NOW).syncs == {}


@pytest.mark.parametrize(
    ("pattern", "regex"),
    [
        ("shop/*", "shop/.*"),
        ("a.b+c(d)|e", r"a\.b\+c\(d\)\|e"),
        ("pod-?", "pod-."),
        ("v[12]", "v[12]"),
        ("v[!12]", "v[^12]"),
        ("odd[", r"odd\["),
        ("two words", "two words"),
    ],
)
def test_a_pattern_becomes_one_of_theirs(pattern: str, regex: str) -> None:
    assert regex_of([pattern]) == regex


def test_a_label_that_is_missing_is_an_empty_one() -> None:
    raw = {
        "id": "x",
        "matchers": [{"name": "job", "value": "node", "isRegex": False, "isEqual": False}],
        "startsAt": "2026-03-01T12:00:00.000Z",
        "endsAt": "2026-03-01T13:00:00.123456789Z",
        "status": {"state": "active"},
    }
    assert silence_of(raw).covers({"service": "shop/cart"})
