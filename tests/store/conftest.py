"""Stores of every home, for tests that hold of all of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.actors import Actor
from support.servers import Postgres

from observatory.store import Store, open_store
from observatory.store.engine.homes.address import read_address
from observatory.store.options import StoreOptions

HOMES = [
    "memory",
    "file",
    pytest.param("served", marks=pytest.mark.slow),
    pytest.param("lake", marks=pytest.mark.servers),
]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store that nobody wrote to, to be copied."""
    path = tmp_path_factory.mktemp("empty") / "x.duckdb"
    open_store(str(path)).close()
    return path


@pytest.fixture(scope="session")
def empty_lake(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The catalogue's database of a lake that nobody wrote to, to be copied: making its tables takes seconds."""
    found = postgres.database()
    folder = tmp_path_factory.mktemp("empty lake")
    open_store(f"ducklake:postgres:{found}", options=StoreOptions(data_path=str(folder))).close()
    return dict(part.split("=") for part in found.split())["dbname"]


def lake(postgres: Postgres, empty_lake: str, folder: Path) -> tuple[str, StoreOptions]:
    """URL and options of an empty lake whose files are in `folder`."""
    found = postgres.database(template=empty_lake)
    name = dict(part.split("=") for part in found.split())["dbname"]
    postgres.run(name, f"UPDATE ducklake_metadata SET value = '{folder}/' WHERE key = 'data_path'")
    # One thread: those of DuckDB that wait for PostgreSQL take the processor meanwhile.
    return f"ducklake:postgres:{found}", StoreOptions(data_path=str(folder), threads=1)


@pytest.fixture(params=HOMES)
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, StoreOptions]]:
    """URL and options of an empty store, in each home in turn; one in memory is made anew each time."""
    path = str(tmp_path / "x.duckdb")
    if request.param == "memory":
        yield ":memory:", StoreOptions()
    elif request.param == "file":
        shutil.copy(request.getfixturevalue("empty_file"), path)
        yield path, StoreOptions()
    elif request.param == "served":
        shutil.copy(request.getfixturevalue("empty_file"), path)
        owner = open_store(path)
        address = read_address(Path(path))
        assert address is not None
        yield address.url.replace("quack:", "quack://"), StoreOptions(token=address.token)
        owner.close()
    else:
        postgres = request.getfixturevalue("postgres")
        yield lake(postgres, request.getfixturevalue("empty_lake"), tmp_path / "lake")


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
