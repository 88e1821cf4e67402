"""The header counts, tells how fresh things are, and hides no failure."""

from __future__ import annotations

from dataclasses import replace

from support.silences import a_silence
from views.conftest import NOW

from observatory.annotations.in_force import InForce
from observatory.config import Settings
from observatory.model import Failure
from observatory.runtime import Runtime
from observatory.views.components.header import header, problems, source
from observatory.views.session.state import State


def state_of(runtime: Runtime) -> State:
    return State(overview=runtime.overview())


def test_it_counts_services_and_open_anomalies(shop: Runtime) -> None:
    data = header(state_of(shop), shop)
    assert data["services"] == sum(band["count"] for band in data["bands"]) == 13
    assert data["open"] == 2
    assert (data["updated"], data["age"]) == (f"{NOW:%H:%M:%S}", 0)
    assert [tab["title"] for tab in data["tabs"]] == ["App Health", "Anomaly Radar", "Silences", "Runs", "Help"]


def test_an_empty_store_has_no_time(bare: Runtime) -> None:
    data = header(state_of(bare), bare)
    assert (data["services"], data["updated"], data["age"], data["problems"]) == (0, None, None, None)


def test_failures_of_the_last_cycle_are_shown(shop: Runtime) -> None:
    found = problems(state_of(shop))
    assert found["title"] == "1 problem in the cycle of 09:15:00 UTC"
    assert found["lines"] == [
        {"what": "latency_p95", "error": "Prometheus refused"},
        {"what": "warning", "error": "slow"},
    ]
    assert found["failed"]


def test_failures_outside_a_cycle_are_shown_as_well(shop: Runtime) -> None:
    state = state_of(shop)
    state.error = "store x: reading failed"
    found = problems(state, (Failure("history", "no answer"),), "RuntimeError: disk full")
    assert found["title"] == "4 problems"
    assert [line["what"] for line in found["lines"][:3]] == ["reading the store", "history", "background worker"]


def test_warnings_alone_are_no_failure(shop: Runtime) -> None:
    state = state_of(shop)
    state.overview = replace(state.overview, last_cycle=replace(state.overview.last_cycle, failures=()))
    assert not problems(state)["failed"]
    assert problems(state)["title"].startswith("1 warning")


def test_a_cycle_without_trouble_has_no_banner(shop: Runtime) -> None:
    state = state_of(shop)
    cycle = replace(state.overview.last_cycle, failures=(), warnings=())
    state.overview = replace(state.overview, last_cycle=cycle)
    assert problems(state) is None


def test_the_source_is_named_without_what_its_address_may_hide() -> None:
    settings = Settings(prometheus_url="http://user:secret@prometheus.example:9090/x?token=y")
    assert source(settings, "prometheus") == {"kind": "prometheus", "name": "prometheus.example:9090"}
    assert source(Settings(), "demo")["kind"] == "demo"


def test_the_source_is_what_the_store_says_whatever_the_settings_name() -> None:
    settings = Settings(prometheus_url="https://prometheus.example:9090")
    assert source(settings, "demo") == {"kind": "demo", "name": "demo shop"}
    assert source(Settings(), "prometheus") == {"kind": "prometheus", "name": ""}
    assert source(settings, "import") == {"kind": "import", "name": "imported files"}


def test_it_counts_services_that_are_silenced_now(shop: Runtime) -> None:
    state = state_of(shop)
    assert header(state, shop)["silenced"] == 0
    one, *others = state.overview.services
    silenced = replace(one, silences=(InForce(a_silence(), NOW, NOW),))
    state.overview = replace(state.overview, services=(silenced, *others))
    assert header(state, shop)["silenced"] == 1
