"""Calls that a Jaeger and the settings tell are joined to the services of the store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.jaeger import Jaeger
from support.shop import NOON, Clock

from observatory.config import Settings
from observatory.model import Call, End, Failure, Service
from observatory.runtime import Runtime
from observatory.runtime.calls import CallReading
from observatory.runtime.sources import make_call_sources
from observatory.store import Store, open_store

SERVICES = ["shop/web", "shop/cart", "shop/pay", "bank/pay", "shop/old"]


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store(":memory:") as made:
        made.register([Service(name) for name in SERVICES])
        yield made


def read(store: Store, minutes: float = 0, **settings: object) -> list[Failure]:
    clock = Clock()
    clock.forward(minutes=minutes)
    made = Settings(store=":memory:", **settings)
    return CallReading([], make_call_sources(made, clock), store, made).read(SERVICES, clock())


def ends(store: Store) -> list[tuple[str, str, str]]:
    return [(call.caller, call.callee, str(call.callee_is)) for call in store.graph()]


@pytest.mark.slow
def test_what_a_jaeger_calls_services_is_looked_up_among_those_there_are(store: Store) -> None:
    calls = [("web", "cart"), ("web", "pay"), ("web", "mail.example"), ("nobody", "else"), ("old", "cart")]
    store.names.rename("shop/cart", "shop/basket", NOON)
    store.names.remove(["shop/old"], NOON, ["shop/old"])
    store.register([Service("shop/old")])
    with Jaeger(*calls) as server:
        assert read(store, jaeger={"eu": {"url": server.url}}) == []
    assert ends(store) == [
        ("shop/web", "mail.example", "external"),
        ("shop/web", "pay", "unknown"),
        ("shop/web", "shop/basket", "service"),
    ], "a name of two services is nobody's, one of before is known, and what is excluded is left out"
    assert {(call.kind, call.source, call.first_seen) for call in store.graph()} == {("jaeger", "eu", NOON)}
    assert store.calls() == [("shop/web", "shop/basket")]


@pytest.mark.slow
def test_a_jaeger_that_is_away_is_a_failure_and_the_settings_still_count(store: Store) -> None:
    with Jaeger() as server:
        url = server.url
    failed = read(store, jaeger={"eu": {"url": url, "timeout": 1}}, calls={"shop/web": ["cart", "database:carts"]})
    assert [failure.what for failure in failed] == ["calls of jaeger eu"]
    assert "cannot be reached" in failed[0].error
    assert store.graph() == [
        Call("shop/web", "carts", "settings", "settings", NOON, NOON, callee_is=End.DATABASE),
        Call("shop/web", "shop/cart", "settings", "settings", NOON, NOON),
    ]


def test_a_call_that_is_taken_out_of_the_settings_is_gone_at_once(store: Store) -> None:
    store.write_calls([Call("shop/web", "shop/pay", "istio", "eu")], NOON)
    read(store, calls={"shop/web": ["shop/cart", "shop/pay"]})
    read(store, 1, calls={"shop/web": ["shop/pay"]})
    assert store.calls() == [("shop/web", "shop/pay")]
    assert [call.kind for call in store.graph()] == ["istio", "settings"]
    read(store, 2)
    assert [call.kind for call in store.graph()] == ["istio"]


def test_a_service_in_the_settings_that_is_not_there_yet_becomes_one_when_it_comes(store: Store) -> None:
    read(store, calls={"shop/web": ["shop/new"]})
    assert (ends(store), store.calls()) == ([("shop/web", "shop/new", "unknown")], [])
    store.register([Service("shop/new")])
    read(store, 1, calls={"shop/web": ["shop/new"]})
    assert (ends(store), store.calls()) == ([("shop/web", "shop/new", "service")], [("shop/web", "shop/new")])


@pytest.mark.slow
def test_a_runtime_reads_them_in_its_cycles() -> None:
    with Jaeger(("email", "sessions")) as server:
        settings = Settings(
            store=":memory:",
            worker=False,
            detector="seasonal",
            demo_days=0.02,
            jaeger={"traces": {"url": server.url}},
            calls={"shop/email": ["shop/orders-db"]},
        )
        runtime = Runtime(settings, clock=Clock())
        try:
            runtime.prepare()
            known = {(call.callee, call.kind) for call in runtime.store.graph() if call.caller == "shop/email"}
        finally:
            runtime.close()
    assert known >= {("shop/sessions", "jaeger"), ("shop/orders-db", "settings")}
