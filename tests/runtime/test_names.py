"""A live process notices that services were renamed, merged or removed, and goes on with what was learned."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.shop import Clock, shop

from observatory.model import Overlap
from observatory.runtime import Runtime

pytestmark = pytest.mark.slow


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    made = shop(demo_days=0.25, detector="multiscale")
    made.prepare()
    made.cycle()
    yield made
    made.close()


def cycle(runtime: Runtime) -> None:
    assert isinstance(runtime.clock, Clock)
    runtime.clock.forward(seconds=60)
    assert runtime.cycle().failures == ()


def learned(runtime: Runtime, service: str) -> int:
    """Samples that decide the next scores of a service; 0 where nothing is known of it."""
    state = runtime.pipeline.detection.scorer._state
    return state.learned.samples(service) if service in state.until else 0  # type: ignore[attr-defined]


def keep(runtime: Runtime) -> None:
    """As every hour."""
    runtime.pipeline.detection.scorer.keep(runtime.clock(), everything=True)


def kept(runtime: Runtime) -> set[str]:
    return {one.service_name for one in runtime.store.states.read("multiscale")}


def test_what_was_learned_goes_on_under_another_name(runtime: Runtime) -> None:
    before = learned(runtime, "shop/cart")
    assert before > 300
    keep(runtime)
    runtime.store.names.rename("shop/cart", "shop/basket", runtime.clock())
    keep(runtime)  # which knows nothing of it yet
    cycle(runtime)
    assert learned(runtime, "shop/basket") == before + 1
    assert learned(runtime, "shop/cart") == 0
    status = next(one for one in runtime.overview().services if one.name == "shop/basket")
    assert (status.state, status.is_stale) == ("judged", False)
    keep(runtime)
    assert "shop/basket" in kept(runtime)
    assert "shop/cart" not in kept(runtime)


def test_a_merged_service_goes_on_with_the_most_that_was_learned(runtime: Runtime) -> None:
    before = learned(runtime, "shop/cart")
    keep(runtime)
    runtime.store.names.rename("shop/cart", "shop/former", runtime.clock())
    cycle(runtime)
    keep(runtime)
    runtime.store.names.restore("shop/cart")
    cycle(runtime)
    assert learned(runtime, "shop/cart") == 1, "a new name"
    runtime.store.names.merge(["shop/former"], "shop/cart", runtime.clock(), Overlap.REFUSE)
    cycle(runtime)
    assert learned(runtime, "shop/cart") == before + 3
    assert "shop/former" not in [service.name for service in runtime.store.services()]


def test_of_a_removed_service_nothing_is_kept(runtime: Runtime) -> None:
    keep(runtime)
    runtime.store.names.remove(["shop/cart"], runtime.clock(), exclude=["shop/cart"])
    keep(runtime)
    cycle(runtime)
    cycle(runtime)
    keep(runtime)
    assert learned(runtime, "shop/cart") == 0
    assert "shop/cart" not in kept(runtime)
    assert "shop/cart" not in [service.name for service in runtime.store.services()]
    assert all("shop/cart" not in call for call in runtime.store.calls())
    assert all(fault.service_name != "shop/cart" for fault in runtime.store.faults())
