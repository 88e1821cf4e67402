"""What a source knows beside its samples is kept up to date; where that fails, the cycle records it and goes on."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from support.shop import NOON, Clock

from observatory.config import Settings
from observatory.errors import SourceError
from observatory.model import SERVICE, Call, Collected, End, Failure, Fault
from observatory.model.running import MarkKind, Seen, Sighting
from observatory.runtime import Runtime
from observatory.sources import LabelledSource
from observatory.sources.demo.shop import SHOP, DemoSource

pytestmark = pytest.mark.slow

AWAY = SourceError("the server is away")


class Shop(DemoSource):
    """The demo shop, with calls, labels and services as the test wants them."""

    calls: list[Call | tuple[str, str]] | Exception = [("shop/checkout", "shop/payments")]  # noqa: RUF012
    labels: Exception | None = None
    hidden = ""
    times_asked = 0

    def graph(self) -> list[Call | tuple[str, str]]:  # type: ignore[override]
        self.times_asked += 1
        if isinstance(self.calls, Exception):
            raise self.calls
        return self.calls

    def faults(self, start: datetime | None = None, end: datetime | None = None) -> list[Fault]:
        if self.labels is not None:
            raise self.labels
        return super().faults(start, end)

    def collect(self, *args: object) -> Collected:
        answer = super().collect(*args)  # type: ignore[arg-type]
        return replace(answer, frame=answer.frame[answer.frame[SERVICE] != self.hidden])


@pytest.fixture
def source() -> Shop:
    return Shop(7, NOON, live_since=NOON, live_fault_after=60.0)


@pytest.fixture
def runtime(source: Shop) -> Iterator[Runtime]:
    settings = Settings(store=":memory:", worker=False, detector="seasonal", demo_days=0.02)
    made = Runtime(settings, sources=[source], clock=Clock())
    yield made
    made.close()


def cycle(runtime: Runtime, minutes: float = 1) -> tuple[Failure, ...]:
    assert isinstance(runtime.clock, Clock)
    runtime.clock.forward(minutes=minutes)
    ran = runtime.cycle()
    assert ran.samples > 0, "whatever else fails, samples are collected"
    return ran.failures


def test_the_demo_is_a_source_with_labels(source: Shop) -> None:
    assert isinstance(source, LabelledSource)


def test_calls_are_read_when_the_past_is_filled_and_every_few_minutes(runtime: Runtime, source: Shop) -> None:
    runtime.prepare()
    assert (source.times_asked, runtime.store.calls()) == (1, [("shop/checkout", "shop/payments")])
    for _ in range(4):
        assert cycle(runtime) == ()
    assert source.times_asked == 1
    source.calls = [("shop/checkout", "shop/new")]
    assert cycle(runtime) == ()
    assert source.times_asked == 2
    assert ("shop/checkout", "shop/new") in runtime.store.calls()


def test_a_call_is_kept_with_its_kind_its_source_and_when_it_was_seen_first_and_last(
    runtime: Runtime, source: Shop
) -> None:
    source.calls = [("shop/cart", "shop/email"), Call("shop/cart", "carts", "spans", callee_is=End.DATABASE)]
    assert cycle(runtime) == ()
    first = runtime.clock()
    assert cycle(runtime, 10) == ()
    times = first, runtime.clock()
    assert runtime.store.graph() == [
        Call("shop/cart", "carts", "spans", "demo", *times, callee_is=End.DATABASE),
        Call("shop/cart", "shop/email", "demo", "demo", *times),
    ]
    assert runtime.store.calls() == [("shop/cart", "shop/email")]


def test_a_call_that_a_source_tells_no_more_counts_for_a_week(runtime: Runtime, source: Shop) -> None:
    assert cycle(runtime) == ()
    source.calls = []
    assert cycle(runtime, 7 * 24 * 60 - 1) == ()
    assert runtime.store.calls() == [("shop/checkout", "shop/payments")]
    assert cycle(runtime, 2) == ()
    assert runtime.store.calls() == []
    assert len(runtime.store.graph(everything=True)) == 1


def test_a_process_that_finds_nothing_to_fill_reads_the_calls_in_its_first_cycle(
    runtime: Runtime, source: Shop
) -> None:
    runtime.prepare()
    again = Runtime(runtime.settings, store=runtime.store, sources=[source], clock=runtime.clock)
    again.prepare()
    source.calls = [("shop/checkout", "shop/new")]
    assert cycle(again) == ()
    assert ("shop/checkout", "shop/new") in runtime.store.calls()


def test_calls_are_read_at_once_when_a_service_comes(runtime: Runtime, source: Shop) -> None:
    source.hidden = "shop/cart"
    assert cycle(runtime) == ()
    assert cycle(runtime) == ()
    assert source.times_asked == 1
    source.hidden = ""
    assert cycle(runtime) == ()
    assert source.times_asked == 2


@pytest.mark.parametrize(("error", "text"), [(AWAY, "the server is away"), (KeyError("callee"), "KeyError: 'callee'")])
def test_calls_that_cannot_be_read_are_a_failure_of_the_cycle_until_they_can(
    runtime: Runtime, source: Shop, error: Exception, text: str
) -> None:
    source.calls = error
    for _ in range(2):
        assert cycle(runtime) == (Failure("calls of demo", text),)
    source.calls = [("shop/checkout", "shop/payments")]
    assert cycle(runtime) == ()
    assert runtime.store.calls() == [("shop/checkout", "shop/payments")]
    assert runtime.store.cycles(3)[1].failures == (Failure("calls of demo", text),)


def test_labels_that_cannot_be_read_do_not_end_the_cycle(
    runtime: Runtime, source: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    source.labels = AWAY
    for _ in range(3):
        assert cycle(runtime) == (Failure("labels of demo", "the server is away"),)
    assert caplog.text.count("labels of demo: the server is away") == 1, "what goes on failing is logged once"
    source.labels = None
    assert cycle(runtime) == ()
    assert runtime.store.faults(), "those of the last day are read again"


def test_what_fails_while_the_past_is_filled_is_told_and_the_past_is_there(runtime: Runtime, source: Shop) -> None:
    source.calls, source.labels = AWAY, AWAY
    runtime.prepare()
    assert runtime.failures == (Failure("labels of demo", str(AWAY)), Failure("calls of demo", str(AWAY)))
    assert len(runtime.store.services()) == len(SHOP)


# -- changes -----------------------------------------------------------------------------------


def test_changes_of_the_past_and_of_now_are_kept_once(runtime: Runtime, source: Shop) -> None:
    runtime.prepare()
    past = source.changes(NOON - timedelta(days=runtime.settings.demo_days), NOON)
    assert runtime.store.changes.read() == past
    for _ in range(2):
        assert cycle(runtime) == ()
    assert [one.service_name for one in runtime.store.changes.read()[len(past) :]] == ["shop/payments"]


class Versions:
    """The demo shop as a source that only shows what runs."""

    name, asks = "demo", ""
    times_looked = 0

    def __init__(self) -> None:
        shop = DemoSource(7, NOON)
        self.discover, self.collect, self.history, self.graph = shop.discover, shop.collect, shop.history, shop.graph

    def running(self, start: datetime, end: datetime, services: Collection[str]) -> Seen:
        self.times_looked += 1
        if self.times_looked == 2:
            raise AWAY
        version = "1" if end < NOON + timedelta(minutes=6) else "2"
        return Seen([Sighting("shop/cart", MarkKind.VERSION, "build_info", end, (version,))])


def test_what_runs_is_looked_at_every_few_minutes_and_again_where_that_failed() -> None:
    source = Versions()
    settings = Settings(store=":memory:", worker=False, detector="seasonal", demo_days=0.02)
    runtime = Runtime(settings, sources=[source], clock=Clock())
    try:
        runtime.store.running.look_from("demo", NOON)
        failures = [cycle(runtime) for _ in range(8)]
        assert failures == [(), (), (Failure("changes of demo", str(AWAY)),), (), (), (), (), ()]
        assert source.times_looked == 5
        assert [(one.service_name, one.version) for one in runtime.store.changes.read()] == [("shop/cart", "2")]
    finally:
        runtime.close()
