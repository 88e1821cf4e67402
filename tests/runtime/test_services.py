"""A service is registered in the same way by the API and the command line, also where there is no source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.shop import shop

from observatory.errors import InvalidInputError
from observatory.model import IMPORTED, Service
from observatory.runtime import Runtime
from observatory.runtime.services import register_service


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    made = shop(demo_days=0.02)
    yield made
    made.close()


def test_a_new_service_belongs_to_the_first_source_of_the_settings(runtime: Runtime) -> None:
    service, is_new = register_service(runtime, "mine", team="us", objective=None)
    assert is_new
    assert service == runtime.store.service("mine") == Service("mine", "demo", team="us")


@pytest.mark.slow
@pytest.mark.parametrize("held", [IMPORTED, "prometheus"])
def test_where_nothing_collects_a_new_service_waits_for_a_source(runtime: Runtime, held: str) -> None:
    runtime.store.write_note("source", held)
    service, _ = register_service(runtime, "mine", team="us")
    assert service.source == IMPORTED
    runtime.store.write_note("source", "demo seed 7")
    name = runtime.sources[0].discover()[0].name
    runtime.store.write_note("source", held)
    register_service(runtime, name)
    runtime.store.write_note("source", "demo seed 7")
    assert runtime.collect(name).warnings == (), "a source that has it takes it over"
    assert runtime.store.service(name).source == "demo"


def test_a_known_service_keeps_its_source_and_its_facts(runtime: Runtime) -> None:
    runtime.store.register([Service("mine", "eu", team="us", objective=0.99)])
    service, is_new = register_service(runtime, "mine", tier="1")
    assert not is_new
    assert service == runtime.store.service("mine") == Service("mine", "eu", "us", "1", 0.99)


def test_a_source_may_be_named(runtime: Runtime) -> None:
    runtime.store.register([Service("mine", IMPORTED)])
    assert register_service(runtime, "mine", "demo")[0].source == "demo"
    with pytest.raises(InvalidInputError, match="unknown source 'eu': choose from demo"):
        register_service(runtime, "mine", "eu")


@pytest.mark.parametrize(
    ("name", "facts", "message"),
    [
        ("", {}, "service name ''"),
        (" a", {}, "no blank at the ends"),
        ("a\n", {}, "printable"),
        ("a" * 201, {}, "1 to 200"),
        ("a", {"objective": 1.0}, "objective = 1: give a share between 0 and 1"),
        ("a", {"objective": 0.0}, "objective = 0"),
        ("a", {"latency_target": 0.0}, "latency_target = 0: give seconds above 0"),
        ("a", {"latency_target": float("nan")}, "latency_target = nan"),
    ],
)
def test_what_cannot_be_used_is_refused(runtime: Runtime, name: str, facts: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        register_service(runtime, name, **facts)
    assert runtime.store.services() == []
