"""Scores of a live stream: those of an uninterrupted one, whatever happened to the process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import wait
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest
from support.shop import NOON, Clock, shop

from observatory.catalog import METRICS, detected
from observatory.detectors import make_detector
from observatory.detectors.multiscale.fleet import Fleet
from observatory.detectors.seasonal import Seasonal
from observatory.errors import StoreError
from observatory.model import Anomaly, Failure
from observatory.runtime import Runtime, detection
from observatory.sources.demo.shop import SHOP

pytestmark = pytest.mark.slow

MINUTES = 8
START = NOON.replace(second=0)


def live(**settings: Any) -> Runtime:
    runtime = shop(demo_days=0.25, detector="multiscale", **settings)
    runtime.prepare()
    return runtime


def restarted(runtime: Runtime, **settings: Any) -> Runtime:
    """As after the process was killed: the same store, nothing else."""
    changed = runtime.settings.model_copy(update=settings)
    return Runtime(changed, store=runtime.store, sources=runtime.sources, clock=Clock(runtime.clock()))


def cycles(runtime: Runtime, count: int) -> None:
    clock: Any = runtime.clock
    for _ in range(count):
        clock.forward(seconds=60)
        assert runtime.cycle().failures == ()


def fleet(runtime: Runtime) -> Fleet:
    learned = runtime.pipeline.detection.scorer._state.learned
    assert isinstance(learned, Fleet)
    return learned


def known(runtime: Runtime) -> dict[str, bytes]:
    """All that decides the next scores, to the last bit."""
    return fleet(runtime).dump(sorted(fleet(runtime).services))


def episodes(runtime: Runtime) -> list[tuple[Any, ...]]:
    """What scores decide; the bands that explain are made anew after a restart."""
    found = runtime.store.anomalies(start=START)
    return [(a.service_name, a.started_at, a.ended_at, a.is_open, a.score) for a in found]


@pytest.fixture(scope="module")
def uninterrupted() -> Iterator[Runtime]:
    runtime = live()
    cycles(runtime, MINUTES)
    yield runtime
    runtime.close()


def test_a_live_stream_knows_what_a_detector_of_its_own_learns_in_one_go(uninterrupted: Runtime) -> None:
    metrics = detected(METRICS)
    history = uninterrupted.store.history("shop/payments", START - timedelta(days=1), uninterrupted.clock(), metrics)
    alone = make_detector("multiscale")
    batch = alone.advance(history).total  # type: ignore[attr-defined]
    assert alone._fleet.dump(["the service"])["the service"] == known(uninterrupted)["shop/payments"]  # type: ignore[attr-defined]
    (found,) = uninterrupted.store.anomalies(start=START, services=["shop/payments"])
    assert found.started_at == batch[batch.index > START].ge(1.0).idxmax()
    assert found.score == batch[found.started_at : found.ended_at].max()


@pytest.mark.parametrize("kept", ["nothing", "before", "at the end"])
def test_after_a_restart_scores_are_those_of_an_uninterrupted_stream(uninterrupted: Runtime, kept: str) -> None:
    first = live()
    cycles(first, 2)
    if kept == "before":
        first.pipeline.detection.scorer.keep(first.clock(), everything=True)
    cycles(first, 2)
    if kept == "at the end":
        first.pipeline.close(first.clock())
    if kept == "nothing":
        first.store._database.run("DELETE FROM detector_states")
    fresh = restarted(first)
    cycles(fresh, MINUTES - 4)
    assert known(fresh) == known(uninterrupted)
    assert episodes(fresh) == episodes(uninterrupted)
    assert episodes(fresh)
    first.close()


def test_a_cycle_scores_only_what_is_new_and_all_services_in_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    honest = Fleet.advance

    def counted(fleet: Fleet, services: Any, values: Any, times: Any) -> Any:
        calls.append(len(values))
        return honest(fleet, services, values, times)

    runtime = live()
    monkeypatch.setattr(Fleet, "advance", counted)
    cycles(runtime, 2)
    assert calls == [len(SHOP), len(SHOP)], "filling the past has left it warm"
    runtime.close()


def test_what_was_kept_with_other_parameters_is_learned_anew(caplog: pytest.LogCaptureFixture) -> None:
    first = live()
    first.pipeline.close(first.clock())
    other = restarted(first, detector_parameters={"memory": 14.0})
    cycles(other, 2)
    assert caplog.text.count(f"knew of {len(SHOP)} services is of another version") == 1
    assert fleet(other).samples("shop/cart") == fleet(first).samples("shop/cart") + 2
    first.close()


def test_a_look_back_leaves_no_trace(uninterrupted: Runtime) -> None:
    before = known(uninterrupted)
    replayed, _ = uninterrupted.pipeline.replay(START + timedelta(seconds=1), uninterrupted.clock(), ["shop/payments"])
    assert known(uninterrupted) == before
    assert replayed == [a for a in uninterrupted.store.anomalies(start=START) if a.service_name == "shop/payments"]


def test_a_refit_never_holds_up_a_cycle(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = shop(demo_days=0.25, refit_hours=0.1)
    runtime.prepare()
    cycles(runtime, 1)
    scorer = runtime.pipeline.detection.scorer
    old = scorer._state.models["shop/cart"]
    go, honest, fits = threading.Event(), Seasonal.fit, []

    def slow(self: Seasonal, history: pd.DataFrame) -> Seasonal:
        fits.append(self)
        go.wait(30)
        return honest(self, history)

    monkeypatch.setattr(Seasonal, "fit", slow)
    cycles(runtime, 8)
    assert scorer._state.models["shop/cart"] is old, "the fit is still waiting, and the cycles went on"
    refits = dict(scorer._refits)
    assert len(refits) == len(SHOP)
    go.set()
    new = refits["shop/cart",].result(30).models["shop/cart"]
    assert new is not old
    cycles(runtime, 1)
    assert scorer._state.models["shop/cart"] is new
    wait(refits.values(), 30)
    cycles(runtime, 1)
    assert len(fits) == len(SHOP), "each service is fitted once, however many cycles waited for it"
    runtime.close()


def test_history_for_a_new_model_that_cannot_be_read_is_a_failure_of_the_cycle_and_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runtime = shop(demo_days=0.25, refit_hours=0.1)
    runtime.prepare()
    cycles(runtime, 7)
    scorer, honest, asked = runtime.pipeline.detection.scorer, runtime.store.history_of_all, []

    def fails_once(start: Any, end: Any, services: Any = None) -> pd.DataFrame:
        if threading.current_thread().name.startswith("observatory-refit"):
            asked.append(services)
            if len(asked) == 1:
                raise StoreError("the disk is gone")
        return honest(start, end, services)

    monkeypatch.setattr(runtime.store, "history_of_all", fails_once)
    clock: Any = runtime.clock
    failures: list[Failure] = []
    for _ in range(3):
        clock.forward(seconds=60)
        failures += runtime.cycle().failures
        wait(scorer._refits.values(), 30)
    assert failures == [Failure("detect", "StoreError: the disk is gone")]
    assert asked.count(asked[0]) == 2
    runtime.close()


def fail_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next rows be learned only in part."""
    honest = Fleet.advance

    def halfway(fleet: Fleet, services: Any, values: Any, times: Any) -> Any:
        monkeypatch.setattr(Fleet, "advance", honest)
        half = len(values) // 2
        honest(fleet, services[:half], values[:half], times[:half])
        raise MemoryError("halfway")

    monkeypatch.setattr(Fleet, "advance", halfway)


def test_what_was_learned_in_part_is_learned_anew_from_the_store(
    uninterrupted: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = live()
    cycles(runtime, 2)
    fail_once(monkeypatch)
    clock: Any = runtime.clock
    clock.forward(seconds=60)
    assert runtime.cycle().failures == (Failure("detect", "MemoryError: halfway"),)
    cycles(runtime, MINUTES - 3)
    assert known(runtime) == known(uninterrupted)
    assert episodes(runtime) == episodes(uninterrupted)
    runtime.close()


def test_a_replay_that_fails_in_part_leaves_nothing_half_learned(
    uninterrupted: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = shop(demo_days=0.25, detector="multiscale")
    fail_once(monkeypatch)
    runtime.prepare()
    (failure,) = runtime.failures
    assert failure.error == "MemoryError: halfway"
    cycles(runtime, MINUTES)
    assert known(runtime) == known(uninterrupted)
    runtime.close()


def test_a_service_whose_episodes_cannot_be_formed_is_scored_again_and_the_others_go_on(
    uninterrupted: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, honest, failed = live(), detection.detect, []

    def fails(service: str, *arguments: Any, **options: Any) -> list[Anomaly]:
        if service == "shop/payments" and len(failed) < 2:
            failed.append(service)
            raise ArithmeticError("for once")
        return honest(service, *arguments, **options)

    monkeypatch.setattr(detection, "detect", fails)
    clock: Any = runtime.clock
    said = []
    for _ in range(MINUTES):
        clock.forward(seconds=60)
        said += [str(failure.what) for failure in runtime.cycle().failures]
    assert said == [f"detect {service}" for service in failed]
    assert len(failed) == 2, "the fault began within these minutes"
    assert known(runtime) == known(uninterrupted)
    assert episodes(runtime) == episodes(uninterrupted)
    runtime.close()
