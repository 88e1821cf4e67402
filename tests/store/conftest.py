"""Stores of every home, for tests that hold of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.actors import Actor
from support.servers import Postgres

from observatory.store import Store, open_store
from observatory.store.engine.homes.address import read_address
from observatory.store.options import StoreOptions

HOMES = ["memory", "file", "served", pytest.param("lake", marks=pytest.mark.servers)]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture(params=HOMES)
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, StoreOptions]]:
    """URL and options of an empty store, in each home in turn."""
    path = str(tmp_path / "x.duckdb")
    if request.param == "memory":
        yield ":memory:", StoreOptions()
    elif request.param == "file":
        yield path, StoreOptions()
    elif request.param == "served":
        owner = open_store(path)
        address = read_address(Path(path))
        assert address is not None
        yield address.url.replace("quack:", "quack://"), StoreOptions(token=address.token)
        owner.close()
    else:
        server = request.getfixturevalue("postgres")
        yield f"ducklake:postgres:{server.database()}", StoreOptions(data_path=str(tmp_path / "lake"))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Actor]]:
    """Starts actors on one store; none outlives the test."""
    actors: list[Actor] = []

    def start(role: str, name: str = "", count: int = 0) -> Actor:
        actors.append(Actor(role, tmp_path / "x.duckdb", name, count))
        return actors[-1]

    yield start
    for actor in actors:
        actor.kill()


@pytest.fixture
def store(home: tuple[str, StoreOptions]) -> Iterator[Store]:
    url, options = home
    opened = open_store(url, options=options)
    yield opened
    opened.close()
